"""The operators' page in a real browser."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from tests.browser.axe import serious
from tests.gateway.conftest import Product

EVENT = json.dumps({"type": "fiche.clients.client.updated.v1", "data": {"display_name": "Copropriété"}})


def test_an_operator_reads_an_event_put_aside_and_gives_it_up(product: Product, desk: Page, phone: Page) -> None:
    product.sql(
        "equipment",
        "INSERT INTO parked_event (producer, position, ordering_key, event, error, attempts) "
        "VALUES ('clients', 900010, 'k', :event, 'KeyError: city', 5)",
        event=EVENT,
    )
    try:
        for page in (desk, phone):
            page.goto("/exploitation")
            expect(page.get_by_text("En marche")).to_have_count(8)
            assert serious(page) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        desk.get_by_role("link", name="Une fiche client a changé.").click()
        expect(desk.get_by_label("Contenu de l’événement")).to_contain_text("Copropriété")
        assert serious(desk) == []
        desk.keyboard.press("Escape")
        desk.get_by_role("link", name="Abandonner…").click()
        desk.get_by_label("Pourquoi").fill("Saisi par erreur")
        desk.get_by_role("button", name="Abandonner", exact=True).click()
        expect(desk.get_by_text("Événements abandonnés")).to_be_visible()
        expect(desk.get_by_text("Aucun. Chaque événement")).to_be_visible()
        assert product.sql("equipment", "SELECT reason FROM dropped_event WHERE position = 900010") == [
            ("Saisi par erreur",)
        ]
    finally:
        product.sql("equipment", "DELETE FROM parked_event WHERE position = 900010")
