"""Maintenance: visits in their periods, each once, coloured by what interventions tell."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chassis.errors import Conflict, Invalid
from chassis.ids import new_id
from contracts import interventions
from contracts import maintenance as c
from services.maintenance.calendar import visits_due
from services.maintenance.commands import extend_some
from tests.clients.support import at_once
from tests.support.services import ServiceUnderTest, make_service


@pytest.fixture(scope="module")
def service(postgres_url: str) -> Iterator[ServiceUnderTest]:
    made = make_service("maintenance", postgres_url)
    yield made
    made.close()


def plan(service: ServiceUnderTest, home: uuid.UUID, **body: Any) -> dict[str, Any]:
    values = {"title": "Entretien", "period": "year", "starts_on": date.today()} | body
    answer: dict[str, Any] = service.call(
        c.CreatePlan(home_client_id=home, written_client_id=home, body=c.PlanBody(**values))
    )
    return answer


def test_a_year_from_january_to_december_has_one_visit() -> None:
    dues = list(
        visits_due(
            starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31), period="year", rrule=None, per_period=1,
            until=date(2028, 1, 1),
        )
    )  # fmt: skip
    assert len(dues) == 1
    assert (dues[0].period_start, dues[0].period_end) == (date(2026, 1, 1), date(2026, 12, 31))


def test_every_monday_is_mondays_only_through_the_change_of_clocks() -> None:
    dues = list(
        visits_due(
            starts_on=date(2026, 11, 27), ends_on=date(2027, 4, 30), period=None, rrule="FREQ=WEEKLY;BYDAY=MO",
            per_period=1, until=date(2028, 1, 1),
        )
    )  # fmt: skip
    assert dues[0].due_on == date(2026, 11, 30)
    assert all(due.due_on.weekday() == 0 for due in dues)
    assert len(dues) == len({due.due_on for due in dues}) == 22


def test_days_are_worked_ones_inside_their_period() -> None:
    for due in visits_due(
        starts_on=date(2026, 5, 1), ends_on=None, period="month", rrule=None, per_period=2, until=date(2027, 12, 1)
    ):
        assert due.period_start <= due.due_on <= due.period_end
        assert due.due_on.weekday() < 5
        assert due.due_on not in (date(2026, 5, 8), date(2026, 7, 14), date(2026, 12, 25))


def test_visits_are_made_once_however_often_and_by_however_many(service: ServiceUnderTest) -> None:
    home = new_id()
    made = plan(service, home, visits_per_period=2)
    c.PlanView.model_validate(made)
    before = service.call(c.ListVisits(plan_id=made["id"], limit=200))["items"]
    service.sql("UPDATE plan SET made_until = NULL")

    def extend() -> None:
        worker = service.worker()
        worker.uow.run(None, lambda: extend_some(worker.uow))

    threads = [threading.Thread(target=extend) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    extend()
    assert service.call(c.ListVisits(plan_id=made["id"], limit=200))["items"] == before
    assert len(before) == 4


def test_many_plans_are_extended_some_at_a_time_and_one_that_fails_holds_up_none(service: ServiceUnderTest) -> None:
    made = plan(service, new_id(), period="year", title="Volume", starts_on=date.today() - timedelta(days=30))
    service.sql(
        "INSERT INTO plan SELECT (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(), 'made_until', "
        "NULL))).* FROM plan p, generate_series(1, 450) WHERE p.id = :id",
        id=made["id"],
    )
    broken = plan(service, new_id(), period="month")
    service.sql("UPDATE plan SET made_until = NULL, period = NULL, rrule = 'FREQ=NOTHING' WHERE id = :id",
                id=broken["id"])  # fmt: skip
    worker = service.worker()
    rounds = []
    while count := worker.uow.run(None, lambda: extend_some(worker.uow)):
        rounds.append(count)
    assert len(rounds) >= 3
    of = "SELECT count(*) FROM plan p WHERE title = 'Volume' AND"
    assert service.sql(f"{of} NOT EXISTS (SELECT FROM visit v WHERE v.plan_id = p.id)")[0][0] == 0
    # Until the next period comes near nothing is left to do, tomorrow either.
    tomorrow = f"{of} made_until < current_date + 1 + interval '18 months'"
    assert service.sql(tomorrow)[0][0] == 0


def test_a_visit_planned_is_blue_and_done_is_green(service: ServiceUnderTest) -> None:
    home = new_id()
    made = plan(service, home)
    visit = service.call(c.ListVisits(plan_id=made["id"]))["items"][0]
    c.VisitView.model_validate(visit)
    assert visit["colour"] == "red"
    starts = datetime.now(UTC) + timedelta(days=2)
    planned = service.call(c.ScheduleVisit(id=visit["id"], body=c.ScheduleBody(starts_at=starts)))
    assert planned["colour"] == "blue"
    with pytest.raises(Conflict):
        service.call(c.ScheduleVisit(id=visit["id"], body=c.ScheduleBody(starts_at=starts)))
    told = service.events("visit.scheduled")[-1]["data"]
    assert told["intervention_id"] == planned["intervention_id"]
    facts = {
        "id": planned["intervention_id"], "home_client_id": home, "client_id": home, "number": "INT-1", "title": "V",
        "kind": "intervention", "ends_at": None, "address_id": None, "place_id": None, "technician_ids": [],
        "visit_id": visit["id"], "job_site_id": None,
    }  # fmt: skip
    service.tell(interventions.InterventionUpdated(**facts, state="to_plan", starts_at=None))
    assert service.call(c.GetVisit(id=visit["id"]))["colour"] == "red"
    service.tell(interventions.InterventionDone(**facts, state="done", starts_at=starts, finished_at=starts))
    assert service.call(c.GetVisit(id=visit["id"]))["colour"] == "green"
    assert len(service.events("visit.done")) == 1


def test_a_day_can_be_changed_within_the_period_and_set_back(service: ServiceUnderTest) -> None:
    made = plan(service, new_id())
    visit = service.call(c.ListVisits(plan_id=made["id"]))["items"][0]
    moved = service.call(c.UpdateVisit(id=visit["id"], changes=c.VisitChanges(due_on=visit["period_end"])))
    assert moved["due_on"] == visit["period_end"]
    assert service.call(c.UpdateVisit(id=visit["id"], changes=c.VisitChanges(due_on=None)))["due_on"] == visit["due_on"]
    outside = date.fromisoformat(visit["period_end"]) + timedelta(days=1)
    with pytest.raises(Invalid):
        service.call(c.UpdateVisit(id=visit["id"], changes=c.VisitChanges(due_on=outside)))


def test_a_changed_plan_moves_only_open_visits_to_come(service: ServiceUnderTest) -> None:
    made = plan(service, new_id())
    first = service.call(c.ListVisits(plan_id=made["id"]))["items"][0]
    service.call(c.ScheduleVisit(id=first["id"], body=c.ScheduleBody(starts_at=datetime.now(UTC))))
    service.call(c.UpdatePlan(id=made["id"], changes=c.PlanChanges(visits_per_period=3)))
    items = service.call(c.ListVisits(plan_id=made["id"], limit=200))["items"]
    assert first["id"] in {item["id"] for item in items}
    assert len(items) == 6
    service.call(c.UpdatePlan(id=made["id"], changes=c.PlanChanges(paused=True)))
    left = service.call(c.ListVisits(plan_id=made["id"], limit=200))["items"]
    assert [item["id"] for item in left] == [first["id"]]


def test_a_plan_that_changes_its_period_keeps_the_past_and_makes_the_future(service: ServiceUnderTest) -> None:
    today = date.today()
    made = plan(service, new_id(), period="month", starts_on=today - timedelta(days=400))
    service.call(c.UpdatePlan(id=made["id"], changes=c.PlanChanges(period="year")))
    coming = service.call(c.ListVisits(plan_id=made["id"], from_day=today, limit=200))["items"]
    assert coming
    before = {v["id"] for v in service.call(c.ListVisits(plan_id=made["id"], to_day=today, limit=200))["items"]}
    service.call(c.UpdatePlan(id=made["id"], changes=c.PlanChanges(period="month")))
    after = {v["id"] for v in service.call(c.ListVisits(plan_id=made["id"], to_day=today, limit=200))["items"]}
    assert after - before == set()


def test_what_does_not_move_an_intervention_leaves_its_visit_as_it_is(service: ServiceUnderTest) -> None:
    made = plan(service, new_id())
    visit = service.call(c.ListVisits(plan_id=made["id"]))["items"][0]
    starts = datetime(2027, 3, 1, 7, tzinfo=UTC)
    planned = service.call(c.ScheduleVisit(id=visit["id"], body=c.ScheduleBody(starts_at=starts)))
    told = interventions.InterventionUpdated(
        id=planned["intervention_id"], home_client_id=visit["client_id"], client_id=visit["client_id"], number="INT-1",
        title="Autre", kind="intervention", state="planned", starts_at=starts, ends_at=None, address_id=None,
        place_id=None, technician_ids=[], visit_id=visit["id"], job_site_id=None,
    )  # fmt: skip
    service.tell(told)
    assert service.call(c.GetVisit(id=visit["id"])) == planned


def test_a_rule_may_end_at_a_moment_in_utc_and_must_move_on(service: ServiceUnderTest) -> None:
    rule = "FREQ=MONTHLY;UNTIL=20270201T000000Z"
    made = plan(service, new_id(), period=None, rrule=rule, starts_on=date(2026, 12, 1))
    assert len(service.call(c.ListVisits(plan_id=made["id"]))["items"]) == 3
    for interval in ("0", "-1", "00"):
        with pytest.raises(ValueError, match="intervalle"):
            c.PlanBody(starts_on=date(2026, 1, 1), rrule=f"FREQ=DAILY;INTERVAL={interval}")


def test_a_visit_of_the_past_is_taken_in_once_and_only_where_one_was_due(service: ServiceUnderTest) -> None:
    owner = new_id()
    body = c.PlanBody(title="P2", period="year", starts_on=date(2024, 2, 1))
    made = service.call(
        c.CreatePlan(home_client_id=owner, written_client_id=owner, body=body, visits_from=date(2027, 1, 1))
    )
    at = datetime(2024, 3, 5, 8, tzinfo=UTC)
    works = [new_id() for _ in range(4)]
    outcomes = at_once(
        [
            lambda work=work: service.call(c.RecordVisit(plan_id=made["id"], intervention_id=work, done_at=at))
            for work in works
        ]
    )
    assert outcomes == ["no_visit"] * 3 + ["ok"]
    [visit] = service.call(c.ListVisits(plan_id=made["id"], colour="green"))["items"]
    assert (visit["period_start"], visit["period_end"]) == ("2024-02-01", "2025-01-31")
    same = c.RecordVisit(plan_id=made["id"], intervention_id=visit["intervention_id"], done_at=at)
    assert service.call(same)["id"] == visit["id"]
    before = datetime(2023, 1, 1, tzinfo=UTC)
    with pytest.raises(Conflict):
        service.call(c.RecordVisit(plan_id=made["id"], intervention_id=new_id(), done_at=before))


def test_an_equipment_is_shown_by_the_visit_that_says_how_its_maintenance_stands(service: ServiceUnderTest) -> None:
    home, overdue, done, coming, without = (new_id() for _ in range(5))
    today = date.today()
    begun = plan(service, home, equipment_ids=[overdue], starts_on=today - timedelta(days=300))
    kept = plan(service, home, equipment_ids=[done], starts_on=today - timedelta(days=300))
    plan(service, home, equipment_ids=[coming, new_id()], starts_on=today + timedelta(days=30))
    [visit, *_] = service.call(c.ListVisits(equipment_id=done))["items"]
    finished = datetime.now(UTC)
    service.sql("UPDATE visit SET done_at = :at WHERE id = :id", at=finished, id=visit["id"])
    stands = service.call(c.EquipmentVisits(ids=[overdue, done, coming, without]))["items"]
    assert [c.EquipmentVisit.model_validate(one) for one in stands]
    [late] = service.call(c.ListVisits(plan_id=begun["id"], to_day=today))["items"]
    assert [(one["equipment_id"], one["colour"]) for one in stands] == [
        (str(overdue), "red"), (str(done), "green"), (str(coming), "red"),
    ]  # fmt: skip
    assert (stands[0]["visit_id"], stands[0]["on"]) == (late["id"], late["due_on"])
    assert stands[1]["on"] == finished.astimezone(ZoneInfo("Europe/Paris")).date().isoformat()
    assert [one["id"] for one in service.call(c.ListPlans(equipment_id=done))["items"]] == [kept["id"]]
