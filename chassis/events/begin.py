"""Where a consumer begins: a first start, handlers that appeared since, a rebuild that an operator asked for.

Nothing here runs an RPC while the place is locked: what is read of the producer is read before.
"""

from __future__ import annotations

from typing import Any

import orjson
import structlog

from chassis.db import send
from chassis.events import parked, place
from chassis.events.following import Following
from chassis.events.place import Moved, Place
from chassis.events.source import Halted, OtherLog, Snapshot

log = structlog.get_logger(__name__)

#: Events of the log that are replayed for a new handler in one transaction.
REPLAYED = 100


def begin(following: Following) -> Place:
    """The place to read on from, once nothing of the past is missing.

    Raises `Halted` for what an operator or a developer must mend, `Moved` when another replica was at it meanwhile.
    """
    producer = following.producer
    at, known = following.transact(
        lambda service: (place.read(service.uow.session, producer), place.handlers(service.uow.session, producer))
    )
    if at.rebuild_asked_at is not None:
        return _rebuild_as_asked(following, at)
    new = [name for name in following.types if name not in known]
    if not known and at.log_id is None and following.source.read(producer, 0, 1).first > 1:
        # The log no longer reaches back to its first event.
        return rebuild(following, at)
    if not known or at.log_id is None:
        _know(following, dict.fromkeys(new, "start"), None)
        return at
    undeclared = [name for name in new if following.since[name] is None]
    if undeclared:
        raise Halted(
            f"{following.consumer} a déjà lu le journal de {producer} sans s’occuper de {', '.join(undeclared)}\u202f: "
            'déclarez ce que devient ce passé, @on(…, since="now", "log" ou "snapshot").'
        )
    by_since = {since: [name for name in new if following.since[name] == since] for since in ("now", "log", "snapshot")}
    _know(following, dict.fromkeys(by_since["now"], "now"), None)
    _know(following, dict.fromkeys(by_since["log"], "log"), 0)
    if by_since["snapshot"]:
        _stand_in(following, at, by_since["snapshot"])
    replayed = {name: position for name, position in known.items() if position is not None and name in following.types}
    for name, position in (replayed | dict.fromkeys(by_since["log"], 0)).items():
        _replay(following, name, position)
    return at


def _know(following: Following, since: dict[str, str], position: int | None) -> None:
    def work(service: Any) -> None:
        for name, declared in since.items():
            place.know_handler(service.uow.session, following.producer, name, declared, position)

    if since:
        following.transact(work)


# --- handlers that appeared ---------------------------------------------------------------------------------------


def _stand_in(following: Following, at: Place, types: list[str]) -> None:
    """The producer's present state, told to new handlers in place of the events that they missed."""
    snapshot = following.source.snapshot(following.producer)
    untold = [name for name in types if name not in snapshot.covers]
    if untold:
        raise Halted(
            f'L’instantané de {following.producer} ne dit rien de {", ".join(untold)}\u202f: since="log"\u202f?'
        )

    def work(service: Any) -> None:
        session = service.uow.session
        # Events between the place and the snapshot are told again: these handlers keep states, and end at the last.
        now = place.lock(session, following.producer, at.position)
        if (now.log_id, at.log_id) != (snapshot.log_id, snapshot.log_id) or snapshot.position < now.position:
            raise Moved
        for raw in snapshot.events():
            if raw["type"] in types:
                parked.handle(service, following.handlers, raw)
        for name in types:
            place.know_handler(session, following.producer, name, "snapshot", None)

    following.transact(work)
    log.info("consumer.handlers_from_snapshot", consumer=following.consumer, producer=following.producer, types=types)


def _replay(following: Following, event_type: str, position: int) -> None:
    """Tells a new handler every event of its type from `position` up to the place."""
    log.info("consumer.replays", consumer=following.consumer, type=event_type, after=position)
    at: int | None = position
    while at is not None:
        page = following.source.read(following.producer, at, REPLAYED, types=[event_type])
        if page.first > at + 1 and at == 0:
            raise Halted(
                f"Le journal de {following.producer} ne remonte plus au début\u202f: rien à rejouer de {event_type}."
            )
        at = _replay_page(following, event_type, at, page.events, page.upto)


