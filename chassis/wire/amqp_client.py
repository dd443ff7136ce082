"""RPC over RabbitMQ, the asking side: one connection, answers by direct reply-to."""

from __future__ import annotations

import itertools
import os
import threading
import time
import weakref
from collections.abc import Sequence
from typing import Any

import orjson
import structlog

from chassis.wire.amqp_lane import Lane
from chassis.wire.amqp_link import Link
from chassis.wire.base import OK, Answer, Call
from chassis.wire.frames import Delivered
from chassis.wire.pending import Pending

log = structlog.get_logger(__name__)

REPLY_TO = "amq.rabbitmq.reply-to"
#: Calls that may wait for their answer at once; more are refused.
IN_FLIGHT = 1_000


def queue_of(service: str) -> str:
    """The queue in which calls to a service wait."""
    return f"rpc.{service}.v1"


class AmqpClient:
    """Meets `chassis.wire.base.RpcClient`."""

    def __init__(self, url: str, *, plain: bool = False) -> None:
        self._url = url
        self._plain = plain
        self._numbers = itertools.count(1)
        self._begin()
        forked = weakref.WeakMethod(self._forked)
        os.register_at_fork(after_in_child=lambda: (method := forked()) and method())

    def _forked(self) -> None:
        # Threads do not survive a fork, and the socket is the parent's: start anew, leaving it untouched.
        self._parent = self._link
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[str, tuple[Pending, int, str]] = {}
        self._lane: Lane | None = None
        self._closed = False
        pending = self._pending
        self._link = Link(
            self._url, "rpc-client", self._opened, self._lost, plain=self._plain, busy=lambda: bool(pending)
        )
        self._started = False

    def call_many(self, calls: Sequence[Call], timeout: float) -> list[Answer]:
        """See `RpcClient`."""
        pending = Pending(calls, timeout)
        if not self._started:
            self._start()
        self._link.tried.wait(max(0.0, pending.deadline - time.monotonic()))
        sent: list[tuple[str, Call]] = []
        with self._lock:
            for index, call in enumerate(calls):
                if self._lane is None:
                    pending.fail(index, "disconnected", "La messagerie interne est injoignable.")
                elif len(self._pending) >= IN_FLIGHT:
                    pending.fail(index, "overloaded", "Trop de demandes sont en cours.")
                else:
                    number = str(next(self._numbers))
                    self._pending[number] = (pending, index, call.service)
                    sent.append((number, call))
            lane = self._lane
        if lane is not None and sent:
            # On the channel they were counted for: calls given up by `_lost` are never published on the next.
            self._link.send(lane, lambda lane: self._publish(lane, sent, pending.deadline))
            self._link.read_until(pending.complete, pending.deadline)
        answers = pending.wait()
        for number, _ in sent:
            self._pending.pop(number, None)
        return answers

    def _start(self) -> None:
        with self._lock:
            first = not self._started and not self._closed
            self._started = True
        if first:
            self._link.start()  # not under the lock: a green thread's start lets others run

    def close(self) -> None:
        """Gives up every pending call and closes."""
        with self._lock:
            self._closed, running = True, self._started
            self._started = True
        self._lost("Le produit s’arrête.")
        if running:
            self._link.close()
        self._link.tried.set()

    # --- in the owner's thread, but for `_publish` -----------------------------------------------------------------

    def _publish(self, lane: Lane, sent: list[tuple[str, Call]], deadline: float) -> None:
        left = int((deadline - time.monotonic()) * 1000)
        if left <= 0:
            return
        for number, call in sent:
            # The context as JSON: a table within the table would take longer to make and to read than all the rest.
            context = orjson.dumps(call.headers).decode()
            properties = {
                "application_headers": {"method": call.method, "left_ms": left, "context": context},
                "delivery_mode": 1,
                "correlation_id": number,
                "reply_to": REPLY_TO,
                "expiration": str(left),
            }
            lane.publish("", queue_of(call.service), call.body, properties, mandatory=True)

    def _opened(self, lane: Lane) -> None:
        lane.channel.events["basic_return"].add(self._returned)
        lane.consume(REPLY_TO, self._answered, no_ack=True)
        with self._lock:
            if not self._closed:
                self._lane = lane

    def _lost(self, reason: str) -> None:
        with self._lock:
            self._lane = None
            pending = list(self._pending.values())
            self._pending.clear()
        for each, index, _ in pending:
            each.fail(index, "disconnected", "La liaison avec la messagerie interne a été coupée.")

    def _answered(self, message: Delivered) -> None:
        # Without the lock: where this runs nothing may wait, and one look-up that takes out is whole by itself.
        found = self._pending.pop(str(message.properties.get("correlation_id")), None)
        if found is None:
            return  # late: whoever asked has given up
        status, body = message.headers.get("status"), message.body
        if not isinstance(status, str) or (status != OK and not body.startswith(b"{")):
            log.error("rpc.bad_answer", service=found[2])
            found[0].fail(found[1], "bad_answer", f"La réponse du service {found[2]} est illisible.")
            return
        found[0].set(found[1], Answer(status, body))

    def _returned(self, _error: Any, _exchange: str, _routing_key: str, message: Any) -> None:
        found = self._pending.pop(str(message.properties.get("correlation_id")), None)
        if found is not None:
            found[0].fail(found[1], "no_service", f"Le service {found[2]} est arrêté.")
