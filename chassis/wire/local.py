"""The wire of the one-process product: calls are handed over, events are read from the logs when a bell rings.

Works with plain and with green threads: it only uses `threading`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from chassis import metrics
from chassis.errors import InternalError
from chassis.wire.base import (
    Answer,
    Call,
    Delivery,
    EventPublisher,
    EventSubscription,
    EventTap,
    Incoming,
    LoggedEvent,
    RpcClient,
    RpcServer,
)
from chassis.wire.local_tap import LocalTap
from chassis.wire.pending import Pending, unavailable

log = structlog.get_logger(__name__)

#: Calls that may wait for one service; more are refused at once.
BACKLOG = 1_000


class LocalWire:
    """Meets `chassis.wire.base.Wire` within one process."""

    events_by_bell = True

    def __init__(self) -> None:
        self._servers: dict[str, list[_LocalServer]] = {}
        self._subscriptions: dict[str, list[_LocalSubscription]] = {}
        self._lock = threading.Lock()

    def rpc_client(self) -> RpcClient:
        """A client of all services of this process."""
        return _LocalClient(self)

    def rpc_server(self, service: str, handle: Callable[[Incoming], None], max_workers: int) -> RpcServer:
        """The serving side of `service`."""
        return _LocalServer(self, service, handle, max_workers)

    def event_publisher(self, producer: str) -> EventPublisher:
        """Confirms at once: without a broker the log itself is what consumers read."""
        return _LocalPublisher(self, producer)

    def event_subscription(
        self,
        consumer: str,
        producer: str,
        *,
        receive: Callable[[Delivery], None],
        rung: Callable[[], None],
        undecodable: Callable[[bytes, dict[str, str], str, Callable[[], None]], None],
    ) -> EventSubscription:
        """Rings when the producer's log has grown; nothing is ever delivered."""
        return _LocalSubscription(self, producer, rung)

    def event_tap(self, producers: Sequence[str], tell: Callable[[bytes], None]) -> EventTap:
        """Reads the logs from their present end on, when rung."""
        return LocalTap(self, producers, tell)

    def ring(self, producer: str) -> None:
        """Rings the consumers of a log."""
        for subscription in tuple(self._subscriptions.get(producer, ())):
            subscription.rung()

    def close(self) -> None:
        """Nothing is shared between the parts but memory."""

    # --- for the parts ----------------------------------------------------------------------------------------

    def pick(self, service: str) -> _LocalServer | None:
        """The server with the fewest calls in hand, of those that take calls."""
        with self._lock:
            servers = [server for server in self._servers.get(service, ()) if server.ready]
        return min(servers, key=lambda server: server.load, default=None)

    def add_server(self, server: _LocalServer) -> None:
        with self._lock:
            self._servers.setdefault(server.service, []).append(server)

    def remove_server(self, server: _LocalServer) -> None:
        with self._lock:
            if server in self._servers.get(server.service, ()):
                self._servers[server.service].remove(server)

    def add_subscription(self, subscription: _LocalSubscription) -> None:
        with self._lock:
            self._subscriptions.setdefault(subscription.producer, []).append(subscription)

    def remove_subscription(self, subscription: _LocalSubscription) -> None:
        with self._lock:
            if subscription in self._subscriptions.get(subscription.producer, ()):
                self._subscriptions[subscription.producer].remove(subscription)


class _LocalClient:
    def __init__(self, wire: LocalWire) -> None:
        self._wire = wire
        self._closed = False
        self._pending: set[Pending] = set()
        self._lock = threading.Lock()

    def call_many(self, calls: Sequence[Call], timeout: float) -> list[Answer]:
        pending = Pending(calls, timeout)
        with self._lock:
            closed = self._closed
            if not closed:
                self._pending.add(pending)
        try:
            for index, call in enumerate(calls):
                if closed:
                    pending.fail(index, "disconnected", "Le produit s’arrête.")
                else:
                    self._send(call, index, pending)
            return pending.wait()
        finally:
            with self._lock:
                self._pending.discard(pending)

    def _send(self, call: Call, index: int, pending: Pending) -> None:
        def reply(answer: Answer) -> None:
            pending.set(index, answer)

        incoming = Incoming(call.method, call.body, dict(call.headers), pending.deadline, reply)
        while (server := self._wire.pick(call.service)) is not None:
            if server.offer(incoming):
                return
            if server.ready:
                pending.fail(index, "overloaded", f"Le service {call.service} est surchargé.")
                return
        pending.fail(index, "no_service", f"Le service {call.service} est arrêté.")

    def close(self) -> None:
        with self._lock:
            self._closed = True
            pending = list(self._pending)
        for each in pending:
            each.fail_all("disconnected", "Le produit s’arrête.")


