"""Events over RabbitMQ: confirmed publishing, and queues that are a read-ahead of the logs, never the store."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import structlog
from amqp.exceptions import ConsumerCancelled, NotFound

from chassis import metrics
from chassis.wire.amqp_lane import Lane
from chassis.wire.amqp_link import Link
from chassis.wire.base import Delivery, LoggedEvent, PublishError
from chassis.wire.frames import Delivered

log = structlog.get_logger(__name__)

#: Where partners bind queues of their own.
PUBLIC = "fiche.public"
#: Delivery modes: the broker keeps a message on its disk, or hands it on only (ADR 16).
_KEPT, _PASSING = 2, 1
CONFIRM_S = 30.0
PREFETCH = 1_000
#: What waits in a queue at most; the oldest is dropped and read from the log instead.
QUEUE_LENGTH = 10_000


def exchange_of(producer: str) -> str:
    """The exchange to which a service's events go."""
    return f"fiche.{producer}"


def events_queue_of(consumer: str, producer: str) -> str:
    """The queue through which a consumer reads ahead of a producer's log."""
    return f"{consumer}.{producer}.v1"


def ensure_exchange(channel: Any, name: str) -> None:
    """Has an exchange there. One that is there is only asked for: its owner alone may declare it (`chassis.broker`)."""
    own = channel.connection.channel()  # the broker closes the channel that asked for what is not there
    try:
        own.exchange_declare(name, "topic", passive=True)
        own.close()
    except NotFound:
        channel.exchange_declare(name, "topic", durable=True, auto_delete=False)


class _Batch:
    """What is published at once: number → exchange and event of what is not answered yet."""

    def __init__(self) -> None:
        self.open: dict[int, tuple[str, LoggedEvent]] = {}
        #: What a queue of a partner's would not have.
        self.refused: list[LoggedEvent] = []
        self.error: str | None = None
        self.done = threading.Event()

    def answered(self, tag: int, multiple: bool) -> list[tuple[str, LoggedEvent]]:
        """What a confirm or a refusal is about; it is answered now."""
        tags = list(itertools.takewhile(lambda each: each <= tag, self.open)) if multiple else [tag]  # in order
        return [self.open.pop(each) for each in tags if each in self.open]


