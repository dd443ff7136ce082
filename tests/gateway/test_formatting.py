"""French typography of the pages."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from gateway.web import formatting as f


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1264.5", "1\u202f264,50\u202f€"),
        ("-583.2", "−583,20\u202f€"),
        ("0", "0,00\u202f€"),
        (None, ""),
        ("x", ""),
    ],
)
def test_amounts_have_two_decimals_a_true_minus_and_narrow_spaces(value: str | None, shown: str) -> None:
    assert f.money(value) == shown


def test_days_are_short() -> None:
    assert f.day("2026-11-24") == "24\u00a0nov. 2026"
    assert f.day(None) == ""
    assert f.long_day("2019-03-12") == "12\u00a0mars 2019"


def test_moments_are_those_of_paris_in_both_seasons() -> None:
    assert f.time_of_day("2026-07-01T10:00:00+00:00") == "12:00"
    assert f.moment("2026-11-24T13:30:00Z") == "mar. 24\u00a0nov. 2026 14:30"
    assert f.day("2026-11-24T23:30:00+00:00") == "25\u00a0nov. 2026"


def test_recent_moments_are_relative_up_to_two_days() -> None:
    now = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    assert f.relative("2026-11-25T11:59:30+00:00", now) == "à l’instant"
    assert f.relative("2026-11-25T11:30:00+00:00", now) == "il y a 30\u00a0min"
    assert f.relative("2026-11-25T10:00:00+00:00", now) == "il y a 2\u00a0h"
    assert f.relative("2026-11-24T10:00:00+00:00", now) == "hier"
    assert f.relative("2026-11-20T10:00:00+00:00", now) == "20\u00a0nov."
    assert f.relative("2025-11-20T10:00:00+00:00", now) == "20\u00a0nov. 2025"


def test_days_of_the_activities_have_headings() -> None:
    today = date(2026, 11, 25)
    assert f.heading_day("2026-11-25", today) == "Aujourd’hui"
    assert f.heading_day("2026-11-24", today) == "Hier"
    assert f.heading_day("2026-11-19", today) == "Jeu. 19\u00a0nov. 2026"


def test_french_phones_are_in_pairs_and_others_as_given() -> None:
    assert f.phone("+33639984107") == "06\u00a039\u00a098\u00a041\u00a007"
    assert f.phone("0199000002") == "01\u00a099\u00a000\u00a000\u00a002"
    assert f.phone("+32 2 555 12 12") == "+32 2 555 12 12"
    assert f.phone("4512") == "4512"


def test_sizes_and_monograms() -> None:
    assert f.size(84_000) == "84\u00a0Ko"
    assert f.size(2_000_000_000) == "2,0\u00a0Go"
    assert f.initials("Copropriété Les Tilleuls") == "CT"
    assert f.initials("") == "?"
    assert f.custom("2019-03-12") == "12\u00a0mars 2019"
    assert f.custom(True) == "Oui"
