"""What of a service names an address."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from contracts.uses import AddressUses, CountAddressUses


class Source(NamedTuple):
    """Rows that name an address: what a person calls them, their table, and which of them count (SQL, alias `x`)."""

    kind: str
    table: str
    condition: str = "true"
    column: str = "address_id"


def address_uses(session: Session, request: CountAddressUses, *sources: Source) -> AddressUses:
    """Counts rows of a service by the address they name."""
    mine = "" if request.tree is None else " AND x.home_client_id = ANY(:tree)"
    parts = [
        f"SELECT '{s.kind}' AS kind, x.{s.column} AS address FROM {s.table} x "
        f"WHERE x.{s.column} = ANY(:ids) AND {s.condition}{mine}"
        for s in sources
    ]
    rows = session.execute(
        text(f"SELECT address, kind, count(*) FROM ({' UNION ALL '.join(parts)}) u GROUP BY address, kind"),
        {"ids": request.ids, "tree": request.tree},
    )
    uses: dict[str, dict[str, int]] = {}
    for address, kind, count in rows:
        uses.setdefault(str(address), {})[kind] = count
    return AddressUses(uses=uses)
