"""The producer's side of the log: head, reading, who follows."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import Conflict
from chassis.wire.base import LoggedEvent
from contracts.base import Event
from contracts.chassis import LogRead


@dataclass(frozen=True, slots=True)
class Head:
    """Identity of a log, its last position and the last that the broker confirmed."""

    log_id: uuid.UUID
    position: int
    published: int


def head(session: Session) -> Head:
    """The head as committed."""
    row = session.execute(text("SELECT log_id, position, published FROM event_head")).one()
    return Head(row.log_id, row.position, row.published)


def read(session: Session, after: int, limit: int) -> list[LoggedEvent]:
    """Events behind `after`, in order."""
    rows = session.execute(
        text(
            "SELECT position, type, subject, ordering_key, event FROM event_log "
            "WHERE position > :after ORDER BY position LIMIT :limit"
        ),
        {"after": after, "limit": limit},
    )
    return [
        LoggedEvent(row.position, row.type, row.subject, row.ordering_key, is_public(row.type), row.event.encode())
        for row in rows
    ]


def is_public(event_type: str) -> bool:
    """Whether partners may see events of this type."""
    known = Event.registry.get(event_type)
    return known is not None and known.public


def read_page(session: Session, request: LogRead) -> bytes:
    """Answer of the RPC `log_read`, its events untouched. Raises `Conflict` (`other_log`) for another log's id."""
    at = head(session)
    if request.log_id is not None and request.log_id != at.log_id:
        raise Conflict("Ce journal a été restauré d’une sauvegarde.", code="other_log", data={"log_id": str(at.log_id)})
    types = request.types
    if request.public_only:
        public = {name for name, cls in Event.registry.items() if cls.public}
        types = sorted(public if types is None else public & set(types))
    condition = "" if types is None else "AND type = ANY(:types) "
    rows = session.execute(
        text(
            "SELECT position, event FROM event_log WHERE position > :after "
            f"{condition}AND position <= :upto ORDER BY position LIMIT :limit"
        ),
        {"after": request.after, "limit": request.limit, "types": types, "upto": at.position},
    ).all()
    upto = rows[-1].position if len(rows) == request.limit else at.position
    events = b",".join(b'{"position":%d,"event":%b}' % (row.position, row.event.encode()) for row in rows)
    return b'{"log_id":"%b","upto":%d,"events":[%b]}' % (str(at.log_id).encode(), upto, events)


def note_consumer(session: Session, name: str, log_id: uuid.UUID, position: int) -> None:
    """Remembers who reads and how far."""
    session.execute(
        text(
            "INSERT INTO event_consumer (name, log_id, position, last_seen) VALUES (:name, :log, :position, now()) "
            "ON CONFLICT (name) DO UPDATE SET log_id = EXCLUDED.log_id, position = EXCLUDED.position, last_seen = now()"
        ),
        {"name": name, "log": log_id, "position": position},
    )


def snapshot_page(session: Session, events: list[Event], source: str) -> bytes:
    """Present state as bodies of events, with the position they are true at (same transaction)."""
    at = head(session)
    bodies = [
        orjson.loads(
            orjson.dumps(
                {
                    "type": event.event_type(),
                    "subject": event.about(),
                    "data": event.model_dump(mode="json"),
                }
            )
        )
        for event in events
    ]
    return orjson.dumps({"log_id": str(at.log_id), "position": at.position, "source": source, "events": bodies})
