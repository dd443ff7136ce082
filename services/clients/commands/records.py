"""Use cases of the record itself: open, change, convert, archive, delete, restore, memo."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, text

from chassis.errors import Conflict, Invalid, Stale
from chassis.ids import new_id
from chassis.stamp import check_version, touch
from chassis.uow import UnitOfWork
from contracts import clients as c
from services.clients.commands import contacts
from services.clients.commands.shared import (
    facts,
    lock_record,
    refresh_derived,
    stamps,
    status_of,
    tell_updated,
    write_fields,
)
from services.clients.model import Client, ClientReference, ClientTag, CustomField
from services.clients.queries import records as queries
from services.clients.text import fold

_FIELDS = (
    "kind", "first_name", "last_name", "company_name", "registration_number", "stage", "siret", "vat_number",
    "email", "phone", "secondary_phone", "website", "sales_rep_id", "custom_fields",
)  # fmt: skip


def create_client(uow: UnitOfWork, request: c.CreateClient) -> bytes:
    """Opens a record. Without a reference the system gives the next `CLI-…`. Raises `Invalid` when it is taken."""
    body = request.body
    identifier = request.id or new_id()
    reference = (body.reference or "").strip() or _next_reference(uow)
    row = Client(
        id=identifier,
        reference=reference,
        memo=body.memo,
        memo_version=1 if body.memo else 0,
        memo_updated_at=uow.now if body.memo else None,
        memo_updated_by=uow.context.actor.name if body.memo else "",
        archived_at=uow.now if request.archived else None,
        **{name: getattr(body, name) for name in _FIELDS},
        **stamps(uow, request.origin),
    )
    _check_custom_fields(uow, body.custom_fields)
    refresh_derived(row)
    uow.session.add(row)
    uow.session.flush()
    _take_reference(uow, row, reference)
    _set_tags(uow, row, body.tags)
    written = {name: getattr(row, name) for name in _FIELDS if getattr(row, name) not in ("", None, {})}
    written["reference"] = reference
    if body.tags:
        written["tags"] = sorted(set(body.tags))
    if body.memo:
        written["memo"] = body.memo
    write_fields(uow, row.id, written, at=row.created_at)
    uow.session.flush()
    uow.emit(c.ClientCreated(**facts(row)))
    return queries.get_client(uow.session, row.id)


def update_client(uow: UnitOfWork, request: c.UpdateClient) -> bytes:
    """Changes what the request names. Raises `Stale` (with the present state), `Invalid`, `Conflict`, `Gone`."""
    row = lock_record(uow, request.id)
    _check_fresh(uow, row, request.expected_version)
    changes = request.changes
    given = changes.model_fields_set
    changed: set[str] = set()
    for name in _FIELDS:
        if name in given and getattr(row, name) != getattr(changes, name):
            setattr(row, name, getattr(changes, name))
            changed.add(name)
    if "kind" in changed:
        raise Conflict("Changez le type de fiche par une conversion.", code="use_convert")
    if "reference" in given and changes.reference.strip() != row.reference:
        if not changes.reference.strip():
            raise Invalid.field("reference", "La référence ne peut pas être vide.")
        row.reference = changes.reference.strip()
        _take_reference(uow, row, row.reference)
        changed.add("reference")
    if "tags" in given and _set_tags(uow, row, changes.tags):
        changed.add("tags")
    if "custom_fields" in changed:
        _check_custom_fields(uow, row.custom_fields)
    _save(uow, row, changed, tags=changes.tags)
    return queries.get_client(uow.session, row.id)


def _save(uow: UnitOfWork, row: Client, changed: set[str], *, tags: list[str] | None = None) -> None:
    if not changed:
        return
    refresh_derived(row)
    if not row.display_name:
        field = "last_name" if row.kind == "individual" else "company_name"
        raise Invalid.field(field, "La fiche doit garder un nom.")
    values: dict[str, Any] = {name: getattr(row, name) for name in changed if hasattr(Client, name)}
    if "tags" in changed:
        values["tags"] = sorted(set(tags or []))
    if "status" in changed:
        values["status"] = status_of(row)
    write_fields(uow, row.id, values)
    touch(uow, row)
    uow.session.flush()
    tell_updated(uow, row, changed)


def _check_fresh(uow: UnitOfWork, row: Client, expected: int | None) -> None:
    if expected is not None and row.version != expected:
        raise Stale(
            "Quelqu’un a modifié cette fiche entre-temps. Rechargez-la avant d’enregistrer.",
            data={"version": row.version},
        )


def _check_custom_fields(uow: UnitOfWork, values: dict[str, Any]) -> None:
    """A value of a defined field must fit its definition; keys without definition are kept as they are (imports)."""
    for definition in uow.session.scalars(select(CustomField).where(CustomField.key.in_(list(values)))):
        value = values[definition.key]
        if value in (None, ""):
            continue
        fits = {
            "number": isinstance(value, int | float) and not isinstance(value, bool),
            "boolean": isinstance(value, bool),
            "choice": value in definition.choices,
        }.get(definition.type, isinstance(value, str))
        if not fits:
            raise Invalid.field(f"custom_fields.{definition.key}", f"Valeur refusée pour « {definition.label} ».")


def convert_client(uow: UnitOfWork, request: c.ConvertClient) -> bytes:
    """Individual ↔ company. The person becomes the company's first contact; names are kept on the record."""
    row = lock_record(uow, request.id)
    check_version(row, request.expected_version)
    body = request.body
    if body.to == row.kind:
        return queries.get_client(uow.session, row.id)
    changed = {"kind"}
    was_person = row.kind == "individual"
    for name in ("company_name", "siret", "first_name", "last_name"):
        value = getattr(body, name)
        if value and getattr(row, name) != value:
            setattr(row, name, value)
            changed.add(name)
    row.kind = body.to
    if body.to != "individual" and not row.company_name:
        raise Invalid.field("company_name", "Donnez le nom de la société.")
    if body.to == "individual" and not row.last_name:
        raise Invalid.field("last_name", "Donnez le nom de la personne.")
    if was_person and (row.first_name or row.last_name):
        contacts.add_first_contact(uow, row)
    _save(uow, row, changed)
    return queries.get_client(uow.session, row.id)


