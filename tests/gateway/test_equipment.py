"""Equipment over HTTP and its page: its past, and who sees it."""

from __future__ import annotations

import io

from PIL import Image

from tests.gateway.conftest import Product
from tests.gateway.test_auth import signed_in


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
