"""What is pressed or typed before the page's scripts have come is done once they are there, or goes its native way."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import heard, kept_back
from tests.gateway.conftest import Product
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser
#: As long as a press on a link waits for scripts (`kit/early.js`), in ms.
PATIENCE = 10_000


def early(page: Page, address: str, script: str = "app.js") -> Route:
    """Goes to a page whose script is on its way; answers what asks for it, to be let go or cut."""
    held = kept_back(page, script)
    page.goto(address, wait_until="commit")
    # Handlers run while the page is asked something.
    wait_until(lambda: page.title() and held, f"{script} is asked for")
    return held.pop()


def test_filters_pressed_early_open_and_once_however_often_they_were_pressed(
    phone: Page, tilleuls: dict[str, Any]
) -> None:
    script = early(phone, f"/clients/{tilleuls['id']}/interventions")
    button = phone.get_by_role("button", name="Filtres")
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")
    button.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "false")
    script.continue_()
    expect(button).to_have_attribute("aria-expanded", "true")
    heard(phone)
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(button).not_to_have_attribute("aria-busy", "true")


def test_a_panel_asked_for_early_opens_on_the_page_and_the_last_press_counts(
    desk: Page, tilleuls: dict[str, Any]
) -> None:
    base = f"/clients/{tilleuls['id']}/equipements"
    panels: list[str] = []
    desk.on("request", lambda request: panels.append(request.url) if "x-panel" in request.headers else None)
    script = early(desk, base)
    desk.get_by_role("button", name="Aide").click()
    desk.get_by_role("link", name="Nouvel équipement").click()
    script.continue_()
    expect(desk.locator("dialog.panel[open]").get_by_label("Nom de l’équipement")).to_be_visible()
    heard(desk)
    expect(desk.get_by_role("dialog", name="Raccourcis du clavier")).to_have_count(0)
    assert [url.split("/clients/")[1].split("/", 1)[1] for url in panels] == ["equipements/nouveau"]
    assert desk.url.endswith(base)


def test_what_is_typed_early_in_a_search_is_searched(desk: Page, tilleuls: dict[str, Any], product: Product) -> None:
    product.new_client(company_name="Pharmacie du Port")
    script = early(desk, "/clients", "htmx.min.js")
    desk.get_by_label("Nom, référence ou téléphone").press_sequentially("tileuls")
    script.continue_()
    expect(desk).to_have_url(f"{product.url}/clients?q=tileuls")
    rows = desk.locator("table.list tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Copropriété Les Tilleuls")


def test_a_row_pressed_early_is_opened(desk: Page, tilleuls: dict[str, Any], product: Product) -> None:
    script = early(desk, "/clients?q=tilleuls")
    desk.locator("table.list tbody tr", has_text="Les Tilleuls").locator("td").last.click()
    script.continue_()
    expect(desk).to_have_url(f"{product.url}/clients/{tilleuls['id']}")


def test_a_deed_and_a_form_sent_early_are_done_once(desk: Page, tilleuls: dict[str, Any], product: Product) -> None:
    writes: list[str] = []
    desk.on("request", lambda request: writes.append(request.method) if request.method != "GET" else None)
    body = {"client_id": tilleuls["id"], "title": "Commencé trop tôt"}
    work = product.http.post("/interventions", json={**body, "starts_at": "2031-05-06T08:00:00Z"}).json()
    script = early(desk, f"/interventions/{work['id']}")
    desk.get_by_role("button", name="Commencer").click()
    script.continue_()
    expect(desk.locator(".work-head")).to_contain_text("En cours")
    desk.unroute_all()

    script = early(desk, f"/clients/{tilleuls['id']}/contacts/nouveau")
    desk.get_by_label("Nom", exact=True).press_sequentially("Tôt-Venu")
    desk.get_by_role("button", name="Ajouter").click()
    script.continue_()
    expect(desk.get_by_text("Contact ajouté")).to_be_visible()
    contacts = product.http.get(f"/clients/{tilleuls['id']}/contacts").json()["items"]
    assert [each["last_name"] for each in contacts].count("Tôt-Venu") == 1
    assert writes == ["POST", "POST"]


def test_a_switch_turned_early_is_kept(desk: Page, product: Product) -> None:
    client = product.new_client()
    body = {"last_name": "Garnier", "email": "odile@exemple.example"}
    assert product.http.post(f"/clients/{client['id']}/contacts", json=body).status_code == 201
    script = early(desk, f"/clients/{client['id']}")
    section = desk.locator("details[data-section=contacts]")
    if section.get_attribute("open") is None:
        section.locator("summary").first.click()
    section.locator(".person .switch").click()
    script.continue_()
    expect(desk.locator(".toast")).to_contain_text("Accès au portail donné")
    [contact] = product.http.get(f"/clients/{client['id']}/contacts").json()["items"]
    assert contact["portal_access"] is True


def test_what_is_typed_early_in_what_is_there_already_is_saved(desk: Page, product: Product) -> None:
    """Only what differs from what the page came with is sent: not from what was typed by the time the script came."""
    client = product.new_client()
    contacts = f"/clients/{client['id']}/contacts"
    contact = product.http.post(contacts, json={"last_name": "Garnier", "role": "Gardien"}).json()
    script = early(desk, f"{contacts}/{contact['id']}")
    desk.get_by_label("Nom", exact=True).fill("Garnier-Blanc")
    script.continue_()
    heard(desk)
    desk.get_by_role("button", name="Enregistrer").click()
    expect(desk.locator(".toast")).to_be_visible()
    [kept] = product.http.get(contacts).json()["items"]
    assert (kept["last_name"], kept["role"]) == ("Garnier-Blanc", "Gardien")


def test_what_an_areas_script_answers_waits_for_that_script(desk: Page, tilleuls: dict[str, Any]) -> None:
    script = early(desk, f"/clients/{tilleuls['id']}/devis/nouveau", "billing.js")
    button = desk.get_by_role("button", name="Ajouter un titre")
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")
    # The rest of the page hears by now.
    desk.get_by_role("button", name="Aide").click()
    expect(desk.get_by_role("dialog", name="Raccourcis du clavier")).to_be_visible()
    desk.keyboard.press("Escape")
    before = desk.locator("[data-row]").count()
    script.continue_()
    expect(desk.locator("[data-kind=section]")).to_have_count(1)
    expect(desk.locator("[data-row]")).to_have_count(before + 1)


def test_without_the_scripts_a_link_is_followed_and_a_form_says_that_it_was_not_sent(
    desk: Page, tilleuls: dict[str, Any]
) -> None:
    base = f"/clients/{tilleuls['id']}/equipements"
    script = early(desk, base)
    link = desk.get_by_role("link", name="Nouvel équipement")
    link.click()
    expect(link).to_have_attribute("aria-busy", "true")
    script.abort()
    expect(desk).to_have_url(re.compile(f"{base}/nouveau$"))
    desk.unroute_all()

    desk.route("**/app.js*", lambda route: route.abort())
    desk.goto(f"{base}/nouveau", wait_until="load")
    name, button = desk.get_by_label("Nom de l’équipement"), desk.get_by_role("button", name="Ajouter l’équipement")
    name.fill("Brûleur")
    for _ in range(2):
        button.click()
        said = str(button.evaluate("node => node.validationMessage"))
        assert said.startswith("Une partie de la page n’a pas pu être chargée"), said
    expect(name).to_have_value("Brûleur")
    assert desk.url.endswith(f"{base}/nouveau")


def test_a_link_waits_for_scripts_that_never_come_only_so_long(desk: Page, tilleuls: dict[str, Any]) -> None:
    base = f"/clients/{tilleuls['id']}/equipements"
    desk.clock.install()
    early(desk, base)
    link = desk.get_by_role("link", name="Nouvel équipement")
    link.click()
    expect(link).to_have_attribute("aria-busy", "true")
    desk.clock.fast_forward(PATIENCE)
    expect(desk).to_have_url(re.compile(f"{base}/nouveau$"))
