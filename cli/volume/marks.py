"""Marks: words and figures of the pattern that stand for what each copy has otherwise, told from all other text.

A mark is a word that no language has (`Zqlaaab`), so that it is found again in whatever form a service keeps it: folded
for a search, in an e-mail address, in the name of a residence. Figures are told by their form.
"""

from __future__ import annotations

import re
from random import Random

#: Clients of the pattern are counted from here, so that figures made of their rank are told from others.
FIRST = 900_000
#: Letter behind `zq` → what it stands for.
WORDS = {"f": "first_name", "l": "last_name", "c": "town", "s": "street", "b": "building", "y": "syndic"}
_LETTERS = "abcdefghij"
#: Marked postal codes (of no department) are counted from here, with the town's own mark.
POSTAL = 98_000
_MOBILE, _LANDLINE = "06 39 98", "01 99 00"

#: Everything that a copy has otherwise, in one pass; what is sure stands first.
FOUND = re.compile(
    r"(?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    r"|(?P<word>[Zz][Qq][flcsby][a-j]{4})"
    r"|(?P<number>\b(?:[DFA]|INT|CH)-20\d\d-\d{4,})"
    r"|(?P<link>\[(?:hash|previous)_of_[DFA]-20\d\d-\d{4,}\])"
    r"|(?P<phone>(?:\+33 ?|\b33|\b0)(?:6 ?39 ?98|1 ?99 ?00)(?: ?\d\d){2})"
    r"|(?P<reference>(?:\bCLI-|\bcli )\d{5,})"
    r"|(?P<rank>(?:(?<![\d.])|(?<=\b411))90\d{4}(?!\d))"
    r"|(?P<company>\bFR\d{11}\b|(?<!\d)\d{14}(?!\d)|(?<![\d.])[3-9]\d{8}(?![\d.]))"
    r"|(?P<postal>(?<![\d.,-])98\d{3}(?![\d.]))"
)


class MarkedNames:
    """Draws marks instead of names, each once."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def _next(self, kind: str) -> int:
        self._counts[kind] = self._counts.get(kind, -1) + 1
        assert self._counts[kind] < (1_000 if kind == "c" else 10_000), "more draws than marks: a smaller pattern"
        return self._counts[kind]

    def _word(self, kind: str) -> str:
        return f"Zq{kind}{letters(self._next(kind))}"

    def begin(self, key: str) -> None:
        """Marks depend on nothing but their order."""

    def first_name(self) -> str:
        return self._word("f")

    def last_name(self) -> str:
        return self._word("l")

    def town(self, rng: Random) -> tuple[str, str]:
        number = self._next("c")
        return f"{POSTAL + number:05d}", f"Zqc{letters(number)}"

    def street(self, rng: Random) -> str:
        return self._word("s")

    def building(self, rng: Random) -> str:
        return self._word("b")

    def syndic(self, rng: Random) -> str:
        return self._word("y")

    def mobile(self, rng: Random) -> str:
        return _phone(_MOBILE, self._next(_MOBILE))

    def landline(self, rng: Random) -> str:
        return _phone(_LANDLINE, self._next(_LANDLINE))


def letters(number: int) -> str:
    """Four letters for a number below ten thousand."""
    return "".join(_LETTERS[number // 10**n % 10] for n in (3, 2, 1, 0))


def number_of(word: str) -> int:
    """Inverse of `letters`, of the end of a marked word in any case."""
    return int("".join(str(_LETTERS.index(letter)) for letter in word[-4:].lower()))


def _phone(prefix: str, number: int) -> str:
    return f"{prefix} {number // 100:02d} {number % 100:02d}"
