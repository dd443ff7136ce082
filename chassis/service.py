"""What a service class is made of: `Service`, `@rpc`, `@on`. Nameko's containers and workers run it.

class EquipmentService(Service):
    name = "equipment"
    base = Base

    @rpc(CreateEquipment)
    def create(self, request: CreateEquipment) -> bytes:
        return commands.create_equipment(self.uow, request)

    @on(InterventionDone)
    def intervention_done(self, event: InterventionDone, envelope: Envelope) -> None:
        commands.note_work(self.uow, event)
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, TypeVar

import structlog
from eventlet.event import Event as EventletEvent
from nameko.extensions import DependencyProvider, Entrypoint, ProviderCollector, SharedExtension
from nameko.timer import timer
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase

from chassis import metrics
from chassis.context import Context
from chassis.errors import FicheError, InternalError, Invalid, NotFound
from chassis.events import log as event_log
from chassis.events import parked
from chassis.events.consumer import Consumer
from chassis.events.relay import Notifier, Relay
from chassis.events.source import LogSource
from chassis.runtime import Runtime
from chassis.uow import UnitOfWork, to_body
from chassis.wire.base import OK, Answer, Incoming, RpcServer
from contracts import chassis as chassis_language
from contracts.base import Event, Request

log = structlog.get_logger(__name__)
F = TypeVar("F", bound=Callable[..., Any])

_ON = "fiche_on"


def invalid_from(error: ValidationError) -> Invalid:
    """The refusal that tells each field at fault, `a.0.b` for nested ones."""
    errors = [
        {"field": ".".join(_path(fault)) or "body", "message": french(fault)}
        for fault in error.errors(include_url=False, include_context=True, include_input=False)
    ]
    return Invalid("Certains champs ne sont pas valables.", errors=errors)


def _path(fault: Any) -> list[str]:
    """Where a fault lies; one of several fields together names the one to mend (`contracts.fields.at_field`)."""
    named = [fault["ctx"]["field"]] if fault["type"] == "at_field" else []
    return [str(part) for part in (*fault["loc"], *named)]


_FRENCH = {
    "missing": "Ce champ est obligatoire.",
    "extra_forbidden": "Ce champ n’est pas connu.",
    "uuid_parsing": "Ce n’est pas un identifiant.",
    "string_type": "Un texte est attendu.",
    "int_type": "Un nombre entier est attendu.",
    "int_parsing": "Un nombre entier est attendu.",
    "bool_type": "Vrai ou faux est attendu.",
    "bool_parsing": "Vrai ou faux est attendu.",
    "decimal_parsing": "Un nombre décimal est attendu.",
    "decimal_type": "Un nombre décimal est attendu.",
    "timezone_aware": "La date et l’heure doivent porter un fuseau horaire.",
    "string_too_short": "Ce texte est trop court.",
    "string_too_long": "Ce texte est trop long.",
    "list_type": "Une liste est attendue.",
    "json_invalid": "Le JSON est mal formé.",
}


def french(fault: Any) -> str:
    """A sentence for a fault found by pydantic."""
    kind = str(fault["type"])
    if kind in ("literal_error", "enum"):
        expected = str(fault.get("ctx", {}).get("expected", "")).replace(" or ", " ou ")
        return f"Valeurs possibles\u202f: {expected}."
    if kind == "at_field":
        return str(fault["msg"])
    if kind == "value_error":
        return str(fault["msg"]).removeprefix("Value error, ")
    if kind.startswith(("date", "time")):
        return "Ce n’est pas une date valable."
    if kind.startswith(("greater_than", "less_than")):
        ctx = fault.get("ctx", {})
        bound = next(iter(ctx.values()), "")
        sense = "au moins" if kind.startswith("greater") else "au plus"
        return f"La valeur doit être {sense} {bound}."
    return _FRENCH.get(kind, "Cette valeur n’est pas valable.")


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

    def start(self) -> None:
        if self.server is None:
            runtime: Runtime = self.container.config["runtime"]
            self.by_method = {provider.rpc_method: provider for provider in self._providers}
            self.server = runtime.wire.rpc_server(
                self.container.service_name, self.handle, runtime.settings.max_workers
            )
            self.server.start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()
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

        def done(_worker: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            answer = result if isinstance(result, Answer) else _internal(exc_info)
            metrics.rpc_handled(self.container.service_name, incoming.method, answer.status, started)
            incoming.reply(answer)
            return result, exc_info

        self.container.spawn_worker(provider, (incoming.body,), {}, {"context": context}, done)


def _internal(exc_info: Any) -> Answer:
    error = InternalError("Une erreur inattendue s’est produite.")
    log.error("rpc.worker_failed", exc_info=exc_info)
    return Answer(error.kind, error.to_json())


class RpcEntrypoint(Entrypoint):  # type: ignore[misc]
    """A method that answers one kind of request."""

    server = RpcServerExtension()

    def __init__(self, rpc_method: str) -> None:
        super().__init__()
        self.rpc_method = rpc_method

    def setup(self) -> None:
        self.server.register_provider(self)

    def stop(self) -> None:
        self.server.unregister_provider(self)


def rpc(request_type: type[Request]) -> Callable[[F], F]:
    """Makes a method answer `request_type`: validated, in one transaction, once per idempotency key.

    The method gets the request model and returns bytes (JSON), a model or None; it raises `FicheError` to refuse.
    """
    method_name = request_type.rpc.partition(".")[2]

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def worker(self: Service, body: bytes) -> Answer:
            structlog.contextvars.bind_contextvars(request_id=self.uow.context.correlation_id, rpc=request_type.rpc)
            try:
                return Answer(OK, serve(self, request_type, function, body))
            except FicheError as error:
                return Answer(error.kind, error.to_json())
            except Exception:
                log.exception("rpc.failed")
                failure = InternalError("Une erreur inattendue s’est produite.")
                return Answer(failure.kind, failure.to_json())
            finally:
                structlog.contextvars.clear_contextvars()

        wrapped = RpcEntrypoint.decorator(method_name)(worker)
        wrapped.fiche_rpc = request_type
        return wrapped  # type: ignore[no-any-return]

    return decorate


def serve(service: Service, request_type: type[Request], function: Callable[..., Any], body: bytes) -> bytes:
    """Decodes, runs in a unit of work, encodes. Raises `FicheError` for a refusal."""
    try:
        request = request_type.model_validate_json(body)
    except ValidationError as error:
        raise invalid_from(error) from None
    if b"\\u0000" in body and (field := _nul_at(request.model_dump())) is not None:
        raise Invalid.field(field or "body", "Ce texte contient un caractère nul, qui n’est pas accepté.")
    return to_body(service.uow.run(request, lambda: function(service, request)))


def _nul_at(value: Any, path: str = "") -> str | None:
    """Where a text holds NUL, which PostgreSQL cannot store; None when none does."""
    if isinstance(value, str):
        return path if "\x00" in value else None
    pairs: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(value, dict):
        pairs = iter(value.items())
    elif isinstance(value, list | tuple):
        pairs = iter(enumerate(value))
    for key, inner in pairs:
        found = f"{path}.{key}".lstrip(".").replace("\x00", "") if "\x00" in str(key) else None
        found = found if found is not None else _nul_at(inner, f"{path}.{key}".lstrip("."))
        if found is not None:
            return found
    return None


def on(event_type: type[Event]) -> Callable[[F], F]:
    """Makes a method handle an event, within the consumer's transaction (`chassis.events`)."""

    def decorate(function: F) -> F:
        setattr(function, _ON, (*getattr(function, _ON, ()), event_type))
        return function

    return decorate


