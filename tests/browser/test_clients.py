"""Clients in a real browser: arriving, the side column, the Actions menu."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ROOT
from tests.gateway.conftest import Product

pytestmark = pytest.mark.browser
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


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


def serious(page: Page) -> list[str]:
    """What axe finds serious or worse, in light and in dark."""
    found = []
    page.evaluate(AXE.read_text())
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        for rule in page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]:
            if rule["impact"] in ("serious", "critical"):
                found += [
                    f"{scheme} {rule['id']}: {node['target']} {node['failureSummary']}" for node in rule["nodes"][:3]
                ]
    return found


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
    desk.get_by_role("button", name="Enlever le filtre Étiquette").click()
    expect(desk).to_have_url(re.compile(r"/clients\?sort=name$"))
    desk.locator("summary", has_text="Étiquette").click()
    desk.get_by_label("Contrat P2").check()
    expect(desk).to_have_url(re.compile(r"/clients\?tag=Contrat\+P2&sort=name$"))
    expect(desk.locator("table.clients tbody tr")).to_have_count(1)
    assert serious(desk) == [], serious(desk)


def test_a_new_client_is_told_whom_it_is_like_and_is_created_with_its_address(
    desk: Page, glycines: dict[str, Any], product: Product
) -> None:
    desk.goto("/clients")
    desk.keyboard.press("n")
    desk.get_by_label("Nom de la société").fill("Les Glycines EHPAD")
    alike = desk.locator(".alike")
    expect(alike).to_contain_text("EHPAD Les Glycines")
    expect(alike).to_contain_text("Même nom")
    assert serious(desk) == [], serious(desk)
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


def test_the_side_column_is_edited_in_place_and_each_deed_can_be_taken_back(
    desk: Page, glycines: dict[str, Any], product: Product
) -> None:
    base = f"/clients/{glycines['id']}"
    field = product.http.post("/custom-fields", json={"label": "Lits", "type": "number"}).json()
    desk.goto(base)
    desk.get_by_role("link", name="Modifier les informations").click()
    desk.get_by_label("Matricule").fill("EH-12")
    desk.get_by_label("Lits").fill("1,5")
    desk.get_by_role("button", name="Enregistrer").click()
    toast(desk, "Fiche enregistrée")
    expect(desk.locator("[data-section=informations]")).to_contain_text("1,5")
    assert product.http.get(base).json()["custom_fields"] == {"lits": 1.5}

    desk.locator("[data-section=contacts] summary").first.click()
    desk.get_by_role("link", name="Ajouter un contact").click()
    desk.get_by_label("Nom", exact=True).fill("Blanc")
    desk.get_by_label("E-mail").fill("blanc@glycines.example")
    desk.get_by_role("button", name="Ajouter le contact").click()
    expect(desk.locator(".person")).to_contain_text("Blanc")
    desk.locator(".person .switch").click()
    toast(desk, "Accès au portail donné")
    expect(desk.locator("[data-section=portail] .gist")).to_have_text("1 accès")
    desk.get_by_role("button", name="Actions pour Blanc").or_(desk.locator(".person .menu summary")).first.click()
    desk.get_by_role("button", name="Retirer le contact").click()
    toast(desk, "Contact retiré").get_by_role("button", name="Annuler").click()
    expect(desk.locator("[data-section=contacts] .person")).to_contain_text("Blanc")

    desk.locator("[data-section=relations] summary").first.click()
    desk.get_by_role("link", name="Ajouter une relation").click()
    desk.get_by_role("combobox", name="Autre fiche", exact=True).fill("groupe glyc")
    desk.get_by_role("option", name="Groupe Glycines").click()
    desk.get_by_role("button", name="Lier les deux fiches").click()
    expect(desk.locator(".tie")).to_contain_text("Siège")
    desk.locator(".tie > div > a").click()
    desk.locator("[data-section=relations] summary").first.click()
    expect(desk.locator(".tie")).to_contain_text("Succursale")
    desk.go_back()

    desk.locator("[data-section=facturation] summary").click()
    desk.get_by_role("link", name="Modifier la facturation").click()
    desk.get_by_label("SIRET").fill("732 829 320 00074")
    desk.get_by_label("IBAN").fill("FR00")
    desk.get_by_role("button", name="Enregistrer").click()
    expect(desk.locator(".error-summary")).to_contain_text("IBAN")
    desk.get_by_label("IBAN").fill("FR76 3000 6000 0112 3456 7890 189")
    desk.get_by_role("button", name="Enregistrer").click()
    toast(desk, "Facturation enregistrée")
    billing = desk.locator("[data-section=facturation]")
    expect(billing).to_contain_text("732\u00a0829\u00a0320\u00a000074")
    expect(billing).to_contain_text("FR76")
    assert serious(desk) == [], serious(desk)

    desk.get_by_role("link", name="Historique").click()
    history = desk.locator(".history")
    for words in ("Contact rétabli", "IBAN", "SIRET", "Relation ajoutée", "Matricule"):
        expect(history).to_contain_text(words)
    assert serious(desk) == [], serious(desk)
    product.http.delete(f"/custom-fields/{field['id']}")


def test_the_actions_menu_archives_converts_configures_and_deletes_and_takes_back(desk: Page, product: Product) -> None:
    made = product.new_client(kind="individual", last_name="Garnier", first_name="Odile", company_name="")
    desk.goto(f"/clients/{made['id']}")
    menu = desk.locator(".identity .menu")

    def choose(word: str) -> None:
        menu.locator("summary").click()
        menu.locator(".item", has_text=word).click()

    choose("Archiver")
    toast(desk, "Fiche archivée")
    expect(desk.locator(".identity")).to_contain_text("Archivé")
    choose("Désarchiver")
    expect(desk.locator(".identity .pill")).to_have_count(0)

    choose("Convertir en professionnel")
    desk.get_by_label("Nom de la société").fill("Garnier Chauffage")
    desk.get_by_role("button", name="Convertir la fiche").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Garnier Chauffage")
    toast(desk, "Fiche convertie").get_by_role("button", name="Annuler").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Garnier Odile")

    choose("Configurer")
    desk.get_by_role("checkbox", name="Chantiers").uncheck()
    desk.get_by_role("button", name="Descendre Informations").click()
    desk.get_by_role("button", name="Enregistrer").click()
    toast(desk, "Fiche configurée")
    expect(desk.locator(".tabs a[data-tab=job_sites]")).to_have_count(0)
    expect(desk.locator(".column details.section").first).to_have_attribute("data-section", "contacts")

    choose("Supprimer")
    expect(desk).to_have_url(re.compile("/clients$"))
    toast(desk, "Fiche supprimée").get_by_role("button", name="Annuler").click()
    toast(desk, "C’est annulé")
    assert product.http.delete(f"/clients/{made['id']}").status_code == 204
    desk.goto(f"/clients/{made['id']}")
    expect(desk.get_by_role("heading", level=1)).to_have_text("Fiche supprimée")
    desk.get_by_role("button", name="Restaurer la fiche").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Garnier Odile")
    work = product.http.post("/interventions", json={"client_id": made["id"], "title": "Purge"}).json()
    for deed in ("start", "finish"):
        assert product.http.post(f"/interventions/{work['id']}/{deed}", json={}).status_code == 200
    desk.reload()
    menu.locator("summary").click()
    expect(menu.locator(".item.off")).to_contain_text("1 intervention terminée en dépend. Archivez plutôt la fiche.")
    assert serious(desk) == [], serious(desk)


def test_fields_of_ones_own_are_defined_and_laid_out_by_an_administrator(desk: Page, product: Product) -> None:
    desk.goto("/reglages/champs")
    desk.keyboard.press("n")
    desk.get_by_label("Nom du champ").fill("Énergie")
    desk.get_by_label("Type").select_option("choice")
    desk.get_by_label("Choix").fill("Gaz\nFioul")
    desk.get_by_role("button", name="Ajouter le champ").click()
    row = desk.locator("table.own-fields tr", has_text="Énergie")
    expect(row).to_contain_text("Gaz, Fioul")
    assert serious(desk) == [], serious(desk)
    desk.get_by_role("button", name="Supprimer Énergie").click()
    toast(desk, "Champ supprimé").get_by_role("button", name="Annuler").click()
    expect(row).to_be_visible()
    desk.goto("/reglages/fiche")
    assert serious(desk) == [], serious(desk)
    desk.goto("/reglages/champs")
    desk.get_by_role("button", name="Supprimer Énergie").click()
    expect(desk.locator(".gone-fields")).to_contain_text("Énergie")


def test_on_a_phone_the_column_unfolds_and_menus_rise_from_below(phone: Page, glycines: dict[str, Any]) -> None:
    phone.goto("/clients?q=glycines")
    expect(phone.locator("mark").first).to_have_text("Glycines")
    assert serious(phone) == [], serious(phone)
    phone.get_by_role("link", name="EHPAD Les Glycines", exact=True).first.click()
    phone.get_by_role("button", name="Détails du client").click()
    expect(phone.get_by_role("link", name="Modifier les informations")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious(phone) == [], serious(phone)
    phone.locator(".phone-actions summary").click()
    expect(phone.get_by_role("link", name="Configurer la fiche client")).to_be_visible()
    phone.get_by_role("link", name="Configurer la fiche client").click()
    expect(phone.get_by_role("heading", name="Configurer la fiche")).to_be_visible()
    assert serious(phone) == [], serious(phone)


def test_who_only_reads_is_offered_nothing_to_change(
    chromium: Browser, product: Product, glycines: dict[str, Any]
) -> None:
    reader = product.http.post("/api-keys", json={"name": "lecture", "scopes": ["read"]}).json()["key"]
    context = chromium.new_context(base_url=product.url, locale="fr-FR")
    context.add_cookies([{"name": "fiche_session", "value": reader, "url": product.url}])
    page = context.new_page()
    page.goto(f"/clients/{glycines['id']}")
    expect(page.get_by_role("heading", level=1)).to_have_text("EHPAD Les Glycines")
    expect(page.locator(".actions-menu, .tool.edit, .column .switch")).to_have_count(0)
    page.goto("/clients")
    expect(page.locator("[data-new]")).to_have_count(0)
    page.goto("/reglages/champs")
    expect(page.get_by_role("heading", level=1)).to_have_text("Accès refusé")
    context.close()
