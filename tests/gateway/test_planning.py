"""Work, its filters and its job sites over HTTP."""

from __future__ import annotations

import re
from typing import Any

import httpx
from icalendar import Calendar

from tests.gateway.conftest import TOKEN, Product
from tests.gateway.test_auth import signed_in
from tests.gateway.test_work_and_money import ok
from tests.support.waiting import wait_until

LINES = [{"label": "Chaudière", "quantity": "1", "unit_price": "4200", "vat_rate": "10"}]


def work(product: Product, client: dict[str, Any], **fields: Any) -> dict[str, Any]:
    body = {"client_id": client["id"], "title": "Panne"} | fields
    return ok(product.http.post("/interventions", json=body), 201)


def test_counts_take_the_same_filters_as_the_list(product: Product) -> None:
    client = product.new_client()
    work(product, client)
    work(product, client, starts_at="2031-03-04T08:00:00Z")
    away = work(product, client, starts_at="2031-03-05T08:00:00Z")
    assert ok(product.http.post(f"/interventions/{away['id']}/archive", json={}))["archived"]
    query = [("client_id", client["id"]), ("archived", "false"), ("technician_id", "none"), ("state", "planned"),
             ("state", "to_plan"), ("from", "2031-03-04"), ("to", "2031-03-05")]  # fmt: skip
    counts = product.http.get("/interventions/counts", params=query).json()
    assert (counts["total"], counts["to_plan"], counts["archived"]) == (1, 1, {"false": 1, "true": 1})
    assert counts["technician_id"] == {"none": 1}
    assert len(product.http.get("/interventions", params=query).json()["items"]) == 1
    for wrong in ({"status": "nope"}, {"technician_id": "x"}, {"from": "demain"}, {"unknown": "1"}):
        assert product.http.get("/interventions/counts", params=wrong).status_code == 422, wrong


def test_pages_tell_days_and_hours_of_the_company_as_soon_as_it_says_where_it_is(product: Product) -> None:
    made = work(product, product.new_client(), starts_at="2031-03-04T20:30:00Z", ends_at="2031-03-04T21:30:00Z")
    cookies = {"fiche_session": TOKEN}

    def page(path: str) -> str:
        answer = httpx.get(f"{product.url}{path}", cookies=cookies, timeout=20, trust_env=False)
        assert answer.status_code == 200
        return answer.text

    def moved_to(zone: str) -> None:
        etag = product.http.get("/company").headers["ETag"]
        ok(product.http.patch("/company", json={"timezone": zone}, headers={"If-Match": etag}))

    own, day = f"/interventions/{made['id']}", f"/clients/{made['client_id']}/interventions?vue=calendrier&periode=jour"
    assert "mar. 4\u00a0mars 2031 21:30" in page(own)
    try:
        moved_to("Pacific/Noumea")
        assert "mer. 5\u00a0mars 2031 07:30" in page(own)
        assert 'data-zone="Pacific/Noumea"' in page(own)
        # The form, the calendar and its drag go by the same clock.
        assert 'value="2031-03-05T07:30"' in page(f"{own}/deplacer")
        wait_until(lambda: "box q30 w4" in page(f"{day}&date=2031-03-05"), "interventions know the zone too")
        assert made["id"] not in page(f"{day}&date=2031-03-04")
    finally:
        moved_to("Europe/Paris")
    wait_until(lambda: "box q86 w4" in page(f"{day}&date=2031-03-04"), "interventions are in Paris again")


def test_the_page_of_an_intervention_tells_what_was_done_at_its_place_before(product: Product) -> None:
    client = product.new_client()
    body = {"street": "3 rue du Four", "postal_code": "69001", "city": "Lyon"}
    address = ok(product.http.post(f"/clients/{client['id']}/addresses", json=body), 201)["id"]
    before = work(product, client, title="Joint du circulateur changé", address_id=address)
    ok(product.http.post(f"/interventions/{before['id']}/finish", json={}))
    work(product, client, title="Encore à faire", address_id=address)
    made = work(product, client, title="Fuite", address_id=address)
    answer = httpx.get(
        f"{product.url}/interventions/{made['id']}", cookies={"fiche_session": TOKEN}, timeout=20, trust_env=False
    )
    [told] = re.findall(r"Déjà fait à cette adresse.*?</section>", answer.text, re.DOTALL)
    assert "Joint du circulateur changé" in told
    assert "Encore à faire" not in told


