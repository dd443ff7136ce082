"""What an undo says before it is done, what it asks, what changes sides with it: every service, through the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.conftest import TOKEN, Product
from tests.gateway.test_money import COMPANY, LINE
from tests.gateway.test_work_and_money import ok
from tests.merge.support import client, fiche, ids, merge, move, settled, undo
from tests.merge.test_through_the_api import filled

SERVICES = {"accounts", "billing", "clients", "documents", "equipment", "interventions", "maintenance"}


@pytest.fixture(scope="module")
def _company(product: Product) -> None:
    etag = product.http.get("/company").headers["ETag"]
    ok(product.http.patch("/company", json=COMPANY, headers={"If-Match": etag}))


def preview(product: Product, made: dict[str, Any], **body: Any) -> dict[str, Any]:
    """What the undo would do, as the API says it."""
    answer = product.http.post(f"/merges/{made['id']}/undo", params={"dry_run": "true"}, json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def crossing(told: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Rows offered one by one: id → (service, why)."""
    return {row["id"]: (name, row["why"]) for name, service in told["services"].items() for row in service["crossing"]}


def test_an_undo_tells_beforehand_what_goes_back_what_stays_and_what_could_go_either_way(product: Product) -> None:
    post = product.http.post
    one, two = filled(product), filled(product)
    a, b = one["client"]["id"], two["client"]["id"]
    made = settled(product, merge(product, one["client"], two["client"]), "done")
    new = {
        "plain": post("/equipment", json={"client_id": a, "name": "Pompe"}),
        "under": post("/equipment", json={"client_id": b, "name": "Ballon"}),
        "at": post("/interventions", json={"client_id": a, "title": "Fuite", "address_id": two["rows"]["addresses"]}),
        "on": post("/interventions", json={"client_id": a, "title": "Bruit",
                                           "equipment_ids": [two["rows"]["equipment"]]}),
        "quote": post("/quotes", json={"client_id": a, "lines": [], "intervention_id": two["rows"]["interventions"]}),
        "plan": post("/maintenance-plans", json={"client_id": a, "visits_per_period": 1, "period": "year",
                                                 "starts_on": "2026-01-01",
                                                 "equipment_ids": [two["rows"]["equipment"]]}),
        "contact": post(f"/clients/{b}/contacts", json={"last_name": "Sous l’ancienne"}),
        "note": post(f"/clients/{a}/activities", json={"kind": "call", "direction": "in", "subject": "Appel",
                                                       "contact_id": two["rows"]["contacts"]}),
    }  # fmt: skip
    row = {name: ok(answer, 201)["id"] for name, answer in new.items()}
    told = preview(product, made)
    assert (told["dry_run"], told["merge_id"], told["refused"]) == (True, made["id"], None)
    assert set(told["services"]) == SERVICES
    assert {each["status"] for each in told["services"].values()} == {"ok"}
    assert told["services"]["equipment"]["goes_back"] == {"equipment": 1}
    assert told["services"]["equipment"]["stays"] == {"equipment": 2}
    offered = crossing(told)
    assert row["plain"] not in offered
    name = two["client"]["display_name"]
    assert {key: offered[row[key]] for key in row if key != "plain"} == {
        "under": ("equipment", f"Saisi sous l’ancienne fiche de {name}"),
        "at": ("interventions", f"À une adresse de {name}"),
        "on": ("interventions", f"Sur un équipement de {name}"),
        "quote": ("billing", f"Pour une intervention de {name}"),
        "plan": ("maintenance", f"Sur un équipement de {name}"),
        "contact": ("clients", f"Saisi sous l’ancienne fiche de {name}"),
        "note": ("clients", f"Avec un contact de {name}"),
    }
    [intervention] = [each for each in told["services"]["interventions"]["crossing"] if each["id"] == row["at"]]
    assert (intervention["kind"], intervention["home_client_id"]) == ("intervention", a)
    assert intervention["label"].endswith("Fuite")
    assert product.http.get(f"/clients/{b}").status_code == 308, "nothing has changed"


def test_rows_that_were_ticked_change_sides_both_ways_and_derived_ones_follow(product: Product) -> None:
    one, two = filled(product), filled(product)
    a, b = one["client"]["id"], two["client"]["id"]
    made = settled(product, merge(product, one["client"], two["client"]), "done")
    late = ok(product.http.post("/equipment", json={"client_id": a, "name": "Pompe"}), 201)["id"]
    contact = ok(product.http.post(f"/clients/{b}/contacts", json={"last_name": "Roy"}), 201)["id"]
    undo(
        product,
        made,
        moves=[
            move("equipment", "equipment", late, a, b),
            move("clients", "contact", contact, a, b),
            move("maintenance", "plan", two["rows"]["maintenance"], b, a),
        ],
    )
    settled(product, made, "undone")
    mine, theirs = fiche(product, a), fiche(product, b)
    assert ids(theirs, "equipment") == {two["rows"]["equipment"], late}
    assert ids(mine, "equipment") == {one["rows"]["equipment"]}
    assert contact in ids(theirs, "contacts")
    plans = product.http.get("/maintenance-plans", params={"client_id": a}).json()["items"]
    assert {plan["id"] for plan in plans} == {one["rows"]["maintenance"], two["rows"]["maintenance"]}
    visits = product.http.get("/maintenance-visits", params={"client_id": b}).json()["items"]
    assert visits == [], "the visits went with their plan"


