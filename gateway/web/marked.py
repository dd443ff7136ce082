"""What of a name answers what was typed, marked (look, *clients-recherche*: a typo is forgiven and marked)."""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher

from markupsafe import Markup, escape

_WORDS = re.compile(r"(\w+)", re.UNICODE)
#: How alike a word must be to one typed that it does not hold.
_ALIKE = 0.75


def marked(name: str, asked: str | None) -> Markup:
    """The name with `<mark>` around what was found, else around the words that are nearly what was typed."""
    typed = _plain(asked or "").split()
    if not typed:
        return Markup(escape(name))
    parts = [_found(word, typed) for word in _WORDS.split(name)]
    if not any(hit for _, hit in parts):
        parts = [(_mark(word), True) if _near(word, typed) else (escape(word), False) for word in _WORDS.split(name)]
    return Markup("").join(text for text, _ in parts)


def _found(word: str, typed: list[str]) -> tuple[Markup, bool]:
    plain = _plain(word)
    # Folding may change how many letters there are (œ): then the whole word is marked.
    for each in sorted(typed, key=len, reverse=True):
        at = plain.find(each)
        if at < 0 or not plain:
            continue
        if len(plain) != len(word):
            return _mark(word), True
        return escape(word[:at]) + _mark(word[at : at + len(each)]) + escape(word[at + len(each) :]), True
    return escape(word), False


def _near(word: str, typed: list[str]) -> bool:
    plain = _plain(word)
    return len(plain) > 3 and any(SequenceMatcher(None, plain, each).ratio() >= _ALIKE for each in typed)


def _mark(text: str) -> Markup:
    return Markup("<mark>{}</mark>").format(text)


def _plain(text: str) -> str:
    lowered = text.lower().replace("œ", "oe").replace("æ", "ae").replace("’", " ").replace("'", " ")
    return "".join(c for c in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(c))
