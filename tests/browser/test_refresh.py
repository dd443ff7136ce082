"""What a colleague changes appears under the hand of somebody at work: nothing that is open, carried, typed or asked
for is lost by it."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import billable, made
from tests.gateway.conftest import Product
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser
WORK = {"starts_at": "2031-05-06T08:00:00Z", "ends_at": "2031-05-06T09:00:00Z"}


@pytest.fixture(scope="module")
def client(product: Product) -> dict[str, Any]:
    return billable(product, "Résidence des Érables")


def hear(page: Page, address: str) -> None:
    """Goes to a page that hears what colleagues change."""
    page.goto(address)
    page.wait_for_selector("html[data-live=open]")


def hold(page: Page, asks: str | re.Pattern[str]) -> list[Route]:
    """The next that the page asks for at these addresses, not yet answered: a slow line."""
    held: list[Route] = []
    # A plain function: handlers are marked.
    page.route(asks, lambda route: held.append(route), times=1)
    return held


def answer(page: Page, held: list[Route]) -> None:
    """What was held is answered; returns once its answer had its effect."""
    [asked] = held
    with page.expect_event("requestfinished", lambda request: request == asked.request):
        asked.continue_()
    page.evaluate("() => new Promise((done) => setTimeout(done, 200))")


def waited(page: Page, held: list[Route]) -> None:
    """Returns once something is held."""
    # Routes are told while something is asked of the page.
    wait_until(lambda: page.evaluate("1") and held, "the page asks")


def contact(product: Product, client: dict[str, Any], name: str) -> None:
    """A colleague writes down a contact."""
    made(product.http.post(f"/clients/{client['id']}/contacts", json={"last_name": name}))


def test_what_is_typed_last_is_in_the_draft_of_who_leaves_at_once(desk: Page, client: dict[str, Any]) -> None:
    desk.goto(f"/clients/{client['id']}/maintenances/nouvelle")
    name = desk.get_by_label("Nom")
    typing = "(field, word) => { field.value = word; field.dispatchEvent(new Event('input', { bubbles: true })); "
    with desk.expect_navigation():
        name.evaluate(typing + "location.reload(); }", "Porte de garage")
    expect(name).to_have_value("Porte de garage")
    # A telephone that goes into the pocket may never show the page again.
    pocket = (
        "Object.defineProperty(document, 'hidden', { value: true });"
        "document.dispatchEvent(new Event('visibilitychange'));"
        "return Object.values(localStorage).some((kept) => kept.includes(word)); }"
    )
    assert name.evaluate(typing + pocket, "Porte du sous-sol")


def test_a_question_stays_as_it_was_read_and_is_true_again_once_answered(
    desk: Page, product: Product, client: dict[str, Any]
) -> None:
    line = {"label": "Entretien", "quantity": "1", "unit_price": "100", "vat_rate": "20"}
    invoice = made(product.http.post("/invoices", json={"client_id": client["id"], "lines": [line]}))
    hear(desk, f"/factures/{invoice['id']}")
    desk.get_by_role("button", name="Émettre").first.click()
    question = desk.locator("dialog#emettre")
    expect(question).to_contain_text("120,00")
    theirs = {"lines": [line | {"unit_price": "900"}]}
    etag = {"If-Match": f'"{invoice["version"]}"'}
    made(product.http.patch(f"/invoices/{invoice['id']}", json=theirs, headers=etag))
    expect(desk.locator(".sums")).to_contain_text("1\u202f080,00")
    expect(question).to_be_visible()
    expect(question).to_contain_text("120,00")
    question.get_by_role("button", name="Émettre la facture").click()
    expect(desk.locator(".toast")).to_contain_text("Quelqu’un vient de changer cela")
    expect(question).to_be_hidden()
    expect(question.locator("h2")).to_contain_text("1\u202f080,00")
    assert product.http.get(f"/invoices/{invoice['id']}").json()["status"] == "draft"
    desk.get_by_role("button", name="Émettre").first.click()
    question.get_by_role("button", name="Émettre la facture").click()
    expect(desk.locator("h1")).to_contain_text("Facture F-")


def test_an_open_menu_stays_open_and_stays_that_of_its_row(
    desk: Page, product: Product, client: dict[str, Any]
) -> None:
    def document(name: str) -> None:
        sent = {"file": (name, b"bonjour")}
        made(product.http.post("/documents", data={"client_id": client["id"]}, files=sent))

    document("Menu B.txt")
    hear(desk, f"/clients/{client['id']}/documents?tri=nom")
    menu = desk.locator("tr", has_text="Menu B.txt").locator("details.menu")
    menu.locator("summary").click()
    document("Menu A.txt")
    other = desk.locator("tr", has_text="Menu A.txt")
    expect(other).to_be_visible()
    expect(menu).to_have_attribute("open", "")
    expect(other.locator("details.menu")).not_to_have_attribute("open", "")


def test_where_an_address_serves_stays_unfolded(desk: Page, product: Product) -> None:
    owner = product.new_client(company_name="Partout à la fois")
    whose = {"client_id": owner["id"]}
    where = {"street": "1 rue Partout", "city": "Lyon"}
    at = whose | {"address_id": made(product.http.post(f"/clients/{owner['id']}/addresses", json=where))["id"]}
    for kind in ("interventions", "job-sites"):
        made(product.http.post(f"/{kind}", json=at | {"title": "Ici"}))
    made(product.http.post("/equipment", json=at | {"name": "Ici"}))
    plan = {"title": "Ici", "period": "year", "starts_on": "2026-01-05"}
    made(product.http.post("/maintenance-plans", json=at | plan))
    hear(desk, f"/clients/{owner['id']}")
    rest = desk.locator("details.others")
    rest.locator("summary").click()
    contact(product, owner, "Vient d’arriver")
    expect(desk.locator(".column")).to_contain_text("Vient d’arriver")
    expect(rest).to_have_attribute("open", "")


def test_a_tray_that_was_folded_stays_folded(desk: Page, product: Product, client: dict[str, Any]) -> None:
    work = {"client_id": client["id"], "title": "Attend un jour"}
    made(product.http.post("/interventions", json=work))
    hear(desk, f"/clients/{client['id']}/interventions?vue=calendrier&date=2031-05-06")
    tray = desk.locator("details.tray").locator("visible=true")
    tray.locator("summary").click()
    made(product.http.post("/interventions", json=work | WORK | {"title": "Arrive pendant ce temps"}))
    expect(desk.locator(".day-column .event", has_text="Arrive pendant ce temps")).to_be_visible()
    expect(tray).not_to_have_attribute("open", "")


def lift(page: Page, what: Locator) -> None:
    """Takes something and carries it a little."""
    box = what.bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + 30, steps=4)


def test_a_page_that_comes_during_a_drag_waits_until_it_is_over(
    desk: Page, product: Product, client: dict[str, Any]
) -> None:
    work = {"client_id": client["id"], "title": "Sous la main", **WORK}
    mine = made(product.http.post("/interventions", json=work))
    hear(desk, f"/clients/{client['id']}/interventions?vue=calendrier&date=2031-05-06")
    desk.wait_for_selector("[data-planning][data-ready]")
    held = hold(desk, re.compile("/interventions\\?vue="))
    made(product.http.post("/interventions", json=work | {"title": "D’un collègue"}))
    waited(desk, held)
    lift(desk, desk.locator(".day-column .event", has_text="Sous la main"))
    expect(desk.locator(".landing")).to_be_visible()
    answer(desk, held)
    expect(desk.locator(".landing")).to_be_visible()
    expect(desk.locator("[data-planning]")).to_have_attribute("data-busy", "")
    thursday = desk.locator(".day-column[data-day='2031-05-08']").bounding_box()
    assert thursday
    desk.mouse.move(thursday["x"] + 30, thursday["y"] + 100, steps=4)
    desk.mouse.up()
    expect(desk.locator(".toast")).to_contain_text("déplacée, jeu. 8 mai")
    expect(desk.locator(".day-column .event", has_text="D’un collègue")).to_be_visible()
    assert product.http.get(f"/interventions/{mine['id']}").json()["starts_at"].startswith("2031-05-08")


def test_where_a_drop_goes_is_told_after_a_refresh_too(desk: Page, product: Product, client: dict[str, Any]) -> None:
    hear(desk, f"/clients/{client['id']}/documents")
    sent = {"file": ("D’un collègue.txt", b"bonjour")}
    made(product.http.post("/documents", data={"client_id": client["id"]}, files=sent))
    expect(desk.locator("tr", has_text="D’un collègue.txt")).to_be_visible()
    dropped = desk.evaluate_handle(
        "() => { const held = new DataTransfer(); held.items.add(new File(['a'], 'Avenant.txt')); return held; }"
    )
    desk.locator(".documents").dispatch_event("dragenter", {"dataTransfer": dropped})
    expect(desk.locator(".drop-sign")).to_contain_text("Déposez le fichier dans")
    expect(desk.locator(".drop-sign")).to_be_visible()


def test_who_scrolls_or_unfolds_while_a_page_comes_is_not_set_back(
    phone: Page, product: Product, client: dict[str, Any]
) -> None:
    hear(phone, f"/clients/{client['id']}")
    held = hold(phone, f"**/clients/{client['id']}")
    contact(product, client, "Vue au téléphone")
    waited(phone, held)
    phone.locator("[data-fold]").click()
    answer(phone, held)
    expect(phone.locator(".column")).to_contain_text("Vue au téléphone")
    expect(phone.locator(".column")).to_have_class(re.compile(r"\bopen\b"))
    expect(phone.locator("[data-fold]")).to_have_attribute("aria-expanded", "true")


def test_a_region_scrolled_while_a_page_comes_stays_where_it_is(
    desk: Page, product: Product, client: dict[str, Any]
) -> None:
    for n in range(30):
        body = {"kind": "note", "subject": f"Visite {n}", "occurred_at": f"2026-09-{1 + n % 28:02d}T10:00:00Z"}
        made(product.http.post(f"/clients/{client['id']}/activities", json=body))
    hear(desk, f"/clients/{client['id']}")
    held = hold(desk, f"**/clients/{client['id']}")
    contact(product, client, "Vue au bureau")
    waited(desk, held)
    region = desk.locator(".scroll:has(#bloc-activites)")
    region.evaluate("(node) => { node.scrollTop = 300; }")
    answer(desk, held)
    expect(desk.locator(".column")).to_contain_text("Vue au bureau")
    assert region.evaluate("(node) => node.scrollTop") == 300


def test_older_rows_that_were_asked_for_stay_and_are_brought_up_to_date(desk: Page, product: Product) -> None:
    talker = product.new_client(company_name="Bavarde aussi")
    path = f"/clients/{talker['id']}/activities"
    notes = [
        made(product.http.post(path, json={"kind": "note", "subject": f"Note {n}", "occurred_at": f"2026-10-{day}"}))
        for n in range(105)
        for day in [f"{1 + n // 20:02d}T10:00:{n % 60:02d}Z"]
    ]
    hear(desk, f"/clients/{talker['id']}")
    rows = desk.locator("#bloc-activites article")
    older = desk.get_by_role("link", name="Afficher les activités précédentes")
    expect(rows).to_have_count(50)
    held = hold(desk, re.compile("/activites\\?.*cursor="))
    older.click()
    waited(desk, held)
    # While they are on their way the page is not drawn again, or they would come behind others than they follow.
    fresh = {"kind": "note", "subject": "Toute fraîche", "occurred_at": "2026-10-20T10:00:00Z"}
    made(product.http.post(path, json=fresh))
    desk.wait_for_timeout(1500)
    answer(desk, held)
    expect(rows.filter(has_text="Toute fraîche")).to_be_visible()
    expect(rows).to_have_count(100)
    subjects = [note["subject"] for note in reversed(notes)]
    assert rows.locator("h4").all_text_contents() == ["Toute fraîche", *subjects[:99]]
    older.click()
    expect(rows).to_have_count(106)
    etag = {"If-Match": f'"{notes[0]["version"]}"'}
    made(product.http.patch(f"{path}/{notes[0]['id']}", json={"subject": "Corrigée"}, headers=etag))
    expect(rows.last).to_contain_text("Corrigée")
    expect(rows).to_have_count(106)
    expect(desk.locator("#bloc-activites .day")).to_have_count(7)


@pytest.mark.parametrize(
    ("path", "field", "word", "row"),
    [
        ("/clients", "#q", "tilleuls", "table.clients tbody tr"),
        ("/interventions?vue=liste", "#q", "purge", "table.work tbody tr"),
        ("/chantiers", "#q", "chaufferie", "#chantiers a[href^='/chantiers/']"),
        ("/devis-factures?type=devis", "#money-q", "pour les tilleuls", "table.money tbody tr"),
        ("/equipements", "#equip-q", "chaudière 1", "table.equip tbody tr"),
        ("documents", "#docs-q", "tilleuls", "table.docs tbody tr"),
    ],
)
def test_the_word_typed_last_is_what_is_shown(
    desk: Page, product: Product, tilleuls: dict[str, Any], path: str, field: str, word: str, row: str
) -> None:
    if path == "documents":
        sent = {"file": ("Plan des tilleuls.txt", b"bonjour")}
        made(product.http.post("/documents", data={"client_id": tilleuls["id"]}, files=sent))
        path = f"/clients/{tilleuls['id']}/documents"
    if path.startswith("/devis"):
        line = {"label": "Circulateur", "quantity": "1", "unit_price": "2905", "vat_rate": "20"}
        quote = {"client_id": tilleuls["id"], "title": "Pour les Tilleuls", "lines": [line]}
        made(product.http.post("/quotes", json=quote))
    desk.goto(path)
    held = hold(desk, re.compile("[?&]q=introuvable(&|$)"))
    desk.locator(field).fill("introuvable")
    waited(desk, held)
    # Slower than the pause after which a word is searched, faster than the answer to the first.
    for typed in ("introuvables", word):
        desk.locator(field).fill(typed)
        desk.wait_for_timeout(400)
    held[0].continue_()
    expect(desk).to_have_url(re.compile(f"[?&]q={re.escape(str(httpx.QueryParams(q=word))[2:])}"))
    expect(desk.locator(row).first).to_be_visible()
    expect(desk.locator(field)).to_have_value(word)
