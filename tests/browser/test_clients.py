"""Corners of clients in a browser, beside the walk: pages of lists, likeness, own fields, who only reads."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import heard, patient
from tests.gateway.conftest import Product

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def glycines(product: Product) -> dict[str, Any]:
    """A company, its head office, and enough others for a second page of the list."""
    made = product.new_client(company_name="EHPAD Les Glycines", phone="01 99 00 31 10", tags=["Contrat P2"])
    base = f"/clients/{made['id']}"
    address = {"street": "4 place Bellecour", "postal_code": "69002", "city": "Lyon"}
    assert product.http.post(f"{base}/addresses", json=address).status_code == 201
    product.new_client(company_name="Groupe Glycines")
    for n in range(51):
        product.new_client(company_name=f"Atelier {n:02d}", tags=["Page"])
    return made


def toast(page: Page, words: str) -> Any:
    """The message shown, which says so."""
    note = page.locator(".toast").filter(has_text=words)
    expect(note).to_be_visible()
    return note


def test_the_list_tells_its_filters_in_the_address_and_back_returns_to_the_same_place(
    desk: Page, glycines: dict[str, Any]
) -> None:
    desk.goto("/clients?sort=name&tag=Page")
    expect(desk.locator(".foot .meta")).to_have_text("1–50 sur 51")
    last = desk.locator("table.clients a", has_text="Atelier 49")
    last.scroll_into_view_if_needed()
    last.click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Atelier 49")
    expect(desk.locator("[data-place]")).to_have_text("50 sur 51")
    desk.keyboard.press("]")
    expect(desk.get_by_role("heading", level=1)).to_have_text("Atelier 50")
    desk.go_back()
    desk.go_back()
    expect(desk).to_have_url(re.compile(r"/clients\?sort=name&tag=Page$"))
    expect(last).to_be_focused()
    expect(last).to_be_in_viewport()
    desk.get_by_role("link", name="Suivants").click()
    expect(desk.locator(".foot .meta")).to_have_text("51–51 sur 51")
    desk.get_by_role("link", name="Précédents").click()
    expect(desk.locator(".foot .meta")).to_have_text("1–50 sur 51")
    heard(desk)
    desk.get_by_role("button", name="Enlever le filtre Étiquette").click()
    expect(desk).to_have_url(re.compile(r"/clients\?sort=name$"))
    desk.locator("summary", has_text="Étiquette").click()
    desk.get_by_label("Contrat P2").check()
    expect(desk).to_have_url(re.compile(r"/clients\?tag=Contrat\+P2&sort=name$"))
    expect(desk.locator("table.clients tbody tr")).to_have_count(1)


def test_a_new_client_is_told_whom_it_is_like_and_is_created_with_its_address(
    desk: Page, glycines: dict[str, Any], product: Product
) -> None:
    desk.goto("/clients")
    desk.keyboard.press("n")
    desk.get_by_label("Nom de la société").fill("Les Glycines EHPAD")
    alike = desk.locator(".alike")
    expect(alike).to_contain_text("EHPAD Les Glycines")
    expect(alike).to_contain_text("Même nom")
    desk.get_by_label("SIRET").fill("123")
    # Of the form: the list's filter behind it names cities too.
    desk.get_by_role("dialog").get_by_label("Ville").fill("Bron")
    desk.get_by_role("button", name="Créer le client").click()
    expect(desk.locator(".error-summary")).to_contain_text("SIRET")
    desk.get_by_label("SIRET").fill("")
    desk.get_by_role("button", name="Créer le client").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Les Glycines EHPAD")
    toast(desk, "Client créé")
    client_id = desk.url.rsplit("/", 1)[1]
    [address] = product.http.get(f"/clients/{client_id}/addresses").json()["items"]
    assert address["city"] == "Bron"


def test_fields_of_ones_own_are_defined_and_laid_out_by_an_administrator(desk: Page, product: Product) -> None:
    desk.goto("/reglages/champs")
    desk.keyboard.press("n")
    desk.get_by_label("Nom du champ").fill("Énergie")
    desk.get_by_label("Type").select_option("choice")
    desk.get_by_label("Choix").fill("Gaz\nFioul")
    desk.get_by_role("button", name="Ajouter le champ").click()
    row = desk.locator("table.own-fields tr", has_text="Énergie")
    expect(row).to_contain_text("Gaz, Fioul")
    desk.get_by_role("button", name="Supprimer Énergie").click()
    toast(desk, "Champ supprimé").get_by_role("button", name="Annuler").click()
    expect(row).to_be_visible()
    client = product.new_client()
    number = product.http.post("/custom-fields", json={"label": "Lits", "type": "number"}).json()
    desk.goto(f"/clients/{client['id']}/modifier")
    desk.get_by_label("Lits").fill("1,5")
    desk.get_by_role("button", name="Enregistrer").click()
    toast(desk, "Fiche enregistrée")
    assert product.http.get(f"/clients/{client['id']}").json()["custom_fields"] == {"lits": 1.5}
    product.http.delete(f"/custom-fields/{number['id']}")
    desk.goto("/reglages/champs")
    desk.get_by_role("button", name="Supprimer Énergie").click()
    expect(desk.locator(".gone-fields")).to_contain_text("Énergie")


def test_who_only_reads_is_offered_nothing_to_change(
    chromium: Browser, product: Product, glycines: dict[str, Any]
) -> None:
    reader = product.http.post("/api-keys", json={"name": "lecture", "scopes": ["read"]}).json()["key"]
    context = chromium.new_context(base_url=product.url, locale="fr-FR")
    context.add_cookies([{"name": "fiche_session", "value": reader, "url": product.url}])
    page = patient(context.new_page())
    page.goto(f"/clients/{glycines['id']}")
    expect(page.get_by_role("heading", level=1)).to_have_text("EHPAD Les Glycines")
    expect(page.locator(".actions-menu, .tool.edit, .column .switch")).to_have_count(0)
    page.goto("/clients")
    expect(page.locator("[data-new]")).to_have_count(0)
    page.goto("/reglages/champs")
    expect(page.get_by_role("heading", level=1)).to_have_text("Accès refusé")
    context.close()


def test_many_exchanges_come_page_by_page_under_their_days(desk: Page, product: Product) -> None:
    made = product.new_client(company_name="Bavarde")
    for n in range(53):
        body = {"kind": "note", "subject": f"Note {n}", "occurred_at": f"2026-10-{1 + n // 20:02d}T10:00:{n % 60:02d}Z"}
        product.http.post(f"/clients/{made['id']}/activities", json=body)
    desk.goto(f"/clients/{made['id']}")
    block = desk.locator("#bloc-activites")
    expect(block.locator("article")).to_have_count(50)
    block.get_by_role("link", name="Afficher les activités précédentes").click()
    expect(block.locator("article")).to_have_count(53)
    expect(block.locator(".day")).to_have_count(3)
