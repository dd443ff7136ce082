"""What happens to work is told, can be taken back, and is never done twice."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest

from chassis.errors import Conflict, FicheError, Gone
from chassis.ids import new_id
from contracts import billing
from contracts import interventions as c
from tests.interventions.conftest import create
from tests.interventions.test_filters import midnight, quote
from tests.support.services import ServiceUnderTest


def told(service: ServiceUnderTest, identifier: Any) -> list[str]:
    """Names of the events about one row, oldest first."""
    return [e["type"].split(".", 2)[2].rsplit(".", 1)[0] for e in service.events() if e["subject"] == str(identifier)]


def act(service: ServiceUnderTest, identifier: Any, action: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = service.call(c.ActOnIntervention(id=identifier, action=action, **more))
    return answer


def test_each_act_is_told_once_by_its_own_event(service: ServiceUnderTest) -> None:
    made = create(service, new_id(), starts_at=midnight(1))
    for action in ("start", "start", "finish", "finish", "archive", "archive", "unarchive", "unarchive"):
        act(service, made["id"], action)
    service.call(c.FillReport(id=made["id"], body=c.ReportBody(work_done="Fait", minutes=30, needs_quote=True)))
    assert told(service, made["id"]) == [
        "intervention.created", "intervention.planned", "intervention.started", "intervention.done",
        "intervention.archived", "intervention.unarchived", "report.filled",
    ]  # fmt: skip
    report = service.events("report.filled")[-1]["data"]
    assert (report["report_version"], report["minutes"], report["needs_quote"]) == (1, 30, True)


def test_an_end_a_cancellation_and_a_deletion_are_taken_back(service: ServiceUnderTest) -> None:
    made = create(service, new_id(), starts_at=midnight(1))
    act(service, made["id"], "cancel")
    assert act(service, made["id"], "reopen")["state"] == "planned"
    act(service, made["id"], "start")
    act(service, made["id"], "finish")
    back = act(service, made["id"], "reopen")
    assert (back["state"], back["finished_at"]) == ("in_progress", None)
    act(service, made["id"], "delete")
    with pytest.raises(Gone):
        act(service, made["id"], "finish")
    assert act(service, made["id"], "restore")["state"] == "in_progress"
    assert told(service, made["id"]).count("intervention.reopened") == 3


def test_work_that_is_invoiced_is_not_reopened(service: ServiceUnderTest) -> None:
    home = new_id()
    made = create(service, home, state="done")
    service.tell(quote(billing.InvoiceIssued, home, made["id"]))
    with pytest.raises(Conflict) as refused:
        act(service, made["id"], "reopen")
    assert refused.value.code == "invoiced"


def test_of_two_who_move_the_same_work_one_is_told_that_it_changed(service: ServiceUnderTest) -> None:
    made = create(service, new_id(), starts_at=midnight(1))
    outcomes: list[str] = []

    def move(day: int) -> None:
        try:
            changes = c.InterventionChanges(starts_at=midnight(day))
            service.call(c.UpdateIntervention(id=made["id"], expected_version=1, changes=changes))
            outcomes.append("moved")
        except FicheError as error:
            outcomes.append(error.kind)

    threads = [threading.Thread(target=move, args=(day,)) for day in range(2, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["moved"] + ["stale"] * 7
    assert service.call(c.GetIntervention(id=made["id"]))["version"] == 2


def test_every_version_of_a_report_can_be_read_with_its_author(service: ServiceUnderTest) -> None:
    made = create(service, new_id(), state="done")
    for words in ("Premier", "Corrigé"):
        service.call(c.FillReport(id=made["id"], body=c.ReportBody(work_done=words)))
    items = service.call(c.ListReportVersions(id=made["id"]))["items"]
    versions = [c.ReportVersionView.model_validate(item) for item in items]
    assert [(v.number, v.report["work_done"], v.written_by.name) for v in versions] == [
        (2, "Corrigé", "Camille Roux"),
        (1, "Premier", "Camille Roux"),
    ]


def test_who_changed_what_is_kept_field_by_field(service: ServiceUnderTest) -> None:
    made = create(service, new_id(), starts_at=midnight(1))
    changes = c.InterventionChanges(title="Fuite au sous-sol", starts_at=midnight(2), priority="normal")
    service.call(c.UpdateIntervention(id=made["id"], changes=changes))
    act(service, made["id"], "finish")
    items = service.call(c.ListWorkHistory(id=made["id"]))["items"]
    assert [(one["action"], one["field"]) for one in items] == [
        ("finish", ""), ("changed", "title"), ("changed", "starts_at"), ("created", ""),
    ]  # fmt: skip
    assert (items[1]["before"], items[1]["after"], items[1]["by"]["name"]) == (
        "Fuite", "Fuite au sous-sol", "Camille Roux",
    )  # fmt: skip


def requested(home: uuid.UUID, site: uuid.UUID, **more: Any) -> billing.QuoteJobSiteRequested:
    event: billing.QuoteJobSiteRequested = quote(
        billing.QuoteJobSiteRequested, home, "", intervention_ids=[], job_site_id=site, number="D-2026-7",
        status="accepted", **more,
    )  # fmt: skip
    return event


def test_an_accepted_quote_makes_one_job_site_however_often_it_is_told(service: ServiceUnderTest) -> None:
    home, site = new_id(), new_id()
    event = requested(home, site, title="Rénovation de la chaufferie")
    service.tell(event)
    service.tell(event)
    made = c.JobSiteView.model_validate(service.call(c.GetJobSite(id=site)))
    assert (made.title, made.status, made.quote_id) == ("Rénovation de la chaufferie", "not_started", event.id)
    assert len(service.call(c.ListJobSites(tree=[home]))["items"]) == 1


def test_job_sites_are_counted_by_status_and_say_how_far_they_are(service: ServiceUnderTest) -> None:
    home = new_id()

    def site(title: str, status: c.SiteStatus) -> str:
        body = c.JobSiteBody(title=title, status=status)
        made = service.call(c.CreateJobSite(home_client_id=home, written_client_id=home, body=body))
        return str(made["id"])

    first = site("Façade", "in_progress")
    site("Toiture", "done")
    site("Éclairage", "done")
    create(service, home, state="done", job_site_id=first, report=c.ReportBody(minutes=90))
    create(service, home, job_site_id=first)
    create(service, home, job_site_id=first, state="cancelled")
    assert service.call(c.CountJobSites(tree=[home], status=["done"], q="E")) == {
        "total": 2, "status": {"in_progress": 1, "done": 2},
    }  # fmt: skip
    assert [one["title"] for one in service.call(c.ListJobSites(tree=[home], q="facade"))["items"]] == ["Façade"]
    seen = service.call(c.GetJobSite(id=first))
    assert (seen["intervention_count"], seen["done_count"], seen["minutes_spent"]) == (2, 1, 90)
