"""The fiche in one round trip, and what is left of it when a service is away."""

from __future__ import annotations

import time
from typing import Any

from tests.gateway.conftest import Product
from tests.support.waiting import wait_until

SECTIONS = {
    "activities", "addresses", "contacts", "relations", "billing", "documents", "interventions", "job_sites",
    "quotes", "invoices", "equipment", "maintenance", "portal",
}  # fmt: skip


def test_the_fiche_has_every_section(product: Product) -> None:
    client = product.new_client()
    body = {"client_id": client["id"], "name": "Chaudière"}
    assert product.http.post("/equipment", json=body).status_code == 201
    answer = product.http.get(f"/clients/{client['id']}/fiche")
    assert answer.status_code == 200, answer.text
    fiche = answer.json()
    record = product.http.get(f"/clients/{client['id']}").json()
    # What equipment told may have shown itself in between.
    assert {**fiche["client"], "last_activity_at": None} == {**record, "last_activity_at": None}
    assert set(fiche["sections"]) >= SECTIONS
    assert {name: s["status"] for name, s in fiche["sections"].items() if s["status"] != "ok"} == {}
    equipment = fiche["sections"]["equipment"]
    assert (equipment["count"], equipment["items"][0]["name"], equipment["next"]) == (1, "Chaudière", None)
    assert "data" in fiche["sections"]["billing"]


def test_a_contact_with_access_shows_in_the_portal_section(product: Product) -> None:
    client = product.new_client()
    body = {"first_name": "Lou", "last_name": "Petit", "email": "lou@exemple.fr", "portal_access": True}
    contact = product.http.post(f"/clients/{client['id']}/contacts", json=body).json()

    def portal() -> Any:
        section = product.http.get(f"/clients/{client['id']}/fiche").json()["sections"]["portal"]
        return section if section.get("count") else None

    assert wait_until(portal, "the contact's access is told")["items"] == [
        {"id": contact["id"], "name": "Lou Petit", "email": "lou@exemple.fr", "status": "invited", "last_seen_at": None}
    ]


def test_a_service_away_takes_only_its_sections(product: Product) -> None:
    client = product.new_client()
    path = f"/clients/{client['id']}/fiche"
    product.command("stop", "equipment")
    try:
        started = time.monotonic()
        answer = product.http.get(path)
        assert time.monotonic() - started < 10, "who is away is not waited for until the deadline"
        assert answer.status_code == 200
        off = {name for name, section in answer.json()["sections"].items() if section["status"] == "unavailable"}
        assert off == {"equipment"}
        away = product.http.get("/equipment")
        assert away.status_code == 503
        assert away.headers["Retry-After"]
    finally:
        product.command("start", "equipment")
    assert product.http.get(path).json()["sections"]["equipment"]["status"] == "ok"


def test_a_service_with_another_idea_of_the_tree_is_asked_again(product: Product) -> None:
    mine, other = product.new_client(), product.new_client()
    for client, name in ((mine, "À moi"), (other, "À l’autre")):
        assert product.http.post("/equipment", json={"client_id": client["id"], "name": name}).status_code == 201
    # Equipment believes in a merge that `clients` knows nothing of (it was undone a moment ago, say).
    product.sql(
        "equipment",
        "INSERT INTO client_alias (id, parent_id, merge_id, root_id) VALUES (:id, :root, :id, :root)",
        id=other["id"], root=mine["id"],
    )  # fmt: skip
    for client, name in ((mine, "À moi"), (other, "À l’autre")):
        section = product.http.get(f"/clients/{client['id']}/fiche").json()["sections"]["equipment"]
        assert (section["status"], [item["name"] for item in section["items"]]) == ("ok", [name])


def test_without_clients_there_is_no_fiche(product: Product) -> None:
    client = product.new_client()
    product.command("stop", "clients")
    try:
        answer = product.http.get(f"/clients/{client['id']}/fiche")
        assert answer.status_code == 503
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Retry-After"]
    finally:
        product.command("start", "clients")
    assert product.http.get(f"/clients/{client['id']}/fiche").status_code == 200


def test_accounts_away_does_not_shut_the_door_on_those_inside(product: Product) -> None:
    inside = product.as_key("read")  # a key is believed for a while from its first use
    assert inside.get("/me").status_code == 200
    product.command("stop", "accounts")
    try:
        assert inside.get("/clients").status_code == 200
        stranger = product.client({"Authorization": "Bearer never-seen-before-never-seen-before"})
        assert stranger.get("/clients").status_code == 503
    finally:
        product.command("start", "accounts")
