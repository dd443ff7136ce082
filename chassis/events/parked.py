"""Events put aside, and those tried: every function runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import orjson
import structlog
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session

from chassis import tracing
from chassis.context import Actor, Context
from chassis.db import is_transient
from chassis.errors import Conflict, NotFound, StartOver, Unavailable
from contracts.base import Envelope, Event

log = structlog.get_logger(__name__)

#: The merge's events: one sequence that may be replayed or rebuilt from, never dropped.
UNDROPPABLE_KEY = "client-forest"


def count_try(session: Session, producer: str, position: int) -> int:
    """Counts one more try of an event and returns how many it makes."""
    return int(
        session.execute(
            text(
                "INSERT INTO event_attempt (producer, position, attempts) VALUES (:producer, :position, 1) "
                "ON CONFLICT (producer, position) DO UPDATE SET attempts = event_attempt.attempts + 1 "
                "RETURNING attempts"
            ),
            {"producer": producer, "position": position},
        ).scalar_one()
    )


def park(session: Session, producer: str, position: int, key: str, body: bytes, error: str) -> None:
    """Puts an event aside. Asked again, it stays as it is."""
    session.execute(
        text(
            "INSERT INTO parked_event (producer, position, ordering_key, event, error, attempts) "
            "SELECT :producer, :position, :key, :event, :error, coalesce((SELECT attempts FROM event_attempt a "
            "WHERE a.producer = :producer AND a.position = :position), 0) ON CONFLICT DO NOTHING"
        ),
        {
            "producer": producer,
            "position": position,
            "key": key,
            "event": body.decode(),
            "error": error[:4000],
        },
    )
    log.error("event.parked", producer=producer, position=position, key=key, error=error)


def park_raw(session: Session, producer: str, body: bytes, headers: dict[str, str], reason: str) -> None:
    """Puts aside the bytes of a message that is no event, at a negative position of its own."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 11))"), {"name": producer})
    session.execute(
        text(
            "INSERT INTO parked_event (producer, position, ordering_key, event, raw, error, attempts) "
            "SELECT :producer, least(0, coalesce(min(position), 0)) - 1, '', :headers, :raw, :error, 0 "
            "FROM parked_event WHERE producer = :producer"
        ),
        {
            "producer": producer,
            "headers": orjson.dumps(headers, default=str).decode().replace("\\u0000", ""),
            "raw": body,
            "error": reason[:4000],
        },
    )


def is_passing(error: BaseException) -> bool:
    """Failures that time mends: database, lock, no connection free, service away. All else is the event’s fault."""
    passing = Unavailable | StartOver | InterruptedError | ConnectionError | NoConnection
    return isinstance(error, passing) or is_transient(error)


def handle(service: Any, handlers: dict[str, str], raw: dict[str, Any]) -> None:
    """Calls the handler of an event, if the service has one. Raises what it raises, and `ValidationError`."""
    method = handlers.get(str(raw.get("type")))
    if method is None:
        return
    envelope = Envelope.model_validate(raw)
    event_type = Event.registry[envelope.type]
    event = event_type.model_validate(_known_fields(event_type, envelope.data))
    uow = service.uow
    outer = uow.context
    uow.context = Context(
        actor=Actor.from_json(envelope.actor),
        correlation_id=envelope.correlationid,
        causation_id=envelope.id,
    )
    try:
        with tracing.span(f"{envelope.type} process", "consumer", envelope.traceparent):
            getattr(service, method)(event, envelope)
            uow.session.flush()
    finally:
        uow.context = outer


def _known_fields(event_type: type[Event], data: dict[str, Any]) -> dict[str, Any]:
    # A producer one release ahead may tell more within one version (additions are compatible).
    return {name: value for name, value in data.items() if name in event_type.model_fields}


def forget(session: Session, producer: str, types: Collection[str], upto: int, beyond: int, reason: str) -> int:
    """Drops what a rebuilt copy makes pointless: events of `types` up to `upto`, and all that lie beyond `beyond`.

    The latter are of a log that the producer has lost. What was dropped is kept, as by `drop`. Returns how many.
    """
    condition = (
        "producer = :producer AND position > 0 AND (position > :beyond OR "
        "(position <= :upto AND event::json->>'type' = ANY(:types)))"
    )
    values = {"producer": producer, "types": list(types), "upto": upto, "beyond": beyond, "reason": reason}
    session.execute(
        text(
            "INSERT INTO dropped_event (producer, position, event, error, reason, dropped_by) "
            f"SELECT producer, position, event, error, :reason, 'system' FROM parked_event WHERE {condition} "
            "ON CONFLICT DO NOTHING"
        ),
        values,
    )
    dropped = session.execute(text(f"DELETE FROM parked_event WHERE {condition}"), values)
    session.execute(
        text("DELETE FROM event_attempt WHERE producer = :producer AND position > :beyond"),
        {"producer": producer, "beyond": beyond},
    )
    return int(getattr(dropped, "rowcount", 0))


