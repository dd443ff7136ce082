"""Rows given to another client by hand, each kind, and what no undo takes back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.conftest import Product
from tests.gateway.test_money import LINE
from tests.gateway.test_work_and_money import ok
from tests.merge.support import fiche, ids, merge, settled, undo
from tests.support.waiting import wait_until


def made(product: Product, path: str, **body: Any) -> dict[str, Any]:
    """A row made by the API."""
    answer = product.http.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def given(product: Product, path: str, to: dict[str, Any], **headers: str) -> dict[str, Any]:
    """A row given to another client; the row as answered."""
    answer = product.http.post(f"{path}/reassign", json={"client_id": to["id"]}, headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


ROWS: dict[str, dict[str, Any]] = {
    "/interventions": {"title": "Panne"},
    "/job-sites": {"title": "Chaufferie"},
    "/quotes": {"lines": [LINE]},
    "/invoices": {"lines": [LINE]},
    "/credit-notes": {"lines": [LINE]},
    "/maintenance-plans": {"visits_per_period": 1, "period": "year", "starts_on": "2026-01-01"},
}


@pytest.mark.parametrize("path", sorted(ROWS))
def test_a_row_passes_to_another_client_and_is_told(product: Product, path: str) -> None:
    former, other = product.new_client(), product.new_client()
    row = made(product, path, client_id=former["id"], **ROWS[path])
    url = f"{path}/{row['id']}"
    stale = product.http.post(f"{url}/reassign", json={"client_id": other["id"]}, headers={"If-Match": '"99"'})
    assert stale.status_code == 412, stale.text
    moved = given(product, url, other, **{"If-Match": f'"{row["version"]}"'})
    assert (moved["client_id"], moved["version"]) == (other["id"], row["version"] + 1)
    assert moved.get("written_client_id") in (None, other["id"])
    event = product.http.get("/events", params={"limit": 200, "types": "*.reassigned.v1"})
    assert event.status_code in (200, 422)
    for client_id, there in ((former["id"], False), (other["id"], True)):
        items = product.http.get(path, params={"client_id": client_id}).json()["items"]
        assert (row["id"] in {item["id"] for item in items}) is there
    again = given(product, url, other)
    assert again["version"] == moved["version"], "it is that client's already"


def test_a_contact_an_address_and_an_exchange_pass_to_another_client(product: Product) -> None:
    former, other = product.new_client(), product.new_client()
    base = f"/clients/{former['id']}"
    contact = made(product, f"{base}/contacts", last_name="Petit", email="p@exemple.fr", portal_access=True)
    address = made(product, f"{base}/addresses", street="1 rue du Lac", city="Ars")
    note = made(product, f"{base}/activities", kind="note", subject="Code 12")
    for section, row in (("contacts", contact), ("addresses", address), ("activities", note)):
        given(product, f"{base}/{section}/{row['id']}", other)
        assert row["id"] not in ids(fiche(product, former["id"]), section)
        assert row["id"] in ids(fiche(product, other["id"]), section)
    assert product.http.get(base).json()["main_address"] is None
    assert product.http.get(f"/clients/{other['id']}").json()["main_address"]["id"] == address["id"]
    wait_until(
        lambda: contact["id"] in str(fiche(product, other["id"])["sections"]["portal"]["items"]), "the portal to follow"
    )
    assert fiche(product, former["id"])["sections"]["portal"]["items"] == []


def test_what_was_told_of_a_row_follows_it(product: Product) -> None:
    former, other = product.new_client(), product.new_client()
    work = made(product, "/interventions", client_id=former["id"], title="Panne", starts_at="2026-12-01T08:00:00Z",
                ends_at="2026-12-01T09:00:00Z")  # fmt: skip

    def told(client: dict[str, Any]) -> set[str]:
        items = fiche(product, client["id"])["sections"]["activities"]["items"]
        return {item["subject"] for item in items if work["number"] in item["subject"]}

    wait_until(lambda: told(former), "the planning to be told")
    given(product, f"/interventions/{work['id']}", other)
    wait_until(lambda: len(told(other)) == 2, "the activities to follow")
    assert f"Intervention {work['number']} reprise d’un autre client" in told(other)
    assert told(former) == set()


def test_a_plan_takes_its_visits_and_their_interventions_along(product: Product) -> None:
    former, other = product.new_client(), product.new_client()
    plan = made(product, "/maintenance-plans", client_id=former["id"], **ROWS["/maintenance-plans"])
    visit = product.http.get("/maintenance-visits", params={"client_id": former["id"]}).json()["items"][-1]
    ok(product.http.post(f"/maintenance-visits/{visit['id']}/schedule",
                         json={"starts_at": f"{visit['period_start']}T08:00:00Z",
                               "ends_at": f"{visit['period_start']}T09:00:00Z"}))  # fmt: skip

    def works(client: dict[str, Any]) -> list[Any]:
        return list(product.http.get("/interventions", params={"client_id": client["id"]}).json()["items"])

    [work] = wait_until(lambda: works(former), "the intervention of the visit") or []
    refused = product.http.post(f"/interventions/{work['id']}/reassign", json={"client_id": other["id"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "follows_source")
    given(product, f"/maintenance-plans/{plan['id']}", other)
    visits = product.http.get("/maintenance-visits", params={"client_id": other["id"]}).json()["items"]
    assert visit["id"] in {each["id"] for each in visits}
    wait_until(lambda: works(other) and not works(former), "the intervention to follow")


def test_what_bears_a_number_stays_and_a_draft_goes_with_its_quote(product: Product) -> None:
    former, other = product.new_client(), product.new_client()
    quote = made(product, "/quotes", client_id=former["id"], lines=[LINE])
    ok(product.http.post(f"/quotes/{quote['id']}/finalise", json={}))
    ok(product.http.post(f"/quotes/{quote['id']}/accept", json={}))
    invoice = product.http.post(f"/quotes/{quote['id']}/invoice", json={}).json()
    for path, code in ((f"/quotes/{quote['id']}", "issued"), (f"/invoices/{invoice['id']}", "follows_source")):
        answer = product.http.post(f"{path}/reassign", json={"client_id": other["id"]})
        assert (answer.status_code, answer.json()["code"]) == (409, code), answer.text


def test_no_undo_takes_a_row_back_that_was_given_away_since(product: Product) -> None:
    one, two, third = product.new_client(), product.new_client(), product.new_client()
    boiler = made(product, "/equipment", client_id=two["id"], name="Chaudière")
    work = made(product, "/interventions", client_id=two["id"], title="Panne")
    merged = settled(product, merge(product, one, two), "done")
    given(product, f"/equipment/{boiler['id']}", third)
    given(product, f"/interventions/{work['id']}", third)
    undo(
        product,
        merged,
        moves=[{"service": "equipment", "kind": "equipment", "id": boiler["id"], "home_seen": two["id"],
                "home": one["id"]}],
    )  # fmt: skip
    settled(product, merged, "undone")
    assert product.http.get(f"/equipment/{boiler['id']}").json()["client_id"] == third["id"]
    assert product.http.get(f"/interventions/{work['id']}").json()["client_id"] == third["id"]


def test_a_row_given_to_an_old_id_is_the_survivors_and_stays_with_it(product: Product) -> None:
    one, two, third = product.new_client(), product.new_client(), product.new_client()
    work = made(product, "/interventions", client_id=third["id"], title="Panne")
    merged = settled(product, merge(product, one, two), "done")
    assert given(product, f"/interventions/{work['id']}", two)["client_id"] == one["id"]
    settled(product, undo(product, merged), "undone")
    assert product.http.get(f"/interventions/{work['id']}").json()["client_id"] == one["id"]


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ({"client_id": "0193f000-0000-7000-8000-0000000000ff"}, 422), ({"client_id": "{self}", "x": 1}, 422)],
)
def test_a_row_goes_to_nobody_who_is_not_there(product: Product, body: dict[str, Any], status: int) -> None:
    mine = product.new_client()
    work = made(product, "/interventions", client_id=mine["id"], title="Panne")
    asked = {name: mine["id"] if value == "{self}" else value for name, value in body.items()}
    answer = product.http.post(f"/interventions/{work['id']}/reassign", json=asked)
    assert answer.status_code == status, answer.text
    assert product.http.get(f"/interventions/{work['id']}").json()["client_id"] == mine["id"]


def test_no_row_goes_to_a_client_who_was_put_away(product: Product) -> None:
    mine, away = product.new_client(), product.new_client()
    work = made(product, "/interventions", client_id=mine["id"], title="Panne")
    ok(product.http.post(f"/clients/{away['id']}/archive", json={}))
    answer = product.http.post(f"/interventions/{work['id']}/reassign", json={"client_id": away["id"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "client_archived")
