"""Interventions and job sites: what the service promises, on a real PostgreSQL."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis.errors import Conflict, Gone, Invalid, Stale
from chassis.ids import new_id
from contracts import accounts, maintenance
from contracts import interventions as c
from tests.interventions.conftest import create
from tests.support.services import ServiceUnderTest


def test_work_is_answered_as_the_contract_says(service: ServiceUnderTest) -> None:
    answer = c.InterventionView.model_validate(create(service, new_id(), needs_quote=True))
    assert answer.number.startswith("INT-")
    assert (answer.state, answer.status, answer.billable) == ("to_plan", None, True)


def test_status_is_exclusive_and_follows_the_day(service: ServiceUnderTest) -> None:
    home, now = new_id(), datetime.now(UTC)
    late = create(service, home, starts_at=now - timedelta(hours=3), ends_at=now - timedelta(hours=2))
    coming = create(service, home, starts_at=now + timedelta(days=3))
    waiting = create(service, home)
    assert (late["status"], coming["status"], waiting["status"]) == ("late", "upcoming", None)
    done = service.call(c.ActOnIntervention(id=late["id"], action="finish"))
    assert (done["status"], done["state"]) == ("done", "done")
    cancelled = service.call(c.ActOnIntervention(id=coming["id"], action="cancel"))
    assert (cancelled["status"], cancelled["state"]) == (None, "cancelled")
    ids = {item["id"] for item in service.call(c.ListInterventions(tree=[home], status=["done"]))["items"]}
    assert ids == {late["id"]}


def test_a_date_plans_it_and_none_puts_it_back(service: ServiceUnderTest) -> None:
    made = create(service, new_id())
    starts = datetime(2027, 3, 29, 6, 0, 30, tzinfo=UTC)
    planned = service.call(
        c.UpdateIntervention(id=made["id"], expected_version=1, changes=c.InterventionChanges(starts_at=starts))
    )
    assert planned["state"] == "planned"
    retitled = service.call(c.UpdateIntervention(id=made["id"], changes=c.InterventionChanges(title="Autre")))
    assert retitled["starts_at"] == planned["starts_at"]
    back = service.call(c.UpdateIntervention(id=made["id"], changes=c.InterventionChanges(starts_at=None)))
    assert back["state"] == "to_plan"
    with pytest.raises(Stale):
        service.call(c.UpdateIntervention(id=made["id"], expected_version=1, changes=c.InterventionChanges(title="X")))
    with pytest.raises(Invalid):
        service.call(c.UpdateIntervention(id=made["id"], changes=c.InterventionChanges(ends_at=starts)))


def test_numbers_are_each_given_once_also_under_races(service: ServiceUnderTest) -> None:
    home = new_id()
    threads = [threading.Thread(target=create, args=(service, home, f"Course {n}")) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    items = service.call(c.ListInterventions(tree=[home]))["items"]
    assert len({item["number"] for item in items}) == len(items) == 12


def test_every_version_of_a_report_is_kept(service: ServiceUnderTest) -> None:
    made = create(service, new_id())
    for text in ("Premier", "Second"):
        service.call(c.FillReport(id=made["id"], body=c.ReportBody(work_done=text, minutes=45)))
    rows = service.sql(
        "SELECT number, report->>'work_done' FROM report_version WHERE intervention_id = :id ORDER BY 1", id=made["id"]
    )
    assert [tuple(row) for row in rows] == [(1, "Premier"), (2, "Second")]
    assert service.call(c.GetIntervention(id=made["id"]))["report"]["work_done"] == "Second"


def test_done_work_is_archived_not_deleted(service: ServiceUnderTest) -> None:
    made = create(service, new_id())
    service.call(c.ActOnIntervention(id=made["id"], action="finish"))
    with pytest.raises(Conflict):
        service.call(c.ActOnIntervention(id=made["id"], action="delete"))
    other = create(service, new_id())
    service.call(c.ActOnIntervention(id=other["id"], action="delete"))
    with pytest.raises(Gone):
        service.call(c.ActOnIntervention(id=other["id"], action="start"))


def test_technicians_are_named_by_what_accounts_told(service: ServiceUnderTest) -> None:
    user = new_id()
    service.tell(accounts.UserCreated(id=user, name="Karim Haddad", roles=["technician"], active=True))
    home = new_id()
    made = create(service, home, technician_ids=[user])
    assert made["technicians"] == [{"id": str(user), "name": "Karim Haddad"}]
    assert [one["name"] for one in service.call(c.ListTechnicians())["items"]] == ["Karim Haddad"]
    found = service.call(c.ListInterventions(technician_id=[user]))["items"]
    assert [item["id"] for item in found] == [made["id"]]


def test_the_fiche_counts_both_sections(service: ServiceUnderTest) -> None:
    home = new_id()
    site = service.call(
        c.CreateJobSite(home_client_id=home, written_client_id=home, body=c.JobSiteBody(title="Chaufferie"))
    )
    c.JobSiteView.model_validate(site)
    create(service, home, job_site_id=site["id"])
    sections = service.call(c.InterventionFiche(client_id=home))["sections"]
    assert (sections["interventions"]["count"], sections["job_sites"]["count"]) == (1, 1)
    assert sections["job_sites"]["items"][0]["intervention_count"] == 1
    foreign = service.call(c.CheckInterventions(tree=[new_id()], job_site_ids=[site["id"]]))["foreign"]
    assert foreign == [site["id"]]


def test_a_visit_planned_again_after_its_work_was_cancelled_gets_a_new_intervention(service: ServiceUnderTest) -> None:
    home, visit = new_id(), new_id()

    def scheduled(work: uuid.UUID) -> maintenance.VisitScheduled:
        return maintenance.VisitScheduled(
            id=visit, home_client_id=home, client_id=home, written_client_id=home, plan_id=new_id(),
            due_on=datetime.now(UTC).date(), intervention_id=work, title="Visite", starts_at=datetime.now(UTC),
            ends_at=None, technician_ids=[], address_id=None, place_id=None, equipment_ids=[],
        )  # fmt: skip

    first, second = new_id(), new_id()
    service.tell(scheduled(first))
    service.tell(scheduled(first))
    service.call(c.ActOnIntervention(id=first, action="cancel"))
    service.tell(scheduled(second))
    items = service.call(c.ListInterventions(tree=[home]))["items"]
    assert {item["id"] for item in items} == {str(first), str(second)}


def test_a_visit_planned_no_more_takes_its_intervention_away_unless_it_has_begun(service: ServiceUnderTest) -> None:
    home, visit = new_id(), new_id()
    row = {"id": visit, "home_client_id": home, "client_id": home, "plan_id": new_id(), "due_on": date(2027, 3, 1)}

    def scheduled(work: uuid.UUID, **more: Any) -> None:
        service.tell(
            maintenance.VisitScheduled(
                **row, intervention_id=work, written_client_id=home, title="Visite", technician_ids=[],
                starts_at=datetime(2027, 3, 1, 7, tzinfo=UTC), ends_at=None, address_id=None, place_id=None,
                equipment_ids=[], **more,
            )
        )  # fmt: skip

    first, second, third = new_id(), new_id(), new_id()
    scheduled(first)
    assert service.call(c.GetIntervention(id=first))["billable"] is True
    service.tell(maintenance.VisitUnscheduled(**row, intervention_id=first))
    assert service.call(c.ListInterventions(tree=[home]))["items"] == []
    scheduled(second, billable=False, billable_reason="Comprise dans le contrat P2")
    kept = service.call(c.ActOnIntervention(id=second, action="start"))
    assert (kept["billable"], kept["billable_reason"]) == (False, "Comprise dans le contrat P2")
    service.tell(maintenance.VisitUnscheduled(**row, intervention_id=second))
    assert service.call(c.GetIntervention(id=second))["visit_id"] == str(visit)
    # Planned once more, the visit has other work; what had begun goes on by itself.
    scheduled(third)
    rows = {one["id"]: one["visit_id"] for one in service.call(c.ListInterventions(tree=[home]))["items"]}
    assert rows == {str(second): None, str(third): str(visit)}


def test_why_work_is_not_billed_is_said_of_nothing_that_is(service: ServiceUnderTest) -> None:
    made = create(service, new_id(), billable=False, billable_reason="Sous garantie")
    assert made["billable_reason"] == "Sous garantie"
    again = service.call(c.UpdateIntervention(id=made["id"], changes=c.InterventionChanges(billable=True)))
    assert (again["billable"], again["billable_reason"]) == (True, "")
    assert create(service, new_id(), billable_reason="Sans objet")["billable_reason"] == ""


def test_a_visit_that_goes_to_another_day_takes_its_intervention_along_until_it_is_done(
    service: ServiceUnderTest,
) -> None:
    home, visit, work = new_id(), new_id(), new_id()
    starts = datetime(2027, 3, 1, 7, tzinfo=UTC)
    facts = {
        "id": visit, "home_client_id": home, "client_id": home, "plan_id": new_id(), "due_on": starts.date(),
        "intervention_id": work,
    }  # fmt: skip
    service.tell(
        maintenance.VisitScheduled(
            **facts, written_client_id=home, title="Visite", starts_at=starts, ends_at=starts + timedelta(hours=2),
            technician_ids=[], address_id=None, place_id=None, equipment_ids=[],
        )
    )  # fmt: skip
    moved = starts + timedelta(days=3)
    service.tell(maintenance.VisitRescheduled(**facts, starts_at=moved))
    row = service.call(c.GetIntervention(id=work))
    assert datetime.fromisoformat(row["starts_at"]) == moved
    assert datetime.fromisoformat(row["ends_at"]) == moved + timedelta(hours=2)
    service.call(c.ActOnIntervention(id=work, action="start"))
    service.tell(maintenance.VisitRescheduled(**facts, starts_at=starts))
    assert datetime.fromisoformat(service.call(c.GetIntervention(id=work))["starts_at"]) == moved
