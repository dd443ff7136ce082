"""One way through each kind of thing, over HTTP: made, read, changed, acted on."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.gateway.conftest import Product


def ok(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    """The body of an answer that must have this status, with its ETag checked."""
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    assert answer.headers["ETag"] == f'"{body["version"]}"'
    return body


def changed(product: Product, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The resource after a PATCH under its current ETag."""
    etag = product.http.get(path).headers["ETag"]
    return ok(product.http.patch(path, json=body, headers={"If-Match": etag}))


def test_rows_of_a_client(product: Product) -> None:
    client = product.new_client()
    base = f"/clients/{client['id']}"
    address = ok(product.http.post(f"{base}/addresses", json={"street": "1 rue des Lilas", "city": "Paris"}), 201)
    assert address["is_main"]
    second = ok(product.http.post(f"{base}/addresses", json={"street": "2 rue des Lilas", "city": "Paris"}), 201)
    assert not second["is_main"]
    assert ok(product.http.post(f"{base}/addresses/{second['id']}/promote", json={}))["is_main"]
    contact = ok(product.http.post(f"{base}/contacts", json={"last_name": "Petit"}), 201)
    assert changed(product, f"{base}/contacts/{contact['id']}", {"role": "Gardien"})["role"] == "Gardien"
    other = product.new_client()
    relation = {"type": "branch", "other_client_id": other["id"]}
    answer = product.http.post(f"{base}/relations", json=relation)
    assert answer.status_code == 201, answer.text
    activity = {"kind": "call", "direction": "in", "subject": "Panne", "contact_id": contact["id"]}
    assert ok(product.http.post(f"{base}/activities", json=activity), 201)["kind"] == "call"
    for kind, count in (("addresses", 2), ("contacts", 1), ("relations", 1)):
        assert len(product.http.get(f"{base}/{kind}").json()["items"]) == count
    assert product.http.get(f"{base}/activities", params={"kind": "call"}).json()["items"]
    assert product.http.get(f"{base}/history").json()["items"]


def test_billing_details_of_a_client(product: Product) -> None:
    path = f"/clients/{product.new_client()['id']}/billing"
    assert ok(product.http.get(path))
    assert changed(product, path, {"billing_name": "Comptabilité"})["billing_name"] == "Comptabilité"
    etag = product.http.get(path).headers["ETag"]
    other = product.new_client()
    for field, value in (("payer_id", other["id"]), ("billing_address_id", other["id"])):
        answer = product.http.patch(path, json={field: value}, headers={"If-Match": etag})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    relation = {"type": "branch", "other_client_id": other["id"]}
    assert product.http.post(path.replace("billing", "relations"), json=relation).status_code == 201
    assert changed(product, path, {"payer_id": other["id"]})["payer_id"] == other["id"]
    etag = product.http.get(path).headers["ETag"]
    answer = product.http.patch(path, json={"iban": "FR00 nope"}, headers={"If-Match": etag})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "iban")


def test_an_intervention_from_start_to_invoice(product: Product) -> None:
    client = product.new_client()
    memo = product.http.get(f"/clients/{client['id']}/memo")
    product.http.put(
        f"/clients/{client['id']}/memo", json={"text": "Chien"}, headers={"If-Match": memo.headers["ETag"]}
    )
    kind = ok(product.http.post("/intervention-types", json={"name": "Dépannage"}), 201)
    body = {"client_id": client["id"], "title": "Panne", "type_id": kind["id"]}
    work = ok(product.http.post("/interventions", json=body), 201)
    assert (work["state"], work["status"], work["billable"]) == ("to_plan", None, True)
    path = f"/interventions/{work['id']}"
    assert "Chien" in product.http.get(path).text
    assert changed(product, path, {"priority": work["priority"], "title": "Panne chauffage"})
    assert ok(product.http.post(f"{path}/start", json={}))["state"] == "in_progress"
    assert ok(product.http.post(f"{path}/finish", json={}))["state"] == "done"
    found = product.http.get("/interventions", params=[("status", "done"), ("status", "late"), ("q", "chauffage")])
    assert work["id"] in {item["id"] for item in found.json()["items"]}
    invoice = product.http.post(f"{path}/invoice", json={})
    assert invoice.status_code == 200, invoice.text
    assert invoice.json()["number"] is None
    for kind in ("/quotes", "/invoices"):
        tied = ok(product.http.post(kind, json={"client_id": client["id"], "intervention_id": work["id"]}), 201)
        stranger = {"client_id": product.new_client()["id"], "intervention_id": work["id"]}
        refused = product.http.post(kind, json=stranger)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "intervention_id")
        assert tied["client_id"] == client["id"]


def test_a_job_site(product: Product) -> None:
    site = ok(product.http.post("/job-sites", json={"client_id": product.new_client()["id"], "title": "Toit"}), 201)
    assert site["status"] == "not_started"
    assert changed(product, f"/job-sites/{site['id']}", {"status": "in_progress"})["status"] == "in_progress"


