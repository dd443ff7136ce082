"""What a service's tables tell of its events, read when Prometheus asks: true on every replica, whatever it is at."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import REGISTRY, Collector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chassis.db import Database

log = structlog.get_logger(__name__)

_HEAD = text(
    "SELECT position, published, coalesce(extract(epoch FROM now() - (SELECT recorded_at FROM event_log "
    "WHERE position > published ORDER BY position LIMIT 1)), 0) AS oldest FROM event_head"
)
_FOLLOWERS = text(
    "SELECT c.name, greatest(h.position - c.position, 0) AS lag, coalesce(extract(epoch FROM now() - (SELECT "
    "recorded_at FROM event_log l WHERE l.position > c.position ORDER BY l.position LIMIT 1)), 0) AS oldest "
    "FROM event_consumer c, event_head h WHERE c.log_id = h.log_id"
)
_PLACES = text(
    "SELECT producer, position, halted IS NOT NULL AS halted, "
    "(SELECT count(*) FROM parked_event p WHERE p.producer = event_place.producer) AS parked FROM event_place"
)


#: Name, meaning and labels of what is told, in the order of `_of_service`'s values.
_GAUGES = (
    ("fiche_log_position", "Last position of a service's log", ("service",)),
    ("fiche_log_unpublished", "Events that the broker has not confirmed", ("service",)),
    ("fiche_log_unpublished_seconds", "Age of the oldest event that the broker has not confirmed", ("service",)),
    ("fiche_log_lag", "Events of a log that a consumer has not read", ("service", "consumer")),
    ("fiche_log_lag_seconds", "Age of the oldest event that a consumer has not read", ("service", "consumer")),
    ("fiche_event_place", "How far a consumer has read a producer's log", ("consumer", "producer")),
    ("fiche_event_consumer_halted", "1 while reading waits for an operator", ("consumer", "producer")),
    ("fiche_parked_events", "Events that wait for an operator", ("consumer", "producer")),
)
Values = list[tuple[tuple[str, ...], float]]


class Watch(Collector):
    """The logs, places and parked events of this process's services, and whether each takes calls and events.

    A service whose database is away tells its readiness only. `embedded`: without a broker nothing is published, and
    consumers read the logs themselves.
    """

    def __init__(self, databases: Iterable[Database], not_ready: Callable[[], list[str]], *, embedded: bool) -> None:
        self._databases, self._not_ready, self._embedded = tuple(databases), not_ready, embedded

    def start(self) -> None:
        """Tells from now on."""
        REGISTRY.register(self)

    def stop(self) -> None:
        """Tells no more."""
        REGISTRY.unregister(self)

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: the registry need not ask the databases for names."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The metrics as the tables are now."""
        away = set(self._not_ready())
        ready = GaugeMetricFamily(
            "fiche_service_ready", "1 while a service takes calls and events", labels=("service",)
        )
        families = [GaugeMetricFamily(name, told, labels=labels) for name, told, labels in _GAUGES]
        for database in self._databases:
            ready.add_metric((database.service,), float(database.service not in away))
            try:
                told = self._of_service(database)
            except SQLAlchemyError as error:
                log.warning("metrics.log_unread", service=database.service, error=str(error))
                continue
            for family, values in zip(families, told, strict=True):
                for labels, value in values:
                    family.add_metric(labels, float(value))
        return [ready, *families]

    def _of_service(self, database: Database) -> tuple[Values, ...]:
        name = database.service
        with database.session(by_statement=True) as session:
            head = session.execute(_HEAD).one()
            followers = session.execute(_FOLLOWERS).all()
            places = session.execute(_PLACES).all()
        waiting = 0 if self._embedded else head.position - head.published
        return (
            [((name,), head.position)],
            [((name,), waiting)],
            [((name,), head.oldest if waiting else 0)],
            [((name, each.name), each.lag) for each in followers],
            [((name, each.name), each.oldest if each.lag else 0) for each in followers],
            [((name, each.producer), each.position) for each in places],
            [((name, each.producer), int(each.halted)) for each in places],
            [((name, each.producer), each.parked) for each in places],
        )
