"""RPC over RabbitMQ, the answering side: acknowledged once answered, so that what a dead instance had is done again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import orjson
import structlog
from amqp import Message
from amqp.exceptions import ChannelError

from chassis import metrics
from chassis.errors import InternalError
from chassis.wire.amqp_client import queue_of
from chassis.wire.amqp_lane import Lane
from chassis.wire.amqp_link import STALL_S, Link
from chassis.wire.base import Answer, Incoming
from chassis.wire.frames import Delivered

log = structlog.get_logger(__name__)

#: Milliseconds that the queue of a service without instance lives: longer than a restart, short enough that callers
#: of a stopped service are told so at once rather than left waiting.
QUEUE_EXPIRES_MS = 5_000
#: Deliveries of one call. A classic queue counts none: a call that ends each process it reaches would end them all.
TRIES = 3


class AmqpServer:
    """Meets `chassis.wire.base.RpcServer`."""

    def __init__(
        self, url: str, service: str, handle: Callable[[Incoming], None], max_workers: int, *, plain: bool = False
    ) -> None:
        self._service = service
        self._handle = handle
        self._max = max_workers
        self._consumer: str | None = None
        self._stopping = False
        self._left = False
        self._link = Link(url, f"rpc-{service}", self._opened, self._lost, plain=plain)
        # Told from the start: a series that begins at one grew by nothing, as Prometheus sees it.
        for reason in ("malformed", "late", "deadly"):
            metrics.RPC_DROPPED.labels(service, reason)

    @property
    def ready(self) -> bool:
        """True while calls are really being consumed."""
        return self._link.up and self._consumer is not None and not self._stopping

    def start(self) -> None:
        """Starts; returns when the first try to connect has ended."""
        self._link.start()
        self._link.tried.wait(30)

    def stop(self) -> None:
        """Takes no more. What comes in until the broker has heard so is done: given back, it would count as a try, and
        a busy machine's broker brings it back a third time before it has heard. Afterwards it goes back.
        """
        self._stopping = True
        told = threading.Event()

        def cancel(lane: Lane) -> None:
            try:
                if self._consumer is not None:
                    lane.channel.basic_cancel(self._consumer)
                    self._consumer = None
                    self._retire(lane.channel)
            finally:
                told.set()

        lane = self._link.lane
        if lane is not None:
            self._link.do(lane, cancel)
            deadline = time.monotonic() + STALL_S
            while self._link.lane is lane and time.monotonic() < deadline and not told.wait(0.05):
                pass  # a connection that is lost meanwhile has nothing to cancel
        self._left = True

    def close(self) -> None:
        """Closes; replies queued before are sent first."""
        self._stopping = True
        self._link.close()

    # --- in the owner's thread ----------------------------------------------------------------------------------

    def _opened(self, lane: Lane) -> None:
        lane.channel.basic_qos(0, self._max, False)
        self._consume(lane)

    def _declare(self, channel: Any) -> Any:
        arguments = {"x-expires": QUEUE_EXPIRES_MS}
        return channel.queue_declare(queue_of(self._service), durable=False, auto_delete=False, arguments=arguments)

    def _retire(self, channel: Any) -> None:
        """Deletes the queue where nobody else consumes it and nothing waits in it: callers then hear `no_service`."""
        # Asked on the channel that gave calls back, so that those are counted.
        declared = self._declare(channel)
        if declared.consumer_count or declared.message_count:
            return
        own = channel.connection.channel()  # the broker closes the channel of a deletion that it refuses
        try:
            own.queue_delete(queue_of(self._service), if_unused=True, if_empty=True)
        except ChannelError:
            log.debug("rpc.queue_kept", service=self._service)
        finally:
            own.close()

    def _consume(self, lane: Lane) -> None:
        if self._stopping:
            return
        self._declare(lane.channel)
        self._consumer = lane.consume(
            queue_of(self._service),
            lambda message: self._take(lane, message),
            on_cancel=lambda _tag: self._cancelled(lane),
        )

    def _cancelled(self, lane: Lane) -> None:
        # The queue was deleted under us: the connection is sound, and calls in hand can still be answered on it.
        log.warning("rpc.cancelled", service=self._service)
        self._consumer = None
        self._link.do(lane, self._consume)

    def _lost(self, _reason: str) -> None:
        self._consumer = None

    def _take(self, lane: Lane, message: Delivered) -> None:
        if self._left:
            lane.channel.basic_reject(message.tag, requeue=True)
            return
        incoming = self._read(lane, message)
        if incoming is None:
            lane.ack(message.tag)
            return
        try:
            self._handle(incoming)
        except Exception:
            log.exception("rpc.handle_failed", service=self._service, method=incoming.method)
            error = InternalError("Une erreur inattendue s’est produite.")
            incoming.reply(Answer(error.kind, error.to_json()))

    def _read(self, lane: Lane, message: Delivered) -> Incoming | None:
        """The call that a message holds; None for what is no call, or comes too late."""
        properties = message.properties
        headers = message.headers
        method, left, context = headers.get("method"), headers.get("left_ms"), _context(headers.get("context"))
        reply_to, number = properties.get("reply_to"), properties.get("correlation_id")
        if (
            not isinstance(reply_to, str)
            or not isinstance(number, str)
            or not isinstance(method, str)
            or not isinstance(left, int)
            or context is None
        ):
            log.warning("rpc.malformed", service=self._service, headers=repr(headers)[:500])
            metrics.RPC_DROPPED.labels(self._service, "malformed").inc()
            return None
        if left <= 0:
            metrics.RPC_DROPPED.labels(self._service, "late").inc()
            return None
        if message.redelivered:
            self._again(lane, message)
            return None
        unanswered = [message.tag]

        def reply(answer: Answer) -> None:
            def send(on: Lane) -> None:
                _answer(on, reply_to, number, answer)
                on.ack(tag)

            try:
                tag = unanswered.pop()
            except IndexError:  # answered before, or at this moment by another thread
                return
            self._link.send(lane, send)

        return Incoming(method, message.body, context, time.monotonic() + left / 1000, reply)

    def _again(self, lane: Lane, message: Delivered) -> None:
        """Puts a call that was delivered before back with its count, until it has had its tries."""
        properties, headers = message.properties, message.headers
        tries = headers.get("tries", 1)
        if not isinstance(tries, int) or tries >= TRIES:
            log.error("rpc.deadly", service=self._service, method=headers["method"], tries=tries)
            metrics.RPC_DROPPED.labels(self._service, "deadly").inc()
            error = InternalError("Cette demande n’a pas abouti.", code="deadly_call")
            _answer(lane, properties["reply_to"], properties["correlation_id"], Answer(error.kind, error.to_json()))
            return
        properties = {**properties, "application_headers": {**headers, "tries": tries + 1}}
        # By py-amqp: a stranger's call may bear any property.
        lane.channel.basic_publish(
            Message(message.body, **properties), exchange="", routing_key=queue_of(self._service)
        )


def _context(text: Any) -> dict[str, str] | None:
    """Headers of the call from JSON; None for what is no object of texts."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:  # no text at all, too
        return None
    texts = isinstance(found, dict) and all(isinstance(value, str) for value in found.values())
    return found if texts else None


def _answer(lane: Lane, reply_to: str, number: str, answer: Answer) -> None:
    properties = {
        "application_headers": {"status": answer.status},
        "delivery_mode": 1,
        "correlation_id": number,
    }
    lane.publish("", reply_to, answer.body, properties)
