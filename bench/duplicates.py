"""Likely duplicates: how many are found and how many are right, on a labelled set; and how long it takes at volume.

The set is entered into a `clients` service over PostgreSQL as an office would, by its own commands; what it then
proposes for the whole base is held against what is known.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.floors import RAW
from bench.ground import Ground
from bench.labelled import TRADES, Labelled, Office, Typed, labelled
from bench.measure import Measure
from contracts import clients as c
from contracts.fields import phone_forms
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


def measures(ground: Ground) -> list[Measure]:
    """Prints precision and recall; then one client's duplicates among many, and the whole base, in one process."""
    report(ground.postgres_url)
    count = int(os.environ.get("FICHE_BENCH_CLIENTS", "100000"))
    service, twice = large(ground.postgres_url, count)
    ground.stack.callback(service.close)
    seconds = scan(service)
    pairs, right = service.sql(_PAIRS)[0]
    ground.notes.append(
        f"Duplicates of the whole base: {count:,} clients in {seconds:.0f} s, {pairs:,} pairs; "
        f"of {twice:,} entered twice {right / max(twice, 1):.1%} are among them."
    )
    return [Measure(f"duplicates of one of {count:,} clients", one_by_one(service), 20, RAW)]


_PAIRS = """
    SELECT count(*), count(*) FILTER (WHERE left(lo.reference, 10) = left(hi.reference, 10))
    FROM likely_pair p JOIN client lo ON lo.id = p.low_id JOIN client hi ON hi.id = p.high_id
"""


def large(postgres_url: str, clients: int) -> tuple[ServiceUnderTest, int]:
    """A company of so many clients with an address each and nothing else, written into the tables as they are.

    A third live in the largest of 150 towns, a twelfth in the next. One in thirty is entered again with an error: how
    many are, is the second of what is returned; their references tell (`CLI-000012` and `CLI-000012-2`).
    """
    service = make_service("clients", postgres_url)
    office = Office(1)
    random, faker = office.random, office.faker
    firsts, lasts = ([make() for _ in range(3_000)] for make in (faker.first_name, faker.last_name))
    streets = [faker.street_name() for _ in range(5_000)]
    towns = [(f"{random.randrange(1, 96):02}{random.randrange(1000):03}", faker.city()) for _ in range(150)]
    weights = [1 / rank**2 if rank > 1 else 4 / 3 for rank in range(1, 1 + len(towns))]
    weights = [weight + 0.015 for weight in weights]
    errors = list(office.errors().values())
    rows: list[dict[str, str]] = []
    twice = 0
    while len(rows) < clients:
        number = len(rows)
        first, last = random.choice(firsts), random.choice(lasts)
        code, city = random.choices(towns, weights)[0]
        street = f"{random.randrange(1, 200)} {random.choice(streets)}" if number % 10 else random.choice(streets)
        typed = {"phone": f"+336{random.randrange(10**8):08}", "street": street, "postal_code": code, "city": city}
        if number % 3:
            typed |= {"first_name": first, "last_name": last, "email": f"{number}@courriel.example"}
        else:
            typed["company_name"] = f"{random.choice(TRADES)} {last} {first}"
        rows.append(_row(typed, f"CLI-{number:06}"))
        if number % 30 == 1:
            rows.append(_row(office.again(typed, random.choice(errors)), f"CLI-{number:06}-2"))
            twice += 1
    for start in range(0, len(rows), 5_000):
        service.sql(_INSERT, rows=json.dumps(rows[start : start + 5_000]))
    service.sql("ANALYZE")
    return service, twice


def _row(typed: Typed, reference: str) -> dict[str, str]:
    names = ("first_name", "last_name", "company_name", "email", "street", "postal_code", "city")
    # Phones as they are kept: the ways of writing them are for `quality`, which enters clients by commands.
    phone = phone_forms(typed.get("phone", ""))[0]
    kind = "company" if "company_name" in typed else "individual"
    return {"kind": kind, "reference": reference, "phone": phone, **{name: typed.get(name, "") for name in names}}


_INSERT = """
    WITH r AS MATERIALIZED (
        SELECT gen_random_uuid() AS id, gen_random_uuid() AS address, gen_random_uuid() AS place, x.*
        FROM json_to_recordset(CAST(:rows AS json)) AS x(kind text, first_name text, last_name text, company_name text,
            email text, phone text, reference text, street text, postal_code text, city text)
    ), p AS (INSERT INTO place (id) SELECT place FROM r),
    c AS (
        INSERT INTO client (id, kind, first_name, last_name, company_name, display_name, reference, email, phone,
            phone_e164, search, sort_name, main_address_id, created_by_id, created_by_name, updated_by_id,
            updated_by_name)
        SELECT id, kind, first_name, last_name, company_name,
            coalesce(nullif(company_name, ''), last_name || ' ' || first_name), reference, email, phone, phone,
            lower(concat(first_name, ' ', last_name, ' ', company_name, ' ', reference)),
            lower(concat(last_name, company_name)), address, 'bench', 'Bench', 'bench', 'Bench' FROM r
    )
    INSERT INTO address (id, home_client_id, written_client_id, label, street, street_extra, postal_code, city, country,
        access_notes, place_id, created_by_id, created_by_name, updated_by_id, updated_by_name)
    SELECT address, id, id, '', street, '', postal_code, city, 'FR', '', place, 'bench', 'Bench', 'bench', 'Bench'
    FROM r
"""


def scan(service: ServiceUnderTest) -> float:
    """Compares the whole base; how many seconds it took."""
    # What was just written is due as well: the scan covers it.
    service.sql("TRUNCATE likeness_due")
    began = time.monotonic()
    service.call(c.StartScan())
    settle(service)
    return time.monotonic() - began


def one_by_one(service: ServiceUnderTest) -> Callable[[], None]:
    """Asks for the duplicates of one client after the other, taken at random."""
    rows = service.sql("SELECT id FROM client WHERE deleted_at IS NULL AND merged_into IS NULL ORDER BY id")
    ids = itertools.cycle(Random(1).sample([row[0] for row in rows], min(500, len(rows))))

    def once() -> None:
        assert "items" in service.call(c.ListDuplicates(client_id=next(ids)))

    return once
