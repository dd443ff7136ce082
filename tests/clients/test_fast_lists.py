"""The quick ways to a page of clients give what the plain ones give."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from contracts import clients as c
from services.clients.queries import search, typos
from services.clients.queries.records import CLIENTS
from services.clients.text import fold, one_typo
from tests.clients.support import company
from tests.support.services import ServiceUnderTest, make_service

WORDS = [
    "Martin",
    "Martinet",
    "Saint-Martin",
    "Chauffage",
    "Chaumont",
    "Boulangerie",
    "Bernard",
    "Renard",
    "Gaz",
    "B2B",
]


@pytest.fixture(scope="module")
def service(postgres_url: str) -> Iterator[ServiceUnderTest]:
    made = make_service("clients", postgres_url)
    rng = random.Random(5)
    for n in range(70):
        client = company(
            made, " ".join(rng.sample(WORDS, rng.choice((1, 2, 2, 3)))), reference=f"{rng.choice('AB')}-{n}"
        )
        for _ in range(rng.choice((0, 0, 1, 3))):
            # Some at one moment, some still to come: those do not count yet.
            when = datetime.now(UTC) - timedelta(days=rng.choice((-3, 1, 1, 2, 5, 400)))
            activity(made, client, occurred_at=when.replace(hour=9, minute=0, second=0, microsecond=0))
        if rng.random() < 0.1:
            made.call(c.SetStatus(id=client["id"], action="archive"))
    yield made
    made.close()


def activity(service: ServiceUnderTest, client: dict[str, Any], occurred_at: datetime) -> None:
    """A call logged at a client."""
    body = c.ActivityBody(kind="call", subject="Appel", occurred_at=occurred_at)
    service.call(c.CreateActivity(home_client_id=client["id"], written_client_id=client["id"], body=body))


def pages(read: Any, limit: int) -> list[str]:
    """Ids of all pages in their order."""
    found: list[str] = []
    cursor = None
    while True:
        page = orjson.loads(read(limit, cursor))
        assert len(page["items"]) == limit or page["next"] is None
        found += [item["id"] for item in page["items"]]
        if (cursor := page["next"]) is None:
            return found


@pytest.mark.parametrize("limit", [1, 3, 50])
@pytest.mark.parametrize(
    "asked", ["martin", "m", "mart", "ma", "b", "gaz", "a 7", "A-12", "bernard chau", "zzz", "1", "’"]
)
def test_a_search_part_by_part_is_the_search_by_one_expression(
    service: ServiceUnderTest, asked: str, limit: int
) -> None:
    with service.database.session() as session:

        def quick(size: int, cursor: str | None) -> bytes:
            return search.list_clients(session, c.ListClients(q=asked, limit=size, cursor=cursor), 30)

        def plain(size: int, cursor: str | None) -> bytes:
            request = c.ListClients(q=asked, limit=size, cursor=cursor)
            plan = search.plan_of(session, request)
            return plan.listing.page(session, plan.all, plan.params, request)

        assert pages(quick, limit) == pages(plain, limit)


@pytest.mark.parametrize("limit", [1, 4, 200])
@pytest.mark.parametrize("status", [None, "active", "archived"])
def test_clients_by_what_happened_last_are_those_of_the_sort_by_expression(
    service: ServiceUnderTest, status: Any, limit: int
) -> None:
    with service.database.session() as session:

        def quick(size: int, cursor: str | None) -> bytes:
            request = c.ListClients(sort="-activity", status=status, limit=size, cursor=cursor)
            return search.list_clients(session, request, 30)

        def plain(size: int, cursor: str | None) -> bytes:
            request = c.ListClients(sort="-activity", status=status, limit=size, cursor=cursor)
            plan = search.plan_of(session, request)
            return CLIENTS.page(session, plan.all, plan.params, request)

        found = pages(quick, limit)
        assert found == pages(plain, limit)
        assert len(found) == len(set(found)) > 0


def test_every_typo_of_a_word_is_found_among_the_distinct_words_as_among_all_texts(service: ServiceUnderTest) -> None:
    rng = random.Random(11)
    with service.database.session() as session:
        texts = list(session.execute(text("SELECT search FROM client")).scalars())
        known = {word for one in texts for word in one.split()}
        for word in sorted(known):
            for typed in wrong(word, rng):
                pattern = one_typo(typed)
                if pattern is None:
                    continue
                expected = {one for one in known if one.isalpha() and re.search(f"{typed}|{pattern}", one)}
                assert set(typos.alike(session, typed, pattern)) == expected, typed


def wrong(word: str, rng: random.Random) -> list[str]:
    """The word with each kind of typo at each place."""
    found = []
    for n in range(len(word)):
        other = rng.choice("abcdefghijklmnopqrstuvwxyz")
        found += [word[:n] + other + word[n + 1 :], word[:n] + word[n + 1 :], word[:n] + other + word[n:]]
        if n:
            found.append(word[: n - 1] + word[n] + word[n - 1] + word[n + 1 :])
    return found


def test_words_typed_without_their_space_are_found(service: ServiceUnderTest) -> None:
    names = [item["display_name"] for item in service.call(c.ListClients(q="boulangeriemartin", limit=200))["items"]]
    wanted = [one["display_name"] for one in service.call(c.ListClients(q="boulangerie martin", limit=200))["items"]]
    assert sorted(names) == sorted(name for name in wanted if "boulangerie martin" in fold(name))


def test_a_word_that_a_client_bears_no_more_finds_nobody(service: ServiceUnderTest) -> None:
    made = company(service, "Xylophone Unique")
    assert [item["id"] for item in service.call(c.ListClients(q="xylofone"))["items"]] == []
    assert [item["id"] for item in service.call(c.ListClients(q="xylophome"))["items"]] == [made["id"]]
    service.call(c.UpdateClient(id=made["id"], changes={"company_name": "Vibraphone Unique"}))
    assert service.call(c.ListClients(q="xylophome"))["items"] == []
    assert [item["id"] for item in service.call(c.ListClients(q="vibrapone"))["items"]] == [made["id"]]
