"""Prometheus metrics of every process. Names start with `fiche_`; durations are in seconds."""

from __future__ import annotations

import time

from prometheus_client import Counter, Gauge, Histogram

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


def rpc_handled(service: str, method: str, status: str, started: float) -> None:
    """Counts a call answered; `started` is of `time.perf_counter`."""
    RPC_HANDLED.labels(service, method, status).inc()
    RPC_SECONDS.labels(service, method).observe(time.perf_counter() - started)


LOG_POSITION = Gauge("fiche_log_position", "Last position of a service's log", ("service",))
LOG_LAG = Gauge("fiche_log_unpublished", "Events of the log that the broker has not confirmed", ("service",))
EVENTS_HANDLED = Counter("fiche_events_handled_total", "Events applied", ("consumer", "producer"))
EVENTS_RETRIED = Counter(
    "fiche_events_retried_total", "Batches applied again after a failure", ("consumer", "producer")
)
EVENTS_PARKED = Counter("fiche_events_parked_total", "Events put aside for an operator", ("consumer", "producer"))
EVENTS_UNROUTABLE = Counter("fiche_events_unroutable_total", "Events that no queue was bound for", ("producer",))
PARKED = Gauge("fiche_parked_events", "Events that wait for an operator", ("consumer",))
PLACE = Gauge("fiche_event_place", "How far a consumer has read a producer's log", ("consumer", "producer"))
HALTED = Gauge("fiche_event_consumer_halted", "1 while reading waits for an operator", ("consumer", "producer"))
EVENT_DELAY = Histogram(
    "fiche_event_delay_seconds",
    "Time from an event's recording to its effect",
    ("consumer", "producer"),
    buckets=(*_BUCKETS, 30, 60, 600, 3600),
)

HTTP_SECONDS = Histogram("fiche_http_seconds", "Time of HTTP requests", ("method", "route", "status"), buckets=_BUCKETS)
