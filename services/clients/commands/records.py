"""Use cases of the record itself: open, change, convert, archive, delete, restore, memo."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, text

from chassis.errors import Conflict, Gone, Invalid, NotFound
from chassis.ids import new_id
from chassis.stamp import check_version
from chassis.uow import UnitOfWork
from contracts import clients as c
from services.clients import fields
from services.clients.commands import contacts, references
from services.clients.commands.custom_fields import check_custom_fields
from services.clients.commands.shared import (
    check_new,
    edit,
    facts,
    lock_record,
    record_to_edit,
    root_record,
    status_of,
    tell_updated,
)
from services.clients.model import Client, ClientTag
from services.clients.queries import records as queries
from services.kit.homes import tree_of
from services.kit.stamps import stamps

#: Fields of a body that are one write each; `own_name` is the body's `display_name`.
_PLAIN = tuple(name for name in fields.SINGLE if name != "own_name")


def create_client(uow: UnitOfWork, request: c.CreateClient) -> bytes:
    """Opens a record. Without a reference the system gives the next `CLI-…`.

    Raises `Invalid` when the reference is taken, `Conflict` (`exists`) when the id is.
    """
    body = request.body
    check_new(uow, Client, request.id)
    custom = {key: value for key, value in body.custom_fields.items() if value is not None}
    # An import brings what the other system had; a person is asked for what is required.
    check_custom_fields(uow, custom, whole=request.id is None)
    reference = (body.reference or "").strip() or references.next_reference(uow)
    row = Client(
        id=request.id or new_id(),
        reference=reference,
        own_name=body.display_name,
        custom_fields=custom,
        memo=body.memo,
        memo_version=1 if body.memo else 0,
        memo_updated_at=uow.now if body.memo else None,
        memo_updated_by=uow.context.actor.name if body.memo else "",
        archived_at=uow.now if request.archived else None,
        **{name: getattr(body, name) for name in _PLAIN},
        **stamps(uow, request.origin),
    )
    fields.derive(row)
    uow.session.add(row)
    uow.session.flush()
    references.take(uow, row, reference)
    set_tags(uow, row, body.tags)
    written = {name: found for name in fields.SINGLE if (found := getattr(row, name)) not in ("", None)}
    written |= {fields.CUSTOM + key: value for key, value in custom.items()} | {"reference": reference}
    if body.tags:
        written["tags"] = sorted(set(body.tags))
    if body.memo:
        written["memo"] = body.memo
    if request.archived:
        written["status"] = "archived"
    fields.append(uow, row.id, written, at=row.created_at)
    uow.emit(c.ClientCreated(**facts(row)))
    return queries.get_client(uow.session, row.id)


def update_client(uow: UnitOfWork, request: c.UpdateClient) -> bytes:
    """Changes what the request names. Raises `Stale`, `Invalid`, `Conflict`, `Gone`."""
    row = record_to_edit(uow, request.id)
    check_version(row, request.expected_version)
    changes = request.changes
    given = changes.model_fields_set
    if "kind" in given and changes.kind != row.kind and "individual" in (changes.kind, row.kind):
        raise Conflict("Changez le type de fiche par une conversion.", code="use_convert")
    values: dict[str, Any] = {name: getattr(changes, name) for name in _PLAIN if name in given}
    if "display_name" in given:
        values["own_name"] = changes.display_name if changes.display_name != row.display_name else row.own_name
    if "custom_fields" in given:
        check_custom_fields(uow, changes.custom_fields, before=row.custom_fields)
        values |= {fields.CUSTOM + key: value for key, value in changes.custom_fields.items()}
    if "layout" in given:
        values["layout"] = None if changes.layout is None else changes.layout.model_dump(mode="json")
    if "reference" in given and changes.reference.strip() != row.reference:
        if not changes.reference.strip():
            raise Invalid.field("reference", "La référence ne peut pas être vide.")
        values["reference"] = changes.reference.strip()
        references.take(uow, row, values["reference"])
    changed = edit(uow, row, values)
    check_named(row)
    if "tags" in given and set_tags(uow, row, changes.tags):
        fields.append(uow, row.id, {"tags": sorted(set(changes.tags))})
        changed.add("tags")
    tell_updated(uow, row, changed)
    return queries.get_client(uow.session, row.id)


def check_named(row: Client) -> None:
    """A record keeps the name its kind asks for. Raises `Invalid`."""
    if row.kind == "individual" and not (row.last_name or row.own_name):
        raise Invalid.field("last_name", "Donnez au moins le nom de la personne.")
    if row.kind != "individual" and not (row.company_name or row.own_name):
        raise Invalid.field("company_name", "Donnez le nom de la société.")


def convert_client(uow: UnitOfWork, request: c.ConvertClient) -> bytes:
    """Individual ↔ company. The person becomes the company's first contact; names are kept on the record."""
    row = lock_record(uow, request.id)
    check_version(row, request.expected_version)
    body = request.body
    if body.to == row.kind:
        return queries.get_client(uow.session, row.id)
    if body.undo:
        return _undo_conversion(uow, row, body.to)
    was_person = row.kind == "individual"
    given = {name: getattr(body, name) for name in ("company_name", "siret", "first_name", "last_name")}
    values = {name: value for name, value in given.items() if value}
    if row.own_name and ({"company_name", "last_name"} & values.keys()):
        values["own_name"] = ""
    if body.to != "individual" and not (body.company_name or row.company_name):
        raise Invalid.field("company_name", "Donnez le nom de la société.")
    if body.to == "individual" and not (body.last_name or row.last_name):
        raise Invalid.field("last_name", "Donnez le nom de la personne.")
    if was_person and (row.first_name or row.last_name):
        contacts.add_first_contact(uow, row)
    tell_updated(uow, row, edit(uow, row, {"kind": body.to, **values}))
    return queries.get_client(uow.session, row.id)


