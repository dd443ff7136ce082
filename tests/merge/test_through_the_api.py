"""A merge and its undo through the product's API, every service included."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.conftest import Product
from tests.merge.support import client, fiche, ids, merge, settled, undo


def filled(product: Product, **fields: Any) -> dict[str, Any]:
    """A client with a row in every service; ids of its rows by section."""
    made = product.new_client(**fields)
    post = product.http.post
    address = post(f"/clients/{made['id']}/addresses", json={"street": "1 rue du Lac", "city": "Ars"}).json()
    rows = {
        "addresses": address["id"],
        "contacts": post(f"/clients/{made['id']}/contacts", json={"last_name": "Petit"}).json()["id"],
        "activities": post(
            f"/clients/{made['id']}/activities", json={"kind": "note", "subject": "Noté", "body": "Noté"}
        ).json()["id"],
        "interventions": post("/interventions", json={"client_id": made["id"], "title": "Panne"}).json()["id"],
        "quotes": post("/quotes", json={"client_id": made["id"], "lines": []}).json()["id"],
        "equipment": post("/equipment", json={"client_id": made["id"], "name": "Chaudière"}).json()["id"],
        "maintenance": post(
            "/maintenance-plans",
            json={"client_id": made["id"], "visits_per_period": 1, "period": "year", "starts_on": "2026-01-01"},
        ).json()["id"],
    }
    return {"client": made, "rows": rows}


def test_a_merge_shows_every_row_on_the_survivor_and_an_undo_gives_them_back(product: Product) -> None:
    one, two = filled(product, email="un@exemple.fr"), filled(product, phone="01 99 00 12 34", memo="Chien méchant")
    before = {each["client"]["id"]: fiche(product, each["client"]["id"]) for each in (one, two)}
    survivor, duplicate = (client(product, each["client"]["id"]) for each in (one, two))
    made = merge(product, survivor, duplicate)
    together = fiche(product, survivor["id"])
    for section in ("addresses", "contacts", "interventions", "quotes", "equipment"):
        assert {one["rows"][section], two["rows"][section]} <= ids(together, section), section
    assert together["client"]["phone"] == "01 99 00 12 34"
    assert together["client"]["memo"] == "Chien méchant"
    moved = product.http.get(f"/clients/{duplicate['id']}")
    assert (moved.status_code, moved.headers["Location"]) == (308, f"/api/v1/clients/{survivor['id']}")
    done = settled(product, made, "done")
    assert done["services"]["interventions"]["moved"] == {"intervention": 1}
    assert set(done["services"]) == {
        "accounts", "billing", "clients", "documents", "equipment", "interventions", "maintenance"
    }  # fmt: skip
    undo(product, made)
    apart = {identifier: fiche(product, identifier) for identifier in before}
    for identifier, then in before.items():
        for section in ("addresses", "contacts", "interventions", "quotes", "equipment"):
            assert ids(apart[identifier], section) == ids(then, section), section
        now, was = apart[identifier]["client"], then["client"]
        differing = {name for name in was if was[name] != now[name]}
        assert differing <= {
            "version", "updated_at", "updated_by", "memo_version", "memo_updated_at", "memo_updated_by",
            "last_activity_at",
        }, differing  # fmt: skip
    settled(product, made, "undone")


def test_a_preview_says_what_would_change_in_every_service_and_changes_nothing(product: Product) -> None:
    one, two = filled(product), filled(product, email="deux@exemple.fr")
    body = {"survivor_id": one["client"]["id"], "duplicate_id": two["client"]["id"], "reason": "Essai"}
    answer = product.http.post("/merges", params={"dry_run": "true"}, json=body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    [email] = [each for each in found["fields"] if each["field"] == "email"]
    assert (email["survivor"], email["duplicate"], email["proposed"]) == ("", "deux@exemple.fr", "duplicate")
    assert found["services"]["equipment"]["counts"] == {"equipment": 1}
    assert "two_main_addresses" in {each["code"] for each in found["conflicts"]}
    assert client(product, two["client"]["id"])["status"] == "active"


def test_a_preview_tells_tags_and_folders_of_one_name(product: Product) -> None:
    one, two = product.new_client(tags=["VIP", "Gaz"]), product.new_client(tags=["VIP"])
    for each, folders in ((one, ("Contrats", "Plans", "Photos")), (two, ("Plans", "Contrats", "Devis"))):
        for folder in folders:
            answer = product.http.post("/documents/folders", json={"client_id": each["id"], "folder": folder})
            assert answer.status_code in (200, 201), answer.text
    body = {"survivor_id": one["id"], "duplicate_id": two["id"]}

    def told() -> dict[str, str]:
        answer = product.http.post("/merges", params={"dry_run": "true"}, json=body)
        return {each["code"]: each["detail"] for each in answer.json()["conflicts"]}

    found = told()
    assert found["same_tags"].endswith(": VIP.")
    assert found["same_folders"] == "Dossiers de même nom, affichés une seule fois\u202f: Contrats, Plans."
    product.command("stop", "documents")
    try:
        assert "same_folders" not in told()
    finally:
        product.command("start", "documents")


def test_the_second_of_two_merges_that_race_names_the_first(product: Product) -> None:
    one, two, three = (product.new_client() for _ in range(3))
    first = merge(product, one, two)
    for survivor, duplicate in ((two, one), (three, two), (one, two)):
        body = {"survivor_id": survivor["id"], "duplicate_id": duplicate["id"], "reason": "Essai"}
        answer = product.http.post("/merges", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "client_merged")
        assert answer.json()["data"]["merge_id"] == first["id"]


def test_a_chain_is_undone_in_the_middle(product: Product) -> None:
    one, two, three = (filled(product) for _ in range(3))
    lower = merge(product, two["client"], three["client"])
    merge(product, one["client"], two["client"])
    undo(product, lower)
    assert client(product, three["client"]["id"])["status"] == "active"
    together = fiche(product, one["client"]["id"])
    assert ids(together, "equipment") == {one["rows"]["equipment"], two["rows"]["equipment"]}
    assert ids(fiche(product, three["client"]["id"]), "equipment") == {three["rows"]["equipment"]}


def test_a_later_edit_stays_through_the_undo(product: Product) -> None:
    one, two = product.new_client(), product.new_client(email="deux@exemple.fr")
    made = merge(product, one, two)
    now = client(product, one["id"])
    assert now["email"] == "deux@exemple.fr"
    changed = product.http.patch(
        f"/clients/{one['id']}", json={"email": "neuf@exemple.fr"}, headers={"If-Match": f'"{now["version"]}"'}
    )
    assert changed.status_code == 200, changed.text
    history = product.http.get(f"/clients/{one['id']}/history").json()["items"]
    [line] = [each for each in history if each["field"] == "email" and each["value"] == "neuf@exemple.fr"]
    assert line["previous"] == "deux@exemple.fr", "what the merge had taken over"
    answer = undo(product, made)
    assert answer["kept"] == ["email"]
    assert client(product, one["id"])["email"] == "neuf@exemple.fr"
    assert client(product, two["id"])["email"] == "deux@exemple.fr"


def test_a_chosen_iban_is_the_survivors_until_the_undo(product: Product) -> None:
    one, two = product.new_client(), product.new_client()
    for each, iban in ((one, "FR7630006000011234567890189"), (two, "FR7610107001011234567890129")):
        url = f"/clients/{each['id']}/billing"
        etag = product.http.get(url).headers["ETag"]
        assert product.http.patch(url, json={"iban": iban}, headers={"If-Match": etag}).status_code == 200
    made = merge(product, one, two, choices={"iban": "duplicate"})
    settled(product, made, "done")
    assert product.http.get(f"/clients/{one['id']}/billing").json()["iban"] == "FR7610107001011234567890129"
    settled(product, undo(product, made), "undone")
    assert product.http.get(f"/clients/{one['id']}/billing").json()["iban"] == "FR7630006000011234567890189"
    assert product.http.get(f"/clients/{two['id']}/billing").json()["iban"] == "FR7610107001011234567890129"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"reason": ""}, 422),
        ({"choices": {"shoe_size": "duplicate"}}, 422),
        ({"choices": {"email": "join"}}, 422),
        ({"duplicate_id": "0193f000-0000-7000-8000-0000000000ff"}, 422),
        ({"survivor_version": 99}, 412),
    ],
)
def test_what_cannot_be_merged_is_refused_and_changes_nothing(
    product: Product, change: dict[str, Any], status: int
) -> None:
    one, two = product.new_client(), product.new_client()
    body = {"survivor_id": one["id"], "duplicate_id": two["id"], "reason": "Essai"} | change
    assert product.http.post("/merges", json=body).status_code == status
    assert client(product, two["id"])["version"] == two["version"]