class AmqpPublisher:
    """Meets `chassis.wire.base.EventPublisher`; one batch at a time.

    A partner may give its queue any arguments, `reject-publish` too: the broker then refuses each event that does not
    fit, for all who are bound. Such a refusal is met once more, for it may have been a fault of the broker's; then the
    events count as published, loudly, since all others would wait for one partner otherwise (ADR 17).
    """

    def __init__(self, url: str, producer: str, *, plain: bool = False) -> None:
        self._producer = producer
        self._exchange = exchange_of(producer)
        #: Numbers of what is published on the channel, as the broker counts.
        self._numbers = itertools.count(1)
        self._batch: _Batch | None = None
        #: Whether the last batch was refused for good: the next is not tried twice.
        self._refusing = False
        metrics.EVENTS_REFUSED.labels(producer)  # from the start: a series that begins later would not be seen to grow
        self._lock = threading.Lock()
        self._link = Link(url, f"relay-{producer}", self._opened, self._lost, plain=plain)
        self._link.start()

    def publish(self, log_id: str, events: Sequence[LoggedEvent]) -> None:
        """Publishes in order and waits until the broker has confirmed all; `PublishError` otherwise."""
        if not events:
            return
        self._link.tried.wait(CONFIRM_S)
        told = [
            (exchange, event)
            for event in events
            for exchange in ((self._exchange, PUBLIC) if event.public else (self._exchange,))
        ]
        refused = self._confirm(log_id, told)
        if refused and not self._refusing:
            refused = self._confirm(log_id, [(PUBLIC, event) for event in refused])
        self._refusing = bool(refused)
        if refused:
            metrics.EVENTS_REFUSED.labels(self._producer).inc(len(refused))
            first, last = refused[0].position, refused[-1].position
            log.error("relay.refused_by_a_partner", producer=self._producer, first=first, last=last)
        metrics.EVENTS_PUBLISHED.labels(self._producer).inc(len(events))

    def _confirm(self, log_id: str, told: Sequence[tuple[str, LoggedEvent]]) -> list[LoggedEvent]:
        """Publishes and waits for the broker's word on each; gives what was refused for partners."""
        batch = _Batch()
        with self._lock:
            lane = self._link.lane
            if lane is None:
                raise PublishError("RabbitMQ is out of reach")
            batch.open = {next(self._numbers): each for each in told}
            self._batch = batch
        self._link.send(lane, lambda on: self._publish(on, log_id, told))
        # A channel lost before the batch was set would never tell it.
        if self._link.lane is not lane:
            raise PublishError("connection lost")
        if not batch.done.wait(CONFIRM_S):
            raise PublishError(f"not confirmed within {CONFIRM_S:.0f} s")
        if batch.error is not None:
            raise PublishError(batch.error)
        return batch.refused

    def close(self) -> None:
        """Closes the connection."""
        self._link.close()

    # --- in the owner's thread, but for `_publish` --------------------------------------------------------------

    def _opened(self, lane: Lane) -> None:
        with self._lock:
            self._numbers = itertools.count(1)
        for exchange in (self._exchange, PUBLIC):
            ensure_exchange(lane.channel, exchange)
        lane.confirms(self._confirmed, self._refused)
        lane.channel.events["basic_return"].add(self._returned)

    def _publish(self, lane: Lane, log_id: str, told: Sequence[tuple[str, LoggedEvent]]) -> None:
        for exchange, event in told:
            properties = {
                "content_type": "application/cloudevents+json",
                # A service's queue is a read-ahead of the log; a partner's is all that it has.
                "delivery_mode": _KEPT if exchange == PUBLIC else _PASSING,
                "application_headers": {"position": event.position, "log_id": log_id},
            }
            lane.publish(exchange, event.type, event.told, properties, mandatory=exchange == self._exchange)

    def _confirmed(self, tag: int, multiple: bool) -> None:
        batch = self._batch
        if batch is not None:
            batch.answered(tag, multiple)
            if not batch.open:
                batch.done.set()

    def _refused(self, tag: int, multiple: bool) -> None:
        batch = self._batch
        if batch is None:
            return
        for exchange, event in batch.answered(tag, multiple):
            if exchange != PUBLIC:
                self._lost("refused by the broker")
                return
            batch.refused.append(event)
        if not batch.open:
            batch.done.set()

    def _returned(self, *_what: Any) -> None:
        metrics.EVENTS_UNROUTABLE.labels(self._producer).inc()

    def _lost(self, reason: str) -> None:
        with self._lock:
            batch, self._batch = self._batch, None
        if batch is not None and not batch.done.is_set():
            batch.error = reason
            batch.done.set()


