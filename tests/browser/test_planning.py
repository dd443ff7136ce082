"""The planning in a real browser: filters, tray, three views, drag with its way back, an intervention's page, sites."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.axe import serious, serious_in_both_modes
from tests.gateway.conftest import Product
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser
#: A Monday far enough away that nothing else is planned in its week.
MONDAY = "2031-03-03"
WEEK = f"date={MONDAY}"


@dataclass
class Scene:
    """A client with work, and two technicians."""

    product: Product
    client: str
    karim: str
    lea: str

    @property
    def tab(self) -> str:
        return f"/clients/{self.client}/interventions"

    def work(self, title: str, **fields: Any) -> str:
        answer = self.product.http.post("/interventions", json={"client_id": self.client, "title": title, **fields})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def read(self, identifier: str) -> dict[str, Any]:
        return dict(self.product.http.get(f"/interventions/{identifier}").json())


@pytest.fixture(scope="module")
def scene(product: Product) -> Scene:
    people = []
    for name in ("Karim Haddad", "Léa Fontaine"):
        body = {"email": f"t{uuid.uuid4().hex[:8]}@exemple.example", "name": name, "roles": ["technician"]}
        made = wait_until(
            lambda body=body: found if (found := product.http.post("/users", json=body)).status_code == 201 else None,
            "somebody is taken in",
            40,
        )
        people.append(made.json()["id"])
    wait_until(
        lambda: {*people} <= {one["id"] for one in product.http.get("/technicians?limit=200").json()["items"]},
        "the technicians are known to interventions",
    )
    client = product.new_client(company_name="Copropriété des Lilas")
    address = {"label": "Bâtiment A", "street": "18 rue des Lilas", "postal_code": "69100", "city": "Villeurbanne"}
    assert product.http.post(f"/clients/{client['id']}/addresses", json=address).status_code == 201
    return Scene(product, client["id"], *people)


def drag(page: Page, what: Locator, onto: Locator, *, x: float = 0.5, y: float = 0.5) -> None:
    """Presses in the middle of one thing and lets go over another, at a share of its width and height."""
    what.hover()
    page.mouse.down()
    onto.scroll_into_view_if_needed()
    box = onto.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y, steps=6)
    page.mouse.up()


def test_filters_stand_in_the_address_with_their_counts_and_are_reset_at_once(desk: Page, scene: Scene) -> None:
    scene.work("Équilibrage des colonnes", starts_at="2031-03-04T08:00:00Z", technician_ids=[scene.karim])
    scene.work("Purge", starts_at="2031-03-05T08:00:00Z", technician_ids=[scene.lea])
    desk.goto(scene.tab)
    rows = desk.locator("table.work tbody tr")
    expect(rows.filter(has_text="Purge")).to_be_visible()
    desk.locator("details.chip", has_text="Intervenants").locator("summary").click()
    option = desk.locator("label.option", has_text="Karim Haddad")
    expect(option.locator(".n")).to_have_text("1")
    option.click()
    expect(desk).to_have_url(re.compile(f"technician_id={scene.karim}"))
    expect(rows.filter(has_text="Purge")).to_have_count(0)
    desk.get_by_label("Titre ou numéro").fill("equilibrage")
    expect(desk).to_have_url(re.compile("q=equilibrage"))
    expect(rows).to_have_count(1)
    desk.get_by_label("Titre ou numéro").fill("introuvable")
    expect(desk.get_by_text("Aucune intervention pour ces filtres")).to_be_visible()
    desk.get_by_role("link", name="Réinitialiser").last.click()
    expect(desk).to_have_url(f"{scene.product.url}{scene.tab}")
    expect(rows.filter(has_text="Purge")).to_be_visible()
    desk.goto(f"{scene.tab}?vue=timeline&{WEEK}&technician_id={scene.lea}&status=upcoming")
    expect(desk.get_by_role("rowheader")).to_have_count(1)
    expect(desk.locator("table.timeline .event", has_text="Purge")).to_be_visible()


def test_waiting_work_is_dragged_onto_the_planning_and_back_with_undo(desk: Page, scene: Scene) -> None:
    waiting = scene.work("Robinet à remplacer")
    desk.goto(f"{scene.tab}?vue=calendrier&{WEEK}")
    tuesday = desk.locator(".day-column[data-day='2031-03-04']")
    card = desk.locator(".waiting", has_text="Robinet à remplacer")
    drag(desk, card, tuesday, y=0.25)
    expect(desk.locator(".toast")).to_contain_text("« Robinet à remplacer » planifiée, mar. 4 mars")
    box = tuesday.locator(".event", has_text="Robinet à remplacer")
    expect(box).to_be_visible()
    planned = scene.read(waiting)
    assert planned["state"] == "planned"
    assert planned["starts_at"].startswith("2031-03-04T")
    desk.locator(".toast .undo").click()
    expect(card).to_be_visible()
    expect(box).to_have_count(0)
    assert scene.read(waiting)["starts_at"] is None
    drag(desk, card, tuesday, y=0.25)
    expect(box).to_be_visible()
    length = [scene.read(waiting)[name] for name in ("starts_at", "ends_at")]
    desk.goto(f"{scene.tab}?vue=calendrier&periode=mois&{WEEK}")
    drag(desk, desk.locator("table.month .event", has_text="Robinet"), desk.locator("td[data-day='2031-03-20']"))
    expect(desk.locator("td[data-day='2031-03-20'] .event")).to_be_visible()
    moved = [scene.read(waiting)[name] for name in ("starts_at", "ends_at")]
    assert [one[10:] for one in moved] == [one[10:] for one in length]


def test_a_drag_that_fails_leaves_the_work_where_it_was_and_says_why(desk: Page, scene: Scene) -> None:
    work = scene.work("Visite de contrôle", starts_at="2031-03-11T08:00:00Z", ends_at="2031-03-11T09:00:00Z")
    desk.goto(f"{scene.tab}?vue=calendrier&date=2031-03-11")
    box = desk.locator(".day-column .event", has_text="Visite de contrôle")
    thursday = desk.locator(".day-column[data-day='2031-03-13']")

    def away(route: Route) -> None:
        route.fulfill(status=503, content_type="application/problem+json", body='{"detail": "Le service est absent."}')

    desk.route("**/api/v1/interventions/*", away)
    drag(desk, box, thursday)
    expect(desk.locator(".toast")).to_contain_text("Le service est absent.")
    expect(desk.locator("[data-day='2031-03-11'] .event")).to_be_visible()
    desk.unroute("**/api/v1/interventions/*")
    # A colleague was faster: the page shows what is true, and nothing is overwritten.
    etag = f'"{scene.read(work)["version"]}"'
    theirs = {"starts_at": "2031-03-12T08:00:00Z", "ends_at": "2031-03-12T09:00:00Z"}
    scene.product.http.patch(f"/interventions/{work}", json=theirs, headers={"If-Match": etag})
    box = desk.locator(".day-column .event", has_text="Visite de contrôle")
    drag(desk, box, thursday)
    expect(desk.locator("[data-day='2031-03-12'] .event", has_text="Visite de contrôle")).to_be_visible()
    assert scene.read(work)["starts_at"].startswith("2031-03-12T08:00")


def test_an_overlap_is_told_and_allowed_only_on_purpose(desk: Page, scene: Scene) -> None:
    hours = {"starts_at": "2031-03-18T08:00:00Z", "ends_at": "2031-03-18T16:00:00Z"}
    scene.work("Toute la journée", technician_ids=[scene.karim], **hours)
    other = scene.work("À confier", starts_at="2031-03-18T09:00:00Z", ends_at="2031-03-18T11:00:00Z")
    desk.goto(f"{scene.tab}?vue=timeline&date=2031-03-18&technician_id={scene.karim}&technician_id=none")
    nobody = desk.locator("tr[data-person=none]")
    karim = desk.locator(f"tr[data-person='{scene.karim}'] td[data-day='2031-03-18']")
    drag(desk, nobody.locator(".event", has_text="À confier"), karim)
    dialog = desk.get_by_role("dialog", name=re.compile("Planifier malgré"))
    expect(dialog).to_contain_text("Karim Haddad : « Toute la journée »")
    dialog.get_by_role("button", name="Annuler").click()
    expect(nobody.locator(".event", has_text="À confier")).to_be_visible()
    assert scene.read(other)["technician_ids"] == []
    drag(desk, nobody.locator(".event", has_text="À confier"), karim)
    dialog.get_by_role("button", name="Planifier quand même").click()
    expect(karim.locator(".event.clash")).to_be_visible()
    expect(karim).to_contain_text("Chevauchement de")
    assert scene.read(other)["technician_ids"] == [scene.karim]


def test_work_is_created_moved_by_keyboard_done_and_reported_from_its_page(desk: Page, scene: Scene) -> None:
    memo = scene.product.http.get(f"/clients/{scene.client}/memo")
    scene.product.http.put(
        f"/clients/{scene.client}/memo", json={"text": "Chien dans la cour"}, headers={"If-Match": memo.headers["ETag"]}
    )
    desk.goto(scene.tab)
    desk.keyboard.press("n")
    panel = desk.locator("dialog.panel")
    panel.get_by_label("Titre").fill("Fuite au sous-sol")
    panel.get_by_label("Adresse").select_option(label="Bâtiment A, 18 rue des Lilas, Villeurbanne")
    panel.get_by_role("button", name="Créer l’intervention").click()
    expect(desk.locator(".toast")).to_contain_text("créée")
    desk.get_by_role("link", name="Fuite au sous-sol").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Fuite au sous-sol")
    expect(desk.get_by_text("Chien dans la cour")).to_be_visible()
    identifier = desk.url.rsplit("/", 1)[-1]
    desk.get_by_text("Actions").focus()
    desk.keyboard.press("Enter")
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("Enter")
    panel.get_by_label("Début").fill("2031-03-06T09:30")
    panel.get_by_label("Léa Fontaine").check()
    desk.keyboard.press("Control+Enter")
    expect(desk.locator(".toast")).to_contain_text("Intervention planifiée")
    expect(desk.locator(".work-head")).to_contain_text("À venir")
    assert scene.read(identifier)["starts_at"].startswith("2031-03-06T08:30:00")
    desk.get_by_role("button", name="Commencer").click()
    expect(desk.locator(".work-head")).to_contain_text("En cours")
    desk.get_by_role("link", name="Remplir le bon").click()
    expect(panel.get_by_text("Chien dans la cour")).to_be_visible()
    panel.get_by_label("Travail effectué").fill("Joint changé, circuit remis en eau.")
    panel.get_by_label("Temps passé, en minutes").fill("75")
    panel.get_by_role("button", name="Ajouter une pièce").click()
    panel.get_by_label("Désignation de la pièce").fill("Joint fibre 15/21")
    panel.get_by_label("Signé par").fill("Mme Garnier")
    panel.get_by_role("button", name="Enregistrer le bon").click()
    expect(desk.locator("#bon")).to_contain_text("1 h 15")
    expect(desk.locator("#bon")).to_contain_text("Joint fibre 15/21")
    desk.get_by_role("button", name="Terminer").first.click()
    expect(desk.locator(".work-head")).to_contain_text("Terminée")
    expect(desk.locator(".work-head")).to_contain_text("À facturer")
    desk.locator(".toast .undo").click()
    expect(desk.locator(".work-head")).to_contain_text("En cours")
    expect(desk.locator(".happened")).to_contain_text("Bon d’intervention rempli")


def test_a_job_site_is_opened_here_begun_and_lists_what_is_tied_to_it(desk: Page, scene: Scene) -> None:
    desk.goto(f"/clients/{scene.client}/chantiers")
    desk.get_by_role("link", name="Nouveau chantier").first.click()
    panel = desk.locator("dialog.panel")
    panel.get_by_label("Titre").fill("Rénovation de la chaufferie")
    panel.get_by_role("button", name="Créer le chantier").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Rénovation de la chaufferie")
    site = desk.url.rsplit("/", 1)[-1]
    desk.get_by_role("button", name="Commencer").click()
    expect(desk.locator(".work-head")).to_contain_text("En cours")
    scene.work("Dépose de la chaudière", job_site_id=site)
    desk.reload()
    expect(desk.get_by_role("link", name="Dépose de la chaudière")).to_be_visible()
    expect(desk.locator(".work-head")).to_contain_text("0 sur 1 intervention")
    desk.goto("/chantiers?status=in_progress")
    expect(desk.get_by_role("link", name="Rénovation de la chaufferie").first).to_be_visible()
    desk.goto("/chantiers?status=done")
    expect(desk.get_by_role("link", name="Rénovation de la chaufferie")).to_have_count(0)


def test_the_phone_shows_days_bars_and_all_filters_in_one_sheet(phone: Page, scene: Scene) -> None:
    scene.work("Sur le téléphone", starts_at="2031-04-01T08:00:00Z", technician_ids=[scene.lea])
    phone.goto(f"{scene.tab}?vue=calendrier&date=2031-03-31")
    phone.locator(".strip a").nth(1).click()
    expect(phone).to_have_url(re.compile("date=2031-04-01"))
    expect(phone.locator(".day-list").get_by_role("link", name="Sur le téléphone")).to_be_visible()
    phone.get_by_role("link", name="Timeline").click()
    bar = phone.locator(".bar-line", has_text="Léa Fontaine")
    expect(bar.get_by_role("link", name=re.compile("Sur le téléphone"))).to_be_visible()
    phone.get_by_role("link", name="Liste").click()
    phone.get_by_role("button", name="Filtres").click()
    phone.get_by_text("À facturer").first.click()
    expect(phone).to_have_url(re.compile("to_invoice=true"))
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_axe_finds_nothing_serious_in_the_planning(desk: Page, scene: Scene) -> None:
    work = scene.work("Pour axe", starts_at="2031-05-06T08:00:00Z", technician_ids=[scene.karim])
    scene.work("À planifier pour axe")
    week = "date=2031-05-06"
    views = [f"?vue=calendrier&{week}", f"?vue=calendrier&periode=mois&{week}", f"?vue=timeline&{week}"]
    others = [f"/interventions/{work}", f"/interventions/{work}/bon", f"/interventions/{work}/modifier", "/chantiers"]
    for path in [*(scene.tab + view for view in ("", *views)), *others]:
        desk.goto(path)
        assert not serious_in_both_modes(desk), path
    desk.set_viewport_size({"width": 390, "height": 844})
    for view in views:
        desk.goto(scene.tab + view)
        assert not serious(desk), view
