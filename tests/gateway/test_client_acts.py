"""Deleting a client, its history and what is set for fiches, over HTTP on the whole product."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.conftest import Product
from tests.support.waiting import wait_until

LINE = {"label": "Circulateur", "quantity": "1", "unit_price": "100.00", "vat_rate": "20"}


def quote(product: Product, client: dict[str, Any]) -> str:
    """A draft quote."""
    answer = product.http.post("/quotes", json={"client_id": client["id"], "lines": [LINE]})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_a_numbered_document_or_work_done_keeps_a_client_and_drafts_do_not(product: Product) -> None:
    client = product.new_client()
    draft = quote(product, client)
    work = product.http.post("/interventions", json={"client_id": client["id"], "title": "Purge"}).json()
    assert product.http.get(f"/clients/{client['id']}/ties").json() == {"ties": {}}
    product.http.post(f"/interventions/{work['id']}/start", json={})
    product.http.post(f"/interventions/{work['id']}/finish", json={})
    assert product.http.post(f"/quotes/{draft}/finalise", json={}).status_code == 200
    refused = product.http.delete(f"/clients/{client['id']}")
    assert refused.status_code == 409
    assert refused.json()["code"] == "client_used"
    assert refused.json()["data"]["ties"] == {"quotes": 1, "done": 1}
    assert refused.json()["detail"] == (
        "Cette fiche ne peut pas être supprimée\u202f: 1 devis numéroté et 1 intervention terminée en dépendent. "
        "Archivez plutôt la fiche."
    )
    assert product.http.get(f"/clients/{client['id']}").json()["status"] == "active"


def test_a_client_with_drafts_only_goes_and_comes_back_with_them(product: Product) -> None:
    client = product.new_client()
    quote(product, client)
    assert product.http.delete(f"/clients/{client['id']}").status_code == 204
    assert product.http.delete(f"/clients/{client['id']}").status_code in (204, 410)
    assert product.http.get(f"/clients/{client['id']}").status_code == 410
    assert product.http.post(f"/clients/{client['id']}/restore", json={}).status_code == 200
    assert product.http.get("/quotes", params={"client_id": client["id"]}).json()["items"]


def test_the_payer_of_others_is_kept(product: Product) -> None:
    payer, tenant = product.new_client(), product.new_client()
    body = {"type": "owner", "other_client_id": payer["id"]}
    assert product.http.post(f"/clients/{tenant['id']}/relations", json=body).status_code == 201
    tag = product.http.get(f"/clients/{tenant['id']}/billing").headers["ETag"]
    path = f"/clients/{tenant['id']}/billing"
    changed = product.http.patch(path, json={"payer_id": payer["id"]}, headers={"If-Match": tag})
    assert changed.status_code == 200, changed.text
    assert product.http.delete(f"/clients/{payer['id']}").json()["data"]["ties"] == {"pays_for": 1}
    assert product.http.delete(f"/clients/{tenant['id']}").status_code == 204
    # That the one it paid for is gone, billing hears by event.
    wait_until(lambda: product.http.get(f"/clients/{payer['id']}/ties").json() == {"ties": {}}, "billing heard")
    assert product.http.delete(f"/clients/{payer['id']}").status_code == 204


def test_nothing_is_deleted_while_a_service_cannot_say_what_depends_on_it(product: Product) -> None:
    client = product.new_client()
    product.command("stop", "billing")
    try:
        answer = product.http.delete(f"/clients/{client['id']}")
        history = product.http.get(f"/clients/{client['id']}/history").json()
    finally:
        product.command("start", "billing")
    assert answer.status_code == 503
    assert history["unavailable"] == ["billing"]
    assert product.http.get(f"/clients/{client['id']}").json()["status"] == "active"


def test_the_history_of_a_fiche_joins_what_each_service_kept_and_is_paged(product: Product) -> None:
    client = product.new_client(phone="01 99 00 00 01")
    base = f"/clients/{client['id']}"
    for n in range(3):
        tag = product.http.get(f"{base}/billing").headers["ETag"]
        body = {"billing_name": f"Service comptable {n}"}
        assert product.http.patch(f"{base}/billing", json=body, headers={"If-Match": tag}).status_code == 200
        tag = product.http.get(base).headers["ETag"]
        body = {"phone": f"01 99 00 00 1{n}"}
        assert product.http.patch(base, json=body, headers={"If-Match": tag}).status_code == 200
    read, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = product.http.get(f"{base}/history", params=params).json()
        read += [(line["field"], line["previous"], line["value"]) for line in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert read[:3] == [
        ("phone", "01 99 00 00 11", "01 99 00 00 12"),
        ("billing.billing_name", "Service comptable 1", "Service comptable 2"),
        ("phone", "01 99 00 00 10", "01 99 00 00 11"),
    ]
    assert len(read) == len(set(read))
    assert read == [
        (line["field"], line["previous"], line["value"])
        for line in product.http.get(f"{base}/history", params={"limit": 200}).json()["items"]
    ]
    assert product.http.get(f"{base}/history", params={"cursor": "%%"}).status_code == 422


def test_only_an_administrator_sets_fields_and_layout(product: Product) -> None:
    office = product.as_key("read", "write")
    made = product.http.post("/custom-fields", json={"label": "Essai de droits"}).json()
    path = f"/custom-fields/{made['id']}"
    tag = {"If-Match": product.http.get(path).headers["ETag"]}
    assert office.get("/custom-fields").status_code == 200
    assert office.post("/custom-fields", json={"label": "X"}).status_code == 403
    assert office.patch(path, json={"label": "X"}, headers=tag).status_code == 403
    assert office.delete(path).status_code == 403
    assert office.put("/fiche-layout", json={}, headers={"If-Match": '"0"'}).status_code == 403
    assert product.http.patch(path, json={"label": "Autre"}).status_code == 428
    assert product.http.patch(path, json={"label": "Autre"}, headers=tag).json()["label"] == "Autre"
    assert product.http.patch(path, json={"label": "Encore"}, headers=tag).status_code == 412
    layout = product.http.get("/fiche-layout")
    body = {"sections": [{"key": "portal", "shown": False}]}
    answer = product.http.put("/fiche-layout", json=body, headers={"If-Match": layout.headers["ETag"]})
    assert answer.json()["sections"][0] == {"key": "portal", "shown": False}
    assert product.http.delete(path).status_code == 204
    assert product.http.get(path).status_code == 404
    assert product.http.post(f"{path}/restore", json={}).status_code == 200
    product.http.delete(path)
    product.http.put("/fiche-layout", json={}, headers={"If-Match": answer.headers["ETag"]})


@pytest.mark.parametrize("given", ["0199f2a0-4c11-7101-8201-5d3e9a70d103", "pas un identifiant"])
def test_a_salesperson_is_one_of_the_staff(product: Product, given: str) -> None:
    body = {"kind": "company", "company_name": "Essai", "sales_rep_id": given}
    answer = product.http.post("/clients", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "sales_rep_id"
    person = product.http.post("/users", json={"name": "Hugo Lefèvre", "roles": ["salesperson"]}).json()
    assert product.new_client(sales_rep_id=person["id"])["sales_rep_id"] == person["id"]


def test_likely_duplicates_are_told_while_typing(product: Product) -> None:
    client = product.new_client(company_name="Chauffage du Port", email="bureau@doublon-essai.example")
    asked = {"email": "BUREAU@doublon-essai.example", "company_name": "Tout autre chose"}
    # What others are known by follows their records within about a second.
    [found] = wait_until(lambda: product.http.get("/clients/duplicates", params=asked).json()["items"], "it is found")
    assert found["client"]["id"] == client["id"]
    assert product.http.get("/clients/duplicates", params=asked | {"but": client["id"]}).json()["items"] == []
    assert product.http.get(f"/clients/{client['id']}/duplicates").json()["items"] == []
    assert product.http.get("/clients/duplicates", params={"inconnu": "x"}).status_code == 422


def test_likely_pairs_are_listed_marked_as_two_and_listed_again(product: Product) -> None:
    """The whole base: found by itself, taken out by « Ce ne sont pas des doublons », back when that is taken back."""
    one, two = (product.new_client(company_name=name, email="x@paire-essai.example") for name in ("Paire", "Paire SAS"))
    ids = {one["id"], two["id"]}

    def pairs() -> list[dict[str, Any]]:
        items = product.http.get("/duplicates", params={"limit": 200, "reason": "email"}).json()["items"]
        return [item for item in items if {side["id"] for side in item["clients"]} == ids]

    [pair] = wait_until(pairs, "the pair is found")
    assert pair["score"] > 0.85
    assert pair["reasons"] == ["email", "name"]
    assert [side["id"] for side in pair["clients"]] == [one["id"], two["id"]], "the older first"
    answer = product.http.post(f"/clients/{two['id']}/distinct", json={"other_client_id": one["id"]})
    assert answer.status_code == 204
    assert pairs() == []
    assert product.http.get(f"/clients/{one['id']}/duplicates").json()["items"] == []
    assert product.http.delete(f"/clients/{one['id']}/distinct/{two['id']}").status_code == 204
    assert len(pairs()) == 1
    assert product.http.post(f"/clients/{one['id']}/distinct", json={}).status_code == 422
    assert product.http.get("/duplicates", params={"min_score": "2"}).status_code == 422


def test_the_whole_base_is_compared_on_demand(product: Product) -> None:
    begun = product.http.post("/duplicates/scan", json={})
    assert begun.status_code == 202
    assert begun.json()["status"] in ("running", "done")
    scan = wait_until(
        lambda: (now := product.http.get("/duplicates/scan").json())["status"] == "done" and now, "the scan is done", 60
    )
    assert scan["id"] == begun.json()["id"]
    assert scan["done"] == scan["total"] > 0


def test_deleting_is_refused_when_work_began_meanwhile(product: Product) -> None:
    """Whoever is second is refused or sees it: a client that is kept has a reason."""
    from tests.clients.support import at_once

    for _ in range(4):
        client = product.new_client()
        work = product.http.post("/interventions", json={"client_id": client["id"], "title": "Purge"}).json()
        outcomes: dict[str, int] = {}

        def finish(work_id: str = work["id"], kept: dict[str, int] = outcomes) -> None:
            product.http.post(f"/interventions/{work_id}/start", json={})
            kept["finish"] = product.http.post(f"/interventions/{work_id}/finish", json={}).status_code

        def delete(client_id: str = client["id"], kept: dict[str, int] = outcomes) -> None:
            kept["delete"] = product.http.delete(f"/clients/{client_id}").status_code

        at_once([finish, delete])
        state = product.http.get(f"/interventions/{work['id']}").json().get("state")
        status = product.http.get(f"/clients/{client['id']}").status_code
        assert outcomes["delete"] in (204, 409), outcomes
        assert (status == 410) == (outcomes["delete"] == 204)
        if outcomes["delete"] == 409:
            assert state in ("in_progress", "done")
