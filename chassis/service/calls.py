"""`@rpc`: a method that answers one kind of request; `@every` and `@whenever_told`: those that run by themselves."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from nameko.timer import timer
from pydantic import ValidationError

from chassis import tracing
from chassis.errors import FicheError, InternalError, Invalid
from chassis.service.extensions import RpcEntrypoint, ToldEntrypoint
from chassis.service.refusals import invalid_from
from chassis.uow import to_body
from chassis.wire.base import OK, Answer
from contracts.base import Request

if TYPE_CHECKING:
    from chassis.service.base import Service

log = structlog.get_logger(__name__)
F = TypeVar("F", bound=Callable[..., Any])


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
                with tracing.span(request_type.rpc, "server", self.uow.context.traceparent):
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


def whenever_told(seconds: float, of: str = "") -> Callable[[F], F]:
    """Runs a method at start, after commits of this process that told something, and every so many seconds at least.

    `of`: after rings of the bell `<service>.<of>` instead.

    In a worker of its own, one at a time per process; see `every` for replicas.
    """
    decorate: Callable[[F], F] = ToldEntrypoint.decorator(seconds, of)
    return decorate


def every(seconds: float) -> Callable[[F], F]:
    """Runs a method at start and then every so many seconds, in a worker of its own; one at a time per process.

    Replicas all run it: what it does must hold an advisory lock, or be idempotent.
    """
    decorate: Callable[[F], F] = timer(interval=seconds, eager=True)
    return decorate