def handlers_of(service_class: type[Service]) -> dict[str, str]:
    """Event type → name of the method that handles it."""
    found: dict[str, str] = {}
    for method, function in _functions(service_class):
        for event_type in getattr(function, _ON, ()):
            if event_type.event_type() in found:
                raise TypeError(f"{service_class.name} handles {event_type.event_type()} twice")
            found[event_type.event_type()] = method
    return found


def _functions(service_class: type) -> Iterator[tuple[str, Any]]:
    for name in dir(service_class):
        function = getattr(service_class, name, None)
        if callable(function):
            yield name, function


def followed_producers(service_class: type[Service]) -> list[str]:
    """Producers whose logs the service reads, sorted."""
    return sorted({Event.registry[type_name].event_owner for type_name in handlers_of(service_class)})


class EventsExtension(Entrypoint):  # type: ignore[misc]
    """Relay, notifier and consumers of one service; a batch of events runs as a Nameko worker of `apply_events`."""

    def setup(self) -> None:
        self.runtime: Runtime = self.container.config["runtime"]
        self.consumers: list[Consumer] = []
        self.relay: Relay | None = None
        self.notifier: Notifier | None = None

    def start(self) -> None:
        name = self.container.service_name
        database, bell, wire = self.runtime.database(name), self.runtime.bell(name), self.runtime.wire
        if wire.events_by_bell:
            bell.listen(lambda: wire.ring(name))
        else:
            self.notifier = Notifier(database, bell)
            self.relay = Relay(database, bell, wire)
            self.notifier.start()
            self.relay.start()
        handlers = handlers_of(self.container.service_cls)
        for producer in followed_producers(self.container.service_cls):
            consumer = Consumer(name, producer, handlers, LogSource(self.runtime.client, name), self._run_in_worker)
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

    def stop(self) -> None:
        for consumer in self.consumers:
            consumer.stop()
        for part in (self.relay, self.notifier):
            if part is not None:
                part.stop()

    @property
    def ready(self) -> bool:
        """Whether every producer's events really come in."""
        return all(consumer.ready for consumer in self.consumers)

    def _run_in_worker(self, work: Callable[[Any], None]) -> None:
        outcome = EventletEvent()

        def done(_worker: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            outcome.send(result if exc_info is None else exc_info[1])
            return result, exc_info

        self.container.spawn_worker(self, (work,), {}, {"context": Context()}, done)
        raised = outcome.wait()
        if raised is not None:
            raise raised


class Service:
    """Base of every service: a unit of work per worker, and what the events protocol asks each to answer."""

    name: ClassVar[str]
    #: Declarative base of the service's tables.
    base: ClassVar[type[DeclarativeBase]]

    uow: UnitOfWork = UnitOfWorkProvider()
    runtime: Runtime = RuntimeProvider()

    @EventsExtension.decorator  # type: ignore[untyped-decorator]
    def apply_events(self, work: Callable[[Any], None]) -> BaseException | None:
        """Runs a batch of events in this worker; returns what it raised (Nameko would only log it)."""
        try:
            work(self)
        except Exception as error:
            return error
        return None

    def snapshot_events(self) -> list[Event]:
        """The present state as events, for consumers that begin or rebuild. A producer of names overrides it."""
        return []

    @rpc(chassis_language.LogHead)
    def log_head(self, request: chassis_language.LogHead) -> chassis_language.LogHeadAnswer:
        at = event_log.head(self.uow.session)
        published = at.position if self.runtime.wire.events_by_bell else at.published
        return chassis_language.LogHeadAnswer(log_id=at.log_id, position=at.position, published=published)

    @rpc(chassis_language.LogRead)
    def log_read(self, request: chassis_language.LogRead) -> bytes:
        if request.consumer and request.log_id:
            event_log.note_consumer(self.uow.session, request.consumer, request.log_id, request.after)
        return event_log.read_page(self.uow.session, request)

    @rpc(chassis_language.Snapshot)
    def snapshot(self, request: chassis_language.Snapshot) -> bytes:
        self.uow.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        return event_log.snapshot_page(self.uow.session, self.snapshot_events(), self.name)

    @rpc(chassis_language.ParkedList)
    def parked_list(self, request: chassis_language.ParkedList) -> dict[str, Any]:
        return {"items": parked.listing(self.uow.session, request.producer)}

    @rpc(chassis_language.ParkedShow)
    def parked_show(self, request: chassis_language.ParkedShow) -> dict[str, Any]:
        return parked.show(self.uow.session, request.producer, request.position)

    @rpc(chassis_language.ParkedAct)
    def parked_act(self, request: chassis_language.ParkedAct) -> dict[str, Any]:
        if request.action == "drop":
            return {"dropped": parked.drop(self, request.producer, request.position, request.reason)}
        handlers = handlers_of(type(self))
        return {"replayed": parked.replay(self, handlers, request.producer, request.position)}

    @rpc(chassis_language.Health)
    def health(self, request: chassis_language.Health) -> dict[str, Any]:
        session = self.uow.session
        at = event_log.head(session)
        places = [
            {"producer": row.producer, "position": row.position}
            for row in session.execute(text("SELECT producer, position FROM event_place ORDER BY producer"))
        ]
        return {
            "service": self.name,
            "position": at.position,
            "published": at.position if self.runtime.wire.events_by_bell else at.published,
            "parked": parked.parked_count(session),
            "places": places,
        }


def every(seconds: float) -> Callable[[F], F]:
    """Runs a method at start and then every so many seconds, in a worker of its own; one at a time per process.

    Replicas all run it: what it does must hold an advisory lock, or be idempotent.
    """
    decorate: Callable[[F], F] = timer(interval=seconds, eager=True)
    return decorate
