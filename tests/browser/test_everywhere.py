"""What holds on every page: a colleague's change appears, and nothing that was typed is lost or overwritten unseen."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import serious_in_both_modes
from tests.browser.conftest import patient
from tests.gateway.conftest import TOKEN, Product

pytestmark = pytest.mark.browser


@pytest.fixture
def client(product: Product) -> dict[str, Any]:
    return product.new_client(company_name="Garage Lemaire")


@pytest.fixture
def plan(product: Product, client: dict[str, Any]) -> dict[str, Any]:
    body = {"client_id": client["id"], "title": "Pont élévateur", "period": "year", "starts_on": str(date.today())}
    answer = product.http.post("/maintenance-plans", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def open_form(page: Page, client: dict[str, Any]) -> Any:
    """The panel of a new plan, with a name typed."""
    page.goto(f"/clients/{client['id']}/maintenances")
    page.get_by_role("link", name="Nouvelle maintenance").first.click()
    panel = page.get_by_role("dialog")
    panel.get_by_label("Nom").fill("Rideau de fer")
    return panel


def change(product: Product, plan: dict[str, Any], **fields: Any) -> None:
    """A colleague saves first."""
    answer = product.http.patch(f"/maintenance-plans/{plan['id']}", json=fields, headers={"If-Match": '"1"'})
    assert answer.status_code == 200, answer.text


def test_a_colleagues_change_appears_without_reloading(desk: Page, client: dict[str, Any], product: Product) -> None:
    desk.goto(f"/clients/{client['id']}")
    desk.wait_for_selector("html[data-live=open]")
    product.http.post(f"/clients/{client['id']}/contacts", json={"last_name": "Arrivé Entre-temps"})
    expect(desk.locator("details[data-section=contacts]")).to_contain_text("Arrivé Entre-temps", timeout=15_000)


def test_several_tabs_share_one_stream_and_the_next_takes_it_over(
    desk: Page, client: dict[str, Any], product: Product
) -> None:
    streams: list[str] = []
    desk.context.on("request", lambda request: streams.append(request.url) if request.url.endswith("/live") else None)
    desk.goto(f"/clients/{client['id']}")
    desk.wait_for_selector("html[data-live=open]")
    other = patient(desk.context.new_page())
    other.goto(f"/clients/{client['id']}")

    def both_hear(name: str, *pages: Page) -> None:
        product.http.post(f"/clients/{client['id']}/contacts", json={"last_name": name})
        for page in pages:
            page.bring_to_front()
            expect(page.locator("details[data-section=contacts]")).to_contain_text(name, timeout=15_000)

    both_hear("Premier", desk, other)
    assert len(streams) == 1, streams
    desk.goto("about:blank")
    other.wait_for_selector("html[data-live=open]")
    both_hear("Second", other)
    assert len(streams) == 2, streams


def test_a_save_that_nobody_answered_keeps_the_text_and_is_one_deed_when_asked_again(
    desk: Page, client: dict[str, Any], product: Product
) -> None:
    product.command("stop", "maintenance")
    try:
        # The tab says that its service is away; the form is opened by its own address.
        desk.goto(f"/clients/{client['id']}/maintenances/nouvelle")
        desk.get_by_label("Nom").fill("Rideau de fer")
        desk.get_by_role("button", name="Créer la maintenance").click()
        expect(desk.get_by_role("alert")).to_contain_text("maintenance")
        expect(desk.get_by_label("Nom")).to_have_value("Rideau de fer")
    finally:
        product.command("start", "maintenance")
    desk.get_by_role("button", name="Créer la maintenance").click()
    expect(desk.get_by_text("Maintenance créée")).to_be_visible()
    plans = product.http.get("/maintenance-plans", params={"client_id": client["id"]}).json()["items"]
    assert [plan["title"] for plan in plans] == ["Rideau de fer"]


def test_a_session_that_ended_loses_nothing_of_what_is_being_written(
    desk: Page, client: dict[str, Any], product: Product
) -> None:
    panel = open_form(desk, client)
    desk.context.clear_cookies()
    panel.get_by_role("button", name="Créer la maintenance").click()
    expect(panel.get_by_role("alert")).to_contain_text("Votre session a pris fin")
    assert not serious_in_both_modes(desk)
    desk.context.add_cookies([{"name": "fiche_session", "value": TOKEN, "url": product.url}])
    panel.get_by_role("button", name="Créer la maintenance").click()
    expect(desk.get_by_text("Maintenance créée")).to_be_visible()


def test_a_field_that_both_changed_shows_both_values(desk: Page, plan: dict[str, Any], product: Product) -> None:
    desk.goto(f"/maintenances/plans/{plan['id']}")
    name = desk.get_by_label("Nom")
    name.fill("Pont n° 2")
    change(product, plan, title="Pont ciseaux")
    desk.keyboard.press("Control+Enter")
    both = desk.get_by_role("alert")
    expect(both).to_contain_text("Pont ciseaux")
    expect(both).to_contain_text("Pont n° 2")
    assert not serious_in_both_modes(desk)
    both.get_by_role("button", name="Garder le mien").click()
    desk.keyboard.press("Control+Enter")
    expect(desk.get_by_text("Maintenance modifiée")).to_be_visible()
    assert product.http.get(f"/maintenance-plans/{plan['id']}").json()["title"] == "Pont n° 2"


def test_what_only_one_changed_is_joined(desk: Page, plan: dict[str, Any], product: Product) -> None:
    desk.goto(f"/maintenances/plans/{plan['id']}")
    desk.get_by_label("Consignes").fill("Clé à l’accueil")
    change(product, plan, title="Pont ciseaux")
    desk.keyboard.press("Control+Enter")
    expect(desk.get_by_text("Maintenance modifiée")).to_be_visible()
    now = product.http.get(f"/maintenance-plans/{plan['id']}").json()
    assert (now["title"], now["description"]) == ("Pont ciseaux", "Clé à l’accueil")


def test_a_panel_that_is_closed_keeps_a_draft_and_gives_the_focus_back(desk: Page, client: dict[str, Any]) -> None:
    open_form(desk, client)
    desk.keyboard.press("Escape")
    expect(desk.get_by_text("Brouillon gardé")).to_be_visible()
    assert "Nouvelle maintenance" in desk.evaluate("document.activeElement.textContent")
    desk.keyboard.press("Enter")
    panel = desk.get_by_role("dialog")
    expect(panel.get_by_label("Nom")).to_have_value("Rideau de fer")
    expect(panel.get_by_text("Votre brouillon a été repris")).to_be_visible()
    panel.get_by_role("button", name="Repartir de zéro").click()
    expect(panel.get_by_label("Nom")).to_have_value("")


def test_errors_stand_at_their_field_and_on_top(phone: Page, client: dict[str, Any]) -> None:
    panel = open_form(phone, client)
    panel.get_by_label("Combien de fois").fill("99")
    panel.get_by_role("button", name="Créer la maintenance").click()
    summary = panel.get_by_role("alert")
    expect(summary).to_contain_text("Un point à corriger")
    summary.get_by_role("link").click()
    expect(panel.get_by_label("Combien de fois")).to_be_focused()
    expect(panel.get_by_label("Combien de fois")).to_have_attribute("aria-invalid", "true")
    assert not serious_in_both_modes(phone)
