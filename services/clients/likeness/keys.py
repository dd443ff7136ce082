"""What a client is known by, with everything taken off that says nothing of who it is.

Legal forms and civilities are those of French companies and letters; kinds of ways are the abbreviations of the
national address file (BAN). What is typed and what is stored go through the same functions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from services.clients.text import fold

#: Legal forms and titles: « Ets Vidal » and « Vidal SARL » are called alike.
FORMS = frozenset(
    (
        "sarl", "sas", "sasu", "sa", "eurl", "sci", "snc", "scop", "scp", "scm", "selarl", "gaec", "earl", "ei", "eirl",
        "ets", "etablissement", "etablissements", "societe", "ste", "entreprise", "cie", "compagnie", "et", "fils",
        "m", "mr", "mme", "mlle", "monsieur", "madame", "mademoiselle", "dr", "docteur", "me", "maitre", "ep", "epouse",
        "veuve", "nee", "le", "la", "les", "de", "du", "des", "d", "l",
    )
)  # fmt: skip
_WAYS = {
    "av": "avenue", "ave": "avenue", "bd": "boulevard", "bld": "boulevard", "blvd": "boulevard", "boul": "boulevard",
    "r": "rue", "pl": "place", "ch": "chemin", "che": "chemin", "chem": "chemin", "imp": "impasse", "all": "allee",
    "rte": "route", "sq": "square", "fg": "faubourg", "fbg": "faubourg", "st": "saint", "ste": "sainte",
    "res": "residence", "bat": "batiment", "gal": "general", "dr": "docteur", "pdt": "president", "mal": "marechal",
    "crs": "cours", "qu": "quai", "lot": "lotissement", "za": "zone artisanale", "zi": "zone industrielle",
}  # fmt: skip
_SMALL = frozenset(("de", "du", "des", "d", "la", "le", "les", "l", "a", "au", "aux"))
_JOINTS = re.compile(r"[-'’]")
_REPEATED = {"b": "bis", "t": "ter", "q": "quater"}
_NUMBER = re.compile(r"^(\d{1,5})\s*(bis|ter|quater|[btq](?=\s))?\s+")


@dataclass(frozen=True)
class Place:
    """An address as it is compared: number, words of the way, postal code, town."""

    number: str
    street: str
    postal_code: str
    city: str

    @property
    def exact(self) -> str:
        """What two addresses at one door share; empty where the door is not told."""
        town = self.postal_code or self.city
        return f"{self.number} {self.street} {town}" if self.street and self.number and town else ""

    @property
    def doors(self) -> set[str]:
        """What two addresses share that are close: the town and the number.

        Where there is no number, how the street begins and how its last word does.
        """
        if not self.street:
            return set()
        words = self.street.split()
        ways = {self.number} if self.number else {f"{words[0][:4]}-", f"-{words[-1][:4]}"}
        towns = {f"p:{self.postal_code}"} if self.postal_code else set()
        if self.city:
            towns.add(f"t:{self.city}")
        return {f"{town} {way}" for town in towns for way in ways}


@dataclass(frozen=True)
class Facts:
    """What is known of a record, or of all records of one client together."""

    #: (first name, last name), folded: a person.
    persons: frozenset[tuple[str, str]] = frozenset()
    #: Names of companies, their telling words in order.
    companies: frozenset[str] = frozenset()
    sirets: frozenset[str] = frozenset()
    sirens: frozenset[str] = frozenset()
    vats: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    places: frozenset[Place] = field(default_factory=frozenset)

    @cached_property
    def name(self) -> str:
        """Its first name of them, a company's before a person's: what likeness is looked up by."""
        return min(self.companies or self.names, default="")

    @cached_property
    def names(self) -> set[str]:
        """Every name, its telling words in the order of the alphabet."""
        people = {bare(f"{last} {first}") for first, last in self.persons}
        return {each for each in people | set(self.companies) if each}

    @cached_property
    def keys(self) -> set[str]:
        """What another record may have exactly the same, each with its kind before it."""
        kinds = (("siret", self.sirets), ("siren", self.sirens), ("vat_number", self.vats), ("email", self.emails))
        more = (("phone", self.phones), ("name", self.names), ("street", {each.exact for each in self.places}))
        return {f"{kind}:{value}" for kind, values in (*kinds, *more) for value in values if value}

    @cached_property
    def doors(self) -> set[str]:
        """What another record may have that is at a close address (`Place.doors`), as a key."""
        return {f"door:{door}" for each in self.places for door in each.doors}

    @cached_property
    def towns(self) -> set[str]:
        """Where it is: postal codes and towns."""
        codes = {f"p:{each.postal_code}" for each in self.places if each.postal_code}
        return codes | {f"t:{each.city}" for each in self.places if each.city}

    def __or__(self, other: Facts) -> Facts:
        """Of both together."""
        return Facts(**{name: getattr(self, name) | getattr(other, name) for name in self.__dataclass_fields__})

    def to_json(self) -> str:
        """As it is stored."""
        plain = {
            "persons": sorted(self.persons),
            "places": sorted((p.number, p.street, p.postal_code, p.city) for p in self.places),
            **{name: sorted(getattr(self, name)) for name in _PLAIN},
        }
        return orjson.dumps({name: value for name, value in plain.items() if value}).decode()

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Facts:
        """As it was stored."""
        return cls(
            persons=frozenset((first, last) for first, last in stored.get("persons", ())),
            places=frozenset(Place(*each) for each in stored.get("places", ())),
            **{name: frozenset(stored.get(name, ())) for name in _PLAIN},
        )


_PLAIN = ("companies", "sirets", "sirens", "vats", "emails", "phones")


def facts(
    names: dict[str, str],
    *,
    siret: str = "",
    vat_number: str = "",
    emails: set[str] | frozenset[str] = frozenset(),
    phones: set[str] | frozenset[str] = frozenset(),
    addresses: list[tuple[str, str, str]] | None = None,
) -> Facts:
    """Facts from fields as they are stored. `phones` are as dialled (E.164); `addresses`: street, postal code, town."""
    siret, vat = re.sub(r"\D", "", siret), re.sub(r"[\s.]", "", vat_number).upper()
    sirens = {siret[:9]} if len(siret) == 14 else set()
    if re.fullmatch(r"FR..\d{9}", vat):
        sirens.add(vat[4:])
    first, last = (fold(_JOINTS.sub(" ", names.get(each, ""))) for each in ("first_name", "last_name"))
    first, last = (" ".join(word for word in each.split() if word not in _TITLES) for each in (first, last))
    companies = {bare(names[each]) for each in ("company_name", "own_name") if names.get(each)}
    return Facts(
        persons=frozenset({(first, last)} if first or last else ()),
        companies=frozenset(each for each in companies if each),
        sirets=frozenset({siret} if siret else ()),
        sirens=frozenset(sirens),
        vats=frozenset({vat} if vat else ()),
        emails=frozenset(each.strip().lower() for each in emails if each.strip()),
        phones=frozenset(dialled for each in phones if (dialled := each.partition(";")[0])),
        places=frozenset(place(*each) for each in addresses or [] if any(each)),
    )


_TITLES = frozenset(("m", "mr", "mme", "mlle", "monsieur", "madame", "mademoiselle", "dr", "docteur", "me"))


def bare(name: str) -> str:
    """A name without what every other one has: folded words in order, no legal form, no title."""
    words = fold(_JOINTS.sub(" ", name)).split()
    return " ".join(sorted(word for word in words if word not in FORMS) or sorted(words))


def place(street: str, postal_code: str, city: str) -> Place:
    """An address as it is compared."""
    line = fold(_JOINTS.sub(" ", street)) + " "
    found = _NUMBER.match(line)
    number = ""
    if found:
        number = found[1] + (_REPEATED.get(found[2], found[2]) if found[2] else "")
        line = line[found.end() :]
    words = [_WAYS.get(word, word) for word in line.split() if word not in _SMALL]
    return Place(number, " ".join(words), re.sub(r"\s", "", postal_code), _town(city))


def _town(city: str) -> str:
    """A town without its arrondissement and its CEDEX."""
    words = fold(_JOINTS.sub(" ", city)).split()
    kept = [_WAYS.get(word, word) if word in ("st", "ste") else word for word in words]
    return " ".join(word for word in kept if word != "cedex" and not word[0].isdigit() and word not in _SMALL)
