"""A consumer over a producer, both on a real PostgreSQL, in this process and without a wire."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from chassis.errors import FicheError
from chassis.events.consumer import Consumer
from chassis.events.following import Following
from chassis.events.source import LogSource
from chassis.service import handlers_of
from chassis.wire.base import OK, Answer, Call
from contracts import clients as c
from tests.support.services import ServiceUnderTest, make_service
from tests.support.waiting import wait_until

_names = itertools.count(1)


class Direct:
    """Meets `chassis.wire.base.RpcClient`: calls the services in the caller's own thread."""

    def __init__(self, *services: ServiceUnderTest) -> None:
        self._services = {service.name: service for service in services}

    def call_many(self, calls: Sequence[Call], timeout: float) -> list[Answer]:
        return [self._call(call) for call in calls]

    def _call(self, call: Call) -> Answer:
        try:
            return Answer(OK, self._services[call.service].call_raw(f"{call.service}.{call.method}", call.body))
        except FicheError as error:
            return Answer(error.kind, error.to_json())

    def close(self) -> None:
        """Nothing is open."""


class Pair:
    """`clients`, and `equipment` that follows it."""

    def __init__(self, postgres_url: str) -> None:
        self.producer, self.consumer = make_service("clients", postgres_url), make_service("equipment", postgres_url)
        self.source = LogSource(Direct(self.producer), "equipment")

    def following(self, *types: type[Any], since: str | None = None) -> Following:
        """What a release of `equipment` follows: all it does, or handlers for some types, with what they declare."""
        handlers = handlers_of(self.consumer.cls)
        if types:
            handlers = {each.event_type(): handlers[each.event_type()] for each in types}
        declared = dict.fromkeys(handlers, since)
        return Following("equipment", "clients", handlers, declared, self.source, self._apply)

    def _apply(self, work: Callable[[Any], None]) -> None:
        work(self.consumer.worker())

    @contextmanager
    def reading(self, following: Following, count: int = 1) -> Iterator[list[Consumer]]:
        """So many consumers that read at once."""
        consumers = [Consumer(following) for _ in range(count)]
        for consumer in consumers:
            consumer.start()
        try:
            yield consumers
        finally:
            for consumer in consumers:
                consumer.stop()

    def read_all(self, following: Following) -> None:
        """Reads until the place is the head."""
        with self.reading(following):
            wait_until(self.level, "all is read")

    def level(self) -> bool:
        """Whether the place is the head, and every handler's past is told."""
        head = self.producer.sql("SELECT log_id, position FROM event_head")[0]
        place = self.consumer.sql("SELECT log_id, position FROM event_place")
        return bool(place) and tuple(place[0]) == tuple(head)

    def new_client(self) -> str:
        """A client of the producer, with an address."""
        body = c.ClientBody(kind="company", company_name=f"Société {next(_names)}")
        made = self.producer.call(c.CreateClient(body=body))["id"]
        address = c.AddressBody(street="1 rue du Port", postal_code="29200", city="Brest")
        self.producer.call(c.CreateAddress(home_client_id=made, written_client_id=made, body=address))
        return str(made)

    def known(self, table: str = "known_client") -> int:
        """How many copies there are."""
        return int(self.consumer.sql(f"SELECT count(*) FROM {table}")[0][0])

    def halted(self) -> str:
        """Why reading stopped, if it did."""
        rows = self.consumer.sql("SELECT halted FROM event_place")
        return str(rows[0][0] or "") if rows else ""

    def close(self) -> None:
        """Closes both pools."""
        self.producer.close()
        self.consumer.close()


def at_once(*works: Callable[[], Any]) -> None:
    """Runs all in threads of their own; raises the first failure."""
    failures: list[BaseException] = []

    def run(work: Callable[[], Any]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
