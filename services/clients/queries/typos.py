"""What a search may have meant that finds nothing as it is typed: one wrong, missing, extra or swapped letter.

A word is looked for among the distinct words of all clients, of which there are few, and clients by the words found
alone: looked for in each client's own text, a typo takes dozens of passes over the index of all of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.clients.text import one_typo, untouched

_ALIKE = text("SELECT word FROM search_word WHERE word LIKE ANY(:pieces)")
_WHOLE = text("SELECT word FROM search_word WHERE word = ANY(:words)")


@dataclass(frozen=True)
class Meant:
    """Conditions of the client `c`, and their parameters: a word for each typed one, as it is or with one typo.

    `whole`: words of the client that are the typed ones but for that; `alike`: also longer words that hold them.
    """

    whole: str
    alike: str
    params: dict[str, Any]


def meant(session: Session, words: Sequence[str]) -> Meant | None:
    """What was meant by these words. None where no client can be."""
    whole: list[str] = []
    held: list[str] = []
    params: dict[str, Any] = {}
    for n, word in enumerate(words):
        pattern = one_typo(word)
        if pattern is None:
            condition = f"c.search LIKE :word{n}"
            params[f"word{n}"] = f"%{word}%"
            whole.append(condition)
            held.append(condition)
            continue
        found = alike(session, word, pattern)
        same = re.compile(f"(?:{word}|{pattern})").fullmatch
        params |= {f"word{n}": found, f"whole{n}": [one for one in found if same(one)]}
        whole.append(f"string_to_array(c.search, ' ') && CAST(:whole{n} AS text[])")
        either = [f"string_to_array(c.search, ' ') && CAST(:word{n} AS text[])"]
        for k, (left, right) in enumerate(_run_together(session, word)):
            either.append(f"c.search LIKE :joined{n}_{k}")
            params[f"joined{n}_{k}"] = f"%{left} {right}%"
        if not found and len(either) == 1:
            return None
        held.append(" OR ".join(either))
    return Meant(" AND ".join(whole), " AND ".join(f"({each})" for each in held), params)


def alike(session: Session, word: str, pattern: str) -> list[str]:
    """Known words that hold the word, as it is or with one typo."""
    pieces = [f"%{piece}%" for piece in untouched(word)]
    close = re.compile(f"{word}|{pattern}").search
    return [found for found in session.execute(_ALIKE, {"pieces": pieces}).scalars() if close(found)]


def _run_together(session: Session, word: str) -> list[tuple[str, str]]:
    """Two known words that were typed without the space between them."""
    parts = [(word[:n], word[n:]) for n in range(3, len(word) - 2)]
    known = set(session.execute(_WHOLE, {"words": [part for pair in parts for part in pair]}).scalars())
    return [pair for pair in parts if known.issuperset(pair)]
