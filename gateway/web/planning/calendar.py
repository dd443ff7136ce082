"""The month, the week and the day (look, *Calendar event*)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

from gateway.web.formatting import long_month, short_day, week_day, zone
from gateway.web.planning.address import Address, month_of
from gateway.web.planning.layout import Band, Day, Row, days_of, hours, pieces_of, side_by_side


@lru_cache(maxsize=64)
def holidays_of(year: int) -> dict[date, str]:
    """Public holidays of France by day."""
    import holidays

    return {
        day: str(name).replace("'", "’")
        for day, name in holidays.country_holidays("FR", years=year, language="fr").items()
    }


@dataclass
class Calendar:
    """What a period shows. `chosen` is the day whose list a phone shows; `now` the quarter of the present hour."""

    title: str
    weeks: list[list[Day]]
    chosen: Day
    bands: list[Band] = field(default_factory=list)
    from_hour: int = 0
    to_hour: int = 24
    now: int = 0

    @property
    def days(self) -> list[Day]:
        """All days shown, in order."""
        return [day for week in self.weeks for day in week]


def calendar(address: Address, rows: list[Row], now: datetime | None = None) -> Calendar:
    """The rows on the days of the address's period."""
    present = (now or datetime.now(zone())).astimezone(zone())
    first, last = address.days()
    days = [_day(first + timedelta(days=n), address, present.date()) for n in range((last - first).days + 1)]
    by_day = {day.day: day for day in days}
    bands: list[Band] = []
    for row in sorted(rows, key=lambda row: (str(row.get("starts_at")), str(row["id"]))):
        on = [day for day in days_of(row) if day in by_day]
        for day in on:
            by_day[day].rows.append(row)
        if len(days_of(row)) > 1 and address.span != "mois":
            if on:
                bands.append(Band(row, (on[0] - first).days + 1, len(on)))
            continue
        for piece in pieces_of(row, by_day):
            by_day[piece.day].pieces.append(piece)
    for day in days:
        day.pieces = side_by_side(day.pieces)
    start, end = hours(piece for day in days for piece in day.pieces)
    return Calendar(
        title=title(address),
        weeks=[days[n : n + 7] for n in range(0, len(days), 7)],
        chosen=by_day.get(address.day) or days[0],
        bands=bands,
        from_hour=start,
        to_hour=end,
        now=present.hour * 4 + present.minute // 15,
    )


def _day(day: date, address: Address, present: date) -> Day:
    outside = address.span == "mois" and day.month != month_of(address.day).month
    return Day(day, holiday=holidays_of(day.year).get(day, ""), today=day == present, outside=outside)


def title(address: Address, until: date | None = None) -> str:
    """`Novembre 2026`, `23 – 29 nov. 2026` (or to `until`, where fewer days show), `Mar. 24 nov. 2026`."""
    if address.span == "mois":
        return long_month(address.day)
    if address.span == "jour":
        words = week_day(address.day, date(address.day.year, 1, 1))
        return f"{words[:1].upper()}{words[1:]} {address.day.year}"
    first, last = address.days()
    last = until or last
    end = f"{short_day(last, last)} {last.year}"
    if first.month == last.month:
        return f"{first.day} – {end}"
    return f"{short_day(first, first if first.year != last.year else last)} – {end}"
