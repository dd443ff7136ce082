"""The producer's side of a snapshot: its state as events, in pages, true at one position of its log."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable
from uuid import UUID

import orjson
from sqlalchemy import text

from chassis.errors import Gone
from chassis.events import log as event_log
from chassis.ids import new_id
from chassis.uow import UnitOfWork
from contracts.base import Event

#: Events of a page.
PAGE = 500
#: How long the pages of a snapshot are kept for whoever reads them.
KEPT = "1 day"


def make(uow: UnitOfWork, events: Iterable[Event], covers: Iterable[type[Event]]) -> bytes:
    """Makes a snapshot and gives its first page. Runs in a transaction that sees one state (REPEATABLE READ)."""
    session = uow.session
    at = event_log.head(session)
    identifier = new_id()
    pages = 0
    for part in _parts(events):
        body = b"[" + b",".join(uow.envelope(event).model_dump_json().encode() for event in part) + b"]"
        session.execute(
            text("INSERT INTO event_snapshot (id, page, body) VALUES (:id, :page, :body)"),
            {"id": identifier, "page": pages, "body": body.decode()},
        )
        pages += 1
        time.sleep(0)  # other calls and heartbeats go on between pages
    # The head is written beside the pages, so that each page tells the same.
    told = {
        "id": str(identifier),
        "log_id": str(at.log_id),
        "position": at.position,
        "first": event_log.first_position(session, at),
        "former": session.scalar(text("SELECT former FROM event_head")),
        "covers": [event_type.event_type() for event_type in covers],
        "pages": pages,
    }
    session.execute(
        text("INSERT INTO event_snapshot (id, page, body) VALUES (:id, -1, :body)"),
        {"id": identifier, "body": orjson.dumps(told).decode()},
    )
    return page(uow, identifier, 0)


def page(uow: UnitOfWork, identifier: UUID, number: int) -> bytes:
    """A page of a snapshot. Raises `Gone` when it was swept, or never was."""
    rows: dict[int, str] = dict(
        uow.session.execute(
            text("SELECT page, body FROM event_snapshot WHERE id = :id AND page IN (-1, :page)"),
            {"id": identifier, "page": number},
        )
        .tuples()
        .all()
    )
    if -1 not in rows or (number and number not in rows):
        raise Gone("Cet instantané n’est plus gardé\u202f: demandez-en un autre.")
    return rows[-1].encode()[:-1] + b',"events":' + rows.get(number, "[]").encode() + b"}"


def sweep(uow: UnitOfWork) -> None:
    """Removes old snapshots."""
    uow.session.execute(text(f"DELETE FROM event_snapshot WHERE made_at < now() - interval '{KEPT}'"))


def _parts(events: Iterable[Event]) -> Iterable[list[Event]]:
    left = iter(events)
    while part := list(itertools.islice(left, PAGE)):
        yield part
