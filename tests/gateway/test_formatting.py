"""French typography of the pages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from gateway.web import formatting as f
from gateway.web.visits import month_asked, visits_grid

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1264.50", "1\u202f264,50\u202f€"),
        ("-583.2", "−583,20\u202f€"),
        ("0", "0,00\u202f€"),
        (None, ""),
        ("1234567.891", "1\u202f234\u202f567,89\u202f€"),
    ],
)
def test_amounts_have_two_decimals_narrow_spaces_and_a_true_minus(value: Any, shown: str) -> None:
    assert f.money(value) == shown


def test_a_credit_note_is_shown_as_the_deduction_it_is() -> None:
    assert f.negative("583.20") == "−583,20\u202f€"
    assert f.negative("0.00") == "0,00\u202f€"
    assert f.negative(None) == ""


def test_days_bear_the_year_only_when_it_is_another() -> None:
    assert f.day("2026-11-24") == "24\u00a0nov. 2026"
    assert f.short_day("2026-11-24", TODAY) == "24\u00a0nov."
    assert f.short_day("2025-12-01", TODAY) == "1\u00a0déc. 2025"
    assert f.week_day("2026-11-05", TODAY) == "jeu. 5\u00a0nov."
    assert f.long_month("2026-08-01") == "Août 2026"


def test_moments_are_those_of_paris_also_past_midnight() -> None:
    assert f.short_moment("2026-11-24T13:30:00+00:00", TODAY) == "mar. 24\u00a0nov. 14:30"
    assert f.parse_day("2026-11-23T23:30:00+00:00") == TODAY
    assert f.time_of_day("2026-07-01T12:00:00Z") == "14:00"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2026-11-24T11:59:40+00:00", "à l’instant"),
        ("2026-11-24T11:40:00+00:00", "il y a 20\u00a0min"),
        ("2026-11-24T10:00:00+00:00", "il y a 2\u00a0h"),
        ("2026-11-23T22:00:00+00:00", "hier"),
        ("2026-11-20T22:00:00+00:00", "20\u00a0nov."),
        ("", ""),
    ],
)
def test_what_is_recent_is_told_relative_to_now(value: str, shown: str) -> None:
    assert f.relative(value, datetime(2026, 11, 24, 12, tzinfo=UTC)) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("+33465712014", "04\u00a065\u00a071\u00a020\u00a014"),
        ("04.65.71.20.14", "04\u00a065\u00a071\u00a020\u00a014"),
        ("+32 2 555 12 12", "+32 2 555 12 12"),
        ("01 99 00 00 02 poste 214", "01 99 00 00 02 poste 214"),
        (None, ""),
    ],
)
def test_only_what_is_surely_a_french_number_is_written_in_pairs(value: Any, shown: str) -> None:
    assert f.phone(value) == shown


def test_sizes_counts_and_custom_values() -> None:
    assert f.size(84_000) == "84\u00a0Ko"
    assert f.size(1_200_000) == "1,2\u00a0Mo"
    assert f.count(1284) == "1\u202f284"
    assert f.count(None) == ""
    assert f.custom(True) == "Oui"
    assert f.custom("2019-03-12") == "12\u00a0mars 2019"
    assert f.initials("Copropriété Les Tilleuls") == "CT"


def visit(key: str, colour: str, due: str, **more: Any) -> dict[str, Any]:
    """A visit as the service answers it."""
    plan = {"id": key, "title": f"Plan {key}"}
    return {"id": due, "plan_id": key, "plan": plan, "colour": colour, "due_on": due, "assignee": None} | more


def test_a_visit_shows_in_the_month_it_was_done_or_is_planned_else_due() -> None:
    grid = visits_grid(
        [
            visit("a", "green", "2026-10-31", done_at="2026-11-05T08:00:00+00:00"),
            visit("a", "red", "2026-12-15"),
            visit("b", "blue", "2026-12-20", intervention={"starts_at": "2026-11-27T08:00:00+00:00"}),
            visit("c", "red", "2027-01-10"),
        ],
        today=TODAY,
    )
    assert grid.months[0] == date(2026, 7, 1)
    assert [row.title for row in grid.rows] == ["Plan a", "Plan b"]
    assert [len(found) for _, found in grid.rows[0].cells] == [0, 0, 0, 0, 1, 1]
    assert [len(found) for _, found in grid.rows[1].cells] == [0, 0, 0, 0, 1, 0]
    assert grid.totals == {"green": 1, "blue": 1, "red": 1}
    assert (grid.before, grid.after) == ("2026-01", "2027-01")
    assert [month.month for month, _ in grid.agenda] == [12, 11]


def test_an_empty_half_year_gives_way_to_the_nearest_visit_and_a_wrong_month_to_the_default() -> None:
    rows = [visit("a", "red", "2028-02-10")]
    assert visits_grid(rows, today=TODAY).months[0] == date(2028, 1, 1)
    assert visits_grid(rows, "n’importe quoi", TODAY).months[0] == date(2028, 1, 1)
    assert visits_grid(rows, "2026-07", TODAY).rows == []


def test_a_month_of_the_address_is_one_that_visits_could_be_in() -> None:
    assert month_asked("2026-07") == date(2026, 7, 1)
    assert [month_asked(text) for text in ("0001-01", "9999-12", "2026-13", "hier", "", None)] == [None] * 6
