"""Use cases of contacts and their portal switch."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from chassis.errors import Gone, Invalid, NotFound
from chassis.ids import new_id
from chassis.stamp import apply_changes, check_version, lock, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts import clients as c
from contracts.fields import phone_forms
from services.clients.commands import trail
from services.clients.commands.shared import check_home, check_new
from services.clients.model import Client, Contact
from services.clients.queries import rows as queries
from services.clients.text import phone_digits, search_text
from services.kit.homes import root_of, tree_of
from services.kit.stamps import stamps

ABSENT = "Ce contact n’existe pas."
_KIND = "contacts"


def create_contact(uow: UnitOfWork, request: c.CreateContact) -> bytes:
    """Adds a contact."""
    check_new(uow, Contact, request.id)
    check_home(uow, request.home_client_id)
    row = Contact(
        id=request.id or new_id(),
        home_client_id=request.home_client_id,
        written_client_id=request.written_client_id,
        **request.body.model_dump(),
        **stamps(uow, request.origin),
    )
    _open(uow, row)
    return queries.get_row(uow.session, "contacts", row.id)


def _open(uow: UnitOfWork, row: Contact) -> None:
    _derive(row)
    uow.session.add(row)
    uow.session.flush()
    trail.note(uow, _KIND, row, {"created": _name(row)}, at=row.created_at)
    uow.emit(c.ContactCreated(**_facts(uow, row)))


def add_first_contact(uow: UnitOfWork, record: Client) -> None:
    """The person of a record that becomes a company; not twice, when it goes back and forth."""
    same = select(Contact.id).where(
        Contact.home_client_id == record.id,
        Contact.first_name == record.first_name,
        Contact.last_name == record.last_name,
        Contact.deleted_at.is_(None),
    )
    if uow.session.scalar(same.limit(1)) is not None:
        return
    row = Contact(
        id=new_id(),
        home_client_id=record.id,
        written_client_id=record.id,
        first_name=record.first_name,
        last_name=record.last_name,
        role="",
        email=record.email,
        phone=record.phone,
        portal_access=False,
        **stamp_new(uow),
    )
    _open(uow, row)


def drop_first_contact(uow: UnitOfWork, record: Client, made_at: datetime) -> None:
    """The contact that a conversion made goes with it, unless somebody touched it since."""
    made = select(Contact).where(
        Contact.home_client_id == record.id,
        Contact.created_at == made_at,
        Contact.version == 1,
        Contact.deleted_at.is_(None),
    )
    row = uow.session.scalar(made.limit(1).with_for_update())
    if row is not None:
        _remove(uow, row)


def update_contact(uow: UnitOfWork, request: c.UpdateContact) -> bytes:
    """Changes a contact. Raises `Stale`, `Invalid`, `Gone`."""
    row = _living(uow, request.id)
    check_version(row, request.expected_version)
    changed = apply_changes(row, request.changes)
    if changed:
        if row.portal_access and not row.email:
            raise Invalid.field("email", "L’accès au portail demande une adresse e-mail.")
        if not (row.first_name or row.last_name or row.email or row.phone):
            raise Invalid.field("last_name", "Donnez un nom, un e-mail ou un téléphone.")
        _derive(row)
        touch(uow, row)
        trail.changed(uow, _KIND, row, changed)
        uow.session.flush()
        uow.emit(c.ContactUpdated(**_facts(uow, row)))
    if "portal_access" in changed and not row.portal_access:
        _withdraw_from_all(uow, row)
    return queries.get_row(uow.session, "contacts", row.id)


def _withdraw_from_all(uow: UnitOfWork, row: Contact) -> None:
    """A person whom several records of the tree know has one access: withdrawn from one, it is from all."""
    others = select(Contact).where(
        Contact.home_client_id.in_(tree_of(uow.session, row.home_client_id)),
        func.lower(Contact.email) == row.email.lower(),
        Contact.portal_access,
        Contact.id != row.id,
    )
    for other in uow.session.scalars(others.order_by(Contact.id).with_for_update()).all() if row.email else ():
        other.portal_access = False
        touch(uow, other)
        trail.changed(uow, _KIND, other, {"portal_access"})
        uow.session.flush()
        uow.emit(c.ContactUpdated(**_facts(uow, other)))


def delete_contact(uow: UnitOfWork, request: c.DeleteSub) -> bytes:
    """Takes a contact off the fiche, its portal access with it."""
    row = _living(uow, request.id)
    check_version(row, request.expected_version)
    _remove(uow, row)
    return b"{}"


def restore_contact(uow: UnitOfWork, request: c.RestoreSub) -> bytes:
    """Puts a contact back. Its portal access, withdrawn with it, is to be given anew. Nothing to do: as it is."""
    row = lock(uow.session, Contact, request.id, ABSENT)
    if row.home_client_id not in tree_of(uow.session, request.client_id):
        raise NotFound(ABSENT)
    check_home(uow, row.home_client_id)
    if row.deleted_at is not None:
        row.deleted_at = None
        touch(uow, row)
        uow.session.flush()
        trail.note(uow, _KIND, row, {"restored": _name(row)})
        uow.emit(c.ContactUpdated(**_facts(uow, row)))
    return queries.get_row(uow.session, "contacts", row.id)


def _remove(uow: UnitOfWork, row: Contact) -> None:
    row.deleted_at = uow.now
    row.portal_access = False
    touch(uow, row)
    trail.note(uow, _KIND, row, {"deleted": _name(row)})
    uow.session.flush()
    uow.emit(c.ContactDeleted(**_facts(uow, row)))


def _derive(row: Contact) -> None:
    row.phone_e164, row.phone_display = phone_forms(row.phone)
    name = " ".join(part for part in (row.first_name, row.last_name) if part)
    row.search = " ".join(filter(None, (search_text(name, row.email), phone_digits(row.phone))))


def _name(row: Contact) -> str:
    return " ".join(part for part in (row.first_name, row.last_name) if part) or row.email or row.phone


def _living(uow: UnitOfWork, identifier: Any) -> Contact:
    row = lock(uow.session, Contact, identifier, ABSENT)
    if row.deleted_at is not None:
        raise Gone("Ce contact a été supprimé.")
    return row


def _facts(uow: UnitOfWork, row: Contact) -> dict[str, Any]:
    return state(row, root_of(uow.session, row.home_client_id))


def state(row: Contact, root: uuid.UUID) -> dict[str, Any]:
    """Fields of the events, `root` being the living client it stands under."""
    return {
        "id": row.id,
        "home_client_id": row.home_client_id,
        "client_id": root,
        "name": " ".join(part for part in (row.first_name, row.last_name) if part),
        "role": row.role,
        "email": row.email,
        "phone": row.phone,
        "portal_access": row.portal_access,
    }
