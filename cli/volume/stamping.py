"""From the pattern to copies: how often each cluster is stamped, what each copy has otherwise, and its text."""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cli.volume import names
from cli.volume.marks import FIRST, FOUND, POSTAL, number_of
from cli.volume.reading import Cluster, Pattern
from services.billing.model.chain import link
from services.clients.text import fold
from services.imports.company.people import siren, siret, slug, vat_number


@dataclass
class Copy:
    """The `nth` copy of a cluster (from 0); its clients are counted from `first` (from 1)."""

    cluster: int
    nth: int
    first: int
    seed: int

    @cached_property
    def key(self) -> str:
        """What its draws depend on."""
        return f"{self.seed}/{self.cluster}/{self.nth}"

    @cached_property
    def tail(self) -> str:
        """End of each of its ids."""
        return hashlib.blake2b(self.key.encode(), digest_size=6).hexdigest()


def plan(clusters: Sequence[Cluster], clients: int, interventions: int, seed: int) -> list[Copy]:
    """So many clients to the one, and at least so many interventions where the clusters allow it.

    Busy clients are stamped oftener or rarer until the proportion is right; single clients fill what is left.
    """
    wanted = interventions / clients
    sizes = [len(cluster.clients) for cluster in clusters]
    busy = [cluster.interventions / size for cluster, size in zip(clusters, sizes, strict=True)]

    def shares(tilt: float) -> list[float]:
        weights = [math.exp(tilt * min(b, 60)) for b in busy]
        whole = sum(weight * size for weight, size in zip(weights, sizes, strict=True))
        return [weight / whole for weight in weights]

    low, high = -2.0, 2.0
    for _ in range(60):
        middle = (low + high) / 2
        mean = sum(s * cluster.interventions for s, cluster in zip(shares(middle), clusters, strict=True))
        low, high = (middle, high) if mean < wanted else (low, middle)
    counts = [int(share * clients) for share in shares(high)]
    left = clients - sum(count * size for count, size in zip(counts, sizes, strict=True))
    short = interventions - sum(count * c.interventions for count, c in zip(counts, clusters, strict=True))
    single = sorted((c.interventions, n) for n, c in enumerate(clusters) if len(c.clients) == 1)
    for remaining in range(left, 0, -1):
        need = short / remaining
        works, chosen = next((entry for entry in single if entry[0] >= need), single[-1])
        counts[chosen] += 1
        short -= works
    copies: list[Copy] = []
    first = 1
    for nth in range(max(counts)):
        for number, count in enumerate(counts):
            if nth < count:
                copies.append(Copy(number, nth, first, seed))
                first += sizes[number]
    return copies


@dataclass
class Books:
    """Numbers and hashes of the copies' documents."""

    #: Number in the pattern → how many bear a lower one of its series and year.
    before: dict[str, int]
    counts: dict[int, int]
    #: Last number of each series and year, and the last hash.
    last: dict[tuple[str, int], int] = field(default_factory=dict)
    last_hash: dict[tuple[str, int], str] = field(default_factory=dict)
    hashes: dict[tuple[str, int], str] = field(default_factory=dict)
    previous: dict[tuple[str, int], str] = field(default_factory=dict)

    def number(self, number: str, copy: Copy) -> str:
        """A document's number in a copy."""
        series, year, digits = number.split("-")
        return f"{series}-{year}-{self.before[number] + copy.nth + 1:0{len(digits)}d}"


def books(pattern: Pattern, copies: Sequence[Copy]) -> Books:
    """Counts all numbers in the order of the pattern's, which is that of the days, and chains what was issued."""
    counts: dict[int, int] = defaultdict(int)
    for copy in copies:
        counts[copy.cluster] += 1
    found = Books({}, dict(counts))
    for number in sorted(pattern.numbers, key=_series):
        series, year, _ = _series(number)
        found.before[number] = found.last.get((series, year), 0)
        found.last[series, year] = found.before[number] + counts[pattern.numbers[number]]
    by_cluster: dict[int, list[Copy]] = defaultdict(list)
    for copy in copies:
        by_cluster[copy.cluster].append(copy)
    for number in sorted(pattern.frozen, key=_series):
        series, year, _ = _series(number)
        cluster = pattern.numbers[number]
        template = Template(pattern, found, cluster, [pattern.frozen[number]])
        for copy in by_cluster[cluster]:
            before = found.last_hash.get((series, year), "")
            found.previous[number, copy.nth] = before
            found.hashes[number, copy.nth] = link(before, json.loads(template.text(copy)))
            found.last_hash[series, year] = found.hashes[number, copy.nth]
    return found


