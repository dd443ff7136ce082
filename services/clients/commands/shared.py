"""What several use cases need: the record's lock, its history, its events."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import text

from chassis.errors import Conflict, Gone, NotFound
from chassis.stamp import stamp_new
from chassis.uow import UnitOfWork
from contracts import clients as c
from services.clients.model import Client, ClientFieldWrite
from services.clients.text import display_name, fold, phone_digits, search_text

ABSENT = "Cette fiche n’existe pas."
DELETED = "Cette fiche a été supprimée. Elle peut être restaurée pendant 30 jours."


def lock_record(uow: UnitOfWork, identifier: uuid.UUID, *, deleted: bool = False) -> Client:
    """The living record, locked. Never follows a merged id: 409 `client_merged` naming the survivor."""
    row = uow.session.get(Client, identifier, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(ABSENT)
    if row.merged_into is not None:
        raise Conflict(
            "Cette fiche a été fusionnée dans une autre.",
            code="client_merged",
            data={"client_id": str(row.merged_into)},
        )
    if row.deleted_at is not None and not deleted:
        raise Gone(DELETED)
    return row


def status_of(row: Client) -> str:
    """`active`, `archived` or `deleted`."""
    if row.deleted_at is not None:
        return "deleted"
    return "archived" if row.archived_at is not None else "active"


def write_fields(uow: UnitOfWork, record: uuid.UUID, values: dict[str, Any], *, at: datetime | None = None) -> None:
    """Appends one write per field: the record's history, and what a merge will materialise from."""
    actor = uow.context.actor
    for name, value in values.items():
        uow.session.add(
            ClientFieldWrite(
                client_id_of_record=record,
                field=name,
                op="set",
                value={"v": _plain(value)},
                actor_id=actor.id,
                actor_name=actor.name,
                at=at or uow.now,
            )
        )


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, uuid.UUID | datetime) else value


def refresh_derived(row: Client) -> None:
    """Recomputes what is derived from the fields: name shown, what it is found by, how it is sorted."""
    row.display_name = display_name(row.kind, row.first_name, row.last_name, row.company_name)
    row.sort_name = fold(row.display_name) or row.display_name.lower()
    row.search = search_text(
        f"{row.first_name} {row.last_name}", row.company_name, row.reference, row.registration_number
    )
    row.phones = phone_digits(row.phone, row.secondary_phone)


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
    """Tells that a record changed."""
    uow.emit(c.ClientUpdated(**facts(row), changed=sorted(changed)))


def stamps(uow: UnitOfWork, origin: c.Origin | None) -> dict[str, Any]:
    """Stamp columns of a new row; an import's own moment and author where it gives them."""
    values = stamp_new(uow)
    if origin and origin.created_at:
        values["created_at"] = origin.created_at
        values["updated_at"] = origin.created_at
    if origin and origin.created_by_name:
        values["created_by_name"] = origin.created_by_name
        values["updated_by_name"] = origin.created_by_name
    return values


def root_record(uow: UnitOfWork, home: uuid.UUID) -> Client:
    """The living record that a home stands under, locked."""
    root = uow.session.scalar(text("SELECT root_id FROM client_alias WHERE id = :id"), {"id": home}) or home
    return lock_record(uow, root)
