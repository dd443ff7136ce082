"""Erasing a person in the pages: asked for from the fiche, typed back, watched until it is done. On a desk by keyboard.

In order: each test goes on where the one before left the record of this size.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.walk.conftest import Walk, walking
from tests.gateway.conftest import Product

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=["desk", "phone"])
def walk(request: pytest.FixtureRequest, chromium: Browser, product: Product) -> Iterator[Walk]:
    """An administrator, before a person with a document and a quote, who was entered twice."""
    person = product.new_client(kind="individual", company_name="", first_name="Odile", last_name="Lefort")
    twin = product.new_client(kind="individual", company_name="", first_name="Odile", last_name="Le Fort")
    body = {"survivor_id": person["id"], "duplicate_id": twin["id"], "reason": "Même personne"}
    assert product.http.post("/merges", json=body).status_code == 202
    for made in (
        product.http.post("/quotes", json={"client_id": person["id"], "lines": []}),
        product.http.post("/interventions", json={"client_id": person["id"], "title": "Panne"}),
        product.http.post(
            "/documents", data={"client_id": person["id"]}, files={"file": ("Plan.txt", person["id"].encode())}
        ),
    ):
        assert made.status_code == 201, made.text
    yield from walking(chromium, product, request.param, twin, person)


def test_01_it_is_asked_for_from_the_fiche_and_says_what_goes_and_what_stays(walk: Walk) -> None:
    page = walk.page
    walk.open(walk.person)
    if walk.phone:
        walk.actions().get_by_role("link", name="Effacer les données").click()
    else:
        page.locator(".actions-menu").locator("visible=true").locator("summary").focus()
        page.keyboard.press("Enter")
        page.locator(".actions-menu").get_by_role("link", name="Effacer les données").locator("visible=true").focus()
        page.keyboard.press("Enter")
    panel = walk.panel
    expect(panel.get_by_role("heading", level=2)).to_have_text("Effacer les données de la personne")
    expect(panel).to_contain_text(walk.firm["reference"])
    goes = panel.get_by_role("list", name="Ce qui est effacé")
    expect(goes).to_contain_text("1 intervention, 1 devis et 1 document avec ses versions")
    expect(panel).not_to_contain_text("indisponible")
    expect(panel).to_contain_text("La fusion ne pourra plus être annulée")
    walk.look("effacer")


def test_02_without_a_reason_or_with_another_name_nothing_is_erased(walk: Walk) -> None:
    page, panel = walk.page, walk.panel
    panel.get_by_role("button", name="Effacer pour toujours").click()
    expect(panel.get_by_role("alert")).to_contain_text("Motif")
    expect(panel.get_by_label("Motif")).to_have_attribute("aria-invalid", "true")
    walk.look("effacer-refuse")
    panel.get_by_label("Motif").fill("Demande écrite du 24 novembre")
    panel.get_by_label("Nom de la fiche").fill("Odile Lenoir")
    panel.get_by_role("button", name="Effacer pour toujours").click()
    expect(panel.get_by_label("Nom de la fiche")).to_have_attribute("aria-invalid", "true")
    assert walk.read(f"/clients/{walk.person['id']}")["status"] == "active"
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text(walk.person["display_name"])


def test_03_it_is_done_by_keyboard_and_watched_service_by_service(walk: Walk) -> None:
    page, product = walk.page, walk.product
    page.goto(f"/clients/{walk.person['id']}/effacer")
    page.wait_for_selector("html[data-live=open]")
    product.command("stop", "documents")
    try:
        page.get_by_label("Motif").focus()
        page.keyboard.type("Demande écrite du 24 novembre")
        page.keyboard.press("Tab")
        page.keyboard.type(walk.person["display_name"].lower())
        page.keyboard.press("Control+Enter")
        expect(page).to_have_url(re.compile(r"/effacements/[0-9a-f-]{36}$"))
        expect(page.get_by_role("heading", level=1)).to_have_text("Effacement en cours")
        services = page.locator(".services")
        expect(services.locator("li.done", has_text="Devis et factures")).to_have_count(1)
        expect(services.locator("li.running")).to_have_count(1, timeout=20_000)
        expect(services.locator("li.running")).to_contain_text("Documents")
        expect(page.locator("body")).not_to_contain_text("Lefort")
        walk.look("effacement-en-cours")
    finally:
        product.command("start", "documents")
    expect(page.get_by_role("heading", level=1)).to_have_text("Effacement terminé", timeout=30_000)
    expect(page.locator(".facts")).to_contain_text("Demande écrite du 24 novembre")
    assert not list((product.data_dir / "objects").rglob(_hash(walk.person["id"]))), "the file is gone as well"
    walk.look("effacement-termine")


def test_04_what_was_done_is_listed_and_the_fiche_is_gone(walk: Walk) -> None:
    page = walk.page
    page.goto("/reglages/effacements")
    row = page.locator("tbody tr", has_text=walk.person["reference"])
    expect(row).to_contain_text("Effacé partout")
    walk.look("effacements")
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Effacement terminé")
    for gone in (walk.person, walk.firm):
        answer: Any = page.goto(f"/clients/{gone['id']}")
        assert answer.status == 410
        expect(page.locator("body")).to_contain_text("Données effacées")
    walk.look("efface")


def _hash(content: str) -> str:
    """The name under which the store had the document."""
    return hashlib.sha256(content.encode()).hexdigest()