def test_a_visit_is_planned_and_the_planning_taken_back_in_one_breath(product: Product) -> None:
    client = product.new_client()
    body = {"client_id": client["id"], "title": "Chaudière", "period": "year", "starts_on": "2026-01-01"}
    made = ok(product.http.post("/maintenance-plans", json=body), 201)
    query = {"client_id": client["id"], "from": "2027-01-01"}
    visit = product.http.get("/maintenance-visits", params=query).json()["items"][0]
    path = f"/maintenance-visits/{visit['id']}"
    for _ in range(3):
        planned = ok(product.http.post(f"{path}/schedule", json={"starts_at": "2027-06-01T08:00:00Z"}))
        assert planned["colour"] == "blue"
        freed = ok(product.http.post(f"{path}/unschedule", json={}))
        assert (freed["colour"], freed["intervention_id"]) == ("red", None)
    kept = ok(product.http.post(f"{path}/schedule", json={"starts_at": "2027-06-02T08:00:00Z"}))["intervention_id"]
    left = wait_until(
        lambda: (
            product.http.get("/interventions", params={"client_id": client["id"]}).json()["items"]
            if product.http.get(f"/interventions/{kept}").status_code == 200
            else None
        ),
        "the last planning has its intervention",
    )
    assert [one["id"] for one in left] == [kept]
    assert left[0]["billable"] is True
    assert made["billable"] is True


def test_what_somebody_has_already_is_told_before_a_plan_is_saved(product: Product) -> None:
    client, someone = product.new_client(), product.new_client()["id"]
    window = {"starts_at": "2032-03-04T08:00:00Z", "ends_at": "2032-03-04T10:00:00Z"}
    made = work(product, client, technician_ids=[someone], **window)
    query = {"technician_ids": someone, "starts_at": "2032-03-04T09:59:00Z"}
    items = product.http.get("/interventions/overlaps", params=query).json()["items"]
    assert [item["id"] for item in items] == [made["id"]]
    assert product.http.get("/interventions/overlaps", params=query | {"except_id": made["id"]}).json()["items"] == []
    assert product.http.get("/interventions/overlaps", params={"starts_at": "x"}).status_code == 422


def test_an_end_and_a_deletion_are_taken_back(product: Product) -> None:
    made = work(product, product.new_client(), starts_at="2031-03-04T08:00:00Z")
    path = f"/interventions/{made['id']}"
    ok(product.http.post(f"{path}/finish", json={}))
    assert ok(product.http.post(f"{path}/reopen", json={}))["state"] == "planned"
    assert product.http.delete(path).status_code == 204
    assert product.http.get(path).status_code == 404
    assert ok(product.http.post(f"{path}/restore", json={}))["state"] == "planned"
    ok(product.http.post(f"{path}/report", json={"work_done": "Joint changé", "minutes": 20}))
    versions = product.http.get(f"{path}/report/versions").json()["items"]
    assert [version["report"]["work_done"] for version in versions] == ["Joint changé"]


def test_work_is_invoiced_once(product: Product) -> None:
    path = f"/interventions/{work(product, product.new_client())['id']}"
    ok(product.http.post(f"{path}/finish", json={}))
    ok(product.http.post(f"{path}/invoice", json={}))
    wait_until(lambda: product.http.get(path).json()["invoice_ids"], "billing told of the invoice")
    again = product.http.post(f"{path}/invoice", json={})
    assert (again.status_code, again.json()["code"]) == (409, "invoiced")


