"""The pages in a real browser, before the real product."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ROOT
from tests.gateway.conftest import Product

pytestmark = pytest.mark.browser
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
TABS = {
    "Documents": "Aucun document pour ce client",
    "Interventions": "Purge des colonnes",
    "Devis/Factures": "Sans numéro",
    "Équipements": "Chaudière 1",
    "Chantiers": "Rénovation de la chaufferie",
    "Maintenances": "Aucune visite",
}


def serious(page: Page) -> list[str]:
    """What axe finds serious or worse."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"][:3]
    ]


def test_nobody_reads_a_page_without_signing_in_and_comes_back_to_it_after(chromium: Browser, product: Product) -> None:
    page = chromium.new_page(base_url=product.url)
    page.goto("/chantiers")
    expect(page).to_have_url(f"{product.url}/connexion?suite=%2Fchantiers")
    page.get_by_label("Adresse e-mail").fill("personne@exemple.example")
    page.get_by_label("Mot de passe").fill("un mot de passe faux")
    page.get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.close()


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
    expect(desk).to_have_url(f"{product.url}/clients?q=tileuls&kind=&status=active&stage=")
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


def test_on_the_phone_nothing_scrolls_sideways_and_the_header_unfolds(phone: Page, tilleuls: dict[str, Any]) -> None:
    for path in ("/clients", "", *("/interventions", "/devis-factures", "/maintenances", "/equipements")):
        phone.goto(path if path == "/clients" else f"/clients/{tilleuls['id']}{path}")
        wide = phone.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
    phone.goto(f"/clients/{tilleuls['id']}")
    person = phone.locator(".person b", has_text="Odile Garnier")
    expect(person).to_be_hidden()
    phone.get_by_role("button", name="Détails du client").click()
    expect(person).to_be_visible()


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_axe_finds_nothing_serious(desk: Page, tilleuls: dict[str, Any], mode: Any) -> None:
    desk.emulate_media(color_scheme=mode)
    paths = ["/clients", "/clients?q=zzzzzzzz", "/import", "/interventions", "/devis-factures", "/maintenances"]
    tabs = ("", "/documents", "/interventions", "/devis-factures", "/equipements", "/chantiers", "/maintenances")
    for path in [*paths, *(f"/clients/{tilleuls['id']}{tab}" for tab in tabs)]:
        desk.goto(path)
        assert not serious(desk), path


def test_the_fiche_weighs_at_most_250_kilobytes(desk: Page, tilleuls: dict[str, Any]) -> None:
    sizes: list[int] = []
    desk.on("response", lambda answer: sizes.append(len(answer.body())))
    desk.goto(f"/clients/{tilleuls['id']}", wait_until="networkidle")
    assert len(sizes) >= 5
    # Sent without compression here: the bound holds all the more with it.
    assert sum(sizes) <= 250_000, sizes
