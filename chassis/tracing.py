"""OpenTelemetry traces: one from the HTTP request over calls, SQL and events to the consumers' effects.

Off unless `FICHE_OTLP_URL` is set; then nothing of OpenTelemetry is imported, and each hook is one comparison. A trace
travels with a call in the header `traceparent` (W3C Trace Context), with an event as the CloudEvents extension of that
name. Statements are told without their values.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from chassis.settings import Settings
from chassis.wire.base import OK, Answer, Call, RpcClient

if TYPE_CHECKING:
    from sqlalchemy import Engine

Kind = Literal["internal", "server", "client", "producer", "consumer"]

#: Seconds for which spans are offered to a collector, all tries together; the end of the process waits as long.
EXPORT_S = 3.0

_tracer: Any = None
_provider: Any = None
_nothing: AbstractContextManager[None] = contextlib.nullcontext()


def start(settings: Settings, process: str) -> None:
    """Begins to trace where the settings say so; a process calls it once, before it makes its parts."""
    global _tracer, _provider
    if not settings.otlp_url:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    _provider = TracerProvider(
        resource=Resource.create({"service.name": f"fiche-{process}", "service.namespace": "fiche"}),
        sampler=ParentBased(TraceIdRatioBased(settings.traces_share)),
    )
    exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_url.rstrip('/')}/v1/traces", timeout=EXPORT_S)
    _provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    _tracer = _provider.get_tracer("fiche")


def stop() -> None:
    """Sends what was not sent yet, and traces no more."""
    global _tracer, _provider
    if _provider is not None:
        _provider.shutdown()
        _tracer = _provider = None


def on() -> bool:
    """Whether this process traces."""
    return _tracer is not None


def span(
    name: str, kind: Kind, parent: str | None = None, attributes: Mapping[str, Any] | None = None
) -> AbstractContextManager[Any]:
    """A span around a block, beneath `parent` (a traceparent) or the current one; gives None while off."""
    return _nothing if _tracer is None else _span(name, kind, parent, attributes)


@contextlib.contextmanager
def _span(name: str, kind: Kind, parent: str | None, attributes: Mapping[str, Any] | None) -> Iterator[Any]:
    from opentelemetry.trace import SpanKind

    with _tracer.start_as_current_span(
        name, context=_context_of(parent), kind=SpanKind[kind.upper()], attributes=attributes
    ) as made:
        yield made


def _context_of(parent: str | None) -> Any:
    """The context that a traceparent tells of; None, the current one, without."""
    if not parent:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": parent})


def traceparent() -> str | None:
    """The current span as others are told of it; None while off, or outside of any."""
    if _tracer is None:
        return None
    from opentelemetry.trace import get_current_span

    return _told(get_current_span())


def _told(span_: Any) -> str | None:
    context = span_.get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


class Opened:
    """A span from one hook to another, current in between: a request of a web framework."""

    def __init__(self, name: str, kind: Kind, parent: str | None, attributes: Mapping[str, Any]) -> None:
        from opentelemetry import context
        from opentelemetry.trace import SpanKind, set_span_in_context

        self._span = _tracer.start_span(
            name, context=_context_of(parent), kind=SpanKind[kind.upper()], attributes=attributes
        )
        self._token = context.attach(set_span_in_context(self._span))

    def end(self, attributes: Mapping[str, Any], *, failed: bool) -> None:
        """Ends it."""
        from opentelemetry import context
        from opentelemetry.trace import StatusCode

        self._span.set_attributes(attributes)
        if failed:
            self._span.set_status(StatusCode.ERROR)
        self._span.end()
        context.detach(self._token)


# --- calls --------------------------------------------------------------------------------------------------------


def traced(client: RpcClient) -> RpcClient:
    """The same client, whose calls are spans, and tell the service which; the client itself while off."""
    return client if _tracer is None else _TracedClient(client)


class _TracedClient:
    def __init__(self, client: RpcClient) -> None:
        self._client = client

    def call_many(self, calls: Sequence[Call], timeout: float) -> list[Answer]:
        from opentelemetry.trace import SpanKind, StatusCode, get_current_span

        if not get_current_span().get_span_context().is_valid:
            return self._client.call_many(calls, timeout)  # a process's own questions: no trace begins with them
        spans = [
            _tracer.start_span(
                f"{call.service}.{call.method}",
                kind=SpanKind.CLIENT,
                attributes={"rpc.system": "fiche", "rpc.service": call.service, "rpc.method": call.method},
            )
            for call in calls
        ]
        told = [
            replace(call, headers={**call.headers, "traceparent": _told(each) or ""})
            for call, each in zip(calls, spans, strict=True)
        ]
        answers = self._client.call_many(told, timeout)
        for each, answer in zip(spans, answers, strict=True):
            each.set_attribute("rpc.fiche.status", answer.status)
            if answer.status != OK and (answer.from_wire or answer.status == "internal"):
                each.set_status(StatusCode.ERROR)
            each.end()
        return answers

    def close(self) -> None:
        self._client.close()


# --- SQL ----------------------------------------------------------------------------------------------------------


def watch_sql(engine: Engine, service: str) -> None:
    """Makes each statement inside of a span a span of its own; does nothing while off."""
    if _tracer is None:
        return
    from opentelemetry.trace import SpanKind, get_current_span
    from sqlalchemy import event

    def before(_conn: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        if context is not None and get_current_span().is_recording():
            context.fiche_span = _tracer.start_span(
                statement.split(None, 1)[0].upper() if statement.strip() else "SQL",
                kind=SpanKind.CLIENT,
                attributes={"db.system.name": "postgresql", "db.namespace": service, "db.query.text": statement},
            )

    def after(_conn: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        if (found := context.__dict__.pop("fiche_span", None)) is not None:
            found.end()

    def failed(context: Any) -> None:
        execution = context.execution_context
        if execution is not None and (found := execution.__dict__.pop("fiche_span", None)) is not None:
            found.record_exception(context.original_exception)
            found.end()

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    event.listen(engine, "handle_error", failed)
