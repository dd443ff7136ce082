"""Deeds that race for the same records, over HTTP: their answers and what is left are those of some order of them.

Each round sends its deeds at one moment. The oracle plays every order of them: one must give exactly these answers
and this end. `FICHE_MERGE_RACES` asks for many rounds.
"""

from __future__ import annotations

import copy
import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import httpx
import pytest

from tests.gateway.conftest import Product
from tests.merge.forests import check_forests
from tests.merge.oracle import Merged, Oracle
from tests.merge.support import patient
from tests.support.waiting import wait_until

ROUNDS = int(os.environ.get("FICHE_MERGE_RACES", "4"))
Deed = tuple[str, ...]
#: Deeds on the records a, b, c, d; d stands under c from the start.
RACES: dict[str, tuple[Deed, ...]] = {
    "A→B with B→A": (("merge", "b", "a"), ("merge", "a", "b")),
    "A→B with A→C": (("merge", "b", "a"), ("merge", "c", "a")),
    "the same merge three times": (("merge", "b", "a"),) * 3,
    "A→B with B→C": (("merge", "b", "a"), ("merge", "c", "b")),
    "a ring of three": (("merge", "b", "a"), ("merge", "c", "b"), ("merge", "a", "c")),
    "with archive": (("merge", "b", "a"), ("archive", "a"), ("archive", "b")),
    "with delete": (("merge", "b", "a"), ("delete", "a"), ("delete", "b")),
    "with convert": (("merge", "b", "a"), ("convert", "a"), ("convert", "b")),
    "with a relation that closes a loop": (("merge", "b", "a"), ("relate", "d", "a"), ("relate", "b", "c")),
    "all of it": (
        ("merge", "b", "a"),
        ("merge", "a", "b"),
        ("merge", "c", "b"),
        ("delete", "c"),
        ("relate", "a", "b"),
    ),
}


@dataclass
class Order:
    """The records as some order of the deeds leaves them."""

    oracle: Oracle
    archived: set[str] = field(default_factory=set)
    answers: list[set[int]] = field(default_factory=list)

    def play(self, number: int, deed: Deed) -> set[int]:
        """What may be answered to a deed that comes now; does it."""
        what, *records = deed
        oracle = self.oracle
        for record in records if what == "merge" else records[:1]:
            # In the order in which each is looked at. The door refuses the deleted root of an old id by itself.
            if what != "relate" and oracle.parent(record) is not None:
                return {409, 410} if what == "delete" and oracle.root(record) in oracle.deleted else {409}
            if record in oracle.deleted:
                return {410}
        if what == "merge":
            survivor, duplicate = records
            oracle.merged(Merged(str(number), survivor, duplicate, {}))
            return {202}
        [record] = records[:1]
        if what == "archive":
            self.archived.add(record)
            return {200}
        if what == "delete":
            oracle.deleted.add(record)
            return {204}
        if what == "convert":
            return {200}
        ends = (oracle.root(records[0]), oracle.root(records[1]))
        if set(ends) & oracle.deleted:
            return {410}
        refused = oracle.would_wait("branch", *ends)
        if refused:
            return {422} if refused == "self" else {409}
        oracle.relations[f"new {number}"] = ("branch", *ends)
        return {201}

    def end(self) -> dict[str, Any]:
        """What is left: whom each id means, and what became of it."""
        roots = {record: self.oracle.root(record) for record in self.oracle.names}
        return {
            record: (root, "deleted" if root in self.oracle.deleted else "living") for record, root in roots.items()
        }


