"""A batch of events in one transaction with the place; where one of them is poison, one by one until it is parked."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import structlog

from chassis import metrics
from chassis.events import parked, place
from chassis.events.ahead import Entry
from chassis.events.following import Following

log = structlog.get_logger(__name__)

#: Tries of one event before it is parked.
TRIES = 5
BEHIND = "attend derrière un événement rangé à part"


class Batches:
    """Applies the batches of one consumer."""

    def __init__(self, following: Following, stop: threading.Event) -> None:
        self._following = following
        self._stop = stop
        self._names = following.consumer, following.producer
        self._last_error = ""
        #: The place as it was last locked, if nothing was parked behind it.
        self._before: place.Place | None = None

    def apply(self, batch: Sequence[Entry], *, carefully: bool = False) -> None:
        """All of it, once; `carefully`, with the tries of each counted first.

        Raises `Moved` when another consumer was faster, and failures that time mends.
        """
        if carefully:
            for entry in batch:
                self._apply_one(entry)
            return
        try:
            self._transact(batch)
        except Exception as error:
            if isinstance(error, place.Moved) or parked.is_passing(error):
                raise
            log.warning("consumer.poison", consumer=self._names[0], producer=self._names[1], error=str(error))
            middle = len(batch) // 2
            if not middle:
                self._apply_one(batch[0])
                return
            for part in (batch[:middle], batch[middle:]):
                self.apply(part, carefully=len(part) == 1)

    def _apply_one(self, entry: Entry) -> None:
        """One event in its own transaction; its tries are counted beside it, so that one that kills us counts too."""
        while not self._stop.is_set():
            attempts = self._following.transact(
                lambda service: parked.count_try(service.uow.session, self._following.producer, entry.position)
            )
            if attempts > TRIES:
                self._transact([entry], parking=True)
                metrics.EVENTS_PARKED.labels(*self._names).inc()
                return
            try:
                self._transact([entry])
            except Exception as error:
                if isinstance(error, place.Moved) or parked.is_passing(error):
                    raise
                self._last_error = f"{type(error).__name__}: {error}"
                self._stop.wait(min(0.02 * 2**attempts, 2.0) * (0.5 + random.random()))
            else:
                return
        raise InterruptedError("stopping")

    def _transact(self, batch: Sequence[Entry], *, parking: bool = False) -> None:
        before, self._before = self._before, None
        if before is not None and not parking:
            # Nothing waited, and as a rule nothing of that has changed: lock, effects and move are then one message.
            try:
                self._before = self._following.transact(lambda service: self._work(service, batch, before))
            except Exception as error:
                if parked.is_passing(error):
                    raise
            else:
                return
        self._before = self._following.transact(lambda service: self._work(service, batch, None, parking=parking))

    def _work(
        self, service: Any, batch: Sequence[Entry], before: place.Place | None, *, parking: bool = False
    ) -> place.Place | None:
        """Returns the place for the next batch to expect unchanged, if nothing is parked."""
        producer, handlers = self._following.producer, self._following.handlers
        session, expected = service.uow.session, batch[0].position - 1
        if before is None:
            here = place.lock(session, producer, expected)
            if any(here.known.get(name) is not None for name in handlers):
                raise place.Moved  # a replica of another release has passed some by: they are told first (`begin`)
        else:
            here = before
            place.lock_unchanged(session, here, producer, expected)
        changed = parking
        for entry in batch:
            if (name := entry.type) not in handlers and here.known.get(name, 0) is None:
                changed, here = True, replace(here, known=here.known | {name: entry.position - 1})
                place.passed_by(session, producer, name, entry.position - 1)
            if not (parking or entry.key in here.waiting):
                parked.handle(service, handlers, entry.event)
            elif parking or entry.type in handlers:
                reason = self._last_error if parking else BEHIND
                parked.park(session, producer, entry.position, entry.key, orjson.dumps(entry.event), reason)
                service.event_parked(entry.event, reason)
                here.waiting.add(entry.key)
        last = batch[-1]
        place.move(session, producer, last.log_id, last.position, last.id, kept=service.uow.tells)
        return None if changed or here.waiting else here
