"""« Doublons » in a browser: pairs side by side, « Ce ne sont pas des doublons » and back, a fiche's own notice."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import shot
from tests.gateway.conftest import Product
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pair(product: Product) -> list[dict[str, Any]]:
    """Two records of one bakery, and a person entered twice."""
    made = [
        product.new_client(
            company_name="Boulangerie Martin", email="contact@boul-martin.example", phone="01 99 00 08 92"
        ),
        product.new_client(company_name="Boulangerie Martin & Fils", phone="+33 1 99 00 08 92"),
    ]
    for client, street in zip(made, ("12 rue Paul-Bert", "12, r. Paul Bert"), strict=True):
        address = {"street": street, "postal_code": "69003", "city": "Lyon 3e"}
        assert product.http.post(f"/clients/{client['id']}/addresses", json=address).status_code == 201
    for names in (("Odile", "Garnier"), ("Garnier", "Odile")):
        product.http.post(
            "/clients",
            json={"kind": "individual", "first_name": names[0], "last_name": names[1], "email": "odile@g.example"},
        )
    ids = {client["id"] for client in made}

    def listed() -> bool:
        items = product.http.get("/duplicates", params={"limit": 200, "reason": "street"}).json()["items"]
        return any({side["id"] for side in item["clients"]} == ids for item in items)

    wait_until(listed, "the pair is found")
    return made


def row(page: Page) -> Any:
    return page.get_by_role("listitem", name="Boulangerie Martin et Boulangerie Martin & Fils")


def walk(page: Page, pair: list[dict[str, Any]], size: str) -> None:
    page.goto("/doublons")
    expect(page.get_by_role("heading", level=1)).to_have_text("Doublons")
    expect(row(page).locator(".pill.likely")).to_have_text("Très probable")
    expect(row(page).locator(".tag")).to_have_text(["Même téléphone", "Même nom", "Même adresse"])
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    shot(page, f"doublons-{size}")
    merge = row(page).get_by_role("link", name="Fusionner…")
    expect(merge).to_have_attribute("href", f"/fusions/nouvelle?survivant={pair[0]['id']}&doublon={pair[1]['id']}")
    row(page).get_by_role("button", name="Ce ne sont pas des doublons").click()
    expect(row(page)).to_have_count(0)
    page.locator(".toast").get_by_role("button", name="Annuler").click()
    expect(row(page)).to_have_count(1)
    page.goto(f"/clients/{pair[0]['id']}")
    notice = page.get_by_role("note").filter(has_text="Cette fiche ressemble à une autre")
    expect(notice.get_by_role("link", name="Boulangerie Martin & Fils", exact=True)).to_be_visible()
    shot(page, f"fiche-ressemble-{size}")


def test_pairs_are_looked_at_on_a_desk(desk: Page, pair: list[dict[str, Any]]) -> None:
    walk(desk, pair, "1440")
    desk.goto("/doublons")
    desk.get_by_role("button", name="Chercher dans toutes les fiches").click()
    expect(desk.locator(".scan")).to_contain_text("Toutes les fiches ont été comparées")
    desk.goto("/doublons?reason=siret")
    expect(desk.get_by_role("heading", level=2)).to_have_text("Aucun doublon pour ces filtres")
    shot(desk, "doublons-vide-1440")
    desk.get_by_role("link", name="Réinitialiser").last.click()
    expect(desk).to_have_url(re.compile(r"/doublons$"))


def test_pairs_are_looked_at_on_a_phone(phone: Page, pair: list[dict[str, Any]]) -> None:
    walk(phone, pair, "390")