class _LocalServer:
    def __init__(self, wire: LocalWire, service: str, handle: Callable[[Incoming], None], max_workers: int) -> None:
        self.service = service
        self._wire = wire
        self._handle = handle
        self._max = max_workers
        self._waiting: deque[Incoming] = deque()
        self._in_hand = 0
        self._pumping = False
        self._lock = threading.Lock()
        self._taking = False

    @property
    def ready(self) -> bool:
        return self._taking

    @property
    def load(self) -> int:
        return self._in_hand + len(self._waiting)

    def start(self) -> None:
        self._taking = True
        self._wire.add_server(self)

    def stop(self) -> None:
        """Takes no more; calls that no worker has begun go to another server of the service, or are refused."""
        self._taking = False
        self._wire.remove_server(self)
        with self._lock:
            waiting, self._waiting = list(self._waiting), deque()
        for incoming in waiting:
            other = self._wire.pick(self.service)
            if other is None or not other.offer(incoming):
                incoming.reply(unavailable("no_service", f"Le service {self.service} est arrêté."))

    def close(self) -> None:
        """Nothing to close."""

    def offer(self, incoming: Incoming) -> bool:
        with self._lock:
            if not self._taking or len(self._waiting) >= BACKLOG:
                return False
            self._waiting.append(incoming)
        self._pump()
        return True

    def _pump(self) -> None:
        """Hands over while there is room: one thread at a time, so that answers given at once do not nest."""
        with self._lock:
            if self._pumping:
                return
            self._pumping = True
        try:
            while (incoming := self._next()) is not None:
                self._hand_over(incoming)
        except BaseException:  # this (green) thread is being ended: the next one to come goes on
            self._pumping = False
            raise

    def _hand_over(self, incoming: Incoming) -> None:
        reply = self._answered(incoming.reply)
        try:
            self._handle(Incoming(incoming.method, incoming.body, incoming.headers, incoming.deadline, reply))
        except Exception:
            log.exception("rpc.handle_failed", service=self.service, method=incoming.method)
            error = InternalError("Une erreur inattendue s’est produite.")
            reply(Answer(error.kind, error.to_json()))

    def _next(self) -> Incoming | None:
        with self._lock:
            while self._waiting and self._in_hand < self._max:
                incoming = self._waiting.popleft()
                if incoming.deadline > time.monotonic():
                    self._in_hand += 1
                    return incoming
                metrics.RPC_DROPPED.labels(self.service, "late").inc()  # whoever asked has given up
            self._pumping = False
            return None

    def _answered(self, reply: Callable[[Answer], None]) -> Callable[[Answer], None]:
        once = threading.Lock()

        def answered(answer: Answer) -> None:
            if once.acquire(blocking=False):
                with self._lock:
                    self._in_hand -= 1
                reply(answer)
                self._pump()

        return answered


class _LocalPublisher:
    def __init__(self, wire: LocalWire, producer: str) -> None:
        self._wire = wire
        self._producer = producer

    def publish(self, log_id: str, events: Sequence[LoggedEvent]) -> None:
        self._wire.ring(self._producer)

    def close(self) -> None:
        """Nothing to close."""


class _LocalSubscription:
    def __init__(self, wire: LocalWire, producer: str, rung: Callable[[], None]) -> None:
        self.producer = producer
        self.rung = rung
        self._wire = wire
        self._started = False

    def start(self) -> None:
        self._started = True
        self._wire.add_subscription(self)
        self.rung()

    def ack_up_to(self, position: int) -> None:
        """Nothing was delivered."""

    def give_up(self, positions: Sequence[int]) -> None:
        """Nothing was delivered."""

    def stop(self) -> None:
        self._started = False
        self._wire.remove_subscription(self)

    @property
    def ready(self) -> bool:
        return self._started
