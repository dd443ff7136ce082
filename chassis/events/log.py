"""The producer's side of the log: head, reading, who follows."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import Conflict
from chassis.wire.base import LoggedEvent
from contracts.base import Event
from contracts.chassis import LogPrune, LogPruneAnswer, LogRead


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


def read_on(session: Session, after: int | None, limit: int) -> tuple[Head, list[LoggedEvent]]:
    """The head, and the events behind `after` (None: behind what is published), in order; seen at one moment."""
    rows = session.execute(_READ, {"after": after, "limit": limit}).all()
    found = [
        LoggedEvent(row.position, row.type, row.subject, row.ordering_key, is_public(row.type), row.event.encode())
        for row in rows
        if row.position is not None
    ]
    return Head(rows[0].log_id, rows[0].head, rows[0].published), found


_READ = text(
    "SELECT h.log_id, h.position AS head, h.published, l.* FROM event_head h LEFT JOIN LATERAL ("
    "SELECT position, type, subject, ordering_key, event FROM event_log "
    "WHERE position > coalesce(:after, h.published) ORDER BY position LIMIT :limit) l ON true"
)


def is_public(event_type: str) -> bool:
    """Whether partners may see events of this type."""
    known = Event.registry.get(event_type)
    return known is not None and known.public


def first_position(session: Session, at: Head) -> int:
    """The lowest position still in the log; one past the head where all was pruned."""
    return int(session.scalar(text("SELECT min(position) FROM event_log")) or at.position + 1)


def read_page(session: Session, request: LogRead) -> bytes:
    """Answer of the RPC `log_read`, its events untouched. Raises `Conflict` (`other_log`) for another log's reader."""
    types = request.types
    if request.public_only:
        public = {name for name, cls in Event.registry.items() if cls.public}
        types = sorted(public if types is None else public & set(types))
    row = session.execute(
        _PAGE if types is None else _PAGE_OF_TYPES,
        {"after": request.after, "limit": request.limit, "types": types},
    ).one()
    if request.log_id not in (None, row.log_id):
        raise Conflict(
            "Ce journal a été restauré d’une sauvegarde.", code="other_log", data={"log_id": str(row.log_id)}
        )
    if request.after_id is not None and row.after_id not in (None, request.after_id):
        raise Conflict(
            f"Ce journal a un autre événement à la position {request.after}\u202f: sa base vient d’une sauvegarde "
            "et n’a pas été déclarée restaurée (fiche restore).",
            code="other_log",
        )
    upto = row.last if row.n == request.limit else row.head
    first = row.head + 1 if row.first is None else row.first
    events = (row.events or "").encode()
    return b'{"log_id":"%b","first":%d,"upto":%d,"events":[%b]}' % (str(row.log_id).encode(), first, upto, events)


# Head, first event, the one at the reader's place and the page: seen at one moment, in one round trip.
_PAGE_SQL = """
    SELECT h.log_id, h.position AS head, (SELECT min(position) FROM event_log) AS first,
        (SELECT id FROM event_log WHERE position = :after) AS after_id, p.*
    FROM event_head h, LATERAL (
        SELECT count(*) AS n, max(position) AS last,
            string_agg('{"position":' || position || ',"event":' || event || '}', ',' ORDER BY position) AS events
        FROM (SELECT position, event FROM event_log WHERE position > :after {} ORDER BY position LIMIT :limit) l
    ) p
    """
_PAGE, _PAGE_OF_TYPES = (text(_PAGE_SQL.replace("{}", of)) for of in ("", "AND type = ANY(:types)"))


def note_consumer(session: Session, name: str, position: int) -> None:
    """Remembers who reads this log and how far; one that has read nothing yet too."""
    session.execute(
        text(
            "INSERT INTO event_consumer (name, log_id, position, last_seen) "
            "SELECT :name, log_id, :position, now() FROM event_head "
            "ON CONFLICT (name) DO UPDATE SET log_id = EXCLUDED.log_id, position = EXCLUDED.position, last_seen = now()"
        ),
        {"name": name, "position": position},
    )


def followers(session: Session) -> list[dict[str, Any]]:
    """Who reads this log, and how far each said it was."""
    rows = session.execute(text("SELECT name, log_id, position, last_seen FROM event_consumer ORDER BY name"))
    return [
        {"name": row.name, "log_id": str(row.log_id), "position": row.position, "last_seen": row.last_seen.isoformat()}
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Renewed:
    """A log given a new identity: positions up to `position` are those of the former one."""

    former: uuid.UUID
    log_id: uuid.UUID
    position: int


def renew(session: Session) -> Renewed:
    """Gives a log whose database was restored a new identity, so that its readers notice; all is published again."""
    row = session.execute(text("SELECT log_id, position, former FROM event_head FOR UPDATE")).one()
    former = {name: min(int(last), row.position) for name, last in row.former.items()}
    former[str(row.log_id)] = row.position
    log_id = session.scalar(
        text("UPDATE event_head SET log_id = gen_random_uuid(), former = CAST(:former AS jsonb) RETURNING log_id"),
        {"former": orjson.dumps(former).decode()},
    )
    return Renewed(row.log_id, uuid.UUID(str(log_id)), row.position)


#: Events removed by one transaction of `prune`.
PRUNED = 10_000


def prune(session: Session, request: LogPrune, *, publishes: bool) -> LogPruneAnswer:
    """See `LogPrune`. Raises `Conflict` (`log_unread`) naming those who have not read what would be removed.

    `publishes`: there is a broker; what it has not been told of stays, or partners would never hear of it.
    """
    session.execute(text("DELETE FROM event_consumer WHERE name = ANY(:names)"), {"names": request.forget})
    at = head(session)
    old = session.scalar(
        text(
            "SELECT coalesce(max(position), 0) FROM event_log WHERE recorded_at < now() - make_interval(days => :days)"
            " AND (CAST(:upto AS bigint) IS NULL OR position <= :upto) AND position <= :published"
        ),
        {
            "days": request.older_than_days,
            "upto": request.upto,
            "published": at.published if publishes else at.position,
        },
    )
    upto = int(old or 0)
    behind = [
        follower["name"]
        for follower in followers(session)
        if follower["log_id"] != str(at.log_id) or follower["position"] < upto
    ]
    if behind and upto:
        raise Conflict(
            f"Ces services n’ont pas encore lu ce qui serait retiré\u202f: {', '.join(behind)}.",
            code="log_unread",
            data={"behind": behind},
        )
    removed = session.execute(
        text(
            "DELETE FROM event_log WHERE position IN "
            "(SELECT position FROM event_log WHERE position <= :upto ORDER BY position LIMIT :limit)"
        ),
        {"upto": upto, "limit": PRUNED},
    )
    left = session.scalar(text("SELECT count(*) FROM event_log WHERE position <= :upto"), {"upto": upto})
    return LogPruneAnswer(removed=int(getattr(removed, "rowcount", 0)), upto=upto, left=int(left or 0))
