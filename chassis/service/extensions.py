"""What Nameko runs for a service: providers of a worker's needs, the taker of calls, relay and consumers of events."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from typing import Any

import structlog
from eventlet.event import Event as EventletEvent
from nameko.containers import WorkerContext
from nameko.extensions import DependencyProvider, Entrypoint, ProviderCollector, SharedExtension

from chassis import metrics
from chassis.bell import Bell
from chassis.context import Context
from chassis.errors import Invalid, NotFound
from chassis.events.consumer import Consumer
from chassis.events.following import Following
from chassis.events.relay import Relay
from chassis.events.source import LogSource
from chassis.runtime import Runtime
from chassis.service.handlers import followed_producers, handlers_of, since_of
from chassis.service.workers import Workers, live
from chassis.uow import UnitOfWork
from chassis.wire.base import Answer, Incoming, RpcServer

log = structlog.get_logger(__name__)


class UnitOfWorkProvider(DependencyProvider):  # type: ignore[misc]
    """Gives each worker a unit of work of its own."""

    def setup(self) -> None:
        self.runtime: Runtime = self.container.config["runtime"]

    def get_dependency(self, worker_ctx: Any) -> UnitOfWork:
        name = self.container.service_name
        context = worker_ctx.data.get("context") or Context()
        return UnitOfWork(self.runtime.database(name), self.runtime.bell(name), context)


class RuntimeProvider(DependencyProvider):  # type: ignore[misc]
    """Gives the worker the process's runtime: settings, RPC client, wire."""

    def get_dependency(self, worker_ctx: Any) -> Runtime:
        runtime: Runtime = self.container.config["runtime"]
        return runtime


class RpcServerExtension(SharedExtension, ProviderCollector):  # type: ignore[misc]
    """One taker of calls per container; each call becomes a Nameko worker."""

    def __init__(self) -> None:
        super().__init__()
        self.server: RpcServer | None = None
        self._stopping = False

    def start(self) -> None:
        if self.server is None:
            runtime: Runtime = self.container.config["runtime"]
            self.workers = Workers(self.container)
            self.by_method = {provider.rpc_method: provider for provider in self._providers}
            self.server = runtime.wire.rpc_server(
                self.container.service_name, self.handle, runtime.settings.max_workers
            )
            self.server.start()

    def take_no_more(self) -> None:
        """Leaves what comes to others, and returns when what is in hand is answered."""
        if self.server is not None:
            first, self._stopping = not self._stopping, True
            if first:
                self.server.stop()
            self.workers.wait()

    def stop(self) -> None:
        self.take_no_more()
        super().stop()

    @property
    def ready(self) -> bool:
        """Whether calls are really being consumed."""
        return self.server is not None and self.server.ready

    def handle(self, incoming: Incoming) -> None:
        """Starts a worker for the call; refuses what no method answers to."""
        provider = self.by_method.get(incoming.method)
        if provider is None:
            error = NotFound("Cette méthode n’existe pas.", code="no_such_method")
            incoming.reply(Answer(error.kind, error.to_json()))
            return
        try:
            context = Context.from_headers(incoming.headers, incoming.deadline)
        except (ValueError, KeyError, TypeError, AttributeError):
            bad = Invalid("Les en-têtes de cet appel sont mal formés.", code="bad_headers")
            incoming.reply(Answer(bad.kind, bad.to_json()))
            return
        started = time.perf_counter()

        def answer(answer: Answer) -> None:
            metrics.rpc_handled(self.container.service_name, incoming.method, answer.status, started)
            incoming.reply(answer)

        self.workers.start(provider, incoming.body, context, answer)


class RpcEntrypoint(Entrypoint):  # type: ignore[misc]
    """A method that answers one kind of request."""

    server = RpcServerExtension()

    def __init__(self, rpc_method: str) -> None:
        super().__init__()
        self.rpc_method = rpc_method

    def setup(self) -> None:
        self.server.register_provider(self)

    def stop(self) -> None:
        # Before Nameko stops what workers depend on: with its entry points.
        self.server.take_no_more()
        self.server.unregister_provider(self)


def places_bell(service: str) -> str:
    """Name of the bell that tells a service's consumers that something was asked of them."""
    return f"{service}, places"


class EventsExtension(Entrypoint):  # type: ignore[misc]
    """Relay, notifier and consumers of one service; a batch of events lives as a Nameko worker of `apply_events`."""

    def setup(self) -> None:
        self.runtime: Runtime = self.container.config["runtime"]
        self.consumers: list[Consumer] = []
        self.relay: Relay | None = None

    def start(self) -> None:
        name = self.container.service_name
        database, bell, wire = self.runtime.database(name), self.runtime.bell(name), self.runtime.wire
        if wire.events_by_bell:
            bell.listen(lambda _told: wire.ring(name))
        else:
            # A server that crashed may have taken back what consumers have not waited for: they look at their places.
            self.relay = Relay(database, bell, wire, self._look)
            self.relay.start()
        cls = self.container.service_cls
        handlers, since, source = handlers_of(cls), since_of(cls), LogSource(self.runtime.client, name)
        for producer in followed_producers(cls):
            consumer = Consumer(Following(name, producer, handlers, since, source, self._run_in_worker))
            consumer.subscription = wire.event_subscription(
                name,
                producer,
                receive=consumer.receive,
                rung=consumer.rung,
                undecodable=consumer.undecodable,
            )
            consumer.subscription.start()
            consumer.start()
            self.consumers.append(consumer)
        self.runtime.bell(places_bell(name)).listen(lambda _told: self._look())

    def _look(self) -> None:
        for consumer in self.consumers:
            consumer.look()

    def stop(self) -> None:
        for consumer in self.consumers:
            consumer.stop()
        if self.relay is not None:
            self.relay.stop()

    @property
    def ready(self) -> bool:
        """Whether every producer's events really come in."""
        return all(consumer.ready for consumer in self.consumers)

    def _run_in_worker(self, work: Callable[[Any], None]) -> None:
        # In the thread of the consumer, which has nothing to do meanwhile; in a context of its own, as a worker has.
        outcome: list[BaseException | None] = []
        container = self.container
        worker = WorkerContext(container, container.service_cls(), self, (work,), {}, {"context": Context()})
        contextvars.Context().run(live, container, worker, lambda raised, error: outcome.append(error or raised))
        [raised] = outcome
        if raised is not None:
            raise raised


class ToldEntrypoint(Entrypoint):  # type: ignore[misc]
    """A method that runs after commits of this process that told something, and by the clock."""

    def __init__(self, seconds: float, of: str = "") -> None:
        super().__init__()
        self._seconds = seconds
        self._of = of
        self._stopping = False
        self._bell = Bell()

    def setup(self) -> None:
        runtime: Runtime = self.container.config["runtime"]
        name = self.container.service_name
        runtime.bell(f"{name}.{self._of}" if self._of else name).listen(lambda _told: self._bell.ring())

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._run)

    def stop(self) -> None:
        self._stopping = True
        self._bell.ring()
        self._thread.wait()

    def _run(self) -> None:
        while not self._stopping:
            done = EventletEvent()

            def ended(_worker: Any, result: Any, exc_info: Any, done: Any = done) -> tuple[Any, Any]:
                done.send()
                return result, exc_info

            self.container.spawn_worker(self, (), {}, handle_result=ended)
            done.wait()
            self._bell.wait(self._seconds)
