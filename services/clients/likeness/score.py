"""How likely two records are one client, and why.

Each thing in common weighs as in `_WEIGHT`; independent signs join as 1 − Π(1 − w). What many share tells little of
each: a weight falls with the number of clients that have the value. What sets two apart (two SIRENs, father and son,
two buildings of one agent) lowers the whole. The figures were set on the labelled set of
`python -m bench duplicates`, and hold on sets that they were not set on (its seeds).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rapidfuzz.distance import DamerauLevenshtein
from rapidfuzz.fuzz import ratio

from services.clients.likeness.keys import Facts, Place

#: Less is not worth a person's time.
SHOWN = 0.5
_WEIGHT = {
    "siret": 0.97,
    "vat_number": 0.85,
    "siren": 0.4,
    "email": 0.8,
    "phone": 0.7,
    "name": 0.6,
    "close_name": 0.45,
    "street": 0.45,
    "close_street": 0.35,
    "city": 0.1,
}
#: How fast a weight falls with the number of others that share the value.
_FALL = {"email": 0.6, "phone": 0.6, "name": 0.5, "street": 0.3}
#: Others that may share it before it falls: a client entered three times has one name.
_FEW = {"name": 2}
_CLOSE, _SAME = 0.8, 0.995
_NO_LIKENESS = 0.6
#: What sets two apart: two companies by their SIRENs, two establishments of one, two people of one name, two buildings
#: told by a number, two names that have nothing in common.
_OTHER_COMPANY, _OTHER_SITE, _OTHER_PERSON, _OTHER_NUMBER, _OTHER_NAME = 0.3, 0.6, 0.5, 0.5, 0.7
#: A town, a phone, an e-mail that both have and that differ: one may move and change them; a namesake has his own.
_OTHER_TOWN, _OTHER_PHONE, _OTHER_EMAIL = 0.9, 0.9, 0.95


class Likeness(NamedTuple):
    """How sure (0 to 1), and what they have in common, strongest first."""

    score: float
    reasons: list[str]


def compare(one: Facts, other: Facts, shared: Mapping[str, int]) -> Likeness:
    """How alike two are. `shared` tells how many clients have a key (`Facts.keys`), both of these included."""
    signs: dict[str, float] = {}

    def sign(kind: str, values: set[str] | frozenset[str]) -> None:
        if values:
            others = min(shared.get(f"{kind}:{value}", 2) for value in values) - 1
            signs[kind] = _WEIGHT[kind] * max(others / _FEW.get(kind, 1), 1) ** -_FALL.get(kind, 0.0)

    for kind, mine, theirs in (
        ("siret", one.sirets, other.sirets),
        ("vat_number", one.vats, other.vats),
        ("email", one.emails, other.emails),
        ("phone", one.phones, other.phones),
    ):
        sign(kind, mine & theirs)
    if "siret" not in signs and "vat_number" not in signs:
        sign("siren", one.sirens & other.sirens)
    name, apart = _names(one, other)
    if name >= _SAME:
        sign("name", (one.names & other.names) or {""})
    elif name >= _CLOSE:
        signs["close_name"] = _WEIGHT["close_name"] * name
    where = _where(one.places, other.places)
    if where == "street":
        sign("street", {each.exact for each in one.places} & {each.exact for each in other.places} - {""})
        signs.setdefault("street", _WEIGHT["street"])
    elif where:
        signs[where] = _WEIGHT[where]
    rest = 1.0
    for weight in signs.values():
        rest *= 1 - weight
    score = (1 - rest) * apart
    if "siret" not in signs:
        if one.sirens and other.sirens and not one.sirens & other.sirens:
            score *= _OTHER_COMPANY
        elif one.sirets and other.sirets and where not in ("street", "close_street"):
            score *= _OTHER_SITE
    for lowered, own, foreign in (
        (_OTHER_TOWN, one.towns, other.towns),
        (_OTHER_PHONE, set(one.phones), set(other.phones)),
        (_OTHER_EMAIL, set(one.emails), set(other.emails)),
    ):
        if own and foreign and not own & foreign:
            score *= lowered
    return Likeness(round(score, 2), sorted(signs, key=lambda kind: (-_WEIGHT[kind], kind)))


# --- names ------------------------------------------------------------------------------------------------------------


def _names(one: Facts, other: Facts) -> tuple[float, float]:
    """How alike the nearest two names are, and what the whole is lowered by where they set the two apart."""
    if not one.names or not other.names:
        return 0.0, 1.0
    found = [_persons(mine, theirs) for mine in one.persons for theirs in other.persons]
    if not one.persons or not other.persons or (one.companies and other.companies):
        found += [_companies(mine, theirs) for mine in one.names for theirs in other.names]
    return max(found)


def _persons(one: tuple[str, str], other: tuple[str, str]) -> tuple[float, float]:
    """Of two people; the same whichever comes first, since a scan asks one of the two only."""
    straight = _first_and_last(one, other)
    swapped = max(_first_and_last(one, other[::-1]), _first_and_last(one[::-1], other))
    return swapped if swapped[0] > straight[0] else straight


def _first_and_last(one: tuple[str, str], other: tuple[str, str]) -> tuple[float, float]:
    first, last = _one_name(one[0], other[0]), _one_name(one[1], other[1])
    if not (one[0] and other[0]):
        # A name alone: as near as it can be told, never the same.
        return (0.85 if last >= 0.9 else 0.0, 1.0 if last >= _NO_LIKENESS else _OTHER_NAME)
    if first >= _NO_LIKENESS and last >= _NO_LIKENESS:
        firsts, lasts = len(one[0]) + len(other[0]), len(one[1]) + len(other[1])
        both = (first * firsts + last * lasts) / max(firsts + lasts, 1)
        return both if min(first, last) < _SAME else 1.0, 1.0
    if first >= 0.9:
        # A married or a maiden name: no sign by itself, and nothing that sets them apart.
        return 0.0, 1.0
    return 0.0, _OTHER_PERSON if last >= 0.9 else _OTHER_NAME


def _one_name(one: str, other: str) -> float:
    """Two first or two last names: initials, double names of which one is left out, and typos are forgiven."""
    if one == other:
        return 1.0
    mine, theirs = one.split(), other.split()
    if not mine or not theirs:
        return 0.0
    if mine[0][0] == theirs[0][0] and (len(one) == 1 or len(other) == 1):
        return 0.9
    if set(mine) <= set(theirs) or set(theirs) <= set(mine):
        return 0.9
    if "".join(mine) == "".join(theirs):
        return 0.99
    return _word(one, other)


def _companies(one: str, other: str) -> tuple[float, float]:
    """Words of two names matched one by one, each as heavy as it is long."""
    if one == other:
        return 1.0, 1.0
    if one.replace(" ", "") == other.replace(" ", ""):
        return 0.99, 1.0
    # The words are matched in turn: the same whichever comes first.
    mine, theirs = (each.split() for each in sorted((one, other)))
    if _numbers(mine) != _numbers(theirs):
        return 0.0, _OTHER_NUMBER
    left = list(theirs)
    alike = 0.0
    for word in sorted(mine, key=len, reverse=True):
        best = max(left, key=lambda each: _part(word, each), default="")
        likeness = _part(word, best) if best else 0.0
        if likeness:
            alike += likeness * (len(word) + len(best))
            left.remove(best)
    alike /= sum(map(len, mine)) + sum(map(len, theirs))
    # One that is the other with a word more (« Boulangerie Martin » and « Martin ») may well be called so for short.
    if alike >= 0.4 and (set(mine) < set(theirs) or set(theirs) < set(mine)):
        alike = max(alike, _CLOSE)
    return alike, 1.0 if alike >= _NO_LIKENESS else _OTHER_NAME


def _numbers(words: list[str]) -> set[str]:
    return {word for word in words if word.isdigit() or len(word) == 1}


def _part(one: str, other: str) -> float:
    """Two words of a company's name; the beginning of the other abbreviates it."""
    if one == other:
        return 1.0
    short, long = sorted((one, other), key=len)
    if len(short) >= 3 and long.startswith(short):
        return 0.9
    return _word(one, other)


