"""A few faults of `make faults`, short; and that its checker sees what it is there to see."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.menu import FAULTS
from tests.faults.world import FaultyStack, World
from tests.support import servers

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def world(run_folder: Path, postgres_url: str, s3: dict[str, str]) -> Iterator[World]:
    """The product under load; the broker is its own, to be broken."""
    rabbit = servers.RabbitServer(run_folder / "faults")
    rabbit.start()
    stack = FaultyStack(run_folder / "faults-logs", database_url=postgres_url, amqp_url=rabbit.url, s3=s3)
    try:
        stack.start()
        with closing(World(stack, rabbit=rabbit, seed=secrets.token_hex(3), clerks=3)) as made:
            yield made
    finally:
        stack.stop()
        rabbit.close()


@pytest.mark.parametrize(
    "name", ["kill -9 between commit and publish", "half the services killed while RabbitMQ loses its data"]
)
def test_nothing_acknowledged_is_lost_doubled_or_swapped(world: World, name: str) -> None:
    [(fault, hold)] = [found for known, found in FAULTS.items() if known.startswith(name)]
    row = world.round(name, fault, min(hold, 1.0))
    assert row.holds, row.to_json()
    assert row.acknowledged > 30


def test_the_checker_sees_what_is_lost_doubled_and_swapped(world: World) -> None:
    checker = world.checker
    if not world.books:  # this test alone
        assert world.round("nothing", FAULTS["nothing"][0], 0.5).holds
    sql = checker.sql
    [work] = [ack for book in world.books for ack in book.acks if ack.kind == "intervention"][-1:]
    first, second = sql("billing", "SELECT n, event_id FROM witness WHERE producer = 'clients' ORDER BY n DESC LIMIT 2")
    for service, statement, seen in (
        ("interventions", f"DELETE FROM intervention WHERE id = '{work.id}'", f"lost: intervention {work.marker}"),
        ("clients", f"DELETE FROM activity WHERE link->>'id' = '{work.id}'", f"lost: activity of {work.id}"),
        ("equipment", "UPDATE known_client SET display_name = 'X'", "lost: known_client"),
        ("billing", f"DELETE FROM witness WHERE n = {first.n}", f"{first.event_id} in billing of clients"),
        (
            "billing",
            f"INSERT INTO witness (producer, event_id) VALUES ('clients', '{second.event_id}')",
            f"doubled: {second.event_id} 2 times in billing of clients",
        ),
    ):
        assert not [each for each in _found(checker.check(world.books)) if seen in each]
        sql(service, statement)
        assert [each for each in _found(checker.check(world.books)) if seen in each], seen
    rows = sql(
        "documents", "SELECT n, event_id, ordering_key AS key FROM witness WHERE producer = 'clients' ORDER BY n"
    )
    late = next(row for row in rows if sum(other.key == row.key for other in rows) > 1)
    sql("documents", "UPDATE witness SET n = (SELECT max(n) + 1 FROM witness) WHERE n = :n", n=late.n)
    assert [each for each in _found(checker.check(world.books)) if "swapped" in each and "in documents" in each]


def _found(verdict: object) -> list[str]:
    return [f"{what}: {each}" for what, found in vars(verdict).items() for each in found]
