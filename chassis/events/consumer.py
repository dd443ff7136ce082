"""The consumer's loop: one batch, one transaction, effect and place together (events-protocol, Consumer).

Deliveries only fill a small map of what lies ahead, and ring. What is missing is read from the producer's log. The
same loop serves both wires; without a broker nothing ever lies ahead.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import structlog

from chassis import metrics
from chassis.bell import Bell
from chassis.errors import Unavailable
from chassis.events import parked, place
from chassis.events.begin import begin
from chassis.events.following import Following
from chassis.events.source import Halted, OtherLog
from chassis.wire.base import Delivery, EventSubscription

log = structlog.get_logger(__name__)

BATCH = 100
#: How many deliveries are kept ahead; more are read from the log.
AHEAD = 5_000
#: Seconds after which the producer is asked how far its log goes, and told how far this consumer is.
ASK_S = 5.0
#: A producer that is away for less than so many seconds (it starts too) is nobody's concern.
QUIET_S = 20.0
#: Tries of one event before it is parked.
TRIES = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """An event at its position, its JSON still text."""

    position: int
    body: bytes


class Consumer:
    """One consumer of one producer's log."""

    def __init__(self, following: Following) -> None:
        self._following = following
        self.consumer, self.producer = following.consumer, following.producer
        self._ahead: dict[int, Delivery] = {}
        self._unreadable: deque[tuple[bytes, dict[str, str], str, Callable[[], None]]] = deque()
        self._lock = threading.Lock()
        self._bell = Bell()
        self._stop = threading.Event()
        self._ask = True
        self._asked_at = 0.0
        self._place: int | None = None
        self._log_id: str | None = None
        self._event_id: str | None = None
        self._halted: str | None = None
        #: Whether the table may still tell of a halt that is over.
        self._told_halted = True
        self._failing_since: float | None = None
        self._last_error = ""
        self.subscription: EventSubscription | None = None
        self._thread = threading.Thread(target=self._run, name=f"{self.consumer}<-{self.producer}", daemon=True)

    # --- what the wire calls ----------------------------------------------------------------------------------

    def receive(self, delivery: Delivery) -> None:
        """Keeps a delivery that lies ahead; the log has all the others."""
        with self._lock:
            if len(self._ahead) < AHEAD and (self._place is None or delivery.position > self._place):
                self._ahead[delivery.position] = delivery
        self._bell.ring()

    def rung(self) -> None:
        """The producer may have more than what was delivered: ask it."""
        self._ask = True
        self._bell.ring()

    def undecodable(self, body: bytes, headers: dict[str, str], reason: str, done: Callable[[], None]) -> None:
        """Has the bytes of a message that is no event parked; `done` is called once they are."""
        self._unreadable.append((body, headers, reason, done))
        self._bell.ring()

    # --- life -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts the loop."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the batch in hand."""
        self._stop.set()
        self._bell.ring()
        if self.subscription is not None:
            self.subscription.stop()
        self._thread.join(10)

    @property
    def ready(self) -> bool:
        """True while events really come in."""
        alive = self._thread.is_alive() and self._halted is None
        return alive and (self.subscription is None or self.subscription.ready)

    @property
    def halted(self) -> str | None:
        """Why the consumer stopped for good, until an operator rebuilds it."""
        return self._halted

    def _run(self) -> None:
        delay = 0.05
        while not self._stop.is_set():
            try:
                if not self._step():
                    self._bell.wait(ASK_S)
                delay = 0.05
                self._failing_since = None
            except Halted as error:
                self._halt(str(error))
                self._place = None
                self._stop.wait(ASK_S)
            except place.Moved:
                self._place = None
                self._stop.wait(0.05 * random.random())
            except Exception as error:
                metrics.EVENTS_RETRIED.labels(self.consumer, self.producer).inc()
                self._tell_failure(error)
                self._stop.wait(delay * (0.5 + random.random()))
                delay = min(delay * 2, 5.0)
                self._place = None

    def _tell_failure(self, error: Exception) -> None:
        now = time.monotonic()
        self._failing_since = self._failing_since or now
        quiet = isinstance(error, Unavailable) and now - self._failing_since < QUIET_S
        (log.debug if quiet else log.warning)(
            "consumer.again",
            consumer=self.consumer,
            producer=self.producer,
            error=str(error),
            kind=type(error).__name__,
        )

    def _halt(self, reason: str) -> None:
        """Says why reading stops, loudly and once, where every replica and every operator sees it."""
        if reason == self._halted:
            return
        self._halted, self._told_halted = reason, True
        log.error("consumer.halted", consumer=self.consumer, producer=self.producer, reason=reason)
        try:
            self._following.transact(lambda service: place.halt(service.uow.session, self.producer, reason))
        except Exception as error:
            log.warning("consumer.halt_not_told", consumer=self.consumer, error=str(error))

    def _goes_on(self) -> None:
        if self._told_halted:
            self._following.transact(lambda service: place.halt(service.uow.session, self.producer, None))
            self._halted, self._told_halted = None, False

    # --- one step ---------------------------------------------------------------------------------------------

    def _step(self) -> bool:
        """Applies one batch. False when there is nothing to do."""
        self._park_unreadable()
        due = time.monotonic() - self._asked_at > ASK_S
        if self._place is None or due:
            self._begin()
        # Also while deliveries never cease: the producer learns who follows it, and a log put back is noticed.
        batch = [] if due else self._contiguous()
        if not batch:
            batch = self._from_log()
        self._goes_on()
        if not batch:
            return False
        self._apply_batch(batch)
        return True

    def _begin(self) -> None:
        at = begin(self._following)
        if (at.log_id, at.position) != (self._log_id, self._place):
            self._log_id, self._place, self._event_id = at.log_id, at.position, at.event_id
            self._forget_behind()
        self._ask = True

    def _park_unreadable(self) -> None:
        while self._unreadable:
            body, headers, reason, done = self._unreadable[0]
            self._following.transact(
                lambda service: parked.park_raw(service.uow.session, self.producer, body, headers, reason)  # noqa: B023
            )
            metrics.EVENTS_PARKED.labels(self.consumer, self.producer).inc()
            self._unreadable.popleft()
            done()

    def _contiguous(self) -> list[Entry]:
        assert self._place is not None
        batch: list[Entry] = []
        with self._lock:
            position = self._place + 1
            while len(batch) < BATCH and (delivery := self._ahead.get(position)) is not None:
                if self._log_id is not None and delivery.log_id != self._log_id:
                    self._ahead.clear()
                    self._ask = True
                    return []
                if self._log_id is None:
                    # The first event ever read: learn the log's identity from the producer itself.
                    self._ask = True
                    return []
                batch.append(Entry(position, delivery.body))
                position += 1
        return batch

    def _from_log(self) -> list[Entry]:
        """Reads what is missing. Never while the place is locked."""
        assert self._place is not None
        with self._lock:
            gap = bool(self._ahead)
        if not (self._ask or gap):
            return []
        self._ask = False
        page = self._following.source.read(
            self.producer, self._place, BATCH, log_id=self._log_id, after_id=self._event_id
        )
        self._asked_at = time.monotonic()
        self._log_id = page.log_id
        if page.upto < self._place:
            raise OtherLog(
                f"Le journal de {self.producer} s’arrête à {page.upto}, déjà lu jusqu’à {self._place}\u202f: "
                f"sa base vient d’une sauvegarde (fiche restore {self.producer})."
            )
        if page.first > self._place + 1:
            raise Halted(
                f"Le journal de {self.producer} commence à {page.first}, lu jusqu’à {self._place}\u202f: "
                f"reconstruisez (fiche projections rebuild {self.consumer} --producer {self.producer})."
            )
        if len(page.events) == BATCH:
            self._ask = True
        if not page.events and gap:
            with self._lock:
                # Deliveries of a position that the log does not have: not ours, forget them.
                self._ahead = {p: d for p, d in self._ahead.items() if p <= page.upto}
        return [Entry(position, body) for position, body in page.events]

    def _apply_batch(self, batch: list[Entry]) -> None:
        """The whole batch in one transaction; where an event is poison, one by one."""
        try:
            self._transact(batch, parking=False)
        except Exception as error:
            if isinstance(error, place.Moved) or parked.is_passing(error):
                raise
            log.warning("consumer.poison", consumer=self.consumer, producer=self.producer, error=str(error))
            for entry in batch:
                self._apply_one(entry)
        last = batch[-1].position
        self._place, self._event_id = last, _id_of(batch[-1])
        self._forget_behind()
        if self.subscription is not None:
            self.subscription.ack_up_to(last)
        metrics.EVENTS_HANDLED.labels(self.consumer, self.producer).inc(len(batch))
        metrics.EVENT_DELAY.labels(self.consumer, self.producer).observe(_age_of(batch[0]))

    def _apply_one(self, entry: Entry) -> None:
        """One event in its own transaction; its tries are counted beside it, so that a crash counts too."""
        while not self._stop.is_set():
            attempts = self._following.transact(
                lambda service: parked.count_try(service.uow.session, self.producer, entry.position)
            )
            if attempts > TRIES:
                self._transact([entry], parking=True)
                metrics.EVENTS_PARKED.labels(self.consumer, self.producer).inc()
                return
            try:
                self._transact([entry], parking=False)
            except Exception as error:
                if isinstance(error, place.Moved) or parked.is_passing(error):
                    raise
                self._last_error = f"{type(error).__name__}: {error}"
                self._stop.wait(min(0.02 * 2**attempts, 2.0) * (0.5 + random.random()))
            else:
                return
        raise InterruptedError("stopping")

    def _transact(self, batch: list[Entry], *, parking: bool) -> None:
        """Raises `Moved` when another consumer was faster."""
        handlers = self._following.handlers

        def work(service: Any) -> None:
            session = service.uow.session
            place.lock(session, self.producer, batch[0].position - 1)
            waiting, known = parked.waiting_and_known(session, self.producer)
            if any(known.get(name) is not None for name in handlers):
                raise place.Moved  # a replica of another release has passed some by: they are told first (`begin`)
            for entry in batch:
                event = orjson.loads(entry.body)
                key = str(event.get("partitionkey", ""))
                if (name := event.get("type")) not in handlers and known.get(name, 0) is None:
                    known[name] = entry.position - 1
                    place.passed_by(session, self.producer, name, entry.position - 1)
                if parking or key in waiting:
                    reason = self._last_error if parking else "attend derrière un événement rangé à part"
                    if event.get("type") in handlers or parking:
                        parked.park(session, self.producer, entry.position, key, entry.body, reason)
                        service.event_parked(event, reason)
                        waiting.add(key)
                else:
                    parked.handle(service, handlers, event)
            place.move(session, self.producer, self._log_id, batch[-1].position, _id_of(batch[-1]))

        self._following.transact(work)

    def _forget_behind(self) -> None:
        with self._lock:
            place = self._place or 0
            self._ahead = {position: d for position, d in self._ahead.items() if position > place}


def _id_of(entry: Entry) -> str | None:
    identifier = orjson.loads(entry.body).get("id")
    return None if identifier is None else str(identifier)


def _age_of(entry: Entry) -> float:
    """Seconds since an event was recorded, by its producer's clock; none where its time cannot be read."""
    try:
        recorded = datetime.fromisoformat(orjson.loads(entry.body)["time"])
        return max(0.0, time.time() - recorded.timestamp())
    except (KeyError, TypeError, ValueError):
        return 0.0
