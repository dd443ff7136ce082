"""The consumer's loop: one batch, one transaction, effect and place together (events-protocol, Consumer).

Deliveries only fill a small map of what lies ahead, and ring. What is missing is read from the producer's log. The
same loop serves both wires; without a broker nothing ever lies ahead.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
import structlog

from chassis import metrics
from chassis.bell import Bell
from chassis.events import parked
from chassis.events.source import LogSource, OtherLog
from chassis.uow import UnitOfWork
from chassis.wire.base import Delivery, EventSubscription

log = structlog.get_logger(__name__)

BATCH = 100
#: How many deliveries are kept ahead; more are read from the log.
AHEAD = 5_000
#: Seconds of idleness after which the producer is asked how far its log goes.
ASK_S = 5.0
#: Tries of one event before it is parked.
TRIES = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """An event at its position, its JSON still text."""

    position: int
    body: bytes


class Applier(Protocol):
    """Runs a batch inside a Nameko worker, so that handlers have what the service declares."""

    def __call__(self, work: Callable[[Any], None]) -> None:
        """Calls `work(service instance)`; raises what it raises."""
        ...


class Consumer:
    """One consumer of one producer's log."""

    def __init__(
        self,
        consumer: str,
        producer: str,
        handlers: dict[str, str],
        source: LogSource,
        apply: Applier,
    ) -> None:
        self.consumer = consumer
        self.producer = producer
        self._handlers = handlers
        self._source = source
        self._apply = apply
        self._ahead: dict[int, Delivery] = {}
        self._lock = threading.Lock()
        self._bell = Bell()
        self._stop = threading.Event()
        self._ask = True
        self._asked_at = 0.0
        self._place: int | None = None
        self._log_id: str | None = None
        self._halted: str | None = None
        self.subscription: EventSubscription | None = None
        self._thread = threading.Thread(target=self._run, name=f"{consumer}<-{producer}", daemon=True)

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

    def undecodable(self, body: bytes, headers: dict[str, str], reason: str) -> None:
        """Parks the bytes of a message that is no event."""

        def park(service: Any) -> None:
            uow: UnitOfWork = service.uow
            uow.run(None, lambda: parked.park_raw(uow.session, self.producer, body, headers, reason))

        try:
            self._apply(park)
            metrics.EVENTS_PARKED.labels(self.consumer, self.producer).inc()
        except Exception:
            # The bytes are told in the log line, so that nothing is lost without a trace.
            log.exception("event.undecodable_not_parked", body=body[:2000].hex(), reason=reason)

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
            except OtherLog as error:
                self._halted = str(error)
                log.error("consumer.halted", consumer=self.consumer, producer=self.producer, reason=str(error))
                self._stop.wait(ASK_S)
                self._halted = None
                self._ask = True
            except Exception as error:
                metrics.EVENTS_RETRIED.labels(self.consumer, self.producer).inc()
                log.warning(
                    "consumer.again",
                    consumer=self.consumer,
                    producer=self.producer,
                    error=str(error),
                    kind=type(error).__name__,
                )
                self._stop.wait(delay * (0.5 + random.random()))
                delay = min(delay * 2, 5.0)
                self._place = None
                self._ask = True

    # --- one step ---------------------------------------------------------------------------------------------

    def _step(self) -> bool:
        """Applies one batch. False when there is nothing to do."""
        if self._place is None:
            self._read_place()
        batch = self._contiguous()
        if not batch:
            batch = self._from_log()
        if not batch:
            return False
        self._apply_batch(batch)
        return True

    def _read_place(self) -> None:
        found: list[tuple[str | None, int]] = []

        def read(service: Any) -> None:
            uow: UnitOfWork = service.uow
            uow.run(None, lambda: found.append(parked.place(uow.session, self.producer)))

        self._apply(read)
        self._log_id, self._place = found[-1]
        self._forget_behind()

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
        idle = time.monotonic() - self._asked_at > ASK_S
        with self._lock:
            gap = bool(self._ahead)
        if not (self._ask or gap or idle):
            return []
        self._ask = False
        log_id, upto, events = self._source.read(self.producer, self._log_id, self._place, BATCH)
        self._asked_at = time.monotonic()
        self._log_id = log_id
        if upto < self._place:
            raise OtherLog(f"le journal de {self.producer} s’arrête à {upto}, déjà lu jusqu’à {self._place}")
        if len(events) == BATCH:
            self._ask = True
        if not events and gap:
            with self._lock:
                # Deliveries of a position that the log does not have: not ours, forget them.
                self._ahead = {p: d for p, d in self._ahead.items() if p <= upto}
        return [Entry(position, body) for position, body in events]

    def _apply_batch(self, batch: list[Entry]) -> None:
        """The whole batch in one transaction; where an event is poison, one by one."""
        started = time.time()
        try:
            self._apply(lambda service: self._transaction(service, batch, parking=False))
        except parked.Moved:
            self._place = None
            return
        except Exception as error:
            if parked.is_passing(error):
                raise
            log.warning("consumer.poison", consumer=self.consumer, producer=self.producer, error=str(error))
            for entry in batch:
                self._apply_one(entry)
        last = batch[-1].position
        self._place = last
        self._forget_behind()
        if self.subscription is not None:
            self.subscription.ack_up_to(last)
        metrics.EVENTS_HANDLED.labels(self.consumer, self.producer).inc(len(batch))
        metrics.PLACE.labels(self.consumer, self.producer).set(last)
        metrics.EVENT_DELAY.labels(self.consumer, self.producer).observe(max(0.0, time.time() - started))

    def _apply_one(self, entry: Entry) -> None:
        """One event in its own transaction; its tries are counted beside it, so that a crash counts too."""
        while not self._stop.is_set():
            attempts = self._count_try(entry.position)
            if attempts > TRIES:
                self._apply(lambda service: self._transaction(service, [entry], parking=True))
                metrics.EVENTS_PARKED.labels(self.consumer, self.producer).inc()
                return
            try:
                self._apply(lambda service: self._transaction(service, [entry], parking=False))
            except parked.Moved:
                return
            except Exception as error:
                if parked.is_passing(error):
                    raise
                self._last_error = f"{type(error).__name__}: {error}"
                self._stop.wait(min(0.02 * 2**attempts, 2.0) * (0.5 + random.random()))
            else:
                return
        raise InterruptedError("stopping")

    def _count_try(self, position: int) -> int:
        counted: list[int] = []

        def count(service: Any) -> None:
            uow: UnitOfWork = service.uow
            uow.run(None, lambda: counted.append(parked.count_try(uow.session, self.producer, position)))

        self._apply(count)
        return counted[-1]

    _last_error = ""

    def _transaction(self, service: Any, batch: list[Entry], *, parking: bool) -> None:
        uow: UnitOfWork = service.uow

        def work() -> None:
            session = uow.session
            parked.lock_place(session, self.producer, batch[0].position - 1)
            waiting = parked.waiting_keys(session, self.producer)
            for entry in batch:
                event = orjson.loads(entry.body)
                key = str(event.get("partitionkey", ""))
                if parking or key in waiting:
                    reason = self._last_error if parking else "attend derrière un événement rangé à part"
                    if event.get("type") in self._handlers or parking:
                        parked.park(session, self.producer, entry.position, key, entry.body, reason)
                        waiting.add(key)
                else:
                    parked.handle(service, self._handlers, event)
            parked.move_place(session, self.producer, self._log_id, batch[-1].position)

        uow.run(None, work)

    def _forget_behind(self) -> None:
        with self._lock:
            place = self._place or 0
            self._ahead = {position: d for position, d in self._ahead.items() if position > place}