# --- operators --------------------------------------------------------------------------------------------------


def listing(session: Session, producer: str | None) -> list[dict[str, Any]]:
    """Parked events, oldest first, with how many wait behind each key."""
    rows = session.execute(
        text(
            "SELECT producer, position, ordering_key, error, attempts, parked_at, "
            "count(*) OVER (PARTITION BY producer, ordering_key) AS sequence, "
            "CASE WHEN position > 0 THEN event::json->>'type' END AS type FROM parked_event "
            "WHERE CAST(:producer AS text) IS NULL OR producer = :producer ORDER BY producer, position"
        ),
        {"producer": producer},
    )
    return [dict(row._mapping) | {"parked_at": row.parked_at.isoformat()} for row in rows]


def show(session: Session, producer: str, position: int) -> dict[str, Any]:
    """One parked event. Raises `NotFound`."""
    row = session.execute(
        text("SELECT * FROM parked_event WHERE producer = :producer AND position = :position"),
        {"producer": producer, "position": position},
    ).one_or_none()
    if row is None:
        raise NotFound("Cet événement n’est pas rangé à part.")
    shown = dict(row._mapping)
    shown["parked_at"] = row.parked_at.isoformat()
    shown["raw"] = None if row.raw is None else bytes(row.raw).hex()
    shown["event"] = orjson.loads(row.event) if row.event else None
    return shown


def replay(service: Any, handlers: dict[str, str], producer: str, position: int) -> int:
    """Applies the whole sequence of a parked event, in order; all of it or nothing. Returns how many."""
    session = service.uow.session
    rows = _sequence(session, producer, position)
    for row in rows:
        if row.position < 0:
            raise Conflict("Ce message est illisible\u202f: il ne peut pas être rejoué, seulement supprimé.")
        try:
            handle(service, handlers, orjson.loads(row.event))
        except ValidationError as error:
            raise Conflict(f"L’événement {row.position} est toujours refusé.", code="still_poison") from error
        _remove(session, producer, row.position)
    return len(rows)


def drop(service: Any, producer: str, position: int, reason: str) -> int:
    """Drops a parked sequence for good; who, when and why are kept. Returns how many."""
    uow = service.uow
    session = uow.session
    if not reason.strip():
        raise Conflict("Dites pourquoi ces événements sont abandonnés.", code="reason_needed")
    rows = _sequence(session, producer, position)
    if any(row.ordering_key == UNDROPPABLE_KEY for row in rows):
        raise Conflict("Les événements de fusion ne s’abandonnent pas\u202f: reconstruisez la projection.")
    for row in rows:
        session.execute(
            text(
                "INSERT INTO dropped_event (producer, position, event, error, reason, dropped_by) "
                "SELECT producer, position, coalesce(event, ''), error, :reason, :by FROM parked_event "
                "WHERE producer = :producer AND position = :position ON CONFLICT DO NOTHING"
            ),
            {"producer": producer, "position": row.position, "reason": reason, "by": uow.context.actor.name},
        )
        _remove(session, producer, row.position)
    return len(rows)


def _sequence(session: Session, producer: str, position: int) -> list[Any]:
    # Under the lock of the place: no event of the key can be parked or applied meanwhile.
    session.execute(text("SELECT 1 FROM event_place WHERE producer = :producer FOR UPDATE"), {"producer": producer})
    rows = session.execute(
        text(
            "SELECT position, ordering_key, event FROM parked_event WHERE producer = :producer AND "
            "(position = :position OR (position > 0 AND :position > 0 AND ordering_key = (SELECT ordering_key "
            "FROM parked_event WHERE producer = :producer AND position = :position))) ORDER BY position"
        ),
        {"producer": producer, "position": position},
    ).all()
    if not rows:
        raise NotFound("Cet événement n’est pas rangé à part.")
    return list(rows)


def _remove(session: Session, producer: str, position: int) -> None:
    session.execute(
        text("DELETE FROM parked_event WHERE producer = :producer AND position = :position"),
        {"producer": producer, "position": position},
    )


def parked_count(session: Session) -> int:
    """How many events wait for an operator."""
    return int(session.execute(text("SELECT count(*) FROM parked_event")).scalar_one())
