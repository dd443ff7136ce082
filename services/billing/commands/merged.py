"""Billing details through merges: a history of writes of which a merge's count only while it is active.

Sorted by the forest's version they were made at, a merge before the edits of its version: a merge that this service
hears of late never overrides a newer edit (merge-protocol, *Rules for each kind of data*).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.stamp import touch
from chassis.uow import UnitOfWork
from contracts.billing import OWNER, DetailsUpdated
from contracts.forest import REPOINTED
from services.billing.commands.facts import details_of, details_to_write
from services.billing.model import BillingDetails, BillingFieldWrite
from services.billing.model.parties import DETAIL_FIELDS
from services.kit.erasure import Taken, takers
from services.kit.homes import root_of

_WRITES = text(
    """
    SELECT w.seq, w.op, w.value, w.source_client_id AS source, w.forest, w.merge_id FROM billing_field_write w
    WHERE w.home_client_id = :home AND w.field = :field
    AND (w.merge_id IS NULL OR EXISTS (SELECT 1 FROM client_alias a WHERE a.merge_id = w.merge_id))
    AND (CAST(:without AS uuid) IS NULL OR w.merge_id IS DISTINCT FROM :without)
    AND (w.forest, CASE WHEN w.merge_id IS NULL THEN 1 ELSE 0 END, w.seq) < (:forest, :rank, :seq)
    ORDER BY w.forest DESC, CASE WHEN w.merge_id IS NULL THEN 1 ELSE 0 END DESC, w.seq DESC LIMIT 1
    """
)
_END = 2**62


@dataclass(frozen=True)
class Place:
    """A place in the order of writes; the default is behind all."""

    forest: int = _END
    rank: int = 1
    seq: int = _END


def value(
    session: Session, home: uuid.UUID, field: str, before: Place | None = None, without: uuid.UUID | None = None
) -> Any:
    """A detail as it was before a place, as if the merge `without` were undone; None when there is none."""
    at = before or Place()
    asked = {"home": home, "field": field, "forest": at.forest, "rank": at.rank, "seq": at.seq, "without": without}
    write = session.execute(_WRITES, asked).one_or_none()
    if write is None:
        return None
    if write.op == "set":
        return write.value
    # The duplicate's own edits of the version that the merge ended come before it; later ones cannot be.
    then = Place(write.forest, 0, write.seq)
    taken = value(session, write.source, field, then, without)
    if write.op == "take":
        return taken
    mine = value(session, home, field, then, without)
    return taken if mine is None else mine


def choose(
    uow: UnitOfWork,
    merge_id: uuid.UUID,
    forest: int,
    survivor: uuid.UUID,
    duplicate: uuid.UUID,
    choices: dict[str, str],
) -> None:
    """Writes what a merge says of each detail. One without a choice fills what the survivor lacks."""
    for field in DETAIL_FIELDS:
        choice = choices.get(field, "join")
        if choice == "survivor":
            continue
        uow.session.add(
            BillingFieldWrite(
                home_client_id=survivor,
                written_client_id=survivor,
                field=field,
                op="take" if choice == "duplicate" else "join",
                value=None,
                source_client_id=duplicate,
                merge_id=merge_id,
                forest=forest,
                actor_id=uow.context.actor.id,
                actor_name=uow.context.actor.name,
                written_at=uow.now,
            )
        )
    uow.session.flush()
    materialise(uow, [survivor])


def lock(session: Session, records: Sequence[uuid.UUID]) -> None:
    """Holds the details of records, in one order everywhere: two first writes of one client have no row to lock."""
    for home in sorted(set(records)):
        session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:home, 11))"), {"home": str(home)})


def materialise(uow: UnitOfWork, records: Sequence[uuid.UUID]) -> None:
    """Sets the details of these records from their writes, and tells those that differ."""
    lock(uow.session, records)
    for home in records:
        found = {field: _typed(field, value(uow.session, home, field)) for field in DETAIL_FIELDS}
        row = details_of(uow.session, home)
        if row is None:
            if all(each is None for each in found.values()):
                continue
            row = details_to_write(uow, home, home)
        changed = sorted(field for field, each in found.items() if getattr(row, field) != each)
        if not changed:
            continue
        for field in changed:
            setattr(row, field, found[field])
        touch(uow, row)
        uow.session.flush()
        tell(uow, row, changed)


def tell(uow: UnitOfWork, row: BillingDetails, changed: list[str]) -> None:
    """Tells how a client is billed now."""
    uow.emit(
        DetailsUpdated(
            home_client_id=row.home_client_id,
            client_id=root_of(uow.session, row.home_client_id),
            billing_name=row.billing_name,
            billing_address_id=row.billing_address_id,
            payer_id=row.payer_id,
            invoice_contact_id=row.invoice_contact_id,
            changed=changed,
        )
    )


def taken_over(session: Session, erased: Sequence[uuid.UUID]) -> list[Taken]:
    """What other clients were billed as, by these, until the merge was undone: told before what stands since."""
    newest = text(
        "SELECT max(d.position) FROM event_log d WHERE d.subject = :record AND d.type = :details AND d.position <= "
        "coalesce((SELECT max(r.position) FROM event_log r WHERE r.subject = ANY(:merges) AND r.type = :repointed "
        "AND r.event::json->'data'->>'direction' = 'undo'), (SELECT position FROM event_head))"
    )
    types = {"details": DetailsUpdated.event_type(), "repointed": REPOINTED[OWNER].event_type()}
    found = []
    for record, fields in takers(session, "billing_field_write", "home_client_id", erased).items():
        merges = [str(each) for each in set().union(*fields.values())]
        before = session.scalar(newest, {"record": str(record), "merges": merges} | types) or 0
        found.append(Taken(record, frozenset({"billing_name"} & fields.keys()), 0, before))
    return found


def _typed(field: str, found: Any) -> Any:
    return uuid.UUID(found) if found is not None and field.endswith("_id") else found
