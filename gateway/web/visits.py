"""Visits of a client as a table: one row a plan, one column a month, six months at a time (look, *Visit*)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from gateway.web.formatting import PARIS, parse_day

Row = dict[str, Any]
MONTHS = 6


@dataclass(frozen=True)
class PlanRow:
    """A plan and its visits, month by month."""

    title: str
    assignee: str
    cells: list[tuple[date, list[Row]]]


@dataclass(frozen=True)
class Grid:
    """Six months of visits. `before` and `after` are the months (`2026-07`) that the arrows lead to."""

    months: list[date]
    now: date
    rows: list[PlanRow]
    agenda: list[tuple[date, list[Row]]]
    totals: dict[str, int]
    before: str
    after: str


def day_of(visit: Row) -> date:
    """The day under which a visit shows: done, else planned, else due."""
    moment = visit.get("done_at") if visit["colour"] == "green" else None
    if visit["colour"] == "blue" and visit.get("intervention"):
        moment = visit["intervention"].get("starts_at")
    found = parse_day(moment or visit["due_on"])
    assert found is not None  # every visit is due on a day
    return found


def _shift(month: date, by: int) -> date:
    count = month.year * 12 + month.month - 1 + by
    return date(count // 12, count % 12 + 1, 1)


def _asked(value: str | None) -> date | None:
    try:
        return date.fromisoformat(f"{value}-01") if value else None
    except ValueError:
        return None


def visits_grid(visits: list[Row], start: str | None = None, today: date | None = None) -> Grid:
    """The table from the month `start` (`2026-07`).

    Without one: the half-year of today, or that of the nearest visit when it is empty.
    """
    present = today or datetime.now(PARIS).date()
    first = _asked(start)
    if first is None:
        half = date(present.year, 1 if present.month <= MONTHS else 7, 1)
        days = [day_of(visit) for visit in visits]
        if days and not any(half <= found < _shift(half, MONTHS) for found in days):
            nearest = min(days, key=lambda found: abs((found - present).days))
            half = date(nearest.year, 1 if nearest.month <= MONTHS else 7, 1)
        first = half
    months = [_shift(first, n) for n in range(MONTHS)]
    shown = sorted(
        (visit for visit in visits if months[0] <= day_of(visit) < _shift(first, MONTHS)),
        key=lambda visit: (day_of(visit), visit["id"]),
    )
    plans: dict[str, list[Row]] = {}
    for visit in shown:
        plans.setdefault(visit["plan_id"], []).append(visit)
    rows = [
        PlanRow(
            mine[0]["plan"].get("title") or "Visite d’entretien",
            (mine[-1].get("assignee") or {}).get("name", ""),
            [(month, [visit for visit in mine if day_of(visit).replace(day=1) == month]) for month in months],
        )
        for mine in plans.values()
    ]
    agenda = [
        (month, [visit for visit in reversed(shown) if day_of(visit).replace(day=1) == month])
        for month in reversed(months)
    ]
    return Grid(
        months=months,
        now=present.replace(day=1),
        rows=rows,
        agenda=[(month, found) for month, found in agenda if found],
        totals={colour: sum(visit["colour"] == colour for visit in shown) for colour in ("green", "blue", "red")},
        before=f"{_shift(first, -MONTHS):%Y-%m}",
        after=f"{_shift(first, MONTHS):%Y-%m}",
    )
