"""A consumer's place in a producer's log, and its known handlers; every function runs in the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.db import execution, later, rows_of


class Moved(Exception):
    """Another active consumer has moved the place meanwhile: start over."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a log was read. `log_id` is None until something was; `event_id` is of the event at `position`."""

    log_id: str | None
    position: int
    event_id: str | None
    rebuild_asked_at: datetime | None
    #: Of a locked place: ordering keys that have a parked event, later events of theirs wait behind it.
    waiting: set[str] = field(default_factory=set)
    #: Of a locked place: types whose handlers some release has; see `handlers`.
    known: dict[str, int | None] = field(default_factory=dict)
    #: The same as PostgreSQL writes it.
    known_text: str | None = None


_COLUMNS = "SELECT log_id, position, event_id, rebuild_asked_at FROM event_place WHERE producer = :producer"


def read(session: Session, producer: str) -> Place:
    """The place; made when there is none yet."""
    row = session.execute(text(_COLUMNS), {"producer": producer}).one_or_none()
    if row is None:
        session.execute(
            text("INSERT INTO event_place (producer) VALUES (:producer) ON CONFLICT DO NOTHING"), {"producer": producer}
        )
        row = session.execute(text(_COLUMNS), {"producer": producer}).one()
    return _place(row)


_LOCK = "SELECT 1 FROM event_place WHERE producer = :producer FOR UPDATE"
_WAITING = "SELECT DISTINCT ordering_key FROM parked_event p WHERE p.producer = e.producer AND p.position > 0"
_KNOWN = "SELECT json_object_agg(type, position ORDER BY type)::text FROM event_handler h WHERE h.producer = e.producer"
_LOCKED = f"""
    SELECT log_id, position, event_id, rebuild_asked_at, ARRAY({_WAITING}) AS waiting, ({_KNOWN}) AS known
    FROM event_place e WHERE producer = :producer
    """
# Division by zero where it is otherwise.
_AS_EXPECTED = f"""
    SELECT 1 / count(*) FROM event_place e WHERE producer = :producer AND position = :position
    AND NOT EXISTS ({_WAITING}) AND ({_KNOWN}) IS NOT DISTINCT FROM :known
    """


def lock(session: Session, producer: str, expected: int | None = None) -> Place:
    """Locks the place until the transaction ends. Raises `Moved` when it is not where it is expected."""
    # Two statements of one message: what waits is seen once the lock is had, so after all that was replayed before it.
    row = rows_of(session, *(execution(session, sql, {"producer": producer}) for sql in (_LOCK, _LOCKED))).one()
    if expected is not None and row.position != expected:
        raise Moved
    return _place(row, set(row.waiting), row.known)


def lock_unchanged(session: Session, before: Place, producer: str, expected: int) -> None:
    """Locks the place without waiting for an answer; where it is not as expected, what follows is refused.

    That is where the place is elsewhere, events wait behind a parked one, or other handlers are known than `before`.
    The error shows at the next statement that is waited for, or at the commit; nothing was done then.
    """
    later(session, _LOCK, {"producer": producer})
    later(session, _AS_EXPECTED, {"producer": producer, "position": expected, "known": before.known_text})


def _place(row: Any, waiting: set[str] | None = None, known: str | None = None) -> Place:
    return Place(
        None if row.log_id is None else str(row.log_id),
        int(row.position),
        None if row.event_id is None else str(row.event_id),
        row.rebuild_asked_at,
        waiting or set(),
        orjson.loads(known) if known else {},
        known,
    )


_MOVE = """
    WITH moved AS (
        UPDATE event_place SET position = :position, log_id = CAST(:log AS uuid), event_id = CAST(:event AS uuid),
        halted = NULL WHERE producer = :producer{more}
    )
    DELETE FROM event_attempt WHERE producer = :producer AND position <= :position
    """
_MOVED = _MOVE.format(more="")
_MOVED_IN_PASSING = _MOVE.format(more=" AND set_config('synchronous_commit', 'off', true) IS NOT NULL")


def move(
    session: Session, producer: str, log_id: str | None, position: int, event_id: str | None, *, kept: bool = True
) -> None:
    """Moves the place, with the effects that lead there; tries behind it are forgotten. Goes with the COMMIT.

    Not `kept`: the commit does not wait for the disk, for a transaction that tells nothing. Effects and place are one
    fact: what a crash of the database server takes back is read again, of the log. Whatever is committed afterwards and
    waits for the disk has this on the disk before itself.
    """
    later(
        session,
        _MOVED if kept else _MOVED_IN_PASSING,
        {"position": position, "log": log_id, "event": event_id, "producer": producer},
    )


# --- what an operator sees and asks -------------------------------------------------------------------------------


def halt(session: Session, producer: str, reason: str | None) -> None:
    """Tells why reading has stopped, or that it goes on."""
    session.execute(
        text("UPDATE event_place SET halted = :reason WHERE producer = :producer AND halted IS DISTINCT FROM :reason"),
        {"reason": reason, "producer": producer},
    )


def ask_rebuild(session: Session, producer: str) -> bool:
    """Asks whoever reads this log to rebuild its copies first. False when nobody does."""
    found = session.execute(
        text("UPDATE event_place SET rebuild_asked_at = now() WHERE producer = :producer RETURNING producer"),
        {"producer": producer},
    )
    return found.one_or_none() is not None


def rebuilt(session: Session, producer: str, *, done: bool) -> None:
    """What was asked is done, or has failed and is not tried again."""
    when = "now()" if done else "rebuilt_at"
    session.execute(
        text(f"UPDATE event_place SET rebuild_asked_at = NULL, rebuilt_at = {when} WHERE producer = :producer"),
        {"producer": producer},
    )


def listing(session: Session) -> list[dict[str, Any]]:
    """Every place, for people."""
    rows = session.execute(
        text("SELECT producer, position, halted, rebuild_asked_at, rebuilt_at FROM event_place ORDER BY producer")
    )
    return [
        {
            "producer": row.producer,
            "position": row.position,
            "halted": row.halted,
            "rebuilding": row.rebuild_asked_at is not None,
            "rebuilt_at": row.rebuilt_at.isoformat() if row.rebuilt_at else None,
        }
        for row in rows
    ]


# --- handlers known -----------------------------------------------------------------------------------------------


def handlers(session: Session, producer: str) -> dict[str, int | None]:
    """Types whose handlers this service is known to have → how far their past was replayed, None once it all was."""
    rows = session.execute(
        text("SELECT type, position FROM event_handler WHERE producer = :producer"), {"producer": producer}
    )
    return {str(row.type): row.position for row in rows}


def know_handler(session: Session, producer: str, event_type: str, since: str, position: int | None) -> None:
    """Keeps that there is a handler, and how far its past was replayed."""
    session.execute(
        text(
            "INSERT INTO event_handler (producer, type, since, position) VALUES (:producer, :type, :since, :position) "
            "ON CONFLICT (producer, type) DO UPDATE SET position = EXCLUDED.position"
        ),
        {"producer": producer, "type": event_type, "since": since, "position": position},
    )


def passed_by(session: Session, producer: str, event_type: str, before: int) -> None:
    """Keeps from where on events of a type were passed by: this release has no handler for it, another one has."""
    session.execute(
        text(
            "UPDATE event_handler SET position = :before "
            "WHERE producer = :producer AND type = :type AND position IS NULL"
        ),
        {"producer": producer, "type": event_type, "before": before},
    )
