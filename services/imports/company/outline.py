"""Who the clients are and what happens to them, decided before a word is written.

An outline is cheap and made twice: once to count the documents of each day, so that numbers follow dates without a
gap, and once to write. Each client's draws come from a generator of its own, so nothing depends on the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal

from services.imports.company.words import JOBS

Kind = Literal["individual", "company", "property_manager", "building"]
#: How far back the books go, and how far ahead the planning.
PAST_DAYS, FUTURE_DAYS = 1095, 75


@dataclass(frozen=True, slots=True)
class Work:
    """A job at a client. Days are counted from today. A negative `job` is the yearly maintenance."""

    job: int
    day: int | None
    quoted: int | None = None
    deposit: int | None = None
    invoiced: int | None = None
    credited: int | None = None
    #: draft, sent, refused, or accepted where the job follows
    quote_status: str = "accepted"
    appointment: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """A client and its works. `manager` is the index of the syndic of a building."""

    index: int
    kind: Kind
    manager: int | None
    big: bool
    works: tuple[Work, ...]
    under_contract: bool


def outlines(clients: int, seed: int) -> Iterator[Outline]:
    """One outline per client. A syndic is followed by its buildings, which count among the clients."""
    manager, buildings = 0, 0
    for index in range(clients):
        rng = Random(f"{seed}/{index}/outline")
        draw = rng.random()
        kind: Kind
        if buildings:
            buildings -= 1
            kind = "building"
        elif draw < 0.02 and index + 1 < clients:
            kind = "property_manager"
            # A long tail: most look after a handful of buildings, a few after dozens.
            manager, buildings = index, min(60, 2 + int(rng.paretovariate(0.9)))
        else:
            kind = "company" if draw < 0.3 else "individual"
        yield _outline(index, kind, manager if kind == "building" else None, rng)


def _outline(index: int, kind: Kind, manager: int | None, rng: Random) -> Outline:
    contract = rng.random() < {"individual": 0.45, "company": 0.6, "building": 0.95, "property_manager": 0.0}[kind]
    if kind == "property_manager":
        count = rng.choice((0, 0, 1))
    elif kind == "individual":
        count = min(12, int(rng.paretovariate(1.3)))
    else:
        count = min(300, int(rng.paretovariate(0.85)) + 1)
    works = [_work(rng, kind) for _ in range(count)]
    if contract:
        first = rng.randrange(365)
        works += [
            Work(-1, day, invoiced=_after(rng, day, 1, 12))
            for day in range(first - PAST_DAYS, FUTURE_DAYS, 365)
            if rng.random() < 0.93
        ]
    return Outline(index, kind, manager, count > 25, tuple(works), contract)


def _after(rng: Random, day: int, least: int, most: int) -> int | None:
    """A day that follows, None when it has not come yet."""
    found = day + rng.randint(least, most)
    return found if found <= 0 else None


def _work(rng: Random, kind: Kind) -> Work:
    large = rng.random() < 0.12
    job = rng.choice([number for number, known in enumerate(JOBS) if known.large == large])
    day = rng.randint(-PAST_DAYS, FUTURE_DAYS)
    if rng.random() < 0.04:
        return Work(job, None)
    if rng.random() < 0.06:
        return Work(job, day, appointment=True)
    quoted = min(0, day - rng.randint(8, 40)) if large or rng.random() < 0.15 else None
    if quoted is not None:
        fate = rng.random()
        if fate < 0.3:
            fresh = quoted > -40
            return Work(
                job, None, quoted=quoted, quote_status=("draft" if fate < 0.06 else "sent") if fresh else "refused"
            )
    invoiced = _after(rng, day, 0, 9) if rng.random() < 0.94 else None
    deposit = _after(rng, quoted, 2, 6) if large and quoted is not None else None
    credited = _after(rng, invoiced, 5, 30) if invoiced is not None and rng.random() < 0.03 else None
    return Work(job, day, quoted, deposit, invoiced, credited)


class Numbers:
    """Numbers by series and year, as billing writes them: in the order of the days, without a gap."""

    def __init__(self, prefix: str, today: date) -> None:
        self._prefix = prefix
        self._today = today
        self._counts: dict[date, int] = {}
        self._next: dict[date, int] = {}

    def count(self, day: int | None) -> None:
        """A document of that day will come."""
        if day is not None:
            when = self._today + timedelta(days=day)
            self._counts[when] = self._counts.get(when, 0) + 1

    def close(self) -> None:
        """All documents are counted: the first number of each day is known."""
        year, counter = 0, 1
        for when in sorted(self._counts):
            if when.year != year:
                year, counter = when.year, 1
            self._next[when] = counter
            counter += self._counts[when]

    def give(self, day: int) -> str:
        """The next number of that day."""
        when = self._today + timedelta(days=day)
        counter = self._next[when]
        self._next[when] = counter + 1
        return f"{self._prefix}-{when.year}-{counter:04d}"
