"""Batches of events: what fails isolates itself, and what comes of the others is done once, in order."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import pytest

from chassis.events import batch, consumer
from chassis.events.consumer import Consumer
from contracts import clients as c
from tests.chassis.events.direct import Pair
from tests.support.waiting import wait_until

_SEEN = (
    "CREATE TABLE seen (n bigserial PRIMARY KEY, id uuid, name text);"
    "CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN INSERT INTO seen (id, name) VALUES (NEW.id, NEW.display_name); RETURN NULL; END $$;"
    "CREATE TRIGGER see AFTER INSERT OR UPDATE ON known_client FOR EACH ROW EXECUTE FUNCTION see()"
)


@pytest.fixture
def pair(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch.setattr(consumer, "ASK_S", 0.2)
    monkeypatch.setattr(consumer, "RARELY", 1)
    made = Pair(postgres_url)
    made.consumer.sql(_SEEN)
    yield made
    made.close()


def company(pair: Pair, name: str) -> Any:
    """A client made."""
    return pair.producer.call(c.CreateClient(body=c.ClientBody(kind="company", company_name=name)))


def rename(pair: Pair, client: Any, name: str) -> None:
    """A client renamed once."""
    changes = c.ClientChanges(company_name=name)
    pair.producer.call(c.UpdateClient(id=client["id"], expected_version=client["version"], changes=changes))


def seen(pair: Pair) -> list[str]:
    """Names in the order in which they were applied."""
    return [row.name for row in pair.consumer.sql("SELECT name FROM seen ORDER BY n")]


def begun(pair: Pair) -> None:
    """The consumer has read what there is: what comes now is read in batches."""
    company(pair, "Avant")
    pair.read_all(pair.following())
    pair.consumer.sql("TRUNCATE seen")


def test_of_a_batch_whose_third_event_fails_the_others_are_done_once_and_in_order(pair: Pair) -> None:
    pair.consumer.sql("ALTER TABLE known_client ADD CONSTRAINT poison CHECK (display_name <> 'Poison')")
    begun(pair)
    first, second, bad = (company(pair, name) for name in ("Un", "Deux", "Poison"))
    fourth = company(pair, "Quatre")
    rename(pair, bad, "Guéri")
    rename(pair, first, "Un bis")
    rename(pair, fourth, "Quatre bis")
    reader = Consumer(pair.following())
    reader._careful = 0  # as when it has run for long: in batches
    reader.start()
    try:
        wait_until(pair.level, "all is read", 30)
    finally:
        reader.stop()
    assert seen(pair) == ["Un", "Deux", "Quatre", "Un bis", "Quatre bis"]
    assert second["id"] in {str(row.id) for row in pair.consumer.sql("SELECT id FROM known_client")}
    parked = pair.consumer.sql("SELECT ordering_key, error, attempts FROM parked_event ORDER BY position")
    assert [row.ordering_key for row in parked] == [bad["id"]] * 2
    assert "poison" in parked[0].error
    assert parked[0].attempts > batch.TRIES
    assert parked[1].error == batch.BEHIND
    assert pair.consumer.sql("SELECT 1 FROM event_attempt") == []


def test_an_event_that_fails_alone_is_parked(pair: Pair) -> None:
    pair.consumer.sql("ALTER TABLE known_client ADD CONSTRAINT poison CHECK (display_name <> 'Poison')")
    begun(pair)
    with pair.reading(pair.following()) as [reader]:
        wait_until(lambda: reader._careful is not None, "it has begun")
        company(pair, "Poison")
        wait_until(pair.level, "all is read", 30)
    assert len(pair.consumer.sql("SELECT 1 FROM parked_event")) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_event_that_kills_the_process_is_parked_after_its_tries(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(pair)
    original = pair.consumer.cls.client_created  # type: ignore[attr-defined]

    @functools.wraps(original)
    def deadly(self: Any, event: Any, envelope: Any) -> None:
        if event.display_name == "Mortel":
            raise SystemExit
        original(self, event, envelope)

    monkeypatch.setattr(pair.consumer.cls, "client_created", deadly)
    for name in ("Un", "Mortel", "Trois"):
        company(pair, name)
    deaths = 0
    while not pair.level():
        process = Consumer(pair.following())
        process.start()
        wait_until(lambda: pair.level() or not process._thread.is_alive(), "all is read, or it has died", 30)  # noqa: B023
        deaths += not process._thread.is_alive()
        process.stop()
        assert deaths <= batch.TRIES
    assert deaths == batch.TRIES
    assert seen(pair) == ["Un", "Trois"]
    assert len(pair.consumer.sql("SELECT 1 FROM parked_event")) == 1
