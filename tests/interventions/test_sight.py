"""Somebody on the road sees his work and the past of the places he is sent to, not the rest of the company."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.context import Actor
from chassis.errors import Forbidden
from chassis.ids import new_id
from contracts import interventions as c
from tests.interventions.conftest import create, listed
from tests.interventions.test_filters import midnight
from tests.support.services import ServiceUnderTest


@pytest.fixture(scope="module")
def scene(service: ServiceUnderTest) -> dict[str, Any]:
    home, karim, place, elsewhere = (new_id() for _ in range(4))
    site = service.call(
        c.CreateJobSite(home_client_id=home, written_client_id=home, body=c.JobSiteBody(title="À Karim"))
    )["id"]
    service.call(c.CreateJobSite(home_client_id=home, written_client_id=home, body=c.JobSiteBody(title="À d’autres")))
    at = {"starts_at": midnight(1)}
    made = {
        "own": create(service, home, "Sa visite", technician_ids=[karim], place_id=place, job_site_id=site, **at),
        "past": create(service, home, "Le passé du lieu", state="done", place_id=place),
        "other": create(service, home, "À une collègue", place_id=place, technician_ids=[new_id()], **at),
        "away": create(service, home, "Le passé d’ailleurs", state="done", place_id=elsewhere),
        "once": create(service, home, "Jadis", state="done", place_id=elsewhere, technician_ids=[karim]),
    }
    actors = {
        role: Actor(id=str(karim), name="Karim Haddad", roles=(role,)) for role in ("technician", "subcontractor")
    }
    return {"home": home, **made, **actors}


def test_a_technician_sees_his_work_and_the_past_of_the_place(service: ServiceUnderTest, scene: dict[str, Any]) -> None:
    karim, home = scene["technician"], scene["home"]
    seen = {"Sa visite", "Le passé du lieu", "Jadis"}
    assert listed(service, home, actor=karim) == seen
    assert listed(service, actor=karim) == seen
    assert service.call(c.CountInterventions(tree=[home]), actor=karim)["total"] == 3
    sections = service.call(c.InterventionFiche(client_id=home), actor=karim)["sections"]
    assert sections["interventions"]["count"] == 3
    assert [one["title"] for one in sections["job_sites"]["items"]] == ["À Karim"]
    assert service.call(c.GetIntervention(id=scene["past"]["id"]), actor=karim)["title"] == "Le passé du lieu"
    for hidden in ("other", "away"):
        for request in (c.GetIntervention, c.ListReportVersions):
            with pytest.raises(Forbidden):
                service.call(request(id=scene[hidden]["id"]), actor=karim)


def test_a_subcontractor_sees_only_what_he_was_given(service: ServiceUnderTest, scene: dict[str, Any]) -> None:
    assert listed(service, scene["home"], actor=scene["subcontractor"]) == {"Sa visite", "Jadis"}


def test_a_technician_acts_on_his_own_work_only(service: ServiceUnderTest, scene: dict[str, Any]) -> None:
    karim = scene["technician"]
    for hidden in ("other", "past"):
        with pytest.raises(Forbidden):
            service.call(c.ActOnIntervention(id=scene[hidden]["id"], action="finish"), actor=karim)
        with pytest.raises(Forbidden):
            service.call(c.FillReport(id=scene[hidden]["id"], body=c.ReportBody(work_done="x")), actor=karim)
    started = service.call(c.ActOnIntervention(id=scene["own"]["id"], action="start"), actor=karim)
    assert started["state"] == "in_progress"
    assert service.call(c.FillReport(id=scene["own"]["id"], body=c.ReportBody(work_done="Fait")), actor=karim)["report"]


def test_another_role_beside_it_lifts_the_limit(service: ServiceUnderTest, scene: dict[str, Any]) -> None:
    both = Actor(id=scene["technician"].id, name="Karim Haddad", roles=("technician", "office"))
    assert len(listed(service, scene["home"], actor=both)) == 5
