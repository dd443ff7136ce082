"""Where work stands in a planning, and what its address says: no server needed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from werkzeug.datastructures import MultiDict

from gateway.web.planning.address import Address
from gateway.web.planning.calendar import calendar, holidays_of
from gateway.web.planning.layout import days_of, name_overlaps, pieces_of, side_by_side
from gateway.web.planning.timeline import timeline

PARIS = ZoneInfo("Europe/Paris")


def row(name: str, starts: str | None, ends: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": name, "title": name, "starts_at": starts, "ends_at": ends, "state": "planned", **more}


def address(query: dict[str, str], default: str = "liste") -> Address:
    return Address.of("/interventions", MultiDict(query), default)


def test_days_and_hours_are_those_of_the_company_over_a_change_of_hour() -> None:
    # 28 March 2027: clocks go from 2:00 to 3:00 in Paris.
    night = row("nuit", "2027-03-28T00:30:00Z", "2027-03-28T02:00:00Z")
    [piece] = pieces_of(night, [date(2027, 3, 28)])
    assert (piece.start, piece.end) == (6, 16)
    assert days_of(row("soir", "2026-11-24T23:30:00Z")) == [date(2026, 11, 25)]
    assert days_of(row("minuit", "2026-11-24T18:00:00Z", "2026-11-24T23:00:00Z")) == [date(2026, 11, 24)]
    assert days_of(row("deux jours", "2026-11-24T18:00:00Z", "2026-11-25T07:00:00Z")) == [
        date(2026, 11, 24), date(2026, 11, 25),
    ]  # fmt: skip


def test_what_overlaps_stands_side_by_side_and_what_follows_takes_the_whole_width() -> None:
    day = date(2026, 11, 24)
    rows = [
        row("a", "2026-11-24T08:00:00Z", "2026-11-24T10:00:00Z"),
        row("b", "2026-11-24T09:00:00Z", "2026-11-24T11:00:00Z"),
        row("c", "2026-11-24T10:00:00Z", "2026-11-24T12:00:00Z"),
        row("d", "2026-11-24T12:00:00Z", "2026-11-24T13:00:00Z"),
    ]
    placed = side_by_side([piece for one in rows for piece in pieces_of(one, [day])])
    assert [(piece.row["id"], piece.lane, piece.lanes) for piece in placed] == [
        ("a", 0, 2), ("b", 1, 2), ("c", 0, 2), ("d", 0, 1),
    ]  # fmt: skip
    name_overlaps(placed)
    assert [piece.overlap for piece in placed] == ["", "1\u00a0h", "1\u00a0h", ""]
    rows[0]["state"] = "done"
    again = side_by_side([piece for one in rows[:2] for piece in pieces_of(one, [day])])
    name_overlaps(again)
    assert [piece.overlap for piece in again] == ["", ""]


def test_a_row_a_technician_and_what_nobody_is_given_last() -> None:
    lea, karim = {"id": "l", "name": "Léa"}, {"id": "k", "name": "Karim"}
    rows = [
        row("à deux", "2026-11-24T08:00:00Z", technicians=[karim], lead_technician=lea),
        row("à personne", "2026-11-25T08:00:00Z", technicians=[], lead_technician=None),
    ]
    other = row("ailleurs", "2026-11-24T08:00:00Z", technicians=[karim], lead_technician=None)
    made = timeline(address({"date": "2026-11-24", "vue": "timeline"}), rows, [other], [lea, karim])
    assert [line.name for line in made.lines] == ["Karim", "Léa", "À affecter"]
    assert len(made.days) == 5
    shown = [[piece.row["id"] for cell in line.cells for piece in cell] for line in made.lines]
    assert [sorted(one) for one in shown] == [["ailleurs", "à deux"], ["à deux"], ["à personne"]]
    outlined = {piece.row["id"]: piece.other for piece in made.lines[0].cells[1]}
    assert outlined == {"ailleurs": True, "à deux": False}


def test_a_month_shows_whole_weeks_with_their_holidays() -> None:
    now = datetime(2026, 11, 25, 12, tzinfo=PARIS)
    made = calendar(address({"vue": "calendrier", "periode": "mois", "date": "2026-11-25"}), [], now)
    assert (made.days[0].day, made.days[-1].day) == (date(2026, 10, 26), date(2026, 12, 6))
    assert holidays_of(2026)[date(2026, 11, 11)] == "Armistice"
    assert [day.day for day in made.days if day.today] == [date(2026, 11, 25)]
    assert made.title == "Novembre 2026"


@pytest.mark.parametrize("wrong", [{"vue": "x"}, {"date": "demain"}, {"date": "9999-12-31"}, {"periode": "siècle"}])
def test_an_address_that_makes_no_sense_shows_the_usual(wrong: dict[str, str]) -> None:
    found = address(wrong)
    assert (found.view, found.span) == ("liste", "semaine")
    assert found.url() == "/interventions"


def test_links_keep_the_filters_and_reset_takes_only_them_away() -> None:
    found = address({"vue": "calendrier", "periode": "jour", "date": "2026-11-24", "q": "fuite", "to_invoice": "true"})
    assert found.step(1) == "/interventions?q=fuite&to_invoice=true&vue=calendrier&periode=jour&date=2026-11-25"
    assert found.reset() == "/interventions?vue=calendrier&periode=jour&date=2026-11-24"
    assert found.asked() == {"q": "fuite", "archived": False, "to_invoice": True}
