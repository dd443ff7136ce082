"""Activities, memo and addresses through the API: filters, both texts of a stale memo, what an address is used for."""

from __future__ import annotations

import uuid
from typing import Any

from tests.gateway.conftest import Product
from tests.gateway.test_auth import signed_in
from tests.support.waiting import wait_until

AT = "2026-11-24T09:30:00Z"


def address(product: Product, client: dict[str, Any], **fields: Any) -> dict[str, Any]:
    body = {"street": "1 rue du Lac", "postal_code": "01480", "city": "Ars"} | fields
    answer = product.http.post(f"/clients/{client['id']}/addresses", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_exchanges_are_filtered_by_kinds_and_days_and_a_wrong_filter_is_told(product: Product) -> None:
    path = f"/clients/{product.new_client()['id']}/activities"
    for kind, day in (("call", "01"), ("sms", "02"), ("note", "03")):
        body = {"kind": kind, "subject": kind, "direction": "in", "occurred_at": f"2026-06-{day}T10:00:00Z"}
        assert product.http.post(path, json=body).status_code == 201
    shown = product.http.get(f"{path}?kind=call&kind=note").json()["items"]
    assert [item["subject"] for item in shown] == ["note", "call"]
    shown = product.http.get(f"{path}?from=2026-06-02&to=2026-06-02").json()["items"]
    assert [item["subject"] for item in shown] == ["sms"]
    first = product.http.get(f"{path}?limit=2").json()
    assert [i["kind"] for i in product.http.get(f"{path}?limit=2&cursor={first['next']}").json()["items"]] == ["call"]
    for wrong in ("kind=fax", "from=hier", "limit=201", "cursor=%00"):
        assert product.http.get(f"{path}?{wrong}").status_code == 422, wrong


def test_an_exchange_is_corrected_taken_off_and_restored_under_its_version(product: Product) -> None:
    path = f"/clients/{product.new_client()['id']}/activities"
    made = product.http.post(path, json={"kind": "call", "direction": "out", "occurred_at": AT, "body": "Rappeler"})
    row = f"{path}/{made.json()['id']}"
    assert product.http.patch(row, json={"body": "Rappelé"}).status_code == 428
    assert product.http.patch(row, json={"body": "Rappelé"}, headers={"If-Match": '"7"'}).status_code == 412
    changed = product.http.patch(row, json={"body": "Rappelé"}, headers={"If-Match": made.headers["ETag"]})
    assert (changed.status_code, changed.json()["occurred_at"]) == (200, made.json()["occurred_at"])
    assert product.http.delete(row).status_code == 204
    assert product.http.get(row).status_code == 404
    back = product.http.post(f"{row}/restore", json={})
    assert (back.status_code, back.json()["body"]) == (200, "Rappelé")
    elsewhere = f"/clients/{product.new_client()['id']}/activities/{made.json()['id']}/restore"
    assert product.http.post(elsewhere, json={}).status_code == 404


def test_documents_joined_to_an_exchange_are_of_this_client_and_stay_when_one_goes_to_the_bin(product: Product) -> None:
    client, other = product.new_client(), product.new_client()
    path = f"/clients/{client['id']}/activities"

    def document(owner: dict[str, Any]) -> str:
        answer = product.http.post("/documents", data={"client_id": owner["id"]}, files={"file": ("a.txt", b"bonjour")})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    first, second, foreign = document(client), document(client), document(other)
    body: dict[str, Any] = {"kind": "email", "subject": "Devis", "occurred_at": AT}
    refused = product.http.post(path, json=body | {"document_ids": [foreign]})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "document_ids")
    made = product.http.post(path, json=body | {"document_ids": [first, first]})
    assert (made.status_code, made.json()["document_ids"]) == (201, [first])
    assert product.http.delete(f"/documents/{first}").status_code == 204
    row = f"{path}/{made.json()['id']}"
    more = {"document_ids": [first, second]}
    changed = product.http.patch(row, json=more, headers={"If-Match": made.headers["ETag"]})
    assert (changed.status_code, changed.json()["document_ids"]) == (200, [first, second])
    told = product.http.get(f"/clients/{client['id']}/history").json()["items"]
    assert any(line["field"] == "activities.document_ids" for line in told)
    none = product.http.patch(row, json={"document_ids": None}, headers={"If-Match": changed.headers["ETag"]})
    assert (none.status_code, none.json()["document_ids"]) == (200, [])


def test_a_stale_memo_is_a_412_with_both_texts_and_their_join(product: Product) -> None:
    path = f"/clients/{product.new_client()['id']}/memo"
    empty = product.http.get(path)
    assert (empty.json()["text"], empty.headers["ETag"]) == ("", '"0"')
    assert product.http.put(path, json={"text": "Code 12B"}, headers={"If-Match": '"0"'}).status_code == 200
    refused = product.http.put(path, json={"text": "Chien"}, headers={"If-Match": '"0"'})
    assert refused.status_code == 412
    data = refused.json()["data"]
    assert (data["text"], data["yours"], data["base"], data["version"]) == ("Code 12B", "Chien", "", 1)
    joined = product.http.put(path, json={"text": data["joined"]}, headers={"If-Match": '"1"'})
    assert joined.json()["text"] == "Code 12B\nChien"
    versions = product.http.get(f"{path}/versions").json()["items"]
    assert [version["text"] for version in versions] == ["Code 12B\nChien", "Code 12B"]


