"""Money over HTTP: PDFs, totals while typing, who may do what, and clients that are put away."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.gateway.conftest import Product
from tests.gateway.test_work_and_money import ok
from tests.support.waiting import wait_until

LINE = {"label": "Entretien", "quantity": "1", "unit_price": "100", "vat_rate": "20"}
COMPANY = {
    "legal_name": "Chauffage Morel", "siret": "73282932000074", "vat_number": "FR44732829320",
    "street": "4 rue des Tanneurs", "postal_code": "35000", "city": "Rennes",
}  # fmt: skip


@pytest.fixture(scope="module")
def _company(product: Product) -> None:
    etag = product.http.get("/company").headers["ETag"]
    ok(product.http.patch("/company", json=COMPANY, headers={"If-Match": etag}))


def billable(product: Product) -> str:
    """A client that can be billed."""
    client = product.new_client()
    base = f"/clients/{client['id']}"
    address = ok(product.http.post(f"{base}/addresses", json={"street": "1 rue des Lilas", "city": "Paris"}), 201)
    etag = product.http.get(f"{base}/billing").headers["ETag"]
    body = {"billing_name": "Comptabilité", "billing_address_id": address["id"]}
    ok(product.http.patch(f"{base}/billing", json=body, headers={"If-Match": etag}))
    return str(client["id"])


def person(product: Product, *roles: str) -> httpx.Client:
    """A session of a new member of staff with these roles."""
    email, password = f"{uuid.uuid4().hex[:8]}@morel.example", "un-mot-de-passe-assez-long"
    body = {"name": "Essai", "email": email, "roles": list(roles), "password": password}
    _answered(lambda: product.http.post("/users", json=body, headers={"Idempotency-Key": email}))
    session = _answered(lambda: product.anonymous.post("/sessions", json={"email": email, "password": password}))
    return product.client({"Authorization": f"Bearer {session.json()['token']}"})


def _answered(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """What was made; a machine that is busy hashing passwords says so, and is asked again as it asks for."""

    def answered() -> httpx.Response | None:
        found = ask()
        return found if found.status_code not in (409, 503) else None

    answer = wait_until(answered, "passwords hashed", 30)
    assert answer.status_code == 201, answer.text
    return answer


@pytest.fixture(scope="module")
def technician(product: Product) -> Iterator[httpx.Client]:
    """A technician at the door."""
    return person(product, "technician")


@pytest.mark.usefixtures("_company")
def test_each_document_has_a_pdf_and_an_issued_one_never_changes(product: Product) -> None:
    client = billable(product)
    quote = ok(product.http.post("/quotes", json={"client_id": client, "lines": [LINE]}), 201)
    invoice = ok(product.http.post("/invoices", json={"client_id": client, "lines": [LINE]}), 201)
    draft = product.http.get(f"/quotes/{quote['id']}/pdf")
    assert (draft.status_code, draft.headers["Content-Type"]) == (200, "application/pdf")
    assert draft.content.startswith(b"%PDF-")
    ok(product.http.post(f"/invoices/{invoice['id']}/issue", json={}))
    first = product.http.get(f"/invoices/{invoice['id']}/pdf")
    assert "Facture F-" in first.headers["Content-Disposition"].replace("%20", " ")
    again = product.http.get(f"/invoices/{invoice['id']}/pdf", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    part = product.http.get(f"/invoices/{invoice['id']}/pdf", headers={"Range": "bytes=0-4"})
    assert (part.status_code, part.content) == (206, b"%PDF-")
    note = ok(product.http.post(f"/invoices/{invoice['id']}/credit-note", json={}))
    assert product.http.get(f"/credit-notes/{note['id']}/pdf").content.startswith(b"%PDF-")
    assert product.http.get(f"/credit-notes/{quote['id']}/pdf").status_code == 404


@pytest.mark.usefixtures("_company")
def test_work_asked_to_be_invoiced_by_many_at_once_has_one_invoice(product: Product) -> None:
    work = ok(product.http.post("/interventions", json={"client_id": billable(product), "title": "Panne"}), 201)
    ok(product.http.post(f"/interventions/{work['id']}/finish", json={}))
    with ThreadPoolExecutor(max_workers=6) as pool:
        answers = list(pool.map(lambda _: product.http.post(f"/interventions/{work['id']}/invoice", json={}), range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    [made] = [answer.json() for answer in answers if answer.status_code == 200]
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert (refused["code"], refused["data"]["invoice_ids"]) == ("invoiced", [made["id"]])
    assert made["supplied_on"] == made["date"]


@pytest.mark.usefixtures("_company")
def test_an_administrator_sees_that_nothing_issued_was_tampered_with(product: Product) -> None:
    invoice = ok(product.http.post("/invoices", json={"client_id": billable(product), "lines": [LINE]}), 201)
    number = ok(product.http.post(f"/invoices/{invoice['id']}/issue", json={}))["number"]
    whole = product.http.get("/company/chain").json()
    assert whole["checked"] >= 1
    assert whole["broken"] == []
    change = "UPDATE invoice SET frozen = jsonb_set(frozen, '{total_incl_tax}', :total) WHERE id = :id"
    product.sql("billing", change, total='"1.00"', id=invoice["id"])
    assert product.http.get("/company/chain").json()["broken"] == [number]
    product.sql("billing", change, total='"120.00"', id=invoice["id"])
    assert product.as_key("read", "write").get("/company/chain").status_code == 403


def test_totals_are_answered_to_the_cent_while_one_types(product: Product) -> None:
    answer = product.http.post("/totals", json={"lines": [LINE | {"unit_price": "33.33"}] * 3})
    assert answer.status_code == 200
    assert (answer.json()["total_tax"], answer.json()["total_incl_tax"]) == ("20.00", "119.99")
    refused = product.http.post("/totals", json={"lines": [LINE, LINE | {"vat_rate": "19"}]})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "lines.1.vat_rate")


@pytest.mark.usefixtures("_company")
def test_what_an_archived_client_has_runs_to_its_end_and_nothing_new_begins(product: Product) -> None:
    client = billable(product)
    quotes = [
        ok(product.http.post("/quotes", json={"client_id": client, "lines": [LINE]}), 201)["id"] for _ in range(2)
    ]
    invoice = ok(product.http.post("/invoices", json={"client_id": client, "lines": [LINE]}), 201)["id"]
    etag = product.http.get(f"/clients/{client}").headers["ETag"]
    assert product.http.post(f"/clients/{client}/archive", json={}, headers={"If-Match": etag}).status_code == 200
    for path, body in (("/quotes", {"lines": [LINE]}), ("/invoices", {"lines": [LINE]})):
        refused = product.http.post(path, json={"client_id": client, **body})
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:fiche:problem:client_archived")
    for step in ("finalise", "send", "accept"):
        ok(product.http.post(f"/quotes/{quotes[0]}/{step}", json={}))
    ok(product.http.post(f"/quotes/{quotes[1]}/finalise", json={}))
    ok(product.http.post(f"/quotes/{quotes[1]}/refuse", json={}))
    ok(product.http.post(f"/invoices/{invoice}/issue", json={}))
    ok(product.http.post(f"/invoices/{invoice}/send", json={}))
    ok(product.http.post(f"/invoices/{invoice}/payments", json={"amount": "20"}))
    ok(product.http.post(f"/invoices/{invoice}/credit-note", json={}))
    assert product.http.post(f"/quotes/{quotes[0]}/invoice", json={}).status_code == 409


def test_a_technician_sees_no_prices_anywhere(product: Product, technician: httpx.Client) -> None:
    client = billable(product)
    quote = ok(product.http.post("/quotes", json={"client_id": client, "lines": [LINE]}), 201)
    for path in ("/quotes", "/invoices", "/credit-notes", f"/quotes/{quote['id']}", f"/quotes/{quote['id']}/pdf",
                 f"/clients/{client}/billing"):  # fmt: skip
        assert technician.get(path).status_code == 403, path
    sections = person(product, "lead_technician").get(f"/clients/{client}/fiche").json()["sections"]
    for name in ("quotes", "invoices", "credit_notes", "billing"):
        assert sections[name] == {"status": "unavailable", "reason": "role"}
    assert sections["equipment"]["status"] == "ok"


@pytest.mark.usefixtures("_company")
def test_a_salesperson_quotes_and_an_accountant_bills(product: Product) -> None:
    client = billable(product)
    sales, books = person(product, "salesperson"), person(product, "accountant")
    quote = ok(sales.post("/quotes", json={"client_id": client, "lines": [LINE]}), 201)["id"]
    for step in ("finalise", "send", "accept"):
        ok(sales.post(f"/quotes/{quote}/{step}", json={}))
    assert sales.post(f"/quotes/{quote}/invoice", json={}).status_code == 403
    invoice = ok(books.post(f"/quotes/{quote}/invoice", json={}))["id"]
    assert sales.post(f"/invoices/{invoice}/issue", json={}).status_code == 403
    ok(books.post(f"/invoices/{invoice}/issue", json={}))
    ok(books.post(f"/invoices/{invoice}/payments", json={"amount": "120"}))
    etag = books.get("/company").headers["ETag"]
    assert books.patch("/company", json={"city": "Nantes"}, headers={"If-Match": etag}).status_code == 403
