"""What lines come to, without keeping anything."""

from __future__ import annotations

from typing import Any

from contracts import billing as c
from services.billing.model.money import Amounts, totals


def compute_totals(request: c.ComputeTotals) -> dict[str, Any]:
    """Totals of the lines, of each rate and of the whole, as a document of them would bear."""
    result = totals(request.body.lines)
    return {"lines": [_amounts(line) for line in result.lines], "taxes": result.taxes, **_amounts(result.document)}


def _amounts(amounts: Amounts) -> dict[str, str]:
    return {
        "total_excl_tax": f"{amounts.excl_tax:f}",
        "total_tax": f"{amounts.tax:f}",
        "total_incl_tax": f"{amounts.incl_tax:f}",
    }
