"""The services' databases and logs as a fault finds them, and as it leaves them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.engine import make_url

from chassis.host import service_class
from chassis.service import followed_producers
from chassis.settings import SERVICES
from chassis.wire.amqp_client import queue_of
from chassis.wire.amqp_events import events_queue_of

FOLLOWED = {consumer: followed_producers(service_class(consumer)) for consumer in SERVICES}
#: Who follows whom, each through a queue of its own.
EVENT_QUEUES = [(consumer, producer) for consumer in SERVICES for producer in FOLLOWED[consumer]]
#: Every queue of events and of calls.
QUEUES = [*(events_queue_of(*pair) for pair in EVENT_QUEUES), *map(queue_of, SERVICES)]


class Databases:
    """Beside every proxy. `url` has `{service}` for the service's name."""

    def __init__(self, url: str) -> None:
        self._engines: dict[str, Engine] = {}
        for name in SERVICES:
            address = make_url(url.format(service=name)).set(drivername="postgresql+psycopg2")
            self._engines[name] = create_engine(address, poolclass=NullPool)

    def sql(self, service: str, statement: str, **values: Any) -> list[Any]:
        """Rows of a statement."""
        with self._engines[service].begin() as connection:
            result = connection.execute(text(statement), values)
            return list(result) if result.returns_rows else []

    def copy_database(self, service: str, name: str) -> None:
        """A backup of a service's database, whose process is stopped."""
        self._copy(str(self._engines[service].url.database), name)

    def put_back(self, service: str, name: str) -> None:
        """The backup in the database's place."""
        self._copy(name, str(self._engines[service].url.database))

    def _copy(self, source: str, target: str) -> None:
        address = self._engines["clients"].url.set(database="postgres")
        admin = create_engine(address, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with admin.connect() as connection:
            owner = connection.scalar(
                text("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = :name"), {"name": source}
            )
            connection.execute(text(f'DROP DATABASE IF EXISTS "{target}" WITH (FORCE)'))
            connection.execute(text(f'CREATE DATABASE "{target}" TEMPLATE "{source}" OWNER "{owner}"'))

    def heads(self) -> dict[str, tuple[str, int]]:
        """Identity and last position of each log."""
        return {
            name: (str(row.log_id), int(row.position))
            for name in SERVICES
            for row in self.sql(name, "SELECT log_id, position FROM event_head")
        }

    def reached(self, heads: dict[str, tuple[str, int]]) -> bool:
        """Whether every consumer has come to these positions."""
        return not self._behind(heads)

    def _behind(self, heads: dict[str, tuple[str, int]]) -> list[str]:
        behind = []
        for consumer in SERVICES:
            rows = self.sql(consumer, "SELECT producer, log_id, position, halted FROM event_place")
            places = {row.producer: row for row in rows}
            for producer in FOLLOWED[consumer]:
                place, (log_id, position) = places.get(producer), heads[producer]
                if place is None:
                    behind.append(f"{consumer} has no place in {producer}")
                elif place.halted:
                    behind.append(f"{consumer} stands still in {producer}: {place.halted}")
                elif position and (str(place.log_id) != log_id or place.position < position):
                    behind.append(f"{consumer} is at {place.position} of {position} in {producer}")
        return behind

    def not_level(self, *, parked: bool = False) -> list[str]:
        """What is still on its way; `parked`: events put aside are expected."""
        found = self._behind(self.heads())
        for name in SERVICES:
            [row] = self.sql(name, "SELECT position, published FROM event_head")
            if row.published != row.position:
                found.append(f"{name} has published {row.published} of {row.position}")
            count = self.sql(name, "SELECT count(*) FROM parked_event")[0][0]
            if count and not parked:
                error = self.sql(name, "SELECT producer, error FROM parked_event LIMIT 1")[0]
                found.append(f"{name} has parked {count}: {error.producer}: {error.error[:200]}")
        return found

    def halted(self, producer: str) -> list[str]:
        """Consumers that stand still in a producer's log; empty until all of its readers do."""
        readers = [consumer for consumer in SERVICES if producer in FOLLOWED[consumer]]
        statement = "SELECT halted FROM event_place WHERE producer = :producer AND halted IS NOT NULL"
        return readers if all(self.sql(each, statement, producer=producer) for each in readers) else []

    def close(self) -> None:
        """Closes what is open."""
        for engine in self._engines.values():
            engine.dispose()