def _replay_page(
    following: Following, event_type: str, after: int, events: list[tuple[int, dict[str, Any]]], upto: int
) -> int | None:
    """Applies a page; where an event is refused, it and what follows it under its key are parked. The next position."""

    def work(service: Any, *, careful: bool) -> int | None:
        session = service.uow.session
        here = place.lock(session, following.producer)
        if place.handlers(session, following.producer).get(event_type) != after:
            raise Moved
        for position, event in events:
            if position > here.position:
                break
            if careful:
                _handle_or_park(service, following, position, event, here.waiting)
            else:
                parked.handle(service, following.handlers, event)
        following_position = upto if upto < here.position else None
        place.know_handler(session, following.producer, event_type, "log", following_position)
        return following_position

    try:
        return following.transact(lambda service: work(service, careful=False))
    except Exception as error:
        if isinstance(error, Moved) or parked.is_passing(error):
            raise
        return following.transact(lambda service: work(service, careful=True))


def _handle_or_park(
    service: Any, following: Following, position: int, event: dict[str, Any], waiting: set[str]
) -> None:
    session, key = service.uow.session, str(event.get("partitionkey", ""))
    reason = "attend derrière un événement rangé à part"
    if key not in waiting:
        try:
            with session.begin_nested():
                parked.handle(service, following.handlers, event)
                send(session)
            return
        except Exception as error:
            if parked.is_passing(error):
                raise
            reason = f"{type(error).__name__}: {error}"
    parked.park(session, following.producer, position, key, orjson.dumps(event), reason)
    waiting.add(key)


# --- rebuilding ---------------------------------------------------------------------------------------------------


def _rebuild_as_asked(following: Following, at: Place) -> Place:
    try:
        return rebuild(following, at)
    except Exception as error:
        if isinstance(error, Moved) or parked.is_passing(error):
            raise
        following.transact(lambda service: place.rebuilt(service.uow.session, following.producer, done=False))
        if isinstance(error, Halted):
            raise
        log.exception("consumer.rebuild_failed", consumer=following.consumer, producer=following.producer)
        raise Halted(f"La reconstruction a échoué\u202f: {type(error).__name__}: {error}") from error


def rebuild(following: Following, at: Place) -> Place:
    """Replaces the copies kept of a producer's facts by a snapshot of it, in one transaction; gives the new place.

    Copies are states: what the log tells of them after the place is told again and ends at the same. Effects of other
    events are not doubled, since the place stays, or goes back to the last position that a restored log shares with
    the one read so far.
    """
    producer = following.producer
    snapshot = following.source.snapshot(producer)
    if at.log_id == snapshot.log_id:
        _same_log(following, at, snapshot)
    target = _target(at, snapshot)

    def work(service: Any) -> None:
        session = service.uow.session
        now = place.lock(session, producer, at.position)
        if now.log_id != at.log_id:
            raise Moved
        service.forget_copies(producer)
        for raw in snapshot.events():
            parked.handle(service, following.handlers, raw)
        parked.forget(
            session, producer, snapshot.covers, snapshot.position, target, "copies reconstruites d’un instantané"
        )
        for name in following.types:
            if name in snapshot.covers or at.log_id is None:
                place.know_handler(session, producer, name, "snapshot", None)
        place.move(session, producer, snapshot.log_id, target, None)
        place.rebuilt(session, producer, done=True)

    following.transact(work)
    log.warning("consumer.rebuilt", consumer=following.consumer, producer=producer, before=at.position, now=target)
    return begin(following)


def _same_log(following: Following, at: Place, snapshot: Snapshot) -> None:
    """Raises `OtherLog` where the log has gone back, or tells other events, under the identity it had."""
    if snapshot.position < at.position:
        raise OtherLog(
            f"Le journal de {following.producer} s’arrête à {snapshot.position}, déjà lu jusqu’à {at.position}\u202f: "
            f"fiche restore {following.producer}, puis reconstruisez."
        )
    following.source.read(following.producer, at.position, 1, log_id=at.log_id, after_id=at.event_id)


def _target(at: Place, snapshot: Snapshot) -> int:
    """Where to read on from after a rebuild."""
    if at.log_id is None:
        return snapshot.position
    shared = at.position if at.log_id == snapshot.log_id else snapshot.former.get(at.log_id)
    if shared is None:
        return snapshot.position
    target = min(at.position, shared)
    return target if snapshot.first <= target + 1 else snapshot.position
