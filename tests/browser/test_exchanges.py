"""Activities, memo and addresses on the fiche, as the office uses them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_pages import serious
from tests.gateway.conftest import Product

pytestmark = pytest.mark.browser
NNBSP = "\u202f"


@pytest.fixture
def client(product: Product) -> dict[str, Any]:
    """A company with two contacts, two addresses, exchanges of two days and a memo."""
    made = product.new_client(company_name="Résidence du Parc")
    base = f"/clients/{made['id']}"
    people = [
        product.http.post(f"{base}/contacts", json=person).json()
        for person in ({"first_name": "Odile", "last_name": "Garnier", "role": "Présidente"}, {"last_name": "Blanc"})
    ]
    for body in (
        {"label": "Bâtiment A", "street": "18 rue des Tilleuls", "access_notes": "Code 48B12"},
        {"label": "Bâtiment B", "street": "20 rue des Tilleuls"},
    ):
        product.http.post(f"{base}/addresses", json={**body, "postal_code": "69100", "city": "Villeurbanne"})
    for body in (
        {
            "kind": "call",
            "direction": "in",
            "subject": "Fuite au vase",
            "contact_id": people[0]["id"],
            "body": "Bruit.",
        },
        {"kind": "note", "subject": "Clé au coffre"},
        {"kind": "sms", "direction": "out", "subject": "Rappel du passage", "occurred_at": "2026-06-02T08:00:00Z"},
    ):
        answer = product.http.post(f"{base}/activities", json={"occurred_at": "2026-11-24T08:12:00Z", **body})
        assert answer.status_code == 201, answer.text
    product.http.put(f"{base}/memo", json={"text": "- Code 48B12\n- Couper l’alarme"}, headers={"If-Match": '"0"'})
    return made


def test_an_exchange_is_consigned_corrected_taken_off_and_brought_back(desk: Page, client: dict[str, Any]) -> None:
    desk.goto(f"/clients/{client['id']}")
    block = desk.locator("#bloc-activites")
    expect(block.get_by_text("Appel reçu d’Odile Garnier · consigné par")).to_be_visible()
    desk.keyboard.press("c")
    panel = desk.get_by_role("dialog", name="Consigner une activité")
    panel.get_by_role("radio", name="E-mail").check()
    panel.get_by_role("radio", name="Émis").check()
    panel.get_by_label("Contact").select_option(label="Odile Garnier, Présidente")
    panel.get_by_role("button", name="Consigner").click()
    expect(panel.get_by_role("alert")).to_contain_text("Donnez un objet ou un texte")
    panel.get_by_label("Objet").fill("Devis du circulateur")
    panel.get_by_label("Objet").press("Control+Enter")
    expect(desk.get_by_text("Activité consignée")).to_be_visible()
    row = block.locator("article", has_text="Devis du circulateur")
    expect(row).to_contain_text("E-mail envoyé à Odile Garnier")
    row.hover()
    row.locator("summary").click()
    row.get_by_role("link", name="Modifier").click()
    panel = desk.get_by_role("dialog", name="Modifier l’activité")
    panel.get_by_label("Détails").fill("Parti à 16 h.")
    panel.get_by_role("button", name="Enregistrer").click()
    expect(row).to_contain_text("Parti à 16 h.")
    row.hover()
    row.locator("summary").click()
    row.get_by_role("button", name="Supprimer").click()
    expect(row).to_have_count(0)
    desk.locator(".toasts").get_by_role("button", name="Annuler").click()
    expect(row).to_contain_text("Parti à 16 h.")


def test_filters_of_the_activities_stand_in_the_address(desk: Page, client: dict[str, Any], product: Product) -> None:
    path = f"/clients/{client['id']}"
    desk.goto(path)
    block = desk.locator("#bloc-activites")
    block.get_by_role("link", name="SMS").click()
    expect(block.locator("article")).to_have_count(1)
    expect(desk).to_have_url(f"{product.url}{path}?kind=sms")
    block.locator(".period-in summary").click()
    block.get_by_label("Du", exact=True).fill("2026-06-03")
    block.get_by_role("button", name="Appliquer").click()
    expect(desk).to_have_url(f"{product.url}{path}?kind=sms&from=2026-06-03")
    expect(block.get_by_role("heading", name="Aucune activité pour ces filtres")).to_be_visible()
    desk.reload()
    expect(block).to_contain_text(f"Période{NNBSP}: depuis le 3 juin 2026")
    block.locator(".empty").get_by_role("link", name="Réinitialiser").click()
    expect(block.locator("article")).to_have_count(3)
    expect(desk).to_have_url(f"{product.url}{path}")
    desk.goto(f"{path}?kind=fax")
    expect(block).to_contain_text("Ces filtres ne sont pas valables")


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


def test_two_people_writing_the_memo_lose_no_word(desk: Page, client: dict[str, Any], product: Product) -> None:
    path = f"/clients/{client['id']}"
    desk.goto(path)
    expect(desk.locator(".memo li")).to_have_text(["Code 48B12", "Couper l’alarme"])
    desk.keyboard.press("m")
    panel = desk.get_by_role("dialog", name="Mémo")
    text = panel.get_by_label("Ce qu’il faut savoir")
    text.fill("- Code 48B12\n- Couper l’alarme gaz")
    product.http.put(
        f"{path}/memo", json={"text": "- Code 99Z\n- Couper l’alarme"}, headers={"If-Match": '"1"'}
    ).raise_for_status()
    panel.get_by_role("button", name="Enregistrer").click()
    both = panel.get_by_role("alert")
    expect(both).to_contain_text("Code 99Z")
    expect(both).to_contain_text("Couper l’alarme gaz")
    both.get_by_role("button", name="Joindre les deux textes").click()
    expect(text).to_have_value("- Code 99Z\n- Couper l’alarme gaz")
    panel.get_by_role("button", name="Enregistrer").click()
    expect(desk.locator(".memo li")).to_have_text(["Code 99Z", "Couper l’alarme gaz"])
    desk.get_by_role("link", name="Textes passés du mémo").click()
    past = desk.get_by_role("dialog", name="Textes passés du mémo")
    expect(past.locator("article")).to_have_count(3)
    past.get_by_role("link", name="Reprendre ce texte").last.click()
    panel.get_by_role("button", name="Enregistrer").click()
    expect(desk.locator(".memo li")).to_have_text(["Code 48B12", "Couper l’alarme"])


def test_an_address_becomes_main_in_a_click_and_a_used_one_is_only_retired(
    desk: Page, client: dict[str, Any], product: Product
) -> None:
    [_, second] = product.http.get(f"/clients/{client['id']}/addresses").json()["items"]
    work = {"client_id": client["id"], "address_id": second["id"], "title": "Entretien"}
    assert product.http.post("/interventions", json=work).status_code == 201
    desk.goto(f"/clients/{client['id']}")
    b = desk.locator(".address", has_text="Bâtiment B")
    expect(b).to_contain_text("1 intervention")
    b.get_by_role("button", name="Définir comme principale").click()
    expect(desk.locator(".address").first).to_contain_text("Bâtiment B")
    desk.locator(".toasts").get_by_role("button", name="Annuler").click()
    expect(desk.locator(".address").first).to_contain_text("Bâtiment A")
    b.locator("summary").click()
    expect(b.get_by_role("note")).to_contain_text("Retirez-la plutôt")
    b.get_by_role("button", name="Retirer").click()
    expect(desk.locator(".retired > summary")).to_have_text("1 adresse retirée")
    expect(b).to_be_hidden()
    desk.locator(".retired > summary").click()
    b.locator("summary").click()
    b.get_by_role("button", name="Remettre en service").click()
    expect(desk.locator(".retired")).to_have_count(0)


def test_on_the_phone_an_address_is_added_and_nothing_scrolls_sideways(phone: Page, client: dict[str, Any]) -> None:
    phone.goto(f"/clients/{client['id']}")
    phone.get_by_role("link", name="Ajouter une adresse").click()
    panel = phone.get_by_role("dialog", name="Nouvelle adresse")
    panel.get_by_label("Nom de l’adresse").fill("Loge")
    panel.get_by_role("button", name="Ajouter l’adresse").click()
    expect(panel.get_by_role("alert")).to_contain_text("Donnez une rue, un code postal ou une ville")
    panel.get_by_label("Ville").fill("Villeurbanne")
    panel.get_by_role("button", name="Ajouter l’adresse").click()
    expect(phone.locator(".address", has_text="Loge")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_axe_finds_nothing_serious_in_exchanges(desk: Page, client: dict[str, Any], mode: Any) -> None:
    desk.emulate_media(color_scheme=mode)
    base = f"/clients/{client['id']}"
    for path in ("", "/activites/nouvelle", "/memo", "/memo/textes", "/adresses/nouvelle", "/adresses", "/activites"):
        desk.goto(base + path)
        assert not serious(desk), path
    desk.goto(base)
    desk.get_by_role("link", name="Consigner").click()
    expect(desk.get_by_role("dialog", name=re.compile("Consigner"))).to_be_visible()
    assert not serious(desk)