# What the last conversion wrote, and each field's value before it; not what was written again since.
_CONVERSION = text(
    """
    WITH kind AS (
        SELECT seq, at FROM client_field_write WHERE client_id = :id AND field = 'kind' ORDER BY seq DESC LIMIT 1
    )
    SELECT kind.at, w.field, w.seq,
        NOT EXISTS (SELECT 1 FROM client_field_write l
                    WHERE l.client_id = :id AND l.field = w.field AND l.seq > w.seq) AS standing
    FROM kind JOIN client_field_write w ON w.client_id = :id AND w.at = kind.at AND w.row_id IS NULL
    """
)


def _undo_conversion(uow: UnitOfWork, row: Client, to: str) -> bytes:
    """Gives back what the last conversion changed, but for what was edited since."""
    written = uow.session.execute(_CONVERSION, {"id": row.id}).all()
    before = {w.field: fields.value(uow.session, row.id, w.field, w.seq) for w in written if w.standing}
    if before.get("kind") != to:
        raise Conflict(
            "Cette conversion ne peut plus être annulée\u202f: convertissez de nouveau la fiche.", code="not_undoable"
        )
    values = {name: "" if found is None else found for name, found in before.items()}
    contacts.drop_first_contact(uow, row, written[0].at)
    changed = edit(uow, row, values)
    check_named(row)
    tell_updated(uow, row, changed)
    return queries.get_client(uow.session, row.id)


_TOLD: dict[tuple[str, str], type[c.ClientState]] = {
    ("active", "archived"): c.ClientArchived,
    ("archived", "active"): c.ClientUnarchived,
}


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
    now = status_of(row)
    if now != before:
        fields.append(uow, row.id, {"status": now})
        tell_updated(uow, row, {"status"})
        told = _TOLD.get((before, now)) or (c.ClientDeleted if now == "deleted" else c.ClientRestored)
        uow.emit(told(**facts(row)))
    if row.deleted_at is not None:
        return b"{}"
    return queries.get_client(uow.session, row.id)


def promote_prospect(uow: UnitOfWork, home: uuid.UUID) -> None:
    """A first accepted quote makes a prospect a client. A record that is not there any more is left alone."""
    try:
        row = root_record(uow, home)
    except (NotFound, Gone):
        return
    if row.stage == "prospect":
        tell_updated(uow, row, edit(uow, row, {"stage": "client"}))


def set_tags(uow: UnitOfWork, row: Client, tags: list[str]) -> bool:
    """Tags of the whole tree become these; one that several records bear is removed from all."""
    tree = tree_of(uow.session, row.id)
    before = set(uow.session.scalars(select(ClientTag.tag).where(ClientTag.home_client_id.in_(tree))))
    wanted = set(tags)
    for tag in before - wanted:
        uow.session.execute(delete(ClientTag).where(ClientTag.home_client_id.in_(tree), ClientTag.tag == tag))
    for tag in sorted(wanted - before):
        uow.session.add(ClientTag(home_client_id=row.id, written_client_id=row.id, tag=tag))
    uow.session.flush()
    return before != wanted
