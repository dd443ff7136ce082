"""Ids from outside: unknown, archived, deleted, somebody else's."""

from __future__ import annotations

import pytest

from tests.gateway.conftest import Product

UNKNOWN = "0193f000-0000-7000-8000-00000000ffff"


def fault(product: Product, path: str, body: dict[str, object]) -> str:
    """The field refused by a POST that must answer 422."""
    answer = product.http.post(path, json=body)
    assert answer.status_code == 422, answer.text
    return str(answer.json()["errors"][0]["field"])


def test_new_work_asks_for_a_living_client(product: Product) -> None:
    archived, deleted = product.new_client(), product.new_client()
    answer = product.http.post(f"/clients/{archived['id']}/archive", json={})
    assert (answer.status_code, answer.json()["status"]) == (200, "archived")
    assert product.http.delete(f"/clients/{deleted['id']}").status_code == 204
    for path, body in (("/equipment", {"name": "x"}), ("/interventions", {"title": "x"})):
        assert product.http.post(path, json=body | {"client_id": archived["id"]}).status_code == 409
        assert product.http.post(path, json=body | {"client_id": deleted["id"]}).status_code == 410
        assert fault(product, path, body | {"client_id": UNKNOWN}) == "client_id"
        assert fault(product, path, body | {"client_id": "not an id"}) == "client_id"
    assert product.http.get(f"/clients/{deleted['id']}").status_code == 410
    assert product.http.get(f"/clients/{archived['id']}").status_code == 200
    assert product.http.post(f"/clients/{deleted['id']}/restore", json={}).status_code == 200


def test_rows_of_a_deleted_client_are_written_to_no_more(product: Product) -> None:
    client = product.new_client()
    lines = [{"label": "Entretien", "quantity": "1", "unit_price": "120.00", "vat_rate": "10"}]
    plan = {"visits_per_period": 1, "period": "month", "starts_on": "2026-01-05"}
    rows = {}
    for path, body in (
        ("/equipment", {"name": "x"}), ("/interventions", {"title": "x"}), ("/job-sites", {"title": "x"}),
        ("/maintenance-plans", plan), ("/quotes", {"lines": lines}), ("/invoices", {"lines": lines}),
    ):  # fmt: skip
        if path == "/maintenance-plans":
            body["equipment_ids"] = [rows["/equipment"][0]]
        made = product.http.post(path, json=body | {"client_id": client["id"]})
        assert made.status_code == 201, made.text
        rows[path] = (made.json()["id"], made.headers["ETag"])
    visit = product.http.get("/maintenance-visits", params={"client_id": client["id"]}).json()["items"][0]
    rows["/maintenance-visits"] = (visit["id"], f'"{visit["version"]}"')
    assert product.http.delete(f"/clients/{client['id']}").status_code == 204
    writes = [("PATCH", path, "") for path in rows] + [
        ("DELETE", path, "") for path in ("/equipment", "/interventions")
    ]
    writes += [("POST", "/interventions", "/start"), ("POST", "/quotes", "/finalise"), ("POST", "/invoices", "/issue")]
    for method, path, deed in writes:
        row_id, etag = rows[path]
        answer = product.http.request(method, f"{path}/{row_id}{deed}", json={}, headers={"If-Match": etag})
        assert answer.status_code == 410, (method, path, deed, answer.text)
    assert product.http.post(f"/clients/{client['id']}/restore", json={}).status_code == 200
    row_id, etag = rows["/equipment"]
    answer = product.http.patch(f"/equipment/{row_id}", json={"name": "y"}, headers={"If-Match": etag})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("put_away", ["archived", "deleted"])