def _series(number: str) -> tuple[str, int, int]:
    series, year, digits = number.split("-")
    return series, int(year), int(digits)


class Template:
    """Lines of one cluster, and what stands in them instead of marks."""

    def __init__(self, pattern: Pattern, kept: Books, cluster: int, lines: Sequence[str]) -> None:
        self._pattern, self._books = pattern, kept
        self._clients = pattern.clusters[cluster].clients
        self._pieces: list[str] = []
        self._slots: list[int] = []
        self._specs: dict[tuple[str, str], int] = {}
        self.lines = len(lines)
        whole, at = "\n".join(lines), 0
        for match in FOUND.finditer(whole):
            spec, start = self._spec(match, whole)
            if spec is not None:
                self._pieces.append(whole[at:start])
                self._slots.append(self._specs.setdefault(spec, len(self._specs)))
                at = match.end()
        self._pieces.append(whole[at:])

    def _spec(self, match: Any, whole: str) -> tuple[tuple[str, str] | None, int]:
        """What is to stand there, and where it begins; None where nothing changes."""
        text, start = match[0], match.start()
        kind = str(match.lastgroup)
        if kind == "uuid":
            # Ids keep all but their end: those of a copy sort as the pattern's do.
            return (("tail", "") if text in self._pattern.ids else None), start + 24
        if kind == "word":
            around = whole[start - 1 : start] + whole[match.end() : match.end() + 1]
            form = "as_is" if text[0] == "Z" else "slug" if set(".@-/") & set(around) else "fold"
            return (form, text[2:]), start
        if kind == "company" and text not in self._pattern.companies:
            return None, start
        if kind == "number" and text not in self._pattern.numbers:
            return None, start
        if kind == "postal" and text not in self._pattern.postal_codes:
            return None, start
        if kind == "rank" and int(text) - FIRST - 1 not in self._clients:
            return None, start
        return (kind, text), start

    def text(self, copy: Copy) -> str:
        """The lines of a copy."""
        values = [self._value(kind, text, copy) for kind, text in self._specs]
        parts = [""] * (2 * len(self._slots) + 1)
        parts[::2] = self._pieces
        parts[1::2] = [values[slot] for slot in self._slots]
        return "".join(parts)

    def _value(self, kind: str, text: str, copy: Copy) -> str:
        match kind:
            case "tail":
                return copy.tail
            case "as_is":
                return _word(copy, text)
            case "slug":
                return slug(_word(copy, text))
            case "fold":
                return fold(_word(copy, text))
            case "postal":
                return names.town(copy.key, int(text) - POSTAL)[0]
            case "phone":
                return _phone(copy, text)
            case "rank":
                return f"{self._client(copy, int(text) - FIRST - 1):06d}"
            case "reference":
                return f"{text[:4]}{self._client(copy, self._pattern.references[text[4:]]):05d}"
            case "company":
                rank, which = self._pattern.companies[text]
                number = siren(self._client(copy, rank), copy.seed)
                return {"siren": number, "siret": siret(number), "vat_number": vat_number(number)}[which]
            case "number":
                return self._books.number(text, copy)
            case "link":
                which, _, number = text[1:-1].partition("_of_")
                return (self._books.hashes if which == "hash" else self._books.previous)[number, copy.nth]
        raise AssertionError(kind)

    def _client(self, copy: Copy, rank: int) -> int:
        """Which client of the company a client of the pattern is in a copy."""
        return copy.first + self._clients[rank]


def _word(copy: Copy, mark: str) -> str:
    """`mark` is the letter of its kind and what tells it from others."""
    return names.town(copy.key, number_of(mark))[1] if mark[0] == "c" else names.word(copy.key, mark[0], mark[1:])


def _phone(copy: Copy, text: str) -> str:
    """The number in the form in which the marked one stands."""
    digits = "".join(filter(str.isdigit, text)).removeprefix("33").removeprefix("0")
    national = names.phone(copy.key, digits)[1:]
    head = text[: text.index(digits[0], {"+": 3, "3": 2, "0": 1}[text[0]])]
    return head + (national if text[-3] == " " else national.replace(" ", ""))