def test_an_accepted_quote_becomes_a_job_site_that_names_it(product: Product) -> None:
    client = product.new_client()
    quote = ok(
        product.http.post("/quotes", json={"client_id": client["id"], "title": "Rénovation", "lines": LINES}), 201
    )
    path = f"/quotes/{quote['id']}"
    assert product.http.post(f"{path}/job-site", json={}).status_code == 409
    for step in ("finalise", "accept"):
        ok(product.http.post(f"{path}/{step}", json={}))
    site = ok(product.http.post(f"{path}/job-site", json={}))["job_site_id"]
    assert ok(product.http.post(f"{path}/job-site", json={}))["job_site_id"] == site
    wait_until(lambda: product.http.get(f"/job-sites/{site}").status_code == 200, "the job site exists")
    made = product.http.get(f"/job-sites/{site}").json()
    assert (made["title"], made["status"], made["quote_id"]) == ("Rénovation", "not_started", quote["id"])
    assert ok(product.http.post(f"{path}/invoice", json={}))["job_site_id"] == site
    for kind in ("quotes", "invoices"):
        tied = product.http.get(f"/{kind}", params={"job_site_id": site}).json()["items"]
        assert len(tied) == 1
    counts = product.http.get("/job-sites/counts", params={"client_id": client["id"]}).json()
    assert counts == {"total": 1, "status": {"not_started": 1}}


def test_the_calendar_is_what_rfc_5545_says(product: Product) -> None:
    client = product.new_client(company_name="Le Beffroi, hôtel")
    hours = {"starts_at": "2031-03-04T08:00:00Z", "ends_at": "2031-03-04T10:30:00Z"}
    timed = work(product, client, title="Fuite ; étage 4, couloir", **hours)
    work(product, client, title="Toute la journée", starts_at="2031-03-04T23:00:00Z", ends_at="2031-03-06T23:00:00Z")
    work(product, client, title="À planifier")
    wait_until(
        lambda: product.http.get(f"/interventions/{timed['id']}").json()["client"]["name"] == "Le Beffroi, hôtel",
        "the client's name is told",
    )
    answer = product.http.get("/interventions/calendar.ics", params={"client_id": client["id"]})
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert all(len(line.encode()) <= 75 for line in answer.text.split("\r\n"))
    events = {str(event["SUMMARY"]): event for event in Calendar.from_ical(answer.content).walk("VEVENT")}
    assert set(events) == {"Fuite ; étage 4, couloir, Le Beffroi, hôtel", "Toute la journée, Le Beffroi, hôtel"}
    fuite = events["Fuite ; étage 4, couloir, Le Beffroi, hôtel"]
    assert (fuite["UID"], fuite["DTSTART"].dt.isoformat()) == (f"{timed['id']}@fiche", "2031-03-04T08:00:00+00:00")
    # A day without hours is a day, its end exclusive: read from another zone it does not begin the evening before.
    whole = events["Toute la journée, Le Beffroi, hôtel"]
    assert (whole["DTSTART"].dt.isoformat(), whole["DTEND"].dt.isoformat()) == ("2031-03-05", "2031-03-07")
    assert whole["DTSTART"].params["VALUE"] == "DATE"
    assert product.anonymous.get("/interventions/calendar.ics").status_code == 401
    assert product.anonymous.get("/interventions/calendar.ics", params={"key": "x" * 43}).status_code == 404


def test_a_technician_sees_his_own_work_and_not_the_rest(product: Product) -> None:
    technician = signed_in(product, "technician")
    me = technician.get("/me").json()["id"]
    client = product.new_client()
    own, other = work(product, client, technician_ids=[me]), work(product, client)
    listed = technician.get("/interventions", params={"client_id": client["id"]}).json()["items"]
    assert [one["id"] for one in listed] == [own["id"]]
    assert technician.get(f"/interventions/{other['id']}").status_code == 403
    assert technician.post(f"/interventions/{other['id']}/start", json={}).status_code == 403
    assert technician.post(f"/interventions/{own['id']}/start", json={}).status_code == 200
    assert technician.post(f"/interventions/{own['id']}/archive", json={}).status_code == 403
    assert technician.get(f"/clients/{client['id']}/fiche").status_code == 403
    feed = technician.post("/calendar-feeds", json={"label": "Mon planning", "filters": {"archived": False}})
    assert feed.status_code == 201, feed.text
    read = lambda: product.anonymous.get("/interventions/calendar.ics", params={"key": feed.json()["key"]})  # noqa: E731
    # Who the technician is comes to the interventions by an event.
    wait_until(lambda: read().status_code == 200, "the feed is there")
    assert "X-WR-CALNAME:Mon planning" in read().text