def test_a_repeat_gets_its_first_answer_whatever_has_become_of_the_client(product: Product, put_away: str) -> None:
    client = product.new_client()
    body, key = {"client_id": client["id"], "name": "Chaudière"}, {"Idempotency-Key": f"repeat-{put_away}"}
    first = product.http.post("/equipment", json=body, headers=key)
    assert first.status_code == 201, first.text
    if put_away == "archived":
        product.http.post(f"/clients/{client['id']}/archive", json={}).raise_for_status()
    else:
        product.http.delete(f"/clients/{client['id']}").raise_for_status()
    again = product.http.post("/equipment", json=body, headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    refused = 409 if put_away == "archived" else 410
    assert product.http.post("/equipment", json=body, headers={"Idempotency-Key": "new"}).status_code == refused
    assert product.http.post("/equipment", json=body | {"name": "Autre"}, headers=key).status_code == 422
    listed = product.http.get("/equipment", params={"limit": 200}).json()["items"]
    assert [each["id"] for each in listed if each["client"]["id"] == client["id"]] == [first.json()["id"]]


@pytest.mark.parametrize(("path", "body"), [("/equipment", {"name": "x"}), ("/interventions", {"title": "x"})])
def test_an_address_of_somebody_else_is_refused(product: Product, path: str, body: dict[str, object]) -> None:
    mine, other = product.new_client(), product.new_client()
    street = {"street": "1 rue des Lilas", "postal_code": "75011", "city": "Paris"}
    own = product.http.post(f"/clients/{mine['id']}/addresses", json=street).json()
    foreign = product.http.post(f"/clients/{other['id']}/addresses", json=street).json()
    whole = body | {"client_id": mine["id"]}
    assert fault(product, path, whole | {"address_id": foreign["id"]}) == "address_id"
    assert fault(product, path, whole | {"address_id": UNKNOWN}) == "address_id"
    made = product.http.post(path, json=whole | {"address_id": own["id"]})
    assert made.status_code == 201, made.text
    etag = {"If-Match": made.headers["ETag"]}
    moved = product.http.patch(f"{path}/{made.json()['id']}", json={"address_id": foreign["id"]}, headers=etag)
    assert moved.status_code == 422


def test_a_photo_of_somebody_else_is_refused(product: Product) -> None:
    client, other = product.new_client(), product.new_client()
    photo = product.http.post("/documents", data={"client_id": other["id"]}, files={"file": ("a.jpg", b"x")}).json()
    body = {"client_id": client["id"], "name": "Chaudière", "photos": [photo["id"]]}
    assert fault(product, "/equipment", body) == "photos"
    made = product.http.post("/equipment", json=body | {"photos": []}).json()
    patched = product.http.patch(
        f"/equipment/{made['id']}", json={"photos": [photo["id"]]}, headers={"If-Match": '"1"'}
    )
    assert (patched.status_code, patched.json()["errors"][0]["field"]) == (422, "photos")
    assert product.http.post("/equipment", json=body | {"client_id": other["id"]}).status_code == 201


def test_equipment_and_job_site_of_somebody_else_are_refused(product: Product) -> None:
    mine, other = product.new_client(), product.new_client()
    boiler = product.http.post("/equipment", json={"client_id": other["id"], "name": "Chaudière"}).json()
    site = product.http.post("/job-sites", json={"client_id": other["id"], "title": "Toit"})
    assert site.status_code == 201, site.text
    body = {"client_id": mine["id"], "title": "Entretien"}
    assert fault(product, "/interventions", body | {"equipment_ids": [boiler["id"]]}) == "equipment_ids"
    assert fault(product, "/interventions", body | {"job_site_id": site.json()["id"]}) == "job_site_id"
    assert fault(product, "/interventions", body | {"equipment_ids": "x"}).startswith("equipment_ids")
    assert fault(product, "/interventions", body | {"contact_id": UNKNOWN}) == "contact_id"


def test_a_row_is_found_under_its_own_client_only(product: Product) -> None:
    mine, other = product.new_client(), product.new_client()
    made = product.http.post(f"/clients/{mine['id']}/contacts", json={"last_name": "Petit"}).json()
    assert product.http.get(f"/clients/{mine['id']}/contacts/{made['id']}").status_code == 200
    assert product.http.get(f"/clients/{other['id']}/contacts/{made['id']}").status_code == 404
    assert product.http.delete(f"/clients/{other['id']}/contacts/{made['id']}").status_code == 404
    assert product.http.delete(f"/clients/{mine['id']}/contacts/{made['id']}").status_code == 204


def test_the_tree_is_not_for_callers_to_say(product: Product) -> None:
    client = product.new_client()
    assert product.http.get("/equipment", params={"tree": client["id"]}).status_code == 422
    assert product.http.get("/equipment", params={"client_id": UNKNOWN}).status_code == 404
