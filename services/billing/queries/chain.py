"""The chain of hashes over issued documents, checked."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.billing.model.chain import link


def verify_chain(session: Session) -> dict[str, Any]:
    """Walks both series: `{"checked": n, "broken": [numbers whose data or place in the chain was tampered with]}`."""
    checked, broken = 0, []
    for table in ("invoice", "credit_note"):
        previous: dict[str, str] = {}
        rows = session.execute(
            text(
                f"SELECT number, frozen, hash, previous_hash FROM {table} "
                "WHERE hash IS NOT NULL ORDER BY split_part(number, '-', 2)::int, split_part(number, '-', 3)::int"
            )
        )
        for row in rows:
            checked += 1
            year = row.number.rsplit("-", 1)[0]
            if row.previous_hash != previous.get(year, "") or link(row.previous_hash, row.frozen) != row.hash:
                broken.append(row.number)
            previous[year] = row.hash
    return {"checked": checked, "broken": broken}
