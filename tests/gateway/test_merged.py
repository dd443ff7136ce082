"""What an id means after its client was merged into another. The merge itself comes later; what it keeps is there."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.gateway.conftest import Product


@pytest.fixture
def merged(product: Product) -> tuple[dict[str, Any], dict[str, Any]]:
    """A survivor and the duplicate that now means it, as `clients` keeps it."""
    survivor, duplicate = product.new_client(), product.new_client()
    assert product.http.post("/equipment", json={"client_id": duplicate["id"], "name": "Avant"}).status_code == 201
    ids = {"id": duplicate["id"], "root": survivor["id"]}
    product.sql("clients", "UPDATE client SET merged_into = :root WHERE id = :id", **ids)
    product.sql(
        "clients",
        "INSERT INTO client_alias (id, parent_id, merge_id, root_id) VALUES (:id, :root, :merge, :root)",
        merge=str(uuid.uuid4()),
        **ids,
    )
    return survivor, duplicate


@pytest.mark.parametrize("rest", ["", "/fiche", "/memo", "/contacts?limit=2", "/billing", "/history"])
def test_reading_the_old_id_leads_to_the_survivor(
    product: Product, merged: tuple[dict[str, Any], dict[str, Any]], rest: str
) -> None:
    survivor, duplicate = merged
    answer = product.http.get(f"/clients/{duplicate['id']}{rest}")
    assert answer.status_code == 308, answer.text
    assert answer.headers["Location"] == f"/api/v1/clients/{survivor['id']}{rest}"
    assert product.http.get(f"/clients/{duplicate['id']}{rest}", follow_redirects=True).status_code == 200


def test_rows_of_both_are_the_survivors(product: Product, merged: tuple[dict[str, Any], dict[str, Any]]) -> None:
    survivor, duplicate = merged
    late = product.http.post("/equipment", json={"client_id": duplicate["id"], "name": "Après"})
    assert late.status_code == 201, late.text
    assert (late.json()["client_id"], late.json()["written_client_id"]) == (survivor["id"], duplicate["id"])
    for known in (survivor, duplicate):
        items = product.http.get("/equipment", params={"client_id": known["id"]}).json()["items"]
        assert {item["name"] for item in items} == {"Avant", "Après"}
    section = product.http.get(f"/clients/{survivor['id']}/fiche").json()["sections"]["equipment"]
    assert (section["status"], section["count"]) == ("ok", 2)


def test_archive_and_delete_never_follow(product: Product, merged: tuple[dict[str, Any], dict[str, Any]]) -> None:
    survivor, duplicate = merged
    for answer in (
        product.http.post(f"/clients/{duplicate['id']}/archive", json={}),
        product.http.post(f"/clients/{duplicate['id']}/convert", json={"to": "individual", "last_name": "Petit"}),
        product.http.delete(f"/clients/{duplicate['id']}"),
    ):
        assert answer.status_code == 409, answer.text
        assert answer.json()["code"] == "client_merged"
        assert survivor["id"] in answer.text
    assert product.http.get(f"/clients/{survivor['id']}").json()["status"] == "active"


def test_a_change_under_the_old_id_is_stale(product: Product, merged: tuple[dict[str, Any], dict[str, Any]]) -> None:
    _, duplicate = merged
    etag = {"If-Match": f'"{duplicate["version"]}"'}
    answer = product.http.patch(f"/clients/{duplicate['id']}", json={"website": ""}, headers=etag)
    assert answer.status_code == 412, answer.text
    memo = product.http.put(f"/clients/{duplicate['id']}/memo", json={"text": "x"}, headers=etag)
    assert memo.status_code == 412, memo.text