def set_status(uow: UnitOfWork, request: c.SetStatus) -> bytes:
    """Archives, unarchives, deletes, restores. Asked for what already is, nothing changes."""
    row = lock_record(uow, request.id, deleted=request.action in ("restore", "delete"))
    check_version(row, request.expected_version)
    before = status_of(row)
    match request.action:
        case "archive":
            row.archived_at = row.archived_at or uow.now
        case "unarchive":
            row.archived_at = None
        case "delete":
            row.deleted_at = row.deleted_at or uow.now
        case "restore":
            limit = timedelta(days=uow.database.settings.undo_days)
            if row.deleted_at is not None and uow.now - row.deleted_at > limit:
                raise Conflict("Cette fiche a été supprimée il y a trop longtemps pour être restaurée.")
            row.deleted_at = None
    if status_of(row) != before:
        _save(uow, row, {"status"})
    if row.deleted_at is not None:
        return b"{}"
    return queries.get_client(uow.session, row.id)


def set_memo(uow: UnitOfWork, request: c.SetMemo) -> bytes:
    """Writes the memo. A stale version: `Stale` with the text that stands there, so that neither is lost."""
    row = lock_record(uow, request.client_id)
    if request.expected_version is not None and request.expected_version != row.memo_version:
        raise Stale(
            "Quelqu’un a modifié le mémo entre-temps. Comparez les deux textes avant d’enregistrer.",
            data={"text": row.memo, "version": row.memo_version},
        )
    if request.text != row.memo:
        row.memo = request.text
        row.memo_version += 1
        row.memo_updated_at = uow.now
        row.memo_updated_by = uow.context.actor.name
        write_fields(uow, row.id, {"memo": request.text})
        uow.session.flush()
        uow.emit(c.MemoUpdated(id=row.id, version=row.memo_version))
    return queries.get_memo(uow.session, row.id)


def promote_prospect(uow: UnitOfWork, home: uuid.UUID) -> None:
    """A first accepted quote makes a prospect a client."""
    row = uow.session.get(Client, home, with_for_update=True, populate_existing=True)
    if row is not None and row.stage == "prospect" and row.merged_into is None:
        row.stage = "client"
        _save(uow, row, {"stage"})


# --- references and tags -------------------------------------------------------------------------------------------


def _next_reference(uow: UnitOfWork) -> str:
    while True:
        number = uow.session.execute(
            text(
                "INSERT INTO reference_counter (last) VALUES (1) ON CONFLICT (singleton) "
                "DO UPDATE SET last = reference_counter.last + 1 RETURNING last"
            )
        ).scalar_one()
        reference = f"CLI-{number:05d}"
        if uow.session.get(ClientReference, fold(reference)) is None:
            return reference


def _take_reference(uow: UnitOfWork, row: Client, reference: str) -> None:
    """A reference, once borne, is its record's for ever; two at once are decided by the key."""
    key = fold(reference) or reference
    uow.session.execute(
        text("INSERT INTO client_reference (reference, client_id) VALUES (:key, :id) ON CONFLICT DO NOTHING"),
        {"key": key, "id": row.id},
    )
    bearer = uow.session.scalar(text("SELECT client_id FROM client_reference WHERE reference = :key"), {"key": key})
    if bearer != row.id:
        raise Invalid.field("reference", "Cette référence est déjà celle d’une autre fiche.")


def _set_tags(uow: UnitOfWork, row: Client, tags: list[str]) -> bool:
    """Tags of the whole tree become these; one that several records bear is removed from all."""
    tree = queries.tree_ids(uow.session, row.id)
    before = set(uow.session.scalars(select(ClientTag.tag).where(ClientTag.home_client_id.in_(tree))))
    wanted = set(tags)
    for tag in before - wanted:
        uow.session.execute(delete(ClientTag).where(ClientTag.home_client_id.in_(tree), ClientTag.tag == tag))
    for tag in sorted(wanted - before):
        uow.session.add(ClientTag(home_client_id=row.id, written_client_id=row.id, tag=tag))
    return before != wanted


def create_custom_field(uow: UnitOfWork, request: c.CreateCustomField) -> bytes:
    """Defines a field. Raises `Invalid` when the key is taken or a choice field has none."""
    body = request.body
    if body.type == "choice" and not body.choices:
        raise Invalid.field("choices", "Donnez au moins un choix.")
    if uow.session.scalar(select(CustomField.id).where(CustomField.key == body.key)):
        raise Invalid.field("key", "Cette clé existe déjà.")
    row = CustomField(id=request.id or new_id(), **body.model_dump(), **stamps(uow, None))
    uow.session.add(row)
    uow.session.flush()
    return queries.get_custom_field(uow.session, row.id)