class AmqpSubscription:
    """Meets `chassis.wire.base.EventSubscription`."""

    def __init__(
        self,
        url: str,
        consumer: str,
        producer: str,
        *,
        quorum: bool,
        plain: bool = False,
        receive: Callable[[Delivery], None],
        rung: Callable[[], None],
        undecodable: Callable[[bytes, dict[str, str], str, Callable[[], None]], None],
    ) -> None:
        self._queue = events_queue_of(consumer, producer)
        self._exchange = exchange_of(producer)
        self._quorum = quorum
        self._receive = receive
        self._rung = rung
        self._undecodable = undecodable
        #: Deliveries of this channel that are not acknowledged: tag → position, oldest first.
        self._waiting: dict[int, int] = {}
        self._acked = 0
        self._link = Link(url, self._queue, self._opened, self._lost, plain=plain)

    @property
    def ready(self) -> bool:
        """True while the queue is consumed, or stood by for behind the active consumer."""
        return self._link.up

    def start(self) -> None:
        """Starts; declares and consumes whenever the broker is there."""
        self._link.start()

    def ack_up_to(self, position: int) -> None:
        """Acknowledges every delivery up to and including `position`."""
        self._acked = max(self._acked, position)
        lane = self._link.lane
        if lane is not None:
            self._link.do(lane, lambda on: self._ack(on, position))

    def give_up(self, positions: Sequence[int]) -> None:
        """Acknowledges deliveries that nothing will ever pass."""
        lane, given = self._link.lane, frozenset(positions)
        if lane is not None:
            self._link.do(lane, lambda on: self._ack_these(on, given))

    def stop(self) -> None:
        """Stops receiving and closes; what is not acknowledged goes back to the queue."""
        self._link.close()

    # --- in the owner's thread ----------------------------------------------------------------------------------

    def _opened(self, lane: Lane) -> None:
        channel = lane.channel
        arguments: dict[str, Any] = {
            "x-single-active-consumer": True,
            "x-max-length": QUEUE_LENGTH,
            "x-overflow": "drop-head",
        }
        if self._quorum:
            arguments["x-queue-type"] = "quorum"
        ensure_exchange(channel, self._exchange)
        channel.queue_declare(self._queue, durable=True, auto_delete=False, arguments=arguments)
        channel.queue_bind(self._queue, self._exchange, "#")
        channel.basic_qos(0, PREFETCH, False)
        self._waiting = {}
        lane.consume(self._queue, lambda message: self._take(lane, message), on_cancel=self._cancelled)
        self._rung()

    def _cancelled(self, tag: str) -> None:
        raise ConsumerCancelled(f"queue {self._queue} is gone ({tag})")

    def _lost(self, _reason: str) -> None:
        self._waiting = {}

    def _take(self, lane: Lane, message: Delivered) -> None:
        headers, body = message.headers, message.body
        reason = _fault(headers, body)
        if reason is not None:
            # Behind every position, so that no acknowledgement of many passes it before its bytes are kept.
            tag = message.tag
            self._waiting[tag] = sys.maxsize
            texts = {str(name): str(value) for name, value in headers.items()}
            self._undecodable(body, texts, reason, lambda: self._link.do(lane, lambda on: self._ack_one(on, tag)))
            return
        position = headers["position"]
        self._receive(Delivery(headers["log_id"], position, body))
        if position <= self._acked:
            # Applied before: nothing will acknowledge it, and a thousand such would fill the prefetch.
            lane.ack(message.tag)
        else:
            self._waiting[message.tag] = position

    def _ack_one(self, lane: Lane, tag: int) -> None:
        if self._waiting.pop(tag, None) is not None:
            lane.ack(tag)

    def _ack(self, lane: Lane, position: int) -> None:
        run = 0
        for tag, at in self._waiting.items():
            if at > position:
                break
            run = tag
        if run:
            lane.ack(run, multiple=True)
            self._waiting = {tag: at for tag, at in self._waiting.items() if tag > run}
        # Behind one that came too early, each by itself.
        for tag in [tag for tag, at in self._waiting.items() if at <= position]:
            self._ack_one(lane, tag)

    def _ack_these(self, lane: Lane, positions: frozenset[int]) -> None:
        for tag in [tag for tag, at in self._waiting.items() if at in positions]:
            self._ack_one(lane, tag)


def _fault(headers: dict[str, Any], body: bytes) -> str | None:
    """Why a message is no delivery; None when it is one."""
    position, log_id = headers.get("position"), headers.get("log_id")
    if not isinstance(position, int) or isinstance(position, bool) or position < 1:
        return "no position"
    if not isinstance(log_id, str) or not log_id:
        return "no log_id"
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return f"not JSON: {error}"
    if not isinstance(event, dict):
        return "not a JSON object"
    # Whatever else it holds, it must say of itself what its header says: else it would pass for the event of a place.
    return None if event.get("sequence") == position else "not the event of its position"