def _word(one: str, other: str) -> float:
    """Two words, letters that changed places counted as one fault; 0 where they are not alike at all."""
    shorter = min(len(one), len(other))
    if shorter < 3:
        return 0.0
    faults = DamerauLevenshtein.distance(one, other, score_cutoff=3)
    if faults > 1 + (shorter >= 6) + (shorter >= 10):
        return 0.0
    return 1 - faults / max(len(one), len(other))


# --- addresses --------------------------------------------------------------------------------------------------------


def _where(one: frozenset[Place], other: frozenset[Place]) -> str | None:
    found = {_near(mine, theirs) for mine in one for theirs in other}
    return next((each for each in ("street", "close_street", "city") if each in found), None)


def _near(one: Place, other: Place) -> str | None:
    same_code = bool(one.postal_code) and one.postal_code == other.postal_code
    same_town = bool(one.city) and one.city == other.city
    if not (same_code or same_town):
        return None
    if one.street and other.street:
        if one.number == other.number and one.street == other.street:
            return "street"
        if one.number == other.number and ratio(one.street, other.street) >= 80:
            return "close_street"
        if one.number == other.number and _way(one.street, other.street):
            return "close_street"
    return "city" if same_town or (same_code and not (one.city and other.city)) else None


def _way(one: str, other: str) -> bool:
    """The same way with a first name or a title left out, or an initial: « av. J. Jaurès »."""
    mine, theirs = one.split(), other.split()
    return len(mine) > 1 and len(theirs) > 1 and mine[-1] == theirs[-1] and mine[0] == theirs[0]
