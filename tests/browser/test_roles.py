"""What a technician does on his phone, and what is not for him."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import serious_in_both_modes
from tests.browser.conftest import patient
from tests.gateway.conftest import Product

pytestmark = pytest.mark.browser
PASSWORD = "une phrase de passe assez longue"


@pytest.fixture
def technician(product: Product) -> dict[str, Any]:
    """A new technician, who can sign in."""
    email = f"karim{uuid.uuid4().hex[:6]}@exemple.example"
    body = {"email": email, "name": "Nadia Technicienne", "roles": ["technician"], "password": PASSWORD}
    answer = product.http.post("/users", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.fixture
def page(chromium: Browser, product: Product, technician: dict[str, Any]) -> Iterator[Page]:
    """His phone, signed in."""
    size = {"width": 390, "height": 844}
    context = chromium.new_context(viewport=size, locale="fr-FR", base_url=product.url)  # type: ignore[arg-type]
    made = patient(context.new_page())
    made.goto("/connexion")
    made.get_by_label("Adresse e-mail").fill(technician["email"])
    made.get_by_label("Mot de passe").fill(PASSWORD)
    made.get_by_role("button", name="Se connecter").click()
    yield made
    context.close()


def test_a_technician_begins_with_his_work_does_it_and_reads_nothing_else(
    page: Page, product: Product, technician: dict[str, Any]
) -> None:
    client = product.new_client(company_name="Boulangerie Martin")
    product.http.put(f"/clients/{client['id']}/memo", json={"text": "Clé chez le gardien"}, headers={"If-Match": "*"})
    contact = product.http.post(
        f"/clients/{client['id']}/contacts", json={"last_name": "Blanc", "phone": "06 39 98 41 07"}
    ).json()
    body = {"client_id": client["id"], "title": "Four en panne", "contact_id": contact["id"]}
    mine = product.http.post("/interventions", json=body | {"technician_ids": [technician["id"]]}).json()
    product.http.post("/interventions", json=body | {"title": "Pas pour lui"})
    expect(page).to_have_url(f"{product.url}/interventions")
    page.goto("/interventions")
    expect(page.get_by_text("Four en panne").first).to_be_visible()
    expect(page.get_by_text("Pas pour lui")).to_have_count(0)
    page.goto(f"/interventions/{mine['id']}")
    expect(page.get_by_text("06 39 98 41 07").first).to_be_visible()
    # Nothing on it leads to where he may not go.
    expect(page.locator("#contenu a[href^='/clients/']")).to_have_count(0)
    expect(page.get_by_role("heading", name="Devis et factures")).to_have_count(0)
    assert not serious_in_both_modes(page)
    page.get_by_role("button", name="Commencer").first.click()
    expect(page.get_by_text("En cours").first).to_be_visible()
    page.goto(f"/interventions/{mine['id']}/bon")
    page.get_by_label("Travail effectué").fill("Résistance changée")
    page.get_by_role("button", name="Enregistrer le bon").click()
    expect(page.get_by_text("Bon d’intervention enregistré")).to_be_visible()
    page.goto(f"/clients/{client['id']}")
    expect(page.get_by_role("heading", name="Accès refusé")).to_be_visible()
    expect(page.get_by_role("link", name="CRM")).to_have_count(0)
