"""RPC over RabbitMQ, the answering side: acknowledged once answered, so that what a dead instance had is done again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import structlog
from amqp import Message
from amqp.exceptions import ChannelError

from chassis import metrics
from chassis.errors import InternalError
from chassis.wire.amqp_client import queue_of
from chassis.wire.amqp_link import STALL_S, Link, body_of
from chassis.wire.base import Answer, Incoming

log = structlog.get_logger(__name__)

#: Milliseconds that the queue of a service without instance lives: longer than a restart, short enough that callers
#: of a stopped service are told so at once rather than left waiting.
QUEUE_EXPIRES_MS = 5_000
#: Deliveries of one call. A classic queue counts none: a call that ends each process it reaches would end them all.
TRIES = 3


class AmqpServer:
    """Meets `chassis.wire.base.RpcServer`."""

    def __init__(self, url: str, service: str, handle: Callable[[Incoming], None], max_workers: int) -> None:
        self._service = service
        self._handle = handle
        self._max = max_workers
        self._consumer: str | None = None
        self._stopping = False
        self._link = Link(url, f"rpc-{service}", self._opened, self._lost)

    @property
    def ready(self) -> bool:
        """True while calls are really being consumed."""
        return self._link.up and self._consumer is not None and not self._stopping

    def start(self) -> None:
        """Starts; returns when the first try to connect has ended."""
        self._link.start()
        self._link.tried.wait(30)

    def stop(self) -> None:
        """Takes no more; deliveries that come in while the broker is being told go back to the queue."""
        self._stopping = True
        told = threading.Event()

        def cancel(channel: Any) -> None:
            try:
                if self._consumer is not None:
                    channel.basic_cancel(self._consumer)
                    self._consumer = None
                    self._retire(channel)
            finally:
                told.set()

        channel = self._link.channel
        if channel is not None:
            self._link.do(channel, cancel)
            deadline = time.monotonic() + STALL_S
            while self._link.channel is channel and time.monotonic() < deadline and not told.wait(0.05):
                pass  # a connection that is lost meanwhile has nothing to cancel

    def close(self) -> None:
        """Closes; replies queued before are sent first."""
        self._stopping = True
        self._link.close()

    # --- in the owner's thread ----------------------------------------------------------------------------------

    def _opened(self, channel: Any) -> None:
        channel.basic_qos(0, self._max, False)
        self._consume(channel)

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

    def _consume(self, channel: Any) -> None:
        if self._stopping:
            return
        self._declare(channel)
        self._consumer = channel.basic_consume(
            queue_of(self._service),
            callback=lambda message: self._take(channel, message),
            on_cancel=lambda _tag: self._cancelled(channel),
        )

    def _cancelled(self, channel: Any) -> None:
        # The queue was deleted under us: the connection is sound, and calls in hand can still be answered on it.
        log.warning("rpc.cancelled", service=self._service)
        self._consumer = None
        self._link.do(channel, self._consume)

    def _lost(self, _reason: str) -> None:
        self._consumer = None

    def _take(self, channel: Any, message: Any) -> None:
        if self._stopping:
            channel.basic_reject(message.delivery_tag, requeue=True)
            return
        incoming = self._read(channel, message)
        if incoming is None:
            channel.basic_ack(message.delivery_tag)
            return
        try:
            self._handle(incoming)
        except Exception:
            log.exception("rpc.handle_failed", service=self._service, method=incoming.method)
            error = InternalError("Une erreur inattendue s’est produite.")
            incoming.reply(Answer(error.kind, error.to_json()))

    def _read(self, channel: Any, message: Any) -> Incoming | None:
        """The call that a message holds; None for what is no call, or comes too late."""
        properties = message.properties
        headers = properties.get("application_headers") or {}
        method, left, context = headers.get("method"), headers.get("left_ms"), headers.get("context", {})
        reply_to, number = properties.get("reply_to"), properties.get("correlation_id")
        if (
            not isinstance(reply_to, str)
            or not isinstance(number, str)
            or not isinstance(method, str)
            or not isinstance(left, int)
            or not isinstance(context, dict)
            or not all(isinstance(value, str) for value in context.values())
        ):
            log.warning("rpc.malformed", service=self._service, headers=repr(headers)[:500])
            metrics.RPC_DROPPED.labels(self._service, "malformed").inc()
            return None
        if left <= 0:
            metrics.RPC_DROPPED.labels(self._service, "late").inc()
            return None
        if message.delivery_info["redelivered"]:
            self._again(channel, message, headers)
            return None
        body = body_of(message)
        tag = message.delivery_tag
        once = threading.Lock()

        def send(answer: Answer, on: Any) -> None:
            _answer(on, reply_to, number, answer)
            on.basic_ack(tag)

        def reply(answer: Answer) -> None:
            if once.acquire(blocking=False):
                self._link.send(channel, lambda on: send(answer, on))

        return Incoming(method, body, dict(context), time.monotonic() + left / 1000, reply)

    def _again(self, channel: Any, message: Any, headers: dict[str, Any]) -> None:
        """Puts a call that was delivered before back with its count, until it has had its tries."""
        properties = dict(message.properties)
        tries = headers.get("tries", 1)
        if not isinstance(tries, int) or tries >= TRIES:
            log.error("rpc.deadly", service=self._service, method=headers["method"], tries=tries)
            metrics.RPC_DROPPED.labels(self._service, "deadly").inc()
            error = InternalError("Cette demande n’a pas abouti.", code="deadly_call")
            _answer(channel, properties["reply_to"], properties["correlation_id"], Answer(error.kind, error.to_json()))
            return
        properties["application_headers"] = {**headers, "tries": tries + 1}
        copy = Message(body_of(message), **properties)
        channel.basic_publish(copy, exchange="", routing_key=queue_of(self._service))


def _answer(channel: Any, reply_to: str, number: str, answer: Answer) -> None:
    message = Message(
        answer.body, correlation_id=number, delivery_mode=1, application_headers={"status": answer.status}
    )
    channel.basic_publish(message, exchange="", routing_key=reply_to)
