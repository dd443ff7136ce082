"""When visits are due: pure arithmetic of days, so that no change of clocks can move one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

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
) -> Iterator[Due]:
    """Every visit of a plan whose period begins up to `until`. Periods are counted from `starts_on`."""
    last = min(until, ends_on) if ends_on else until
    if rrule is not None:
        yield from _by_rule(rrule, starts_on, ends_on, last)
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
            yield Due(index, ordinal, start, end, working_day(start + timedelta(days=offset), start, end))
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
    parsed = rrulestr(rule, dtstart=begin, ignoretz=True)
    occurrences = [moment.date() for moment in parsed.between(begin, horizon, inc=True)]
    # One beyond the horizon, so that the last visit has its whole period too.
    beyond = parsed.after(horizon)
    for index, day in enumerate(occurrences):
        following = occurrences[index + 1] if index + 1 < len(occurrences) else beyond and beyond.date()
        following = following - timedelta(days=1) if following else day
        end = min(following, ends_on) if ends_on else following
        # A rule names its days itself: nothing is moved for weekends or holidays.
        yield Due(index, 0, day, max(day, end), day)


def working_day(day: date, start: date, end: date) -> date:
    """The nearest working day in France within the period; the day itself where the period has none."""
    closed = holidays.country_holidays("FR", years=range(start.year, end.year + 1))
    for distance in range((end - start).days + 1):
        for candidate in (day + timedelta(days=distance), day - timedelta(days=distance)):
            if start <= candidate <= end and candidate.weekday() < 5 and candidate not in closed:
                return candidate
    return day
