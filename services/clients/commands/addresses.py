"""Use cases of addresses: exactly one main per client while it has a living one, whatever races."""

from __future__ import annotations

import uuid
from typing import Any

from chassis.errors import Conflict, Invalid, NotFound
from chassis.ids import new_id
from chassis.stamp import apply_changes, check_version, lock, touch
from chassis.uow import UnitOfWork
from contracts import clients as c
from services.clients import fields
from services.clients.commands import trail
from services.clients.commands.shared import check_new, root_record, tell_updated
from services.clients.model import Address, Client, Place
from services.clients.queries import rows
from services.kit.homes import root_of, tree_of
from services.kit.stamps import stamps

ABSENT = "Cette adresse n’existe pas."
_MAIN = "main_address_id"


def create_address(uow: UnitOfWork, request: c.CreateAddress) -> bytes:
    """Adds an address; the first is the main one. A `place_id` that is not known is refused."""
    body = request.body
    check_new(uow, Address, request.id)
    root = root_record(uow, request.home_client_id)
    row = Address(
        id=request.id or new_id(),
        home_client_id=request.home_client_id,
        written_client_id=request.written_client_id,
        place_id=_place(uow, body.place_id),
        **body.model_dump(exclude={"place_id", "is_main"}),
        **stamps(uow, request.origin),
    )
    uow.session.add(row)
    uow.session.flush()
    uow.emit(c.AddressCreated(**_facts(uow, row)))
    trail.note(uow, "addresses", row, {"created": one_line(row)}, at=row.created_at)
    if root.main_address_id is None or request.main or body.is_main:
        _promote(uow, root, row)
    return rows.get_row(uow.session, "addresses", row.id)


def update_address(uow: UnitOfWork, request: c.UpdateAddress) -> bytes:
    """Changes, retires or promotes an address. Another one becomes main when the main one is retired."""
    root, row = _locked(uow, request.id)
    check_version(row, request.expected_version)
    changes, given = request.changes, request.changes.model_fields_set
    if "is_main" in given and not changes.is_main and root.main_address_id == row.id:
        raise Invalid.field("is_main", "Choisissez plutôt l’adresse qui devient la principale.")
    changed = apply_changes(row, changes, skip=frozenset({"retired", "is_main", "place_id"}))
    if changes.place_id is not None and changes.place_id != row.place_id:
        row.place_id = _place(uow, changes.place_id)
        changed.add("place_id")
    if "retired" in given and changes.retired != (row.retired_at is not None):
        row.retired_at = uow.now if changes.retired else None
        changed.add("retired")
    if {"street", "city", "postal_code"} & changed and not (row.street or row.city or row.postal_code):
        raise Invalid.field("street", "Donnez une rue, un code postal ou une ville.")
    if changed:
        trail.changed(uow, "addresses", row, changed - {"retired", "place_id"})
        if "retired" in changed:
            retired = row.retired_at is not None
            trail.note(uow, "addresses", row, {"retired": retired}, before={"addresses.retired": not retired})
        touch(uow, row)
        uow.session.flush()
        uow.emit(c.AddressUpdated(**_facts(uow, row)))
    if changes.is_main:
        _promote(uow, root, row)
    _rematerialise(uow, root)
    return rows.get_row(uow.session, "addresses", row.id)


def delete_address(uow: UnitOfWork, request: c.DeleteSub) -> bytes:
    """Takes an address off the fiche; that nothing names it was asked of each service at the door.

    It is kept, and can be restored: what began to name it meanwhile still shows it.
    """
    root, row = _locked(uow, request.id)
    check_version(row, request.expected_version)
    row.deleted_at = uow.now
    row.retired_at = row.retired_at or uow.now
    touch(uow, row)
    uow.session.flush()
    uow.emit(c.AddressUpdated(**_facts(uow, row)))
    trail.note(uow, "addresses", row, {"deleted": one_line(row)})
    _rematerialise(uow, root)
    return b"{}"


def restore_address(uow: UnitOfWork, request: c.RestoreSub) -> bytes:
    """Brings a removed address back as it was: main again, or retired as before."""
    root, row = _locked(uow, request.id, deleted=True)
    if row.home_client_id not in tree_of(uow.session, request.client_id):
        raise NotFound(ABSENT)
    if row.deleted_at is not None:
        # What was removed while in use was retired by that alone, at the same moment.
        row.retired_at = None if row.retired_at == row.deleted_at else row.retired_at
        row.deleted_at = None
        touch(uow, row)
        uow.session.flush()
        uow.emit(c.AddressUpdated(**_facts(uow, row)))
        trail.note(uow, "addresses", row, {"restored": one_line(row)})
        _rematerialise(uow, root)
    return rows.get_row(uow.session, "addresses", row.id)


def promote_address(uow: UnitOfWork, request: c.PromoteAddress) -> bytes:
    """Makes an address the main one. Under the record's lock, so that two at once leave exactly one."""
    root, row = _locked(uow, request.id)
    _promote(uow, root, row)
    return rows.get_row(uow.session, "addresses", row.id)


def _locked(uow: UnitOfWork, identifier: uuid.UUID, *, deleted: bool = False) -> tuple[Client, Address]:
    """The address (a removed one only where asked for) and its record, locked: record first, then its rows."""
    seen = uow.session.get(Address, identifier)
    if seen is None:
        raise NotFound(ABSENT)
    root = root_record(uow, seen.home_client_id)
    row = lock(uow.session, Address, identifier, ABSENT)
    if row.deleted_at is not None and not deleted:
        raise NotFound(ABSENT)
    return root, row


def _place(uow: UnitOfWork, identifier: uuid.UUID | None) -> uuid.UUID:
    """A known place, or a new one."""
    if identifier is None:
        place = Place(id=new_id())
        uow.session.add(place)
        uow.session.flush()
        return place.id
    if uow.session.get(Place, identifier) is None:
        raise Invalid.field("place_id", "Ce lieu n’existe pas.")
    return identifier


def _promote(uow: UnitOfWork, root: Client, row: Address) -> None:
    if row.retired_at is not None:
        raise Conflict(
            "Cette adresse n’est plus utilisée\u202f: remettez-la en service d’abord.", code="address_retired"
        )
    if root.main_address_id == row.id:
        return
    before = str(root.main_address_id) if root.main_address_id else None
    fields.append(uow, root.id, {_MAIN: str(row.id)}, before={_MAIN: before})
    _rematerialise(uow, root)
    uow.emit(c.AddressPromoted(**_facts(uow, row)))


def _rematerialise(uow: UnitOfWork, root: Client) -> None:
    before = root.main_address_id
    fields.materialise(uow.session, root, [_MAIN])
    if root.main_address_id != before:
        tell_updated(uow, root, {_MAIN})


def _facts(uow: UnitOfWork, row: Address) -> dict[str, Any]:
    return state(row, root_of(uow.session, row.home_client_id))


def one_line(row: Address) -> str:
    """An address as a person calls it: its label, and where it is."""
    where = ", ".join(part for part in (row.street, f"{row.postal_code} {row.city}".strip()) if part)
    return " · ".join(part for part in (row.label, where) if part)


def state(row: Address, root: uuid.UUID) -> dict[str, Any]:
    """Fields of the events, `root` being the living client it stands under."""
    return {
        "id": row.id,
        "home_client_id": row.home_client_id,
        "client_id": root,
        "label": row.label,
        "street": row.street,
        "street_extra": row.street_extra,
        "postal_code": row.postal_code,
        "city": row.city,
        "country": row.country,
        "place_id": row.place_id,
        "retired": row.retired_at is not None,
    }
