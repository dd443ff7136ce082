"""Likely duplicates: how many are found and how many are right, on a labelled set; and how long it takes at volume.

The set is entered into a `clients` service over PostgreSQL as an office would, by its own commands; what it then
proposes for the whole base is held against what is known.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.labelled import Labelled, labelled
from contracts import clients as c
from tests.support.services import ServiceUnderTest, make_service

_ADDRESS = ("street", "postal_code", "city")
#: Scores from which on pairs are proposed, as the page names them.
BANDS = (("possible", 0.5), ("probable", 0.65), ("very likely", 0.85))


@dataclass
class Found:
    """What was proposed, held against what is known."""

    known: Labelled
    #: Index pair → score.
    proposed: dict[tuple[int, int], float]

    def right(self, least: float = 0.0) -> set[tuple[int, int]]:
        """Proposed pairs that are one client."""
        return {pair for pair in self.at(least) if pair in self.known.same}

    def at(self, least: float) -> set[tuple[int, int]]:
        """Pairs proposed with such a score."""
        return {pair for pair, score in self.proposed.items() if score >= least}

    def precision(self, least: float = 0.0) -> float:
        """Of the pairs proposed, how many are one client."""
        return len(self.right(least)) / max(len(self.at(least)), 1)

    def recall(self, least: float = 0.0) -> float:
        """Of the pairs that are one client, how many are proposed."""
        return len(self.right(least)) / len(self.known.same)

    def by_kind(self) -> dict[str, tuple[int, int]]:
        """Kind of error → found, of how many; kind of look-alike (with `≠`) → proposed wrongly, of how many."""
        found: dict[str, tuple[int, int]] = {}
        for mark, pairs in (("", self.known.same), ("≠ ", self.known.apart)):
            whole = Counter(pairs.values())
            got = Counter(kind for pair, kind in pairs.items() if pair in self.proposed)
            found |= {mark + kind: (got[kind], count) for kind, count in whole.items()}
        return found


def enter(service: ServiceUnderTest, known: Labelled) -> list[str]:
    """Enters the clients; their ids, in order."""
    ids = []
    for typed in known.clients:
        body = c.ClientBody(**{name: value for name, value in typed.items() if name not in _ADDRESS and value})
        client = service.call(c.CreateClient(body=body))
        address = {name: typed[name] for name in _ADDRESS if typed.get(name)}
        if address:
            home = {"home_client_id": client["id"], "written_client_id": client["id"]}
            service.call(c.CreateAddress(**home, body=c.AddressBody(**address)))
        ids.append(str(client["id"]))
    return ids


def settle(service: ServiceUnderTest) -> None:
    """Lets the service compare all that is due, as it does by itself."""
    while service.sql("SELECT 1 FROM likeness_due LIMIT 1"):
        service.worker().follow_likeness()


def quality(service: ServiceUnderTest, known: Labelled) -> Found:
    """Enters the set and takes what is proposed for the whole base."""
    index = {identifier: at for at, identifier in enumerate(enter(service, known))}
    settle(service)
    # Once more, now that all are known: how many share a value is told by all.
    service.call(c.StartScan())
    settle(service)
    proposed: dict[tuple[int, int], float] = {}
    cursor = None
    while True:
        page: dict[str, Any] = service.call(c.ListLikelyPairs(limit=200, cursor=cursor))
        for item in page["items"]:
            low, high = sorted(index[side["id"]] for side in item["clients"])
            proposed[low, high] = item["score"]
        cursor = page["next"]
        if cursor is None:
            return Found(known, proposed)


def table(found: Found) -> Table:
    """What a person reads."""
    made = Table(title=f"{len(found.known.clients)} clients, {len(found.known.same)} entered twice")
    for title in ("", "found", "of", "share"):
        made.add_column(title, justify="left" if not title else "right", no_wrap=True)
    for kind, (got, whole) in found.by_kind().items():
        made.add_row(kind, str(got), str(whole), f"{got / whole:.0%}")
    for name, least in BANDS:
        made.add_row(f"{name} (≥ {least}): precision", str(len(found.right(least))), str(len(found.at(least))),
                     f"{found.precision(least):.1%}")  # fmt: skip
        made.add_row(f"{name} (≥ {least}): recall", str(len(found.right(least))), str(len(found.known.same)),
                     f"{found.recall(least):.1%}")  # fmt: skip
    return made


def report(postgres_url: str, seed: int = 1) -> Found:
    """Measures on one set and prints the table."""
    service = make_service("clients", postgres_url)
    try:
        found = quality(service, labelled(seed))
    finally:
        service.close()
    Console(width=120).print(table(found))
    return found
