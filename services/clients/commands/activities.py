"""Use cases of activities: logged by hand, or told by events of other services."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert

from chassis.errors import Conflict, Gone, Invalid, NotFound
from chassis.ids import new_id
from chassis.stamp import apply_changes, check_version, lock, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts import clients as c
from services.clients.commands import trail
from services.clients.commands.shared import check_home, check_new
from services.clients.model import Activity, Contact
from services.clients.queries import rows as queries
from services.kit.homes import row_facts, tree_of
from services.kit.stamps import stamps

ABSENT = "Cette activité n’existe pas."


def create_activity(uow: UnitOfWork, request: c.CreateActivity) -> bytes:
    """Logs an exchange; without a moment it is now."""
    body = request.body
    check_new(uow, Activity, request.id)
    check_home(uow, request.home_client_id)
    _check_contact(uow, request.home_client_id, body.contact_id)
    row = Activity(
        id=request.id or new_id(),
        home_client_id=request.home_client_id,
        written_client_id=request.written_client_id,
        kind=body.kind,
        direction=_direction(body.kind, body.direction),
        occurred_at=body.occurred_at or uow.now,
        subject=body.subject,
        body=body.body,
        contact_id=body.contact_id,
        document_ids=_listed(body.document_ids),
        automatic=request.automatic,
        **stamps(uow, request.origin),
    )
    uow.session.add(row)
    uow.session.flush()
    if not request.automatic:
        uow.emit(c.ActivityLogged(**facts(uow, row)))
    return queries.get_row(uow.session, "activities", row.id)


def update_activity(uow: UnitOfWork, request: c.UpdateActivity) -> bytes:
    """Changes an activity logged by hand; what the system tells is not rewritten."""
    row = _by_hand(uow, request.id)
    check_version(row, request.expected_version)
    before = row.occurred_at
    changed = apply_changes(row, request.changes, skip=frozenset({"document_ids"}))
    joined = _listed(request.changes.document_ids)
    if "document_ids" in request.changes.model_fields_set and joined != row.document_ids:
        row.document_ids = joined
        changed.add("document_ids")
    if changed:
        row.occurred_at = row.occurred_at or before
        row.direction = _direction(row.kind, row.direction)
        if not (row.subject or row.body):
            raise Invalid.field("subject", "Donnez un objet ou un texte.")
        _check_contact(uow, row.home_client_id, row.contact_id)
        trail.changed(uow, "activities", row, changed)
        touch(uow, row)
        uow.session.flush()
        uow.emit(c.ActivityUpdated(**facts(uow, row)))
    return queries.get_row(uow.session, "activities", row.id)


def delete_activity(uow: UnitOfWork, request: c.DeleteSub) -> bytes:
    """Takes an activity off the fiche; it can be restored."""
    row = _by_hand(uow, request.id)
    check_version(row, request.expected_version)
    row.deleted_at = uow.now
    touch(uow, row)
    uow.session.flush()
    uow.emit(c.ActivityDeleted(**facts(uow, row)))
    trail.note(uow, "activities", row, {"deleted": _title(row)})
    return b"{}"


def restore_activity(uow: UnitOfWork, request: c.RestoreSub) -> bytes:
    """Brings back an activity that was taken off."""
    row = lock(uow.session, Activity, request.id, ABSENT)
    if row.home_client_id not in tree_of(uow.session, request.client_id):
        raise NotFound(ABSENT)
    if row.deleted_at is not None:
        row.deleted_at = None
        touch(uow, row)
        uow.session.flush()
        uow.emit(c.ActivityRestored(**facts(uow, row)))
        trail.note(uow, "activities", row, {"restored": _title(row)})
    return queries.get_row(uow.session, "activities", row.id)


def _listed(ids: Sequence[uuid.UUID]) -> list[str]:
    """Ids as they are kept: text, each once, in their order."""
    return list(dict.fromkeys(str(identifier) for identifier in ids))


def _direction(kind: str, direction: str | None) -> str | None:
    """A note goes neither in nor out."""
    return None if kind == "note" else direction


def _title(row: Activity) -> str:
    return row.subject or row.body.strip().partition("\n")[0][:120]


def _check_contact(uow: UnitOfWork, home: uuid.UUID, contact_id: uuid.UUID | None) -> None:
    """A contact named is one of the client's."""
    if contact_id is None:
        return
    contact = uow.session.get(Contact, contact_id)
    if contact is None or contact.home_client_id not in tree_of(uow.session, home):
        raise Invalid.field("contact_id", "Ce contact n’existe pas chez ce client.")


def facts(uow: UnitOfWork, row: Activity) -> dict[str, Any]:
    """Fields of an activity's events."""
    return {
        **row_facts(uow.session, row),
        "kind": row.kind,
        "direction": row.direction,
        "occurred_at": row.occurred_at,
        "subject": row.subject,
    }


def _by_hand(uow: UnitOfWork, identifier: uuid.UUID) -> Activity:
    row = lock(uow.session, Activity, identifier, ABSENT)
    if row.deleted_at is not None:
        raise Gone("Cette activité a été supprimée.")
    if row.automatic:
        raise Conflict("Une activité automatique ne se modifie pas.")
    return row


def follow_source(uow: UnitOfWork, sources: Sequence[uuid.UUID], former: uuid.UUID, home: uuid.UUID) -> None:
    """What was told of rows goes with them to another client (merge-protocol, *Which home a new row gets*, rule 2)."""
    uow.session.execute(
        update(Activity)
        .where(Activity.home_client_id == former, Activity.source_event.is_not(None))
        .where(Activity.link["id"].astext.in_([str(source) for source in sources]))
        .values(home_client_id=home, version=Activity.version + 1)
    )


def note_merge(uow: UnitOfWork, merge_id: uuid.UUID, survivor: uuid.UUID) -> None:
    """The survivor's fiche tells of a merge while it lasts. It names nobody: the other record may be erased one day."""
    link = {"kind": "merge", "id": str(merge_id), "label": "", "title": ""}
    told = "Une fiche en double a été fusionnée dans celle-ci"
    note_event(uow, str(_told_of(merge_id)), survivor, "merge", told, uow.now, link)


def drop_merge(uow: UnitOfWork, merge_id: uuid.UUID) -> None:
    """After an undo all is as before; the histories of both records tell what was."""
    uow.session.execute(delete(Activity).where(Activity.source_event == _told_of(merge_id)))


def _told_of(merge_id: uuid.UUID) -> uuid.UUID:
    return uuid.uuid5(merge_id, "merged")


def note_event(
    uow: UnitOfWork,
    event_id: str,
    home: uuid.UUID,
    kind: str,
    subject: str,
    occurred_at: datetime,
    link: dict[str, Any],
) -> None:
    """An activity made from an event: its home is the source's home, and it is made once per event."""
    uow.session.execute(
        insert(Activity)
        .values(
            id=new_id(),
            home_client_id=home,
            written_client_id=home,
            kind=kind,
            occurred_at=occurred_at,
            subject=subject,
            body="",
            automatic=True,
            link=link,
            source_event=uuid.UUID(event_id),
            **stamp_new(uow),
        )
        .on_conflict_do_nothing(index_elements=["source_event"])
    )