def test_a_row_that_stays_at_the_others_address_says_whose_that_is(product: Product) -> None:
    one, two = filled(product), filled(product)
    a, at = one["client"]["id"], {"address_id": two["rows"]["addresses"]}
    made = settled(product, merge(product, one["client"], two["client"]), "done")
    bodies: dict[str, dict[str, Any]] = {
        "/equipment": {"name": "Pompe"},
        "/interventions": {"title": "Fuite"},
        "/job-sites": {"title": "Rénovation"},
        "/quotes": {"lines": []},
        "/maintenance-plans": {"visits_per_period": 1, "period": "year", "starts_on": "2026-01-01"},
    }
    rows = {
        path: f"{path}/{ok(product.http.post(path, json={'client_id': a, **body, **at}), 201)['id']}"
        for path, body in bodies.items()
    }
    assert {path: ok(product.http.get(row))["address"].get("client") for path, row in rows.items()} == dict.fromkeys(
        rows
    )
    undo(product, made)
    settled(product, made, "undone")
    whose = {"id": two["client"]["id"], "name": two["client"]["display_name"]}
    assert {path: ok(product.http.get(row))["address"]["client"] for path, row in rows.items()} == dict.fromkeys(
        rows, whose
    )
    pages = product.client()
    pages.cookies.set("fiche_session", TOKEN)
    for path in (rows["/equipment"], rows["/interventions"], rows["/job-sites"].replace("job-sites", "chantiers")):
        page = pages.get(f"{product.url}{path.replace('/equipment', '/equipements')}", follow_redirects=True)
        assert page.status_code == 200, path
        assert f'Adresse de <a href="/clients/{whose["id"]}">' in page.text, path


@pytest.mark.parametrize("wrong", ["third", "kind", "home"])
def test_only_rows_of_the_two_change_sides(product: Product, wrong: str) -> None:
    one, two, third = filled(product), product.new_client(), filled(product)
    a, b, c = one["client"]["id"], two["id"], third["client"]["id"]
    made = merge(product, one["client"], two)
    asked = {
        "third": move("equipment", "equipment", third["rows"]["equipment"], c, b),
        "kind": move("maintenance", "visit", one["rows"]["maintenance"], a, b),
        "home": move("equipment", "equipment", one["rows"]["equipment"], a, c),
    }[wrong]
    answer = product.http.post(f"/merges/{made['id']}/undo", json={"moves": [asked]})
    assert answer.status_code == 422, answer.text
    assert product.http.get(f"/clients/{b}").status_code == 308


def test_fields_that_come_back_and_those_that_were_edited_since(product: Product) -> None:
    one = product.new_client(memo="Code 12")
    two = product.new_client(email="deux@exemple.fr", phone="01 99 00 12 34", memo="Chien méchant")
    made = merge(product, one, two)
    now = client(product, one["id"])
    etag = {"If-Match": f'"{now["version"]}"'}
    ok(product.http.patch(f"/clients/{one['id']}", json={"email": "neuf@exemple.fr"}, headers=etag))
    fields = preview(product, made)["fields"]
    assert fields["kept"] == [{"field": "email", "label": "E-mail", "value": "neuf@exemple.fr"}]
    restored = {each["field"]: each["value"] for each in fields["restored"]}
    assert (restored["phone"] or "", restored["memo"]) == ("", "Code 12")
    answer = undo(product, made)
    assert answer["kept"] == ["email"]
    assert set(answer["restored"]) == set(restored)
    after = client(product, one["id"])
    assert (after["phone"], after["memo"], after["email"]) == ("", "Code 12", "neuf@exemple.fr")


def test_a_memo_edited_since_stays_and_the_answer_says_so(product: Product) -> None:
    one, two = product.new_client(memo="Code 12"), product.new_client(memo="Chien méchant")
    made = merge(product, one, two, choices={"memo": "join"})
    url = f"/clients/{one['id']}/memo"
    etag = product.http.get(url).headers["ETag"]
    ok(product.http.put(url, json={"text": "Code 12, chien enfermé"}, headers={"If-Match": etag}))
    assert undo(product, made)["kept"] == ["memo"]
    assert product.http.get(url).json()["text"] == "Code 12, chien enfermé"
    assert client(product, two["id"])["memo"] == "Chien méchant"


