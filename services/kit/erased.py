"""What of each table is personal, and what an erasure leaves in its place (GDPR, article 17).

A table says it beside its columns (`__erased__`). Triggers made of that blank whatever is written of an erased person,
by whatever way and however late it comes: an erasure is to remember the ids and to write the rows once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import DeclarativeBase

#: What a title or a name that may not be empty says afterwards.
WORDS = "'Données effacées'"
#: Writers of a client's rows hold its share of these locks, an erasure the whole: none writes while it begins. So few
#: that a transaction may hold them all.
LOCKS, SHARES = 7077, 63


@dataclass(frozen=True)
class Erased:
    """What an erasure leaves of a table's rows.

    `blanks`: column → SQL of what it holds afterwards (over `NEW`). `kept`: texts and JSON that tell nothing of a
    person. Whose a row is: `homes`, columns of it, and those of the rows it is part of, `parents` (table, column of
    its id, or SQL over `p` and `{x}`). `unless`: SQL over `{x}` of rows that the law orders to keep.
    `also`: SQL that is run with it. `drop`: nothing is left.
    """

    blanks: Mapping[str, str] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    homes: tuple[str, ...] = ("home_client_id",)
    parents: tuple[tuple[str, str], ...] = ()
    unless: str = ""
    also: str = ""
    drop: bool = False


@dataclass(frozen=True)
class Nobodys:
    """A table that holds nothing of a client, and why."""

    why: str


def texts(*columns: str, **more: str) -> dict[str, str]:
    """Blanks: texts that become empty, and `more` as SQL."""
    return dict.fromkeys(columns, "''") | more


def specs(base: type[DeclarativeBase]) -> dict[str, Erased]:
    """Tables of a service that hold something of clients, in the order of their names."""
    found = {name: table.info.get("erased") for name, table in base.metadata.tables.items()}
    return {name: spec for name, spec in sorted(found.items()) if isinstance(spec, Erased)}


def of_tree(tables: Mapping[str, Erased], spec: Erased) -> list[str]:
    """SQL conditions, each asked by itself: the row `x` is of one of the persons (`:tree`) and nothing keeps it."""
    found = [owned("x", spec)] if spec.homes else []
    return found + [
        f"EXISTS (SELECT 1 FROM {parent} p WHERE {part_of(by, 'x')} AND {owned('p', tables[parent])})"
        for parent, by in spec.parents
    ]


def part_of(by: str, row: str) -> str:
    """SQL: `row` is part of the parent `p`."""
    return by.format(x=row) if "{x}" in by else f"p.id = {row}.{by}"


def owned(alias: str, spec: Erased) -> str:
    own = " OR ".join(f"{alias}.{home} = ANY(:tree)" for home in spec.homes)
    return f"({own}) AND NOT ({spec.unless.format(x=alias)})" if spec.unless else f"({own})"