def test_a_quote_becomes_an_invoice_that_is_paid(product: Product) -> None:
    company = {
        "legal_name": "Chauffage Martin", "legal_form": "SARL", "siren": "732829320", "siret": "73282932000074",
        "rcs": "Paris", "vat_number": "FR44732829320", "street": "1 rue de la Paix", "postal_code": "75002",
        "city": "Paris",
    }  # fmt: skip
    changed(product, "/company", company)
    client = product.new_client()
    street = {"street": "1 rue des Lilas", "postal_code": "75011", "city": "Paris"}
    address = product.http.post(f"/clients/{client['id']}/addresses", json=street).json()
    changed(product, f"/clients/{client['id']}/billing", {"billing_name": "X", "billing_address_id": address["id"]})
    lines = [{"label": "Pose", "quantity": "2", "unit_price": "50.00", "vat_rate": "20"}]
    quote = ok(product.http.post("/quotes", json={"client_id": client["id"], "lines": lines}), 201)
    assert (quote["number"], quote["total_incl_tax"]) == (None, "120.00")
    path = f"/quotes/{quote['id']}"
    for action in ("finalise", "send", "accept"):
        quote = ok(product.http.post(f"{path}/{action}", json={}))
    assert quote["status"] == "accepted"
    assert quote["number"]
    invoice = ok(product.http.post(f"{path}/invoice", json={}))
    path = f"/invoices/{invoice['id']}"
    issued = ok(product.http.post(f"{path}/issue", json={}))
    assert issued["number"]
    again = product.http.post(f"{path}/issue", json={})
    assert again.status_code == 409
    refused = product.http.patch(path, json={"lines": lines}, headers={"If-Match": f'"{issued["version"]}"'})
    assert refused.status_code == 409
    payment = {"amount": "20.00", "paid_on": "2026-11-25", "means": "transfer"}
    assert product.http.post(f"{path}/payments", json=payment).status_code == 200
    credit = ok(product.http.post(f"{path}/credit-note", json={}))
    assert credit["total_incl_tax"] == "120.00"
    listed = product.http.get("/invoices", params={"client_id": client["id"]}).json()["items"]
    assert [item["id"] for item in listed] == [invoice["id"]]


def test_a_maintenance_plan_and_its_visit(product: Product) -> None:
    client = product.new_client()
    boiler = product.http.post("/equipment", json={"client_id": client["id"], "name": "Chaudière"}).json()
    body = {
        "client_id": client["id"], "equipment_ids": [boiler["id"]], "visits_per_period": 1, "period": "year",
        "starts_on": "2026-01-01",
    }  # fmt: skip
    made = product.http.post("/maintenance-plans", json=body)
    if made.status_code == 503:
        pytest.fail("maintenance is away")
    plan = ok(made, 201)
    visits = product.http.get("/maintenance-visits", params={"client_id": client["id"]}).json()["items"]
    assert visits
    assert {visit["colour"] for visit in visits} == {"red"}
    found = product.http.get("/maintenance-visits", params={"client_id": client["id"], "colour": "red",
                                                            "from": "2026-01-01", "to": "2026-12-31"})  # fmt: skip
    assert len(found.json()["items"]) == 1
    window = {"starts_at": "2026-12-01T08:00:00Z", "ends_at": "2026-12-01T09:00:00Z"}
    planned = product.http.post(f"/maintenance-visits/{visits[0]['id']}/schedule", json=window)
    assert ok(planned)["intervention_id"]
    assert plan["id"]


def test_an_invoice_made_of_work_names_nothing_of_somebody_else(product: Product) -> None:
    client, other = product.new_client(), product.new_client()
    work = ok(product.http.post("/interventions", json={"client_id": client["id"], "title": "Panne"}), 201)
    site = ok(product.http.post("/job-sites", json={"client_id": other["id"], "title": "Ailleurs"}), 201)
    there = {"label": "Ailleurs", "street": "1 rue des Essais", "postal_code": "75001", "city": "Paris"}
    address = ok(product.http.post(f"/clients/{other['id']}/addresses", json=there), 201)
    for field, foreign in (("job_site_id", site["id"]), ("address_id", address["id"])):
        refused = product.http.post(f"/interventions/{work['id']}/invoice", json={field: foreign})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)


def test_a_quote_of_an_archived_client_is_not_invoiced(product: Product) -> None:
    client = product.new_client()
    lines = [{"label": "Pose", "quantity": "1", "unit_price": "10", "vat_rate": "20"}]
    quote = ok(product.http.post("/quotes", json={"client_id": client["id"], "lines": lines}), 201)
    for step in ("finalise", "accept"):
        ok(product.http.post(f"/quotes/{quote['id']}/{step}", json={}))
    ok(product.http.post(f"/clients/{client['id']}/archive", json={}))
    refused = product.http.post(f"/quotes/{quote['id']}/invoice", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "client_archived")
