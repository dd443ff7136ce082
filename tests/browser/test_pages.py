"""The pages in a real browser, before the real product."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.conftest import uncounted
from tests.gateway.conftest import Product

pytestmark = pytest.mark.browser
TABS = {
    "Documents": "Aucun document pour ce client",
    "Interventions": "Purge des colonnes",
    "Devis/Factures": "Sans numéro",
    "Équipements": "Chaudière 1",
    "Chantiers": "Rénovation de la chaufferie",
    "Maintenances": "Aucune visite",
}


def test_nobody_reads_a_page_without_signing_in_and_comes_back_to_it_after(chromium: Browser, product: Product) -> None:
    page = chromium.new_page(base_url=product.url)
    page.goto("/chantiers")
    expect(page).to_have_url(f"{product.url}/connexion?suite=%2Fchantiers")
    page.get_by_label("Adresse e-mail").fill("personne@exemple.example")
    page.get_by_label("Mot de passe").fill("un mot de passe faux")
    page.get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.close()


def test_a_colleague_signs_in_with_a_password_and_out_again(chromium: Browser, product: Product) -> None:
    person = {"email": f"odile{uuid.uuid4().hex[:6]}@exemple.example", "name": "Odile Garnier", "roles": ["office"]}
    made = product.http.post("/users", json={**person, "password": "une phrase de passe assez longue"})
    assert made.status_code == 201, made.text
    page = chromium.new_page(base_url=product.url)
    page.goto("/chantiers")
    page.get_by_label("Adresse e-mail").fill(person["email"])
    page.get_by_label("Mot de passe").fill("une phrase de passe assez longue")
    page.get_by_role("button", name="Se connecter").click()
    expect(page).to_have_url(f"{product.url}/chantiers")
    expect(page.get_by_text("Odile Garnier").first).to_be_visible()
    page.get_by_role("button", name="Se déconnecter").first.click()
    expect(page).to_have_url(f"{product.url}/connexion")
    page.goto("/clients")
    expect(page).to_have_url(re.compile("/connexion"))
    page.close()


def test_a_service_away_leaves_the_rest_and_is_tried_again_in_place(
    desk: Page, tilleuls: dict[str, Any], product: Product
) -> None:
    uncounted(desk)
    product.command("stop", "equipment")
    try:
        desk.goto(f"/clients/{tilleuls['id']}/equipements")
        away = desk.get_by_role("heading", name="Équipements indisponibles pour le moment")
        expect(away).to_be_visible()
        expect(desk.locator(".away")).to_contain_text(re.compile(r"Sans réponse depuis \d\d:\d\d\. Rien n’est perdu"))
        expect(desk.get_by_role("link", name="Équipements indisponible", exact=False).first).to_be_visible()
        desk.get_by_role("link", name="Interventions").last.click()
        expect(desk.get_by_text("Purge des colonnes")).to_be_visible()
        desk.go_back()
    finally:
        product.command("start", "equipment")
    desk.get_by_role("link", name="Réessayer").click()
    expect(desk.get_by_text("Chaudière 1").first).to_be_visible()


def test_the_list_answers_while_typing_and_the_address_tells_what_is_shown(
    desk: Page, tilleuls: dict[str, Any], product: Product
) -> None:
    product.new_client(company_name="Boulangerie Martin")
    desk.goto("/clients")
    desk.keyboard.press("/")
    desk.keyboard.type("tileuls")
    rows = desk.locator("table.list tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Copropriété Les Tilleuls")
    expect(desk).to_have_url(f"{product.url}/clients?q=tileuls")
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", level=1)).to_have_text("Copropriété Les Tilleuls")


def test_filters_that_find_nothing_say_so_and_can_be_reset(desk: Page, tilleuls: dict[str, Any]) -> None:
    desk.goto("/clients?q=zzzzzzzz")
    expect(desk.get_by_role("heading", name="Aucun client pour ces filtres")).to_be_visible()
    desk.locator(".empty").get_by_role("link", name="Réinitialiser").click()
    expect(desk.get_by_role("link", name="Copropriété Les Tilleuls").first).to_be_visible()


def test_each_tab_has_an_address_and_its_content(desk: Page, tilleuls: dict[str, Any]) -> None:
    desk.goto(f"/clients/{tilleuls['id']}")
    expect(desk.get_by_text("Fuite au vase d’expansion")).to_be_visible()
    expect(desk.get_by_text("18 rue des Tilleuls")).to_be_visible()
    tabs = desk.get_by_role("navigation", name="Sections de la fiche")
    for name, text in TABS.items():
        tabs.get_by_role("link", name=name).click()
        expect(tabs.locator("[aria-current=page]")).to_contain_text(name)
        expect(desk.locator(".content .scroll").get_by_text(text).first).to_be_visible()


def test_the_keyboard_goes_to_tabs_and_list(desk: Page, tilleuls: dict[str, Any], product: Product) -> None:
    desk.goto(f"/clients/{tilleuls['id']}")
    desk.keyboard.press("g")
    desk.keyboard.press("i")
    expect(desk).to_have_url(f"{product.url}/clients/{tilleuls['id']}/interventions")
    # The address changes before the new page's script hears the keyboard.
    desk.wait_for_load_state("load")
    desk.keyboard.press("?")
    expect(desk.get_by_role("dialog", name="Raccourcis du clavier")).to_be_visible()
    desk.keyboard.press("Escape")
    desk.keyboard.press("g")
    desk.keyboard.press("l")
    expect(desk).to_have_url(f"{product.url}/clients")


def test_a_folded_column_and_a_closed_section_are_remembered(desk: Page, tilleuls: dict[str, Any]) -> None:
    desk.goto(f"/clients/{tilleuls['id']}")
    desk.locator("details[data-section=informations] summary").click()
    desk.get_by_role("button", name="Replier la colonne").click()
    desk.reload()
    expect(desk.locator(".fiche")).to_have_class("fiche tab-fiche folded")
    desk.get_by_role("button", name="Déplier la colonne").click()
    expect(desk.locator("details[data-section=informations]")).not_to_have_attribute("open", "")


def test_the_fiche_weighs_at_most_250_kilobytes(desk: Page, tilleuls: dict[str, Any]) -> None:
    """As it travels: compressed (issue: 250 KB with everything, a browser that has nothing yet)."""
    requests: list[Request] = []
    desk.on("requestfinished", lambda request: requests.append(request))
    desk.goto(f"/clients/{tilleuls['id']}")
    desk.wait_for_load_state("load")
    sizes = {request.url: request.sizes()["responseBodySize"] for request in requests}
    assert len(sizes) >= 5
    assert sum(sizes.values()) <= 250_000, sizes