def test_an_address_that_is_used_is_retired_not_erased(product: Product) -> None:
    client = product.new_client()
    main, used = address(product, client), address(product, client, label="Chaufferie")
    ids = {"client_id": client["id"], "address_id": used["id"]}
    assert product.http.post("/equipment", json={**ids, "name": "Chaudière"}).status_code == 201
    for title in ("Fuite", "Entretien"):
        assert product.http.post("/interventions", json={**ids, "title": title}).status_code == 201
    assert product.http.post("/job-sites", json={**ids, "title": "Rénovation"}).status_code == 201
    plan = {**ids, "title": "P2", "period": "year", "starts_on": "2026-01-01"}
    assert product.http.post("/maintenance-plans", json=plan).status_code == 201
    lines = [{"label": "Pose", "quantity": "1", "unit_price": "10.00", "vat_rate": "20"}]
    assert product.http.post("/quotes", json={**ids, "lines": lines}).status_code == 201
    path = f"/clients/{client['id']}/addresses"
    uses = product.http.get(f"{path}/uses").json()
    expected = {"equipment": 1, "interventions": 2, "job_sites": 1, "maintenance_plans": 1, "quotes": 1}
    assert uses == {"uses": {used["id"]: expected}, "unavailable": []}
    refused = product.http.delete(f"{path}/{used['id']}")
    assert (refused.status_code, refused.json()["code"], refused.json()["data"]["uses"]) == (
        409,
        "address_used",
        expected,
    )
    assert "2 interventions" in refused.json()["detail"]
    retired = product.http.patch(f"{path}/{used['id']}", json={"retired": True}, headers={"If-Match": '"1"'})
    assert retired.json()["retired"] is True
    assert product.http.post(f"{path}/{used['id']}/promote", json={}).json()["code"] == "address_retired"
    assert product.http.delete(f"{path}/{main['id']}").status_code == 204
    back = product.http.post(f"{path}/{main['id']}/restore", json={}).json()
    assert (back["is_main"], back["retired"]) == (True, False)


def test_nothing_is_erased_while_an_owner_cannot_say_whether_it_is_used(product: Product) -> None:
    client = product.new_client()
    row = f"/clients/{client['id']}/addresses/{address(product, client)['id']}"
    product.command("stop", "equipment")
    try:
        assert product.http.delete(row).status_code == 503
        uses = product.http.get(f"/clients/{client['id']}/addresses/uses").json()
        assert uses["unavailable"] == ["equipment"]
    finally:
        product.command("start", "equipment")
    assert product.http.delete(row).status_code == 204


def test_what_the_system_does_appears_by_itself_among_the_exchanges(product: Product) -> None:
    client = product.new_client()
    path = f"/clients/{client['id']}/activities?kind=automatic"
    boiler = product.http.post("/equipment", json={"client_id": client["id"], "name": "Chaudière"}).json()
    plan = {"client_id": client["id"], "title": "P2", "period": "year", "starts_on": "2026-01-01"}
    product.http.post("/maintenance-plans", json=plan)
    work = product.http.post("/interventions", json={"client_id": client["id"], "title": "Fuite"}).json()
    product.http.post(f"/interventions/{work['id']}/finish", json={})
    product.http.post("/documents", data={"client_id": client["id"]}, files={"file": ("plan.txt", b"bonjour")})

    def kinds() -> set[str]:
        return {item["kind"] for item in product.http.get(path).json()["items"]}

    wait_until(
        lambda: kinds() == {"equipment", "maintenance", "intervention", "document"},
        "every service has told what it did",
    )
    [row] = product.http.get(f"{path.removesuffix('automatic')}equipment").json()["items"]
    assert row["link"]["id"] == boiler["id"]
    refused = product.http.patch(
        f"/clients/{client['id']}/activities/{row['id']}", json={"subject": "x"}, headers={"If-Match": '"1"'}
    )
    assert refused.status_code == 409
    assert product.http.get(f"/clients/{uuid.uuid4()}/activities").status_code == 404


def test_the_office_writes_and_those_on_the_road_or_in_the_accounts_do_not(product: Product) -> None:
    client = product.new_client()
    base = f"/clients/{client['id']}"
    row = address(product, client)
    road, accounts, office = (signed_in(product, role) for role in ("technician", "accountant", "office"))
    call = {"kind": "call", "subject": "Rappel"}
    for person in (road, accounts):
        assert person.post(f"{base}/activities", json=call).status_code == 403
        assert person.put(f"{base}/memo", json={"text": "x"}, headers={"If-Match": '"0"'}).status_code == 403
        assert person.post(f"{base}/addresses/{row['id']}/promote", json={}).status_code == 403
        assert person.delete(f"{base}/addresses/{row['id']}").status_code == 403
    assert road.get(f"{base}/activities").status_code == 403
    assert accounts.get(f"{base}/activities").status_code == 200
    assert office.post(f"{base}/activities", json=call).status_code == 201
    assert office.put(f"{base}/memo", json={"text": "x"}, headers={"If-Match": '"0"'}).status_code == 200
    assert office.delete(f"{base}/addresses/{row['id']}").status_code == 204


def test_an_archived_client_gets_no_new_exchange_nor_address(product: Product) -> None:
    base = f"/clients/{product.new_client()['id']}"
    product.http.post(f"{base}/archive", json={})
    for path, body in (("activities", {"kind": "note", "subject": "x"}), ("addresses", {"city": "Lyon"})):
        refused = product.http.post(f"{base}/{path}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "client_archived")
    assert product.http.get(f"{base}/activities").status_code == 200
