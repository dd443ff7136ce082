"""What several use cases need: the record's lock, its history, its events."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import text

from chassis.errors import Conflict, Gone, NotFound, Stale, StartOver
from chassis.stamp import touch
from chassis.uow import UnitOfWork
from contracts import clients as c
from contracts.words import CLIENT_DELETED
from services.clients import fields
from services.clients.model import Client
from services.clients.queries.records import refuse_erased
from services.kit.homes import root_of

ABSENT = "Cette fiche n’existe pas."


def lock_record(uow: UnitOfWork, identifier: uuid.UUID, *, deleted: bool = False) -> Client:
    """The living record, locked. Never follows a merged id: 409 `client_merged` naming the survivor."""
    row = uow.session.get(Client, identifier, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(ABSENT)
    if row.merged_into is not None:
        root = root_of(uow.session, identifier)
        detail = "Cette fiche a été fusionnée dans une autre."
        raise Conflict(detail, code="client_merged", data={"client_id": str(root)})
    if row.deleted_at is not None:
        refuse_erased(uow.session, identifier)
        if not deleted:
            raise Gone(CLIENT_DELETED)
    return row


def status_of(row: Client) -> str:
    """`active`, `archived` or `deleted`."""
    if row.deleted_at is not None:
        return "deleted"
    return "archived" if row.archived_at is not None else "active"


def edit(uow: UnitOfWork, row: Client, values: dict[str, Any]) -> set[str]:
    """Writes the fields that differ and materialises them. Returns which; the caller touches, flushes, tells."""
    differing = {name: value for name, value in values.items() if _present(row, name) != value}
    if differing:
        # What was is told by the write itself: the one before may be a merge's, which holds no value.
        fields.append(uow, row.id, differing, before={name: _was(row, name) for name in differing})
        fields.materialise(uow.session, row, differing)
    return set(differing)


def _present(row: Client, name: str) -> Any:
    if name.startswith(fields.CUSTOM):
        return row.custom_fields.get(name.removeprefix(fields.CUSTOM))
    return getattr(row, name)


def _was(row: Client, name: str) -> Any:
    """What a field has until it is changed, as the history keeps it; null for an empty one."""
    value = _present(row, name)
    return str(value) if isinstance(value, uuid.UUID) else None if value == "" else value


def facts(row: Client) -> dict[str, Any]:
    """Fields of a client's events."""
    return {
        "id": row.id,
        "kind": row.kind,
        "stage": row.stage,
        "display_name": row.display_name,
        "reference": row.reference,
        "status": status_of(row),
        "email": row.email,
        "phone": row.phone,
        "siret": row.siret,
        "vat_number": row.vat_number,
        "sales_rep_id": row.sales_rep_id,
        "main_address_id": row.main_address_id,
    }


def tell_updated(uow: UnitOfWork, row: Client, changed: set[str]) -> None:
    """Marks a record as changed and tells it; nothing changed, nothing told."""
    if not changed:
        return
    touch(uow, row)
    uow.session.flush()
    uow.emit(c.ClientUpdated(**facts(row), changed=sorted(changed)))


def record_to_edit(uow: UnitOfWork, identifier: uuid.UUID) -> Client:
    """The living record to be edited, locked. Under a merged id: 412 with the survivor's state (merge-protocol)."""
    root = root_of(uow.session, identifier)
    if root != identifier:
        survivor = lock_record(uow, root)
        raise Stale(
            "Cette fiche a été fusionnée dans une autre. Rechargez-la avant d’enregistrer.",
            code="client_merged",
            data={"client_id": str(root), "version": survivor.version, "text": survivor.memo},
        )
    return root_record(uow, identifier)


def root_record(uow: UnitOfWork, home: uuid.UUID) -> Client:
    """The living record that a home stands under, locked; merged meanwhile, the command starts over."""
    row = uow.session.get(Client, root_of(uow.session, home), with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(ABSENT)
    if row.merged_into is not None:
        raise StartOver
    if row.deleted_at is not None:
        refuse_erased(uow.session, row.id)
        raise Gone(CLIENT_DELETED)
    return row


def check_home(uow: UnitOfWork, home: uuid.UUID) -> None:
    """A row's home is a record that is there and not deleted. Takes no lock (merge-protocol, Operations)."""
    found = uow.session.execute(
        text(
            "SELECT r.deleted_at FROM client c LEFT JOIN client_alias a ON a.id = c.id "
            "JOIN client r ON r.id = coalesce(a.root_id, c.id) WHERE c.id = :id"
        ),
        {"id": home},
    ).one_or_none()
    if found is None:
        raise NotFound(ABSENT)
    if found.deleted_at is not None:
        refuse_erased(uow.session, home)
        raise Gone(CLIENT_DELETED)


def check_new(uow: UnitOfWork, model: type[Any], identifier: uuid.UUID | None) -> None:
    """An id given beforehand is not borne yet. Raises `Conflict` with the code `exists`."""
    if identifier is not None and uow.session.get(model, identifier) is not None:
        raise Conflict("Cet identifiant existe déjà.", code="exists")
