"""Prometheus metrics of every process. Names start with `fiche_`; durations are in seconds.

What a service's tables tell (logs, places, parked events) is read from them when Prometheus asks: `LogCollector`.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

RPC_HANDLED = Counter("fiche_rpc_handled_total", "Calls answered", ("service", "method", "status"))
RPC_SECONDS = Histogram(
    "fiche_rpc_handling_seconds", "Time from delivery to answer", ("service", "method"), buckets=_BUCKETS
)
RPC_DROPPED = Counter(
    "fiche_rpc_dropped_total", "Calls taken and not handled: malformed, late, deadly", ("service", "reason")
)
RPC_CALLED = Counter(
    "fiche_rpc_called_total", "Calls sent; the status of the answer or the code of the wire", ("service", "status")
)
RPC_CALL_SECONDS = Histogram(
    "fiche_rpc_call_seconds", "Time from sending a call to its answer", ("service",), buckets=_BUCKETS
)
WIRE_LOST = Counter("fiche_wire_lost_total", "Connections lost, and tries to connect that failed", ("link",))
EVENTS_PUBLISHED = Counter("fiche_events_published_total", "Events confirmed by the broker", ("producer",))


#: Looking a metric up by its labels takes longer than counting: each is looked up once.
_handled = lru_cache(1_000)(RPC_HANDLED.labels)
_seconds = lru_cache(1_000)(RPC_SECONDS.labels)
_called = lru_cache(1_000)(RPC_CALLED.labels)
_call_seconds = lru_cache(1_000)(RPC_CALL_SECONDS.labels)


def rpc_handled(service: str, method: str, status: str, started: float) -> None:
    """Counts a call answered; `started` is of `time.perf_counter`."""
    _handled(service, method, status).inc()
    _seconds(service, method).observe(time.perf_counter() - started)


def rpc_called(service: str, status: str, started: float) -> None:
    """Counts an answer that a service gave; `started` is of `time.monotonic`."""
    _called(service, status).inc()
    _call_seconds(service).observe(time.monotonic() - started)


EVENTS_HANDLED = Counter("fiche_events_handled_total", "Events applied", ("consumer", "producer"))
EVENTS_RETRIED = Counter(
    "fiche_events_retried_total", "Batches applied again after a failure", ("consumer", "producer")
)
EVENTS_PARKED = Counter("fiche_events_parked_total", "Events put aside for an operator", ("consumer", "producer"))
EVENTS_REFUSED = Counter(
    "fiche_events_refused_total", "Public events that a partner's queue would not have", ("producer",)
)
EVENTS_UNROUTABLE = Counter("fiche_events_unroutable_total", "Events that no queue was bound for", ("producer",))
EVENT_DELAY = Histogram(
    "fiche_event_delay_seconds",
    "Time from an event's recording to its effect, of the oldest event of each batch",
    ("consumer", "producer"),
    buckets=(*_BUCKETS, 30, 60, 600, 3600),
)

HTTP_SECONDS = Histogram("fiche_http_seconds", "Time of HTTP requests", ("method", "route", "status"), buckets=_BUCKETS)


def exposition() -> bytes:
    """Every metric of this process, or of all workers of a server that shares a folder of metrics (`fiche gateway`)."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest()
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
