"""Plans told in months; a visit and its intervention that move together."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis.errors import Conflict, Invalid
from chassis.ids import new_id
from contracts import interventions
from contracts import maintenance as c
from services.maintenance.calendar import visits_due
from tests.clients.support import at_once
from tests.maintenance.test_maintenance import plan
from tests.support.services import ServiceUnderTest, make_service


@pytest.fixture(scope="module")
def service(postgres_url: str) -> Iterator[ServiceUnderTest]:
    made = make_service("maintenance", postgres_url)
    yield made
    made.close()


def visits(service: ServiceUnderTest, plan_id: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = service.call(c.ListVisits(plan_id=uuid.UUID(plan_id), limit=200))["items"]
    return items


def test_twice_a_year_in_march_and_september_is_a_visit_in_each_of_these_months() -> None:
    dues = list(
        visits_due(
            starts_on=date(2026, 3, 20), ends_on=date(2027, 9, 10), period="year", rrule=None, per_period=2,
            until=date(2028, 6, 1), months=[3, 9],
        )
    )  # fmt: skip
    assert [(due.period_start, due.period_end) for due in dues] == [
        (date(2026, 3, 20), date(2026, 3, 31)),
        (date(2026, 9, 1), date(2026, 9, 30)),
        (date(2027, 3, 1), date(2027, 3, 31)),
        (date(2027, 9, 1), date(2027, 9, 10)),
    ]
    assert all(due.period_start <= due.due_on <= due.period_end and due.due_on.weekday() < 5 for due in dues)


def test_months_are_of_a_year_and_count_the_visits(service: ServiceUnderTest) -> None:
    made = plan(service, new_id(), months=[9, 3, 9])
    c.PlanView.model_validate(made)
    assert (made["months"], made["visits_per_period"]) == ([3, 9], 2)
    assert {date.fromisoformat(visit["due_on"]).month for visit in visits(service, made["id"])} == {3, 9}
    with pytest.raises(ValueError, match="par an"):
        c.PlanBody(starts_on=date(2026, 1, 1), period="month", months=[3])
    with pytest.raises(Invalid):
        service.call(c.UpdatePlan(id=made["id"], changes=c.PlanChanges(period="month", months=[3])))
    monthly = service.call(c.UpdatePlan(id=made["id"], changes=c.PlanChanges(period="month", visits_per_period=1)))
    assert monthly["months"] == []


def test_other_months_move_what_is_open_and_leave_what_is_planned(service: ServiceUnderTest) -> None:
    made = plan(service, new_id(), months=[3, 9])
    first = visits(service, made["id"])[0]
    starts = datetime.combine(date.fromisoformat(first["due_on"]), datetime.min.time(), UTC) + timedelta(hours=8)
    service.call(c.ScheduleVisit(id=first["id"], body=c.ScheduleBody(starts_at=starts)))
    changed = service.call(c.UpdatePlan(id=made["id"], changes=c.PlanChanges(months=[1, 5, 10])))
    assert changed["visits_per_period"] == 3
    after = visits(service, made["id"])
    assert [visit["id"] for visit in after if visit["colour"] == "blue"] == [first["id"]]
    assert {date.fromisoformat(visit["due_on"]).month for visit in after if visit["colour"] == "red"} == {1, 5, 10}


def test_a_rule_that_never_falls_is_refused_at_once() -> None:
    started = time.process_time()
    with pytest.raises(ValueError, match="jamais"):
        c.PlanBody(starts_on=date(2026, 1, 1), rrule="FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")
    with pytest.raises(ValueError, match="seule"):
        c.PlanBody(starts_on=date(2026, 1, 1), rrule="RRULE:FREQ=YEARLY\nRRULE:FREQ=DAILY")
    # From a Thursday on each seventh day is a Thursday.
    with pytest.raises(ValueError, match="jamais"):
        c.PlanBody(starts_on=date(2026, 1, 1), rrule="FREQ=DAILY;INTERVAL=7;BYDAY=MO")
    c.PlanBody(starts_on=date(2026, 1, 1), rrule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29")
    c.PlanBody(starts_on=date(2024, 2, 29), rrule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=TH")
    # Looking for it until the year 9999 would take seconds; this says only that nobody does.
    assert time.process_time() - started < 2


def test_no_visit_is_due_in_a_closed_month() -> None:
    some = {"starts_on": date(2026, 1, 1), "ends_on": None, "per_period": 1, "until": date(2027, 6, 30)}
    halves = list(visits_due(period="half_year", rrule=None, closed=[3, 4, 10], **some))
    assert [due.due_on for due in halves] == [date(2026, 2, 27), date(2026, 9, 30), date(2027, 5, 3)]
    assert all(due.period_start <= due.due_on <= due.period_end for due in halves)
    monthly = list(visits_due(period="month", rrule=None, closed=[8, 12], **some))
    assert [due.due_on.month for due in monthly] == [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 1, 2, 3, 4, 5, 6]
    # The key of a visit does not hang on which months are closed.
    assert monthly[7].period_index == 8
    rule = list(visits_due(period=None, rrule="FREQ=MONTHLY;BYMONTHDAY=5", closed=[2], **some))
    assert [due.due_on.month for due in rule][:3] == [1, 3, 4]
    with pytest.raises(ValueError, match="sans visite"):
        c.PlanBody(starts_on=date(2026, 1, 1), period="year", months=[3, 9], closed_months=[9])


def test_months_that_close_move_the_open_visits_of_a_plan(service: ServiceUnderTest) -> None:
    made = plan(service, new_id(), period="month", starts_on=date.today().replace(day=1))
    closed = (date.today().month + 2) % 12 + 1
    changed = service.call(c.UpdatePlan(id=made["id"], changes=c.PlanChanges(closed_months=[closed])))
    assert changed["closed_months"] == [closed]
    assert closed not in {date.fromisoformat(visit["due_on"]).month for visit in visits(service, made["id"])}


def test_a_planning_is_taken_back_at_once_and_only_what_was_not_done(service: ServiceUnderTest) -> None:
    visit, starts = planned(service)
    freed = service.call(c.UnscheduleVisit(id=visit["id"]))
    c.VisitView.model_validate(freed)
    assert (freed["colour"], freed["intervention_id"], freed["version"]) == ("red", None, visit["version"] + 1)
    assert service.events("visit.unscheduled")[-1]["data"]["intervention_id"] == visit["intervention_id"]
    told = len(service.events("visit.unscheduled"))
    assert service.call(c.UnscheduleVisit(id=visit["id"])) == freed
    assert len(service.events("visit.unscheduled")) == told
    home = uuid.UUID(visit["client_id"])
    facts = {
        "id": visit["intervention_id"], "home_client_id": home, "client_id": home, "number": "INT-1", "title": "V",
        "kind": "intervention", "ends_at": None, "address_id": None, "place_id": None, "technician_ids": [],
        "visit_id": visit["id"], "job_site_id": None, "state": "done",
    }  # fmt: skip
    # Somebody had begun it all the same: what is done is done.
    service.tell(interventions.InterventionDone(**facts, starts_at=starts, finished_at=starts))
    assert service.call(c.GetVisit(id=visit["id"]))["colour"] == "green"
    with pytest.raises(Conflict):
        service.call(c.UnscheduleVisit(id=visit["id"]))


def test_of_planning_and_taking_back_at_once_either_comes_last(service: ServiceUnderTest) -> None:
    visit, starts = planned(service)
    deeds = [
        lambda: service.call(c.UnscheduleVisit(id=visit["id"])),
        lambda: service.call(c.UnscheduleVisit(id=visit["id"])),
        lambda: service.call(c.ScheduleVisit(id=visit["id"], body=c.ScheduleBody(starts_at=starts))),
    ]
    at_once(deeds)
    found = service.call(c.GetVisit(id=visit["id"]))
    assert found["colour"] == ("blue" if found["intervention_id"] else "red")
    names = [e["type"].split(".")[-2] for e in service.events() if e["data"]["id"] == visit["id"]]
    # Each planning is taken back at most once, and in the order told.
    assert names in (
        ["scheduled", "unscheduled"], ["scheduled", "unscheduled", "scheduled"],
        ["scheduled", "unscheduled", "scheduled", "unscheduled"],
    )  # fmt: skip


def test_what_visits_make_is_to_be_invoiced_unless_the_contract_covers_it(service: ServiceUnderTest) -> None:
    for covered, told in (({}, (True, "")), ({"billable": False, "contract_reference": "P2-14"},
                                             (False, "Comprise dans le contrat P2-14"))):  # fmt: skip
        visit = visits(service, plan(service, new_id(), months=[1], **covered)["id"])[0]
        service.call(
            c.ScheduleVisit(id=visit["id"], body=c.ScheduleBody(starts_at=datetime(2027, 1, 4, 8, tzinfo=UTC)))
        )
        data = service.events("visit.scheduled")[-1]["data"]
        assert (data["billable"], data["billable_reason"]) == told


def planned(service: ServiceUnderTest) -> tuple[dict[str, Any], datetime]:
    # A whole January: what is left of this one may be a day, or none that can be moved to.
    made = plan(service, new_id(), months=[1], starts_on=date(date.today().year + 1, 1, 1))
    visit = visits(service, made["id"])[0]
    starts = datetime.combine(date.fromisoformat(visit["due_on"]), datetime.min.time(), UTC) + timedelta(hours=8)
    answer: dict[str, Any] = service.call(c.ScheduleVisit(id=visit["id"], body=c.ScheduleBody(starts_at=starts)))
    return answer, starts


def test_a_planned_visit_that_changes_its_day_takes_its_intervention_along_at_the_same_hour(
    service: ServiceUnderTest,
) -> None:
    visit, starts = planned(service)
    day = date.fromisoformat(visit["period_end"])
    moved = service.call(c.UpdateVisit(id=visit["id"], changes=c.VisitChanges(due_on=day)))
    told = service.events("visit.rescheduled")[-1]["data"]
    assert told["intervention_id"] == visit["intervention_id"]
    assert told["starts_at"] == f"{day}T08:00:00Z"
    assert datetime.fromisoformat(moved["intervention"]["starts_at"]) == starts + (day - starts.date())


def test_an_intervention_that_moves_takes_its_visit_along_within_the_period(service: ServiceUnderTest) -> None:
    visit, starts = planned(service)
    home = uuid.UUID(visit["client_id"])
    facts = {
        "id": visit["intervention_id"], "home_client_id": home, "client_id": home, "number": "INT-1", "title": "V",
        "kind": "intervention", "ends_at": None, "address_id": None, "place_id": None, "technician_ids": [],
        "visit_id": visit["id"], "job_site_id": None, "state": "planned",
    }  # fmt: skip
    inside = starts.replace(day=28)
    service.tell(interventions.InterventionUpdated(**facts, starts_at=inside))
    assert service.call(c.GetVisit(id=visit["id"]))["due_on"] == str(inside.date())
    outside = starts + timedelta(days=60)
    service.tell(interventions.InterventionUpdated(**facts, starts_at=outside))
    after = service.call(c.GetVisit(id=visit["id"]))
    assert after["due_on"] == str(inside.date())
    assert datetime.fromisoformat(after["intervention"]["starts_at"]) == outside
    service.tell(interventions.InterventionDone(**{**facts, "state": "done"}, starts_at=outside, finished_at=outside))
    with pytest.raises(Conflict):
        service.call(
            c.UpdateVisit(id=visit["id"], changes=c.VisitChanges(due_on=date.fromisoformat(visit["period_end"])))
        )
