"""The forest as each service has it, against the merges themselves."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Protocol

from contracts.forest import FOLLOWERS


class Sql(Protocol):
    """Runs a statement in a service's database."""

    def __call__(self, service: str, statement: str, **values: Any) -> list[Any]: ...


def forest(sql: Sql, service: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Forest version of a service and its aliases, of one moment: id → (parent, root)."""
    rows = sql(
        service,
        "SELECT f.version, a.id, a.parent_id, a.root_id FROM client_forest f LEFT JOIN client_alias a ON true",
    )
    aliases = {str(row.id): (str(row.parent_id), str(row.root_id)) for row in rows if row.id is not None}
    return int(rows[0].version), aliases


def edges(sql: Sql, version: int) -> dict[str, str]:
    """Edges of the first `version` forest events: duplicate → survivor, as the merges' own table has them."""
    rows = sql(
        "clients",
        "SELECT duplicate_id, survivor_id FROM merge WHERE forest <= :version "
        "AND (undone_forest IS NULL OR undone_forest > :version)",
        version=version,
    )
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        found[str(row.duplicate_id)].append(str(row.survivor_id))
    assert all(len(survivors) == 1 for survivors in found.values()), "a record with two survivors"
    return {duplicate: survivors[0] for duplicate, survivors in found.items()}


def check_forests(sql: Sql) -> None:
    """In every service: aliases = edges of the first n forest events, for its own n; a forest."""
    for name in ("clients", *FOLLOWERS):
        version, aliases = forest(sql, name)
        merged = edges(sql, version)
        wanted = {record: (parent, root_of(merged, record)) for record, parent in merged.items()}
        assert aliases == wanted, (name, version, aliases, wanted)


def root_of(merged: dict[str, str], record: str) -> str:
    """Where the edges end."""
    seen = {record}
    while record in merged:
        record = merged[record]
        assert record not in seen, "a cycle"
        seen.add(record)
    return record
