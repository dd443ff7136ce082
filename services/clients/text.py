"""How names, references and phones are compared: accents, case, apostrophes and ligatures do not count."""

from __future__ import annotations

import re
import unicodedata

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d"})
_APOSTROPHES = re.compile(r"['’ʼ`´]")
_OTHER = re.compile(r"[^0-9a-z]+")


def fold(text: str) -> str:
    """Lower case without accents: letters and digits in words parted by one space, apostrophes dropped."""
    lowered = unicodedata.normalize("NFKD", text).lower().translate(_LIGATURES)
    bare = "".join(c for c in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(c))
    return _OTHER.sub(" ", _APOSTROPHES.sub("", bare)).strip()


def search_text(*parts: str) -> str:
    """What a client is found by: each part folded, also with its apostrophes as spaces."""
    words: dict[str, None] = {}
    for part in parts:
        for form in (fold(part), fold(_APOSTROPHES.sub(" ", part))):
            if form:
                words[form] = None
    return " ".join(words)


def phone_digits(*phones: str) -> str:
    """Digits of each phone in national form (`0033 4…`, `+33 4…` and `04…` alike), parted by spaces."""
    return " ".join(filter(None, (national_digits(phone) for phone in phones)))


def national_digits(phone: str) -> str:
    """Digits of a phone without the French prefix and without its leading zero."""
    main = re.split(r"(?i)\b(?:poste|ext)", phone)[0]
    digits = re.sub(r"\D", "", main)
    for prefix in ("0033", "33"):
        if digits.startswith(prefix) and len(digits) - len(prefix) in (9, 10):
            digits = digits[len(prefix) :]
            break
    return digits.lstrip("0")


def looks_like_phone(text: str) -> bool:
    """Whether what was typed can only be a phone: six digits or more and nothing but their usual company."""
    return bool(re.fullmatch(r"[\d\s.()+/-]+", text)) and len(re.sub(r"\D", "", text)) >= 6


def display_name(kind: str, first_name: str, last_name: str, company_name: str) -> str:
    """Name as shown: companies by their name, persons last name first as French lists do."""
    person = " ".join(part for part in (last_name, first_name) if part)
    return (company_name or person) if kind != "individual" else (person or company_name)
