"""How names, references and phones are compared: accents, case, apostrophes and ligatures do not count.

What is stored and what is asked go through the same functions, so that both always agree.
"""

from __future__ import annotations

import re
import unicodedata

from contracts.fields import phone_forms

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d"})
_APOSTROPHES = re.compile(r"['’‘ʼ`´.]")
_OTHER = re.compile(r"[^0-9a-z]+")
#: Shorter words are too alike for a typo to be told from another word.
TYPO_MIN = 4


def fold(text: str) -> str:
    """Lower case without accents: letters and digits in words parted by one space, apostrophes and dots dropped."""
    return _fold(_APOSTROPHES.sub("", text))


def reference_key(text: str) -> str:
    """How a reference is told from another: case, accents and which punctuation parts its words do not count."""
    return _fold(text) or text.strip()


def _fold(text: str) -> str:
    if text.isascii():
        return _OTHER.sub(" ", text.lower()).strip()
    lowered = unicodedata.normalize("NFKD", text).lower().translate(_LIGATURES)
    bare = "".join(c for c in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(c))
    return _OTHER.sub(" ", bare).strip()


def search_text(*parts: str) -> str:
    """What a client is found by: each part folded, also with its apostrophes and dots as spaces."""
    words: dict[str, None] = {}
    for part in parts:
        for form in (fold(part), fold(_APOSTROPHES.sub(" ", part))):
            if form:
                words[form] = None
    return " ".join(words)


def phone_digits(*phones: str) -> str:
    """Digits of each phone as dialled at home and from abroad (`0199…`, `33199…`), parted by spaces."""
    found: dict[str, None] = {}
    for phone in phones:
        if not phone:
            continue
        dialled, shown = phone_forms(phone)
        for form in (shown.partition(" poste ")[0], dialled.partition(";")[0]):
            digits = re.sub(r"\D", "", form)
            if digits:
                found[digits] = None
    return " ".join(found)


def asked_digits(text: str) -> str:
    """Digits to look for among `phone_digits`: what was typed, without `00` or `(0)` of international writing."""
    digits = re.sub(r"\D", "", re.sub(r"\(0\)", "", text))
    return digits[2:] if digits.startswith("00") and len(digits) > 10 else digits


def looks_like_phone(text: str) -> bool:
    """Whether what was typed can be a phone: six digits or more and nothing but their usual company."""
    return bool(re.fullmatch(r"[\d\s.()+/-]+", text)) and len(re.sub(r"\D", "", text)) >= 6


def one_typo(word: str) -> str | None:
    """Regular expression of all words that hold `word` with one wrong, missing, extra or swapped letter.

    None for short words, and for those that are not letters alone.
    """
    if len(word) < TYPO_MIN or not word.isalpha() or not word.isascii():
        return None
    forms = {f"{word[:n]}.{word[n + 1 :]}" for n in range(len(word))}
    forms |= {f"{word[:n]}.{word[n:]}" for n in range(1, len(word))}
    forms |= {f"{word[:n]}{word[n + 1 :]}" for n in range(len(word))}
    forms |= {f"{word[:n]}{word[n + 1]}{word[n]}{word[n + 2 :]}" for n in range(len(word) - 1)}
    return "|".join(sorted(forms))


def untouched(word: str) -> list[str]:
    """Pieces of which every word that `one_typo` finds holds one: a half is left as it is, or the border swapped."""
    middle = len(word) // 2
    swapped = word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]
    return [word[:middle], word[middle:], swapped]


def display_name(kind: str, first_name: str, last_name: str, company_name: str) -> str:
    """Name as shown: companies by their name, persons last name first as French lists do."""
    person = " ".join(part for part in (last_name, first_name) if part)
    return (company_name or person) if kind != "individual" else (person or company_name)