def test_what_refuses_the_undo_is_told_beforehand(product: Product) -> None:
    made = merge(product, product.new_client(), product.new_client())
    undo(product, made)
    again = preview(product, made)
    assert again["refused"]["code"] == "merge_undone"
    assert (again["services"], again["decisions"]) == ({}, [])
    old = merge(product, product.new_client(), product.new_client())
    product.sql("clients", "UPDATE merge SET undo_until = now() - interval '1 hour' WHERE id = :id", id=old["id"])
    sealed = merge(product, product.new_client(), product.new_client())
    product.sql("clients", "UPDATE merge SET sealed = true WHERE id = :id", id=sealed["id"])
    for each, code in ((old, "undo_too_late"), (sealed, "merge_sealed")):
        assert preview(product, each)["refused"]["code"] == code
        answer = product.http.post(f"/merges/{each['id']}/undo", json={})
        assert (answer.status_code, answer.json()["code"]) == (409, code)
    unknown = "/merges/0193f000-0000-7000-8000-0000000000ff/undo"
    for asked in ({"dry_run": "true"}, {}):
        assert product.http.post(unknown, params=asked, json={}).status_code == 404


def test_a_service_that_is_away_is_named_and_one_that_bills_is_waited_for(product: Product) -> None:
    made = settled(product, merge(product, product.new_client(), product.new_client()), "done")
    product.command("stop", "equipment")
    try:
        told = preview(product, made)
        assert told["services"]["equipment"]["status"] == "unavailable"
        assert told["services"]["interventions"]["status"] == "ok"
    finally:
        product.command("start", "equipment")
    product.command("stop", "billing")
    try:
        assert preview(product, made)["services"]["billing"]["status"] == "unavailable"
        answer = product.http.post(f"/merges/{made['id']}/undo", json={})
        assert answer.status_code == 503, answer.text
    finally:
        product.command("start", "billing")
    undo(product, made)


def test_an_undo_is_answered_again_under_its_key(product: Product) -> None:
    made = merge(product, product.new_client(), product.new_client())
    key = {"Idempotency-Key": f"undo-{made['id']}"}
    first, again = (product.http.post(f"/merges/{made['id']}/undo", json={}, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202), again.text
    assert first.json() == again.json()
    assert product.http.post(f"/merges/{made['id']}/undo", json={}).status_code == 409


def _invoiced_since(product: Product) -> tuple[dict[str, Any], str, str, str, str]:
    """A merge, and an invoice issued since of the duplicate's quote: merge, survivor, duplicate, quote, invoice."""
    one, two = product.new_client(), product.new_client()
    for each in (one, two):
        base = f"/clients/{each['id']}"
        address = ok(product.http.post(f"{base}/addresses", json={"street": "1 rue des Lilas", "city": "Paris"}), 201)
        etag = product.http.get(f"{base}/billing").headers["ETag"]
        billed = {"billing_name": each["display_name"], "billing_address_id": address["id"]}
        ok(product.http.patch(f"{base}/billing", json=billed, headers={"If-Match": etag}))
    quote = ok(product.http.post("/quotes", json={"client_id": two["id"], "lines": [LINE]}), 201)["id"]
    for act in ("finalise", "accept"):
        ok(product.http.post(f"/quotes/{quote}/{act}", json={}))
    made = settled(product, merge(product, one, two), "done")
    invoice = product.http.post(f"/quotes/{quote}/invoice", json={}).json()["id"]
    ok(product.http.post(f"/invoices/{invoice}/issue", json={}))
    return made, one["id"], two["id"], quote, invoice


@pytest.mark.usefixtures("_company")
def test_an_invoice_issued_since_is_decided_on_and_moved(product: Product) -> None:
    made, a, b, quote, invoice = _invoiced_since(product)
    [decision] = preview(product, made)["decisions"]
    assert (decision["service"], decision["kind"], decision["id"]) == ("billing", "invoice", invoice)
    assert decision["number"]
    assert "au nom de" in decision["why"]
    refused = product.http.post(f"/merges/{made['id']}/undo", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "undo_needs_decision")
    assert [each["id"] for each in refused.json()["data"]["decisions"]] == [invoice]
    pdf = product.http.get(f"/invoices/{invoice}/pdf").content
    undo(product, made, moves=[move("billing", "invoice", invoice, b, a)])
    settled(product, made, "undone")
    assert product.http.get(f"/invoices/{invoice}").json()["client_id"] == a
    assert product.http.get(f"/quotes/{quote}").json()["client_id"] == b
    assert product.http.get(f"/invoices/{invoice}/pdf").content == pdf
    assert product.http.get("/clients/" + b).status_code == 200


@pytest.mark.usefixtures("_company")
def test_an_invoice_issued_since_is_kept_and_one_whose_quote_goes_away_is_asked_about(product: Product) -> None:
    made, a, b, quote, invoice = _invoiced_since(product)
    away = move("billing", "quote", quote, b, a)
    [decision] = preview(product, made, moves=[away])["decisions"]
    assert decision["id"] == invoice
    undo(product, made, keep=[invoice])
    audit = settled(product, made, "undone")
    assert audit["moves"] == []
    assert [(each["kind"], each["id"], each["number"]) for each in audit["keep"]] == [
        ("invoice", invoice, decision["number"])
    ]
    assert audit["undone_by"]["name"]
    [listed] = product.http.get("/merges", params={"client_id": a}).json()["items"]
    assert "keep" not in listed
    assert product.http.get(f"/invoices/{invoice}").json()["client_id"] == b
