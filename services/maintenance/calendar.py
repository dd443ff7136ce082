"""When visits are due: pure arithmetic of days, so that no change of clocks can move one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

import holidays
from dateutil.relativedelta import relativedelta
from dateutil.rrule import rrulestr

#: Visits are made this far ahead (http-api, Rules).
AHEAD = relativedelta(months=18)
_MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}


@dataclass(frozen=True)
class Due:
    """A visit to make: its key in the plan, its period (both days inclusive) and its day."""

    period_index: int
    ordinal: int
    period_start: date
    period_end: date
    due_on: date


def visits_due(
    *,
    starts_on: date,
    ends_on: date | None,
    period: str | None,
    rrule: str | None,
    per_period: int,
    until: date,
    months: Collection[int] = (),
    closed: Collection[int] = (),
) -> Iterator[Due]:
    """Every visit of a plan whose period begins up to `until`. Periods are counted from `starts_on`.

    None is due in the `closed` months: it goes to the nearest working day of its period outside of them, and is left
    out where the period has none.
    """
    last = min(until, ends_on) if ends_on else until
    if rrule is not None:
        for due in _by_rule(rrule, starts_on, ends_on, last):
            if due.due_on.month not in closed:
                yield due
        return
    if months:
        yield from _by_months(months, starts_on, ends_on, last)
        return
    length = _MONTHS[period or "year"]
    index = 0
    while (start := starts_on + relativedelta(months=length * index)) <= last:
        end = starts_on + relativedelta(months=length * (index + 1)) - timedelta(days=1)
        if ends_on is not None:
            end = min(end, ends_on)
        days = (end - start).days + 1
        for ordinal in range(per_period):
            # The middle of each equal share of the period.
            offset = min(days - 1, (days * (2 * ordinal + 1)) // (2 * per_period))
            day = open_day(start + timedelta(days=offset), start, end, closed)
            if day is not None:
                yield Due(index, ordinal, start, end, day)
        index += 1


def _by_months(months: Collection[int], starts_on: date, ends_on: date | None, last: date) -> Iterator[Due]:
    """One visit in each of these months, whose period is the month itself; keys count months from the start's."""
    first = starts_on.replace(day=1)
    index = 0
    while (month := first + relativedelta(months=index)) <= last:
        start, end = max(month, starts_on), month + relativedelta(months=1) - timedelta(days=1)
        end = min(end, ends_on) if ends_on else end
        if month.month in months and start <= end:
            middle = min(max(month + timedelta(days=14), start), end)
            yield Due(index, 0, start, end, working_day(middle, start, end))
        index += 1


def _by_rule(rule: str, starts_on: date, ends_on: date | None, last: date) -> Iterator[Due]:
    begin = datetime(starts_on.year, starts_on.month, starts_on.day)
    horizon = datetime(last.year, last.month, last.day, 23, 59)
    occurrences: list[date] = []
    beyond: date | None = None
    for moment in rrulestr(rule, dtstart=begin, ignoretz=True):
        if moment > horizon:
            # One beyond the horizon, so that the last visit has its whole period too.
            beyond = moment.date()
            break
        occurrences.append(moment.date())
    for index, day in enumerate(occurrences):
        following = occurrences[index + 1] if index + 1 < len(occurrences) else beyond
        following = following - timedelta(days=1) if following else day
        end = min(following, ends_on) if ends_on else following
        # A rule names its days itself: nothing is moved for weekends or holidays.
        yield Due(index, 0, day, max(day, end), day)


def open_day(day: date, start: date, end: date, closed: Collection[int]) -> date | None:
    """The nearest working day of the period outside of the closed months; None where these are all of it."""
    if day.month not in closed:
        found = working_day(day, start, end)
        if found.month not in closed:
            return found
    open_days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    open_days = [one for one in open_days if one.month not in closed]
    working = [one for one in open_days if _works(one)] or open_days
    return min(working, key=lambda one: abs((one - day).days), default=None)


def _works(day: date) -> bool:
    return day.weekday() < 5 and day not in _holidays(day.year)


@lru_cache(maxsize=64)
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("FR", years=year))


def working_day(day: date, start: date, end: date) -> date:
    """The nearest working day in France within the period; the day itself where the period has none."""
    for distance in range((end - start).days + 1):
        for candidate in (day + timedelta(days=distance), day - timedelta(days=distance)):
            if start <= candidate <= end and _works(candidate):
                return candidate
    return day
