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

import orjson
import structlog

from chassis import metrics
from chassis.bell import Bell
from chassis.errors import Unavailable
from chassis.events import parked, place
from chassis.events.ahead import Ahead, Entry
from chassis.events.batch import Batches
from chassis.events.begin import begin
from chassis.events.following import Following
from chassis.events.source import Halted, OtherLog
from chassis.settings import SERVICES
from chassis.wire.base import Delivery, EventSubscription

log = structlog.get_logger(__name__)

#: Events applied in one transaction, and read of the log at a time.
BATCH = 100
PAGE = 500
#: Seconds after which the producer is asked how far its log goes, and told how far this consumer is.
ASK_S = 5.0
#: An idle consumer asks ever more rarely, down to one in so many times: what is published rings.
RARELY = 12
#: Seconds between the services' turns at an event that has work for nearly all of them (`Event.in_turns`).
TURN_S = 0.06
#: A producer that is away for less than so many seconds (it starts too) is nobody's concern.
QUIET_S = 20.0


class Consumer:
    """One consumer of one producer's log."""

    def __init__(self, following: Following, turn_s: float = TURN_S) -> None:
        self._following = following
        self._turn_s = turn_s
        self.consumer, self.producer = following.consumer, following.producer
        self._ahead = Ahead()
        self._unreadable: deque[tuple[bytes, dict[str, str], str, Callable[[], None]]] = deque()
        self._bell = Bell()
        self._stop = threading.Event()
        self._batches = Batches(following, self._stop)
        #: Whether the log may hold more than what lies ahead.
        self._ask = True
        self._asked_at = 0.0
        self._ask_s = ASK_S
        self._place: int | None = None
        self._log_id: str | None = None
        self._event_id: str | None = None
        #: Up to here events are applied one by one: one of them may have killed the process before this one.
        self._careful: int | None = None
        self._halted: str | None = None
        #: Whether the table may still tell of a halt that is over.
        self._told_halted = True
        self._failing_since: float | None = None
        self.subscription: EventSubscription | None = None
        self._thread = threading.Thread(target=self._run, name=f"{self.consumer}<-{self.producer}", daemon=True)

    # --- what the wire calls ----------------------------------------------------------------------------------

    def receive(self, delivery: Delivery) -> None:
        """Keeps a delivery that lies ahead; the log has all the others."""
        self._ahead.put([Entry(delivery.log_id, delivery.position, orjson.loads(delivery.body))])
        self._bell.ring()

    def rung(self) -> None:
        """The producer may have more than what was delivered: ask it."""
        self._ask = True
        self._bell.ring()

    def look(self) -> None:
        """An operator has asked something of this consumer: see the place."""
        self._asked_at = 0.0
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
                    self._bell.wait(max(0.0, self._asked_at + self._ask_s - time.monotonic()))
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
        # Also while deliveries never cease: the producer learns who follows it, and a log put back is noticed.
        due = time.monotonic() - self._asked_at >= self._ask_s
        if self._place is None or due:
            self._begin()
        gap = bool(self._ahead)
        batch = [] if due else self._next()
        # What lies ahead does not follow the place: what is missing is in the log.
        if not batch and (due or self._ask or gap):
            self._read(report=due)
            batch = self._next()
        self._goes_on()
        if (wait := self._turn(batch)) > 0:
            self._stop.wait(wait)
            batch = self._next()  # with what came meanwhile; none where that was of another log
        if not batch:
            return False
        self._apply(batch)
        return True

    def _turn(self, batch: list[Entry]) -> float:
        """Seconds until this service's turn to apply what it has just been told; 0 for what was told before."""
        entry = next((each for each in batch if each.type in self._following.in_turns), None)
        if entry is None or entry.told_at is None or self.consumer not in SERVICES:
            return 0.0
        turn = self._turn_s * (1 + SERVICES.index(self.consumer))
        return min(turn, entry.told_at + turn - time.time())

    def _begin(self) -> None:
        at = begin(self._following)
        if (at.log_id, at.position) != (self._log_id, self._place):
            self._log_id, self._place, self._event_id = at.log_id, at.position, at.event_id
            self._ahead.pass_(at.position)
            if self.subscription is not None:
                self.subscription.ack_up_to(at.position)  # what a former process applied and did not live to say
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

    def _next(self) -> list[Entry]:
        assert self._place is not None
        batch = self._ahead.run(self._log_id, self._place, BATCH)
        if self._careful is not None and batch and batch[0].position <= self._careful:
            batch = batch[:1]
        return batch

    def _read(self, *, report: bool) -> None:
        """Reads ahead what is missing, of the log itself. Never while the place is locked."""
        assert self._place is not None
        self._ask = False
        lying = self._ahead.positions()
        page = self._following.source.read(
            self.producer, self._place, PAGE, log_id=self._log_id, after_id=self._event_id, report=report
        )
        if report:
            self._asked_at = time.monotonic()
            self._ask_s = min(self._ask_s * 2, ASK_S * RARELY)
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
        if self._careful is None:
            self._careful = min(page.upto, self._place + BATCH)
        self._ask = len(page.events) == PAGE
        if not self._ask:
            self._give_up([position for position in lying if position > page.upto])
        self._ahead.put(Entry(page.log_id, position, event) for position, event in page.events)

    def _give_up(self, strangers: list[int]) -> None:
        """Deliveries of positions that the log, asked after they had come, does not have: not its events.

        Nothing would ever pass them, and a thousand of them would fill the prefetch for good.
        """
        if not strangers:
            return
        log.warning("consumer.strangers", consumer=self.consumer, producer=self.producer, positions=strangers[:10])
        self._ahead.forget(strangers)
        if self.subscription is not None:
            self.subscription.give_up(strangers)

    def _apply(self, batch: list[Entry]) -> None:
        last = batch[-1]
        self._batches.apply(batch, carefully=self._careful is not None and batch[0].position <= self._careful)
        self._place, self._event_id = last.position, last.id
        self._ask_s = ASK_S
        self._ahead.pass_(last.position)
        if self.subscription is not None:
            self.subscription.ack_up_to(last.position)
        metrics.EVENTS_HANDLED.labels(self.consumer, self.producer).inc(len(batch))
        if (told_at := batch[0].told_at) is not None:
            metrics.EVENT_DELAY.labels(self.consumer, self.producer).observe(max(0.0, time.time() - told_at))
