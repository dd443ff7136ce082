"""A row a technician, what nobody is given last; other clients' work in outline; overlaps named (look, *Timeline*)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from gateway.web.formatting import zone
from gateway.web.planning.address import Address
from gateway.web.planning.calendar import holidays_of
from gateway.web.planning.layout import Day, Piece, Row, hours, name_overlaps, people_of, pieces_of, side_by_side


@dataclass
class Line:
    """One person's days, or those of work that nobody is given (`id` is `none`)."""

    id: str
    name: str
    cells: list[list[Piece]] = field(default_factory=list)

    @property
    def lanes(self) -> int:
        """How many lanes the row is high."""
        return max((piece.lanes for cell in self.cells for piece in cell), default=1)


@dataclass
class Timeline:
    """The rows over the days shown. `chosen` is the one (from 0) that a phone shows."""

    days: list[Day]
    lines: list[Line]
    from_hour: int
    to_hour: int
    now: int
    chosen: int

    @property
    def marks(self) -> list[int]:
        """Every second full hour, for the phone's scale."""
        return list(range(self.from_hour, self.to_hour, 2))


def timeline(
    address: Address, rows: list[Row], others: list[Row], technicians: list[Row], now: datetime | None = None
) -> Timeline:
    """`others` is work of the same days that is not of this page: shown in outline."""
    present = (now or datetime.now(zone())).astimezone(zone())
    first, last = address.days()
    shown = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    own = {row["id"] for row in rows}
    work = [(row, False) for row in rows] + [(row, True) for row in others if row["id"] not in own]
    pieces = [(piece, other) for row, other in work for piece in pieces_of(row, shown)]
    if address.span != "jour":
        busy = {piece.day for piece, _ in pieces}
        # Weekends only show when something takes place on them.
        while len(shown) > 5 and shown[-1] not in busy:
            shown.pop()
    lines = _lines(address, work, technicians)
    for line in lines:
        line.cells = [[] for _ in shown]
    index, by_id = {day: n for n, day in enumerate(shown)}, {line.id: line for line in lines}
    for piece, other in pieces:
        whose = [one["id"] for one in people_of(piece.row)] or ([] if other else ["none"])
        for identifier in whose:
            if identifier in by_id and piece.day in index:
                mine = replace(piece, other=other)
                by_id[identifier].cells[index[piece.day]].append(mine)
    for line in lines:
        line.cells = [side_by_side(cell) for cell in line.cells]
        if line.id != "none":
            for cell in line.cells:
                name_overlaps(cell)
    start, end = hours(piece for piece, _ in pieces)
    days = [_day(day, present.date()) for day in shown]
    chosen = next((n for n, day in enumerate(shown) if day == address.day), 0)
    return Timeline(days, lines, start, end, present.hour * 4 + present.minute // 15, chosen)


def _lines(address: Address, work: list[tuple[Row, bool]], technicians: list[Row]) -> list[Line]:
    """Those of the filter, or all who work in the field and whoever else has something to do here."""
    wanted = set(address.values("technician_id"))
    names = {one["id"]: one["name"] for one in technicians}
    for row, other in work:
        for one in [] if other else people_of(row):
            names.setdefault(one["id"], one["name"])
    people = sorted(names.items(), key=lambda pair: pair[1].casefold())
    lines = [Line(identifier, name) for identifier, name in people if not wanted or identifier in wanted]
    return [*lines, Line("none", "À affecter")] if not wanted or "none" in wanted else lines


def _day(day: date, present: date) -> Day:
    return Day(day, holiday=holidays_of(day.year).get(day, ""), today=day == present)


def waiting(rows: list[Any]) -> list[Any]:
    """Work of the tray, most urgent first."""
    order = {"urgent": 0, "high": 1, "normal": 2, "low": 3}
    return sorted(rows, key=lambda row: (order.get(row.get("priority"), 2), row["created_at"]))
