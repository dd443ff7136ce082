"""Visits of a client as a table: one row a plan, one column a month, six months at a time (look, *Visit*)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from gateway.web.formatting import parse_day, zone

Row = dict[str, Any]
MONTHS = 6


@dataclass(frozen=True)
class PlanRow:
    """A plan and its visits, month by month."""

    plan: Row
    title: str
    assignee: str
    client: Row | None
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


def shift_month(month: date, by: int) -> date:
    """The first day of the month so many months away."""
    count = month.year * 12 + month.month - 1 + by
    return date(count // 12, count % 12 + 1, 1)


def month_asked(value: str | None) -> date | None:
    """The first day of a month told as `2026-07`; None for what is none, or no month that visits could be in."""
    try:
        found = date.fromisoformat(f"{value}-01") if value else None
    except ValueError:
        return None
    return found if found and 1900 <= found.year <= 2200 else None


def visits_grid(
    visits: list[Row],
    start: str | None = None,
    today: date | None = None,
    *,
    months: int = MONTHS,
    with_client: bool = False,
) -> Grid:
    """The table of so many months from the month `start` (`2026-07`).

    Without one: the half-year of today, or that of the nearest visit when it is empty.
    """
    present = today or datetime.now(zone()).date()
    count = months
    first = month_asked(start)
    if first is None:
        half = date(present.year, 1 if present.month <= MONTHS else 7, 1)
        days = [day_of(visit) for visit in visits]
        if days and not any(half <= found < shift_month(half, MONTHS) for found in days):
            nearest = min(days, key=lambda found: abs((found - present).days))
            half = date(nearest.year, 1 if nearest.month <= MONTHS else 7, 1)
        first = half
    columns = [shift_month(first, n) for n in range(count)]
    shown = sorted(
        (visit for visit in visits if columns[0] <= day_of(visit) < shift_month(first, count)),
        key=lambda visit: (day_of(visit), visit["id"]),
    )
    plans: dict[str, list[Row]] = {}
    for visit in shown:
        plans.setdefault(visit["plan_id"], []).append(visit)
    rows = [
        PlanRow(
            mine[0]["plan"],
            mine[0]["plan"].get("title") or "Visite d’entretien",
            (mine[-1].get("assignee") or {}).get("name", ""),
            mine[0]["client"] if with_client else None,
            [(month, [visit for visit in mine if day_of(visit).replace(day=1) == month]) for month in columns],
        )
        for mine in plans.values()
    ]
    agenda = [
        (month, [visit for visit in reversed(shown) if day_of(visit).replace(day=1) == month])
        for month in reversed(columns)
    ]
    return Grid(
        months=columns,
        now=present.replace(day=1),
        rows=rows,
        agenda=[(month, found) for month, found in agenda if found],
        totals={colour: sum(visit["colour"] == colour for visit in shown) for colour in ("green", "blue", "red")},
        before=f"{shift_month(first, -count):%Y-%m}",
        after=f"{shift_month(first, count):%Y-%m}",
    )
