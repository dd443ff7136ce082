"""The protocol's rules for each kind of data, through the API of the product as it runs."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.gateway.conftest import Product
from tests.gateway.test_work_and_money import ok
from tests.merge.support import client, fiche, ids, merge, settled, undo
from tests.support.waiting import wait_until


def patch(product: Product, client_id: str, **changes: Any) -> dict[str, Any]:
    """A change of a record as it stands."""
    etag = product.http.get(f"/clients/{client_id}").headers["ETag"]
    return ok(product.http.patch(f"/clients/{client_id}", json=changes, headers={"If-Match": etag}))


def test_a_tag_of_both_is_shown_once_and_removed_from_both(product: Product) -> None:
    one, two = product.new_client(tags=["vip", "gaz"]), product.new_client(tags=["vip", "fioul"])
    made = merge(product, one, two)
    assert client(product, one["id"])["tags"] == ["fioul", "gaz", "vip"]
    patch(product, one["id"], tags=["gaz", "fioul"])
    undo(product, made)
    assert client(product, one["id"])["tags"] == ["gaz"]
    assert client(product, two["id"])["tags"] == ["fioul"]


def test_access_to_the_portal_of_both_is_shown_once_and_withdrawn_from_both(product: Product) -> None:
    one, two = product.new_client(), product.new_client()
    contact = {"last_name": "Roy", "email": f"{uuid.uuid4().hex[:8]}@exemple.fr", "portal_access": True}
    rows = [ok(product.http.post(f"/clients/{each['id']}/contacts", json=contact), 201) for each in (one, two)]

    def portal(record: dict[str, Any]) -> list[Any]:
        return list(fiche(product, record["id"])["sections"]["portal"]["items"])

    for each in (one, two):
        wait_until(lambda each=each: portal(each), "the access to be known")
    made = settled(product, merge(product, one, two), "done")
    assert len(portal(one)) == 1, "one person, one access"
    base = f"/clients/{one['id']}/contacts/{rows[0]['id']}"
    ok(product.http.patch(base, json={"portal_access": False}, headers={"If-Match": f'"{rows[0]["version"]}"'}))
    wait_until(lambda: not portal(one), "the access to be withdrawn")
    settled(product, undo(product, made), "undone")
    assert portal(one) == portal(two) == [], "withdrawn from the person, whichever record had it"


def test_folders_of_one_name_are_shown_as_one(product: Product) -> None:
    one, two = product.new_client(), product.new_client()
    for each in (one, two):
        made = product.http.post("/documents/folders", json={"client_id": each["id"], "folder": "Plans"})
        assert made.status_code in (200, 201), made.text
    merge(product, one, two)
    folders = product.http.get("/documents/folders", params={"client_id": one["id"]}).json()["items"]
    assert [folder["folder"] for folder in folders if folder["folder"] == "Plans"] == ["Plans"]


def test_a_joined_memo_comes_apart_again(product: Product) -> None:
    one, two = product.new_client(memo="Code 12"), product.new_client(memo="Chien méchant")
    made = merge(product, one, two)
    assert client(product, one["id"])["memo"] == f"Code 12\n— Mémo de {two['display_name']} —\nChien méchant"
    answer = undo(product, made)
    assert answer["restored"] == ["memo"]
    assert [client(product, each["id"])["memo"] for each in (one, two)] == ["Code 12", "Chien méchant"]


def test_an_edit_under_the_old_id_is_answered_with_the_survivors_state(product: Product) -> None:
    one, two = product.new_client(memo="Code 12"), product.new_client(memo="Chien")
    merge(product, one, two)
    etag = {"If-Match": f'"{two["version"]}"'}
    stale = product.http.patch(f"/clients/{two['id']}", json={"email": "x@exemple.fr"}, headers=etag)
    assert (stale.status_code, stale.json()["code"]) == (412, "client_merged")
    now = client(product, one["id"])
    assert (stale.json()["data"]["client_id"], stale.json()["data"]["version"]) == (one["id"], now["version"])
    memo = product.http.put(f"/clients/{two['id']}/memo", json={"text": "À moi"}, headers=etag)
    assert memo.status_code == 412
    told = memo.json()["data"]
    assert (told["client_id"], told["text"], told["yours"]) == (one["id"], now["memo"], "À moi")
    again = product.http.put(
        f"/clients/{one['id']}/memo", json={"text": "À moi"}, headers={"If-Match": f'"{told["version"]}"'}
    )
    assert again.status_code == 200, again.text


def test_a_merge_asked_again_is_answered_again_under_its_key_and_named_without(product: Product) -> None:
    one, two = product.new_client(), product.new_client()
    body = {"survivor_id": one["id"], "duplicate_id": two["id"], "reason": "Doublon"}
    key = {"Idempotency-Key": f"merge-{two['id']}"}
    first, again = (product.http.post("/merges", json=body, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code, again.json()) == (202, 202, first.json())
    named = product.http.post("/merges", json=body)
    assert (named.status_code, named.json()["code"]) == (409, "client_merged")
    assert named.json()["data"]["merge_id"] == first.json()["id"]


@pytest.mark.parametrize("act", ["archive", "unarchive", "delete", "restore", "convert"])
def test_what_hits_one_record_never_follows_an_old_id(product: Product, act: str) -> None:
    one, two = product.new_client(), product.new_client()
    merge(product, one, two)
    before = client(product, one["id"])
    url = f"/clients/{two['id']}"
    if act == "delete":
        answer = product.http.delete(url)
    else:
        body = {"to": "individual", "last_name": "Petit"} if act == "convert" else {}
        answer = product.http.post(f"{url}/{act}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "client_merged"), answer.text
    assert answer.json()["data"]["client_id"] == one["id"]
    after = client(product, one["id"])
    assert (after["status"], after["kind"], after["version"]) == ("active", "company", before["version"])


def test_the_old_reference_still_finds_the_client_and_comes_back_with_the_record(product: Product) -> None:
    one, two = product.new_client(), product.new_client()
    made = merge(product, one, two)

    def found() -> list[str]:
        return [each["id"] for each in product.http.get("/clients", params={"q": two["reference"]}).json()["items"]]

    assert found()[:1] == [one["id"]]
    taken = product.http.post(
        "/clients", json={"kind": "company", "company_name": "Tiers", "reference": two["reference"]}
    )
    assert taken.status_code in (409, 422), taken.text
    undo(product, made)
    assert found()[:1] == [two["id"]]
    assert client(product, two["id"])["reference"] == two["reference"]


@pytest.mark.parametrize(
    "rest", ["", "/fiche", "/memo", "/contacts", "/addresses", "/relations", "/activities", "/billing", "/history",
             "/duplicates"],
)  # fmt: skip
def test_reading_under_the_old_id_leads_to_the_survivor(product: Product, rest: str) -> None:
    one, two = product.new_client(), product.new_client()
    merge(product, one, two)
    answer = product.http.get(f"/clients/{two['id']}{rest}")
    assert (answer.status_code, answer.headers["Location"]) == (308, f"/api/v1/clients/{one['id']}{rest}")


def test_rows_written_under_the_old_id_are_the_survivors_and_stay_with_it(product: Product) -> None:
    one, two = product.new_client(), product.new_client()
    made = settled(product, merge(product, one, two), "done")
    old = two["id"]
    posts = {
        "equipment": ("/equipment", {"client_id": old, "name": "Ballon"}),
        "interventions": ("/interventions", {"client_id": old, "title": "Panne"}),
        "job_sites": ("/job-sites", {"client_id": old, "title": "Chaufferie"}),
        "quotes": ("/quotes", {"client_id": old, "lines": []}),
        "invoices": ("/invoices", {"client_id": old, "lines": []}),
        "contacts": (f"/clients/{old}/contacts", {"last_name": "Roy"}),
        "addresses": (f"/clients/{old}/addresses", {"street": "1 rue du Lac", "city": "Ars"}),
        "activities": (f"/clients/{old}/activities", {"kind": "note", "subject": "Noté"}),
    }
    rows = {section: ok(product.http.post(path, json=body), 201) for section, (path, body) in posts.items()}
    assert {row["client_id"] for row in rows.values()} == {one["id"]}
    settled(product, undo(product, made), "undone")
    mine, theirs = fiche(product, one["id"]), fiche(product, two["id"])
    for section, row in rows.items():
        assert row["id"] in ids(mine, section), section
        assert row["id"] not in ids(theirs, section), section


def test_both_histories_tell_the_merge_and_its_undo_for_ever(product: Product) -> None:
    one, two = product.new_client(), product.new_client(email="deux@exemple.fr")
    ok(product.http.post("/equipment", json={"client_id": two["id"], "name": "Ballon"}), 201)
    made = settled(product, merge(product, one, two, reason="Saisie deux fois"), "done")

    def lines(record: dict[str, Any]) -> list[dict[str, Any]]:
        items = product.http.get(f"/clients/{record['id']}/history").json()["items"]
        return [each for each in items if each["field"] in ("merge", "merge_undone")]

    [line] = lines(one)
    assert (line["merge"]["reason"], line["merge"]["id"]) == ("Saisie deux fois", made["id"])
    assert line["by"]["name"]
    assert line["at"]
    assert line["merge"]["services"]["equipment"]["moved"] == {"equipment": 1}
    told_of_merge = "Une fiche en double a été fusionnée dans celle-ci"

    def subjects(record: dict[str, Any]) -> set[str]:
        return {item["subject"] for item in fiche(product, record["id"])["sections"]["activities"]["items"]}

    assert told_of_merge in subjects(one)
    settled(product, undo(product, made), "undone")
    assert told_of_merge not in subjects(one) | subjects(two), "all is as before"
    for each in (one, two):
        told = lines(each)
        assert [line["field"] for line in told] == ["merge_undone", "merge"]
        assert {line["merge"]["id"] for line in told} == {made["id"]}
        assert told[0]["merge"]["undone_by"]["name"]
    page = product.http.get(f"{product.url}/clients/{two['id']}/historique", headers={"Accept": "text/html"})
    assert "Saisie deux fois" in page.text


def test_the_pair_is_remembered_as_two_clients(product: Product) -> None:
    one, two = product.new_client(), product.new_client()
    made = merge(product, one, two)
    low, high = sorted((one["id"], two["id"]))
    asked = "SELECT count(*) FROM not_duplicate WHERE low_id = :low AND high_id = :high"
    assert product.sql("clients", asked, low=low, high=high)[0][0] == 0
    undo(product, made)
    assert product.sql("clients", asked, low=low, high=high)[0][0] == 1


def preview(product: Product, one: dict[str, Any], two: dict[str, Any]) -> dict[str, Any]:
    """What a merge of the two would do."""
    body = {"survivor_id": one["id"], "duplicate_id": two["id"], "reason": "Essai"}
    answer = product.http.post("/merges", params={"dry_run": "true"}, json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_preview_tells_in_words_what_to_think_about(product: Product) -> None:
    one = product.new_client(siret="73282932000074", tags=["vip"])
    two = ok(
        product.http.post(
            "/clients",
            json={"kind": "property_manager", "company_name": "Syndic", "siret": "55210055400013", "tags": ["vip"]},
        ),
        201,
    )
    for each, name in ((one, "Roy"), (two, "Blanc")):
        base = f"/clients/{each['id']}"
        ok(product.http.post(f"{base}/addresses", json={"street": "1 rue du Lac", "city": "Ars"}), 201)
        contact = {"last_name": name, "email": f"{name.lower()}@exemple.fr", "portal_access": True}
        ok(product.http.post(f"{base}/contacts", json=contact), 201)
    relation = {"type": "branch", "other_client_id": two["id"]}
    ok(product.http.post(f"/clients/{one['id']}/relations", json=relation), 201)
    told = preview(product, one, two)
    words = [each["detail"] for each in told["conflicts"]]
    codes = {each["code"] for each in told["conflicts"]}
    assert {"two_sirens", "two_kinds", "two_main_addresses", "relations_between", "same_tags", "portal_access"} <= codes
    assert f"Blanc verra aussi sur le portail ce qui est partagé avec {one['display_name']}." in words
    assert "Roy verra aussi sur le portail ce qui est partagé avec Syndic." in words
    proposals = {each["field"]: each for each in told["fields"]}
    assert all(each["why"] and each["proposed"] in each["choices"] for each in proposals.values())
    assert proposals["siret"]["proposed"] == "survivor"
