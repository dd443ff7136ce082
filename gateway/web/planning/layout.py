"""Where work stands in a week or beside a name: quarters of an hour, lanes side by side, pieces day by day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from gateway.web.formatting import NBSP, parse_moment

Row = dict[str, Any]
#: Hours shown where nothing lies outside of them.
FROM_HOUR, TO_HOUR = 7, 19
#: Minutes that work without an end is drawn with (the contract's).
MINUTES = 60
#: Lanes that fit side by side; more share the last.
LANES = 6


@dataclass
class Piece:
    """What of a piece of work falls on one day: quarters of an hour from midnight, and its lane."""

    row: Row
    day: date
    start: int
    length: int
    lane: int = 0
    lanes: int = 1
    other: bool = False
    #: Whether it ends on this day.
    last: bool = True
    #: Hours and minutes it shares with something else of the same person, as words; empty where it shares none.
    overlap: str = ""

    @property
    def end(self) -> int:
        """The quarter behind its last."""
        return self.start + self.length


@dataclass
class Band:
    """Work of several days, as a bar over the days shown: first column (1…) and how many."""

    row: Row
    first: int
    days: int


@dataclass
class Day:
    """A day of the calendar: its work, its holiday, whether it is today or outside of the month."""

    day: date
    pieces: list[Piece] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    holiday: str = ""
    today: bool = False
    outside: bool = False

    @property
    def off(self) -> bool:
        """Weekends and holidays."""
        return self.day.weekday() > 4 or bool(self.holiday)


def bounds(row: Row) -> tuple[datetime, datetime] | None:
    """Start and end by the company's clock; None for work without a date."""
    start = parse_moment(row.get("starts_at"))
    if start is None:
        return None
    end = parse_moment(row.get("ends_at")) or start + timedelta(minutes=MINUTES)
    return start, max(end, start + timedelta(minutes=15))


def days_of(row: Row) -> list[date]:
    """The days on which it takes place; an end at midnight belongs to the day before."""
    found = bounds(row)
    if found is None:
        return []
    start, end = found
    last = (end - timedelta(seconds=1)).date()
    return [start.date() + timedelta(days=n) for n in range((last - start.date()).days + 1)]


def pieces_of(row: Row, shown: Iterable[date]) -> list[Piece]:
    """Its pieces on the days shown."""
    found = bounds(row)
    if found is None:
        return []
    start, end = found
    wanted, pieces, on = set(shown), [], days_of(row)
    for day in on:
        if day not in wanted:
            continue
        first = _quarter(start) if day == start.date() else 0
        last = _quarter(end, up=True) if day == end.date() else 96
        pieces.append(Piece(row, day, min(first, 95), max(last - first, 1), last=day == on[-1]))
    return pieces


def _quarter(moment: datetime, *, up: bool = False) -> int:
    minutes = moment.hour * 60 + moment.minute
    return -(-minutes // 15) if up else minutes // 15


def side_by_side(pieces: list[Piece]) -> list[Piece]:
    """Gives each piece a lane, so that what overlaps stands side by side; in the order of their starts."""
    pieces.sort(key=lambda piece: (piece.start, -piece.length, str(piece.row["id"])))
    group: list[Piece] = []
    reach = 0
    for piece in pieces:
        if group and piece.start >= reach:
            _spread(group)
            group, reach = [], 0
        taken = {other.lane for other in group if other.end > piece.start}
        piece.lane = next(n for n in range(len(group) + 1) if n not in taken)
        group.append(piece)
        reach = max(reach, piece.end)
    _spread(group)
    return pieces


def _spread(group: list[Piece]) -> None:
    lanes = max((piece.lane for piece in group), default=0) + 1
    for piece in group:
        piece.lanes = min(lanes, LANES)
        piece.lane = min(piece.lane, LANES - 1)


def hours(pieces: Iterable[Piece]) -> tuple[int, int]:
    """The hours to show: the working day, widened to what lies outside of it."""
    known = list(pieces)
    first = min([FROM_HOUR, *(piece.start // 4 for piece in known)])
    last = max([TO_HOUR, *(-(-piece.end // 4) for piece in known)])
    return first, min(last, 24)


def name_overlaps(pieces: list[Piece]) -> None:
    """Says of each piece of one person's day how long it overlaps with an earlier one."""
    for n, piece in enumerate(pieces):
        shared = max((min(piece.end, other.end) - piece.start for other in pieces[:n]), default=0)
        if shared > 0 and _counts(piece.row) and any(_counts(o.row) and o.end > piece.start for o in pieces[:n]):
            piece.overlap = duration(shared * 15)


def _counts(row: Row) -> bool:
    """Whether it still takes somebody's time: done and cancelled work does not."""
    return row.get("state") in ("planned", "in_progress")


def duration(minutes: int) -> str:
    """`2 h`, `1 h 30`, `45 min`."""
    whole, rest = divmod(minutes, 60)
    if not whole:
        return f"{rest}{NBSP}min"
    return f"{whole}{NBSP}h" + (f"{NBSP}{rest:02d}" if rest else "")


def people_of(row: Row) -> list[Row]:
    """Who is given the work: the leader and the others, each once."""
    found = {one["id"]: one for one in row.get("technicians") or []}
    lead = row.get("lead_technician")
    if lead:
        found.setdefault(lead["id"], lead)
    return list(found.values())
