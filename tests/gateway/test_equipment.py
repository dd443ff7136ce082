"""Equipment over HTTP and its page: its past, and who sees it."""

from __future__ import annotations

import io
import uuid

from PIL import Image

from tests.gateway.conftest import Product
from tests.gateway.test_auth import signed_in
from tests.support.waiting import wait_until


def test_a_technician_reads_the_page_of_what_he_works_on_and_changes_nothing(product: Product) -> None:
    client = product.new_client(company_name="Copropriété Les Acacias")
    held = io.BytesIO()
    Image.new("RGB", (60, 40), "gray").save(held, "JPEG")
    photo = product.http.post(
        "/documents", data={"client_id": client["id"], "photo": "true"}, files={"file": ("plaque.jpg", held.getvalue())}
    ).json()
    body = {"client_id": client["id"], "name": "Chaudière n° 1", "photos": [photo["id"]]}
    made = product.http.post("/equipment", json=body).json()
    technician = signed_in(product, "technician")
    work = {"client_id": client["id"], "title": "Entretien", "technician_ids": [technician.get("/me").json()["id"]]}
    assert product.http.post("/interventions", json=work).status_code == 201
    for address in (f"/clients/{client['id']}/equipements/{made['id']}", f"/equipements/{made['id']}"):
        page = technician.get(f"{product.url}{address}", follow_redirects=True, headers={"Accept": "text/html"})
        assert page.status_code == 200, page.text
        assert "Chaudière n° 1" in page.text
        assert f"/api/v1/documents/{photo['id']}/thumbnail" in page.text
        assert "Modifier" not in page.text
    changed = technician.patch(f"/equipment/{made['id']}", json={"brand": "x"}, headers={"If-Match": '"1"'})
    assert changed.status_code == 403
    assert technician.get(f"/equipment/{made['id']}/history").status_code == 403


def test_a_field_emptied_by_null_is_empty_and_a_name_may_not_be(product: Product) -> None:
    client = product.new_client()
    body = {
        "client_id": client["id"],
        "name": "Vase",
        "brand": "Flamco",
        "details": [{"label": "Volume", "value": "200"}],
    }
    made = product.http.post("/equipment", json=body).json()
    path, etag = f"/equipment/{made['id']}", {"If-Match": '"1"'}
    refused = product.http.patch(path, json={"name": None}, headers=etag)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "name")
    emptied = product.http.patch(path, json={"brand": None, "details": None}, headers=etag).json()
    assert (emptied["brand"], emptied["details"], emptied["name"]) == ("", [], "Vase")
    actions = [(line["action"], line["field"]) for line in product.http.get(f"{path}/history").json()["items"]]
    assert set(actions) == {("changed", "brand"), ("changed", "details"), ("created", "")}


def test_what_was_taken_off_comes_back_with_its_page(product: Product) -> None:
    client = product.new_client()
    made = product.http.post("/equipment", json={"client_id": client["id"], "name": "Adoucisseur"}).json()
    page = f"{product.url}/clients/{client['id']}/equipements/{made['id']}"
    assert product.http.delete(f"/equipment/{made['id']}").status_code == 204
    assert product.http.get(page, headers={"Accept": "text/html"}).status_code == 404
    assert product.http.post(f"/equipment/{made['id']}/restore", json={}).status_code == 200
    assert product.http.get(page, headers={"Accept": "text/html"}).status_code == 200


def test_photos_taken_before_their_equipment_are_found_with_it(product: Product) -> None:
    client = product.new_client()
    held = io.BytesIO()
    Image.new("RGB", (60, 40), "gray").save(held, "JPEG")
    files = {"file": ("plaque.jpg", held.getvalue())}
    photo = product.http.post("/documents", data={"client_id": client["id"], "photo": "true"}, files=files).json()
    body = {"client_id": client["id"], "name": "Pompe", "photos": [photo["id"]]}
    made = product.http.post("/equipment", json=body).json()
    wait_until(
        lambda: product.http.get(f"/documents/{photo['id']}").json()["equipment_id"] == made["id"], "the photo linked"
    )


def test_an_equipment_passes_to_another_client_with_its_parts_and_its_past(product: Product) -> None:
    former, next_one = product.new_client(company_name="Ancien"), product.new_client(company_name="Nouveau")
    address = product.http.post(
        f"/clients/{next_one['id']}/addresses", json={"street": "5 quai Sud", "city": "Lyon"}
    ).json()
    held = io.BytesIO()
    Image.new("RGB", (60, 40), "gray").save(held, "JPEG")
    photo = product.http.post(
        "/documents", data={"client_id": former["id"]}, files={"file": ("plaque.jpg", held.getvalue())}
    ).json()
    body = {"client_id": former["id"], "name": "Chaudière", "photos": [photo["id"]]}
    made = product.http.post("/equipment", json=body).json()
    part = product.http.post(
        "/equipment", json={"client_id": former["id"], "name": "Brûleur", "parent_id": made["id"]}
    ).json()
    work = {"client_id": former["id"], "title": "Ramonage", "equipment_ids": [made["id"]]}
    assert product.http.post("/interventions", json=work).status_code == 201
    path = f"/equipment/{made['id']}"
    stranger = {"client_id": next_one["id"], "address_id": str(uuid.uuid4())}
    assert product.http.post(f"{path}/reassign", json=stranger).status_code == 422
    to = {"client_id": next_one["id"], "address_id": address["id"]}
    moved = product.http.post(f"{path}/reassign", json=to, headers={"If-Match": '"1"'})
    assert moved.status_code == 200, moved.text
    assert (moved.json()["client_id"], moved.json()["address_id"]) == (next_one["id"], address["id"])
    assert product.http.post(f"{path}/reassign", json=to, headers={"If-Match": '"1"'}).status_code == 412
    names = {
        row["name"] for row in product.http.get("/equipment", params={"client_id": next_one["id"]}).json()["items"]
    }
    assert names == {"Chaudière", "Brûleur"}
    assert product.http.get("/equipment", params={"client_id": former["id"]}).json()["items"] == []
    assert product.http.get(f"/equipment/{part['id']}").json()["parent_id"] == made["id"]
    page = product.http.get(
        f"{product.url}/clients/{next_one['id']}/equipements/{made['id']}", headers={"Accept": "text/html"}
    ).text
    assert "Ramonage" in page
    assert "Passé de «\u202fAncien\u202f» à «\u202fNouveau\u202f»" in page
    # The photo of before stays with it when another field, or another photo, changes.
    kept = product.http.patch(
        path, json={"photos": [photo["id"]], "brand": "Viessmann"}, headers={"If-Match": moved.headers["ETag"]}
    )
    assert kept.status_code == 200, kept.text