class Racers:
    """Sends deeds at one moment."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.clients = [patient(product) for _ in range(5)]
        self.http = self.clients[0]

    def opened(self) -> str:
        """A new client's id."""
        answer = self.http.post("/clients", json={"kind": "company", "company_name": "Essai"})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def race(self, deeds: list[Deed]) -> list[httpx.Response]:
        """The answers, in the order of the deeds."""
        barrier = threading.Barrier(len(deeds))
        answers: list[httpx.Response | None] = [None] * len(deeds)

        def run(number: int, deed: Deed, http: httpx.Client) -> None:
            send = self._sender(http, deed)
            barrier.wait(20)
            answers[number] = send()

        threads = [
            threading.Thread(target=run, args=(number, deed, http))
            for number, (deed, http) in enumerate(zip(deeds, self.clients, strict=False))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return [answer for answer in answers if answer is not None]

    @staticmethod
    def _sender(http: httpx.Client, deed: Deed) -> Callable[[], httpx.Response]:
        what, *records = deed
        if what == "merge":
            body = {"survivor_id": records[0], "duplicate_id": records[1], "reason": "Doublon"}
            return lambda: http.post("/merges", json=body)
        if what == "archive":
            return lambda: http.post(f"/clients/{records[0]}/archive", json={})
        if what == "delete":
            return lambda: http.delete(f"/clients/{records[0]}")
        if what == "convert":
            return lambda: http.post(f"/clients/{records[0]}/convert", json={"to": "individual", "last_name": "Petit"})
        body = {"type": "branch", "other_client_id": records[1]}
        return lambda: http.post(f"/clients/{records[0]}/relations", json=body)


@pytest.fixture(scope="module")
def racers(product: Product) -> Racers:
    """Five that ask at once."""
    return Racers(product)


@pytest.mark.parametrize("name", RACES)
def test_what_races_is_answered_and_ends_as_if_one_had_come_after_the_other(
    name: str, product: Product, racers: Racers
) -> None:
    rng = random.Random(name)
    for _ in range(ROUNDS):
        ids = {letter: racers.opened() for letter in "abcd"}
        below = {"type": "branch", "other_client_id": ids["d"]}
        first = racers.http.post(f"/clients/{ids['c']}/relations", json=below)
        assert first.status_code == 201, first.text
        deeds = [(what, *(ids[letter] for letter in letters)) for what, *letters in RACES[name]]
        rng.shuffle(deeds)
        answers = racers.race(deeds)
        told = [answer.status_code for answer in answers]
        ends = _ends(racers.http, list(ids.values()))
        possible = _orders(ids, deeds)
        said = [(deed, answer.status_code, answer.text[:200]) for deed, answer in zip(deeds, answers, strict=True)]
        assert any(
            all(code in wanted for code, wanted in zip(told, order.answers, strict=True)) and order.end() == ends
            for order in possible
        ), (name, ids, said, ends)
        for answer in answers:
            if answer.status_code == 409 and "merge_id" in (answer.json().get("data") or {}):
                assert racers.http.get(f"/merges/{answer.json()['data']['merge_id']}").status_code == 200
    _rest(product, racers.http)


def _orders(ids: dict[str, str], deeds: list[Deed]) -> list[Order]:
    """Every order, played."""
    found = []
    start = Oracle()
    for record in ids.values():
        start.opened(record, record, {})
    start.relations["first"] = ("branch", ids["c"], ids["d"])
    for numbers in permutations(range(len(deeds))):
        order = Order(copy.deepcopy(start))
        answers = {number: order.play(number, deeds[number]) for number in numbers}
        order.answers = [answers[number] for number in range(len(deeds))]
        found.append(order)
    return found


def _ends(http: httpx.Client, records: list[str]) -> dict[str, Any]:
    """Whom each id means now, as the API tells it."""
    found = {}
    for record in records:
        here, seen = record, {record}
        answer = http.get(f"/clients/{here}")
        while answer.status_code == 308:
            here = answer.headers["Location"].rpartition("/")[2]
            assert here not in seen, "a ring of signposts"
            seen.add(here)
            answer = http.get(f"/clients/{here}")
        assert answer.status_code in (200, 410), answer.text
        found[record] = (here, "living" if answer.status_code == 200 else "deleted")
    return found


def _rest(product: Product, http: httpx.Client) -> None:
    """Every merge ends, and every service has the forest that the merges make."""

    def ended() -> bool:
        return not http.get("/merges", params={"status": "running"}).json()["items"]

    wait_until(ended, "every merge to have ended", 60)
    check_forests(product.sql)
