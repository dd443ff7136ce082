"""The relay between a log and what it publishes to; the broker's own part is in `test_events` and `test_faults`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from chassis.bell import Bell, Told
from chassis.events import fresh, relay
from chassis.events import log as event_log
from chassis.events.fresh import Fresh
from chassis.events.relay import Relay
from chassis.wire.base import EventPublisher, LoggedEvent, PublishError
from chassis.wire.local import LocalWire
from contracts import clients as c
from tests.support.services import ServiceUnderTest, make_service
from tests.support.waiting import wait_until


class Exchange(LocalWire):
    """Keeps what is published, and may refuse it."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, LoggedEvent]] = []
        self.refuses = False

    def event_publisher(self, producer: str) -> EventPublisher:
        return self

    def publish(self, log_id: str, events: Sequence[LoggedEvent]) -> None:
        if self.refuses:
            raise PublishError("refused")
        self.told += [(log_id, event) for event in events]

    @property
    def positions(self) -> list[int]:
        return [event.position for _, event in self.told]


@pytest.fixture
def clients(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceUnderTest]:
    monkeypatch.setattr(relay, "SWEEP_S", 0.5)
    made = make_service("clients", postgres_url)
    yield made
    made.close()


@contextmanager
def relaying(clients: ServiceUnderTest, exchange: Exchange) -> Iterator[Callable[[], None]]:
    """A replica with its relay; gives what makes a client in it."""
    bell = Bell()
    running = Relay(clients.database, bell, exchange)
    running.start()

    def company() -> None:
        worker = clients.worker()
        worker.uow.bell = bell
        request = c.CreateClient(body=c.ClientBody(kind="company", company_name="Société"))
        worker.uow.run(None, lambda: worker.create.__wrapped__(worker, request))

    try:
        yield company
    finally:
        running.stop()


def log(clients: ServiceUnderTest) -> list[tuple[str, LoggedEvent]]:
    """All that the log holds."""
    with clients.database.reading() as session:
        head, events = event_log.read_on(session, 0, 1000)
    return [(str(head.log_id), event) for event in events]


def published(clients: ServiceUnderTest) -> int:
    return int(clients.sql("SELECT published FROM event_head")[0][0])


def test_what_a_commit_tells_is_published_as_the_log_has_it_and_then_marked(clients: ServiceUnderTest) -> None:
    exchange = Exchange()
    with relaying(clients, exchange) as company:
        for _ in range(5):
            company()
        wait_until(lambda: len(exchange.told) >= len(log(clients)), "all is published")
        wait_until(lambda: published(clients) == exchange.positions[-1], "and marked")
    assert exchange.told == log(clients)


def test_what_another_replica_commits_in_between_is_published_in_its_place(clients: ServiceUnderTest) -> None:
    exchange = Exchange()
    with relaying(clients, exchange) as company:
        for _ in range(5):
            company()
            clients.call(c.CreateClient(body=c.ClientBody(kind="company", company_name="Ailleurs")))
        company()
        wait_until(lambda: len(exchange.told) >= len(log(clients)), "all is published")
    assert exchange.told == log(clients)


def test_what_many_commit_at_once_is_published_in_the_order_of_the_log(clients: ServiceUnderTest) -> None:
    exchange = Exchange()
    with relaying(clients, exchange) as company:
        writers = [threading.Thread(target=lambda: [company() for _ in range(10)]) for _ in range(6)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        wait_until(lambda: len(exchange.told) >= len(log(clients)), "all is published")
    assert exchange.told == log(clients)


def test_what_was_refused_is_published_again_from_the_mark(clients: ServiceUnderTest) -> None:
    exchange = Exchange()
    with relaying(clients, exchange) as company:
        company()
        wait_until(lambda: published(clients) > 0, "marked")
        exchange.refuses = True
        company()
        exchange.refuses = False
        wait_until(lambda: len(exchange.told) >= len(log(clients)), "all is published")
    assert exchange.told == log(clients)


def test_a_leader_that_is_stuck_is_stood_in_for(clients: ServiceUnderTest) -> None:
    exchange = Exchange()
    with clients.database.engine.connect() as stuck:
        stuck.execute(text("SELECT pg_advisory_lock(:key)"), {"key": relay._RELAY_LOCK})
        with relaying(clients, exchange) as company:
            company()
            wait_until(lambda: len(exchange.told) >= len(log(clients)), "all is published")
            wait_until(lambda: published(clients) == exchange.positions[-1], "and marked")


def test_a_log_that_was_put_back_under_the_relay_is_published_from_what_it_says(clients: ServiceUnderTest) -> None:
    exchange = Exchange()
    with relaying(clients, exchange) as company:
        company()
        wait_until(lambda: published(clients) > 0, "marked")
        clients.sql("DELETE FROM event_log")
        clients.sql("UPDATE event_head SET log_id = gen_random_uuid(), position = 0, published = 0")
        exchange.told.clear()
        company()
        wait_until(lambda: len(exchange.told) >= len(log(clients)), "all is published")
    assert exchange.told == log(clients)


# --- handed over --------------------------------------------------------------------------------------------------


def told(log_id: str, *positions: int) -> Told:
    return log_id, [LoggedEvent(position, "t", "s", "s", False, b"{}") for position in positions]


def run_of(given: tuple[list[LoggedEvent], bool]) -> tuple[list[int], bool]:
    return [event.position for event in given[0]], given[1]


def test_events_handed_over_are_given_in_order_up_to_a_gap() -> None:
    kept = Fresh()
    for each in (told("a", 3, 4), told("a", 1, 2), told("a", 7)):
        assert kept.put(each)
    assert run_of(kept.after("a", 0)) == ([1, 2, 3, 4], True)
    assert run_of(kept.after("a", 4)) == ([], True)
    assert run_of(kept.after("a", 7)) == ([], False)


def test_events_of_another_log_are_not_given_and_too_many_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Fresh()
    kept.put(told("a", 1, 2))
    kept.put(told("b", 2))
    assert run_of(kept.after("a", 0)) == ([], True)
    monkeypatch.setattr(fresh, "KEPT", 3)
    assert kept.put(told("b", 3, 4, 5))
    assert not kept.put(told("b", 6))
    assert run_of(kept.after("b", 2)) == ([], False)
