"""What copies are called: drawn from the copy and the mark alone, so that every service's rows say the same."""

from __future__ import annotations

import hashlib
from functools import cache

from faker.providers.person.fr_FR import Provider

from services.imports.company import words

#: Beginnings and ends of which most French family names could be made; beside the frequent ones they give a list as
#: long as that of a real town, where a search meets rare words too.
_BEGIN = (
    "Bar", "Bel", "Ber", "Bon", "Bou", "Bour", "Bra", "Cam", "Car", "Cha", "Chau", "Cor", "Cou", "Del", "Des", "Dor",
    "Dur", "Fau", "Fer", "Fon", "Fou", "Gail", "Gar", "Gau", "Gou", "Gran", "Gri", "Guil", "Jac", "Jou", "Lam", "Lan",
    "Lar", "Lau", "Mail", "Mal", "Mar", "Mas", "Mau", "Mer", "Mon", "Mor", "Mou", "Nar", "Pal", "Par", "Pas", "Pel",
    "Per", "Pom", "Pra", "Quin", "Rai", "Ram", "Ri", "Rou", "Sal", "Sau", "Tar", "Ter", "Tou", "Val", "Ver", "Vil",
)  # fmt: skip
_END = (
    "bault", "bert", "bier", "chard", "chet", "colin", "danne", "dier", "don", "dreau", "fray", "gand", "gnac", "gnol",
    "got", "lard", "laud", "let", "lin", "lois", "main", "mand", "mont", "nard", "net", "neuil", "pin", "quet", "rand",
    "reau", "ric", "rivet", "sac", "sard", "seau", "sier", "tal", "teau", "thier", "tier", "ton", "trand", "vaux",
    "vel", "vier", "zat",
)  # fmt: skip
_RESIDENCES = (
    "Les Acacias", "Les Alizés", "Le Bellecour", "Les Bleuets", "Les Bruyères", "Le Castel", "Les Cèdres",
    "Les Charmilles", "Les Châtaigniers", "Le Clos des Vignes", "Les Coteaux", "Le Domaine du Lac", "Les Églantines",
    "Le Grand Pré", "Les Glycines", "Les Hirondelles", "Les Jonquilles", "Le Jardin des Lilas", "Les Lauriers",
    "Les Magnolias", "Le Manoir", "Les Marronniers", "Les Mésanges", "Le Moulin", "Les Noisetiers", "Les Oliviers",
    "Le Parc Montchat", "Les Platanes", "Les Primevères", "Le Quai des Brumes", "Les Remparts", "Le Saint-Exupéry",
    "Les Saules", "Le Val Fleuri", "Les Vergers", "Le Verseau", "La Villanelle", "Les Violettes",
)  # fmt: skip
_FIXED = ("01 99 00", "02 61 91", "03 53 01", "04 65 71", "05 36 49")


def _plain(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names without apostrophe or dot, which a search folds in two ways."""
    return tuple(name for name in names if not set("'’.") & set(name))


def _surnames() -> tuple[str, ...]:
    frequent = _plain(tuple(dict.fromkeys(Provider.last_names)))
    made = [begin + end for end in _END for begin in _BEGIN]
    return (*frequent, *(name for name in dict.fromkeys(made) if name not in frequent))


_WORDS: dict[str, tuple[str, ...]] = {
    "f": _plain(tuple(dict.fromkeys(Provider.first_names))),
    "l": _surnames(),
    "s": words.STREETS,
    "b": _plain((*words.BUILDING_NAMES, *_RESIDENCES)),
    "y": _plain(words.SYNDICS),
}
_TOWNS = tuple((postal, town) for postal, town in words.TOWNS if not set("'’.") & set(town))
#: Few names are borne by many, many by few: how steeply.
_STEEP = {"f": 1.5, "l": 2.5}


def draw(key: str, mark: str) -> float:
    """A number from 0 to below 1."""
    digest = hashlib.blake2b(f"{key}/{mark}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48


@cache
def _many(kind: str) -> int:
    return len(_WORDS[kind])


def word(key: str, kind: str, mark: str) -> str:
    """What a marked word of this kind is in the copy of this key."""
    at = draw(key, kind + mark) ** _STEEP.get(kind, 1.0)
    if kind == "l" and draw(key, "double" + mark) < 0.06:
        return f"{_WORDS['l'][int(at * 400)]}-{_WORDS['l'][int(draw(key, 'second' + mark) * 400)]}"
    return _WORDS[kind][int(at * _many(kind))]


def town(key: str, number: int) -> tuple[str, str]:
    """Postal code and name of a marked town."""
    return _TOWNS[int(draw(key, f"c{number}") * len(_TOWNS))]


def phone(key: str, digits: str) -> str:
    """A number of a range kept for fiction, as written in France; `digits` are the marked ones as dialled abroad."""
    last = int(draw(key, digits) * 10_000)
    first = "06 39 98" if digits.startswith("6") else _FIXED[last % len(_FIXED)]
    return f"{first} {last // 100:02d} {last % 100:02d}"
