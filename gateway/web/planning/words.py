"""Filters of the planning's templates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.web.formatting import moment, parse_moment
from gateway.web.planning.layout import duration

Row = Mapping[str, Any]
_STATES = {
    True: "oui", False: "non",
    "low": "basse", "normal": "normale", "high": "haute", "urgent": "urgente",
    "not_started": "Planifié", "in_progress": "En cours", "done": "Terminé",
    "intervention": "intervention", "appointment": "rendez-vous",
}  # fmt: skip
_UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f-]{27}$")


def local(value: Any) -> str:
    """A moment as a field of date and time has it, by the company's clock: `2026-11-24T14:30`."""
    try:
        parsed = parse_moment(value)
    except ValueError:
        parsed = None
    return f"{parsed:%Y-%m-%dT%H:%M}" if parsed else ""


def minutes(value: Any) -> str:
    """`1 h 30` of 90."""
    return "" if value is None else duration(int(value))


def map_pairs(rows: Iterable[Row], name: str) -> list[tuple[str, str]]:
    """Pairs of id and word, for a field of choices."""
    return [(row["id"], row[name]) for row in rows]


def map_addresses(rows: Iterable[Row]) -> list[tuple[str, str]]:
    """The same for addresses: label, street and town."""
    return [(row["id"], ", ".join(part for part in (row["label"], row["street"], row["city"]) if part)) for row in rows]


def map_contacts(rows: Iterable[Row]) -> list[tuple[str, str]]:
    """The same for contacts: name and role."""
    found = []
    for row in rows:
        name = " ".join(part for part in (row["first_name"], row["last_name"]) if part)
        found.append((row["id"], f"{name}, {row['role']}" if row.get("role") else name))
    return found


def told(value: Any, field: str, names: Mapping[str, str]) -> str:
    """A value of the history as a person reads it; an id whose name is not known says that it was changed."""
    if value is None or value == "" or value == []:
        return ""
    if field.endswith("_at"):
        return moment(value)
    if isinstance(value, list):
        known = [names[one] for one in value if one in names]
        return ", ".join(known) if known else str(len(value))
    if isinstance(value, bool) or (isinstance(value, str) and field in ("priority", "kind", "status")):
        return _STATES.get(value, str(value))
    if _UUID.match(str(value)):
        return names.get(str(value), "autre choix")
    text = str(value)
    return text if len(text) <= 120 else text[:119] + "…"


FILTERS = {
    "local": local,
    "minutes": minutes,
    "map_pairs": map_pairs,
    "map_addresses": map_addresses,
    "map_contacts": map_contacts,
    "work_told": told,
}
