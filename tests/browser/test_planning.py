"""The planning in a real browser: filters, tray, three views, drag with its way back, an intervention's page, sites."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import heard
from tests.gateway.conftest import Product
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser
#: A Monday far enough away that nothing else is planned in its week.
MONDAY = "2031-03-03"
WEEK = f"date={MONDAY}"
#: Longer than a finger rests before it lifts (`planning/drag.js`), in ms.
REST = 500
#: Whether something stays where it is for two frames.
STILL = """node => new Promise((done) => {
    const at = node.scrollTop;
    requestAnimationFrame(() => requestAnimationFrame(() => done(node.scrollTop === at)));
})"""


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


@pytest.fixture
def office(desk: Page, product: Product) -> Page:
    """The desk of somebody of the office, signed in by name: a subscription belongs to a person."""
    email, password = f"bureau{uuid.uuid4().hex[:6]}@exemple.example", "une phrase de passe assez longue"
    body = {"email": email, "name": "Camille Roux", "roles": ["office"], "password": password}
    assert product.http.post("/users", json=body).status_code == 201
    desk.context.clear_cookies()
    desk.goto("/connexion")
    desk.get_by_label("Adresse e-mail").fill(email)
    desk.get_by_label("Mot de passe").fill(password)
    desk.get_by_role("button", name="Se connecter").click()
    expect(desk.locator(".side-nav")).to_be_visible()
    return desk


def soon() -> str:
    """A moment of the coming days, that a calendar shows."""
    return (datetime.now(UTC) + timedelta(days=9)).isoformat()


def show(page: Page, address: str) -> None:
    """Goes to a planning, whose script hears what is done from then on."""
    page.goto(address)
    page.wait_for_selector("[data-planning][data-ready]")


def drag(
    page: Page,
    what: Locator,
    onto: Locator,
    *,
    x: float = 0.5,
    y: float = 0.5,
    meanwhile: Callable[[], object] | None = None,
) -> None:
    """Presses in the middle of one thing and lets go over another, at a share of its width and height.

    `meanwhile` is done once the thing is lifted: the page is not brought up to date from then on.
    """
    what.hover()
    page.mouse.down()
    if meanwhile:
        box = what.bounding_box()
        assert box
        page.mouse.move(box["x"] + box["width"] / 2 + 10, box["y"] + box["height"] / 2 + 10)
        expect(page.locator(".flying")).to_be_visible()
        meanwhile()
    onto.scroll_into_view_if_needed()
    box = onto.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y, steps=6)
    page.mouse.up()


class Finger:
    """One finger on the glass, by the browser's own protocol, so that what it scrolls and lifts is real."""

    def __init__(self, page: Page) -> None:
        self.cdp = page.context.new_cdp_session(page)

    def down(self, what: Locator) -> tuple[float, float]:
        """Rests in the middle of something; tells where."""
        what.scroll_into_view_if_needed()
        box = what.bounding_box()
        assert box
        at = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self._send("touchStart", at)
        return at

    def to(self, x: float, y: float) -> None:
        """Goes there."""
        self._send("touchMove", (x, y))

    def over(self, what: Locator, *, x: float = 0.5, y: float = 0.5) -> None:
        """Goes over something, at a share of its width and height."""
        box = what.bounding_box()
        assert box
        self.to(box["x"] + box["width"] * x, box["y"] + box["height"] * y)

    def up(self) -> None:
        """Leaves the glass."""
        self.cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def _send(self, kind: str, at: tuple[float, float]) -> None:
        self.cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": at[0], "y": at[1]}]})


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
    show(desk, f"{scene.tab}?vue=timeline&{WEEK}&technician_id={scene.lea}&status=upcoming")
    expect(desk.get_by_role("rowheader")).to_have_count(1)
    expect(desk.locator("table.timeline .event", has_text="Purge")).to_be_visible()


def test_waiting_work_is_dragged_onto_the_planning_and_back_with_undo(desk: Page, scene: Scene) -> None:
    waiting = scene.work("Robinet à remplacer")
    show(desk, f"{scene.tab}?vue=calendrier&{WEEK}")
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
    show(desk, f"{scene.tab}?vue=calendrier&periode=mois&{WEEK}")
    drag(desk, desk.locator("table.month .event", has_text="Robinet"), desk.locator("td[data-day='2031-03-20']"))
    expect(desk.locator("td[data-day='2031-03-20'] .event")).to_be_visible()
    moved = [scene.read(waiting)[name] for name in ("starts_at", "ends_at")]
    assert [one[10:] for one in moved] == [one[10:] for one in length]


def test_a_drag_that_fails_leaves_the_work_where_it_was_and_says_why(desk: Page, scene: Scene) -> None:
    work = scene.work("Visite de contrôle", starts_at="2031-03-11T08:00:00Z", ends_at="2031-03-11T09:00:00Z")
    show(desk, f"{scene.tab}?vue=calendrier&date=2031-03-11")
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
    box = desk.locator(".day-column .event", has_text="Visite de contrôle")

    def faster() -> None:
        answer = scene.product.http.patch(f"/interventions/{work}", json=theirs, headers={"If-Match": etag})
        assert answer.status_code == 200, answer.text

    drag(desk, box, thursday, meanwhile=faster)
    expect(desk.locator("[data-day='2031-03-12'] .event", has_text="Visite de contrôle")).to_be_visible()
    assert scene.read(work)["starts_at"].startswith("2031-03-12T08:00")


def test_the_end_of_a_box_is_pulled_to_make_it_longer_with_undo(desk: Page, scene: Scene) -> None:
    hours = {"starts_at": "2031-06-03T07:00:00Z", "ends_at": "2031-06-03T08:00:00Z"}
    work = scene.work("Rinçage", technician_ids=[scene.karim], **hours)
    for view, axis in (("calendrier", "y"), ("timeline", "x")):
        show(desk, f"{scene.tab}?vue={view}&date=2031-06-03&periode=jour")
        event = desk.locator(".desk-only .event", has_text="Rinçage").first
        event.hover()
        grip, box = event.locator(".grip").bounding_box(), event.bounding_box()
        assert grip
        assert box
        at = (grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
        desk.mouse.move(*at)
        desk.mouse.down()
        by = box["height"] if axis == "y" else box["width"]
        desk.mouse.move(at[0] + (by if axis == "x" else 0), at[1] + (by if axis == "y" else 0), steps=5)
        expect(event).to_contain_text("2\u00a0h")
        desk.mouse.up()
        expect(desk.locator(".toast")).to_contain_text("« Rinçage » finit à 11:00 (2\u00a0h)")
        assert scene.read(work)["ends_at"] == "2031-06-03T09:00:00+00:00"
        desk.locator(".toast .undo").click()
        expect(desk.locator(".toast")).to_contain_text("C’est annulé")
        assert scene.read(work)["ends_at"] == "2031-06-03T08:00:00+00:00"


def test_a_refused_stretch_says_why_and_leaves_the_box_as_it_was(desk: Page, scene: Scene) -> None:
    scene.work("Vidange", starts_at="2031-06-10T07:00:00Z", ends_at="2031-06-10T08:00:00Z")
    show(desk, f"{scene.tab}?vue=calendrier&date=2031-06-10&periode=jour")
    event = desk.locator(".day-column .event", has_text="Vidange")
    before = event.bounding_box()
    told = '{"detail": "Corrigez.", "errors": [{"field": "ends_at", "message": "La fin doit être après le début."}]}'

    def refuse(route: Route) -> None:
        route.fulfill(status=422, content_type="application/problem+json", body=told)

    desk.route("**/api/v1/interventions/*", refuse)
    event.hover()
    grip = event.locator(".grip").bounding_box()
    assert grip
    desk.mouse.move(grip["x"] + 30, grip["y"] + 3)
    desk.mouse.down()
    desk.mouse.move(grip["x"] + 30, grip["y"] + 90, steps=4)
    desk.mouse.up()
    expect(desk.locator(".toast")).to_contain_text("La fin doit être après le début.")
    assert event.bounding_box() == before


def test_a_finger_that_rests_lifts_the_work_and_one_that_moves_at_once_scrolls(tablet: Page, scene: Scene) -> None:
    work = scene.work("Au doigt", starts_at="2031-06-17T08:00:00Z", ends_at="2031-06-17T09:30:00Z")
    # Not as high as the hours of a day, or there would be nothing to scroll.
    tablet.set_viewport_size({"width": 1440, "height": 600})
    tablet.clock.install()
    show(tablet, f"{scene.tab}?vue=calendrier&date=2031-06-17")
    event = tablet.locator(".day-column .event", has_text="Au doigt")
    thursday = tablet.locator(".day-column[data-day='2031-06-19']")
    finger = Finger(tablet)
    week = tablet.locator(".week-scroll")
    # Time stands still meanwhile: a machine that stalls between two moves makes no rest of them.
    tablet.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))
    x, y = finger.down(event)
    before = week.evaluate("node => node.scrollTop")
    for step in range(1, 6):
        finger.to(x, y - 20 * step)
    tablet.clock.run_for(REST)
    expect(tablet.locator(".flying")).to_have_count(0)
    finger.up()
    tablet.clock.resume()
    wait_until(lambda: week.evaluate("node => node.scrollTop") > before, "the week has scrolled")
    assert scene.read(work)["starts_at"] == "2031-06-17T08:00:00+00:00"
    wait_until(lambda: week.evaluate(STILL), "the week scrolls no more")
    tablet.set_viewport_size({"width": 1440, "height": 900})
    finger.down(event)
    expect(tablet.locator(".flying")).to_be_visible()
    finger.over(thursday, y=0.5)
    expect(thursday.locator(".landing")).to_be_visible()
    finger.over(thursday, y=0.55)
    finger.up()
    expect(tablet.locator(".toast")).to_contain_text("« Au doigt » déplacée, jeu. 19 juin")
    moved = scene.read(work)
    assert moved["starts_at"].startswith("2031-06-19T")
    expect(thursday.locator(".event", has_text="Au doigt")).to_be_visible()
    # Its end is pulled by the finger at once: there is nothing to scroll there.
    box = thursday.locator(".event .grip").bounding_box()
    assert box
    _, y = finger.down(thursday.locator(".event .grip"))
    finger.to(box["x"] + 20, y + 22)
    finger.to(box["x"] + 20, y + 44)
    finger.up()
    expect(tablet.locator(".toast")).to_contain_text("(2\u00a0h\u00a030)")


def test_on_the_phone_work_is_taken_by_finger_to_another_day_hour_or_person(phone: Page, scene: Scene) -> None:
    work = scene.work("En poche", starts_at="2031-06-24T08:07:00Z", technician_ids=[scene.lea])
    show(phone, f"{scene.tab}?vue=calendrier&date=2031-06-24")
    finger = Finger(phone)
    finger.down(phone.locator(".day-list li", has_text="En poche"))
    expect(phone.locator(".flying")).to_be_visible()
    thursday = phone.locator(".strip a[data-day='2031-06-26']")
    finger.over(thursday, x=0.4)
    finger.over(thursday)
    finger.up()
    expect(phone.locator(".toast")).to_contain_text("« En poche » déplacée, jeu. 26 juin")
    assert scene.read(work)["starts_at"] == "2031-06-26T08:07:00+00:00"
    show(phone, f"{scene.tab}?vue=timeline&date=2031-06-26&technician_id={scene.lea}&technician_id={scene.karim}")
    finger.down(phone.locator(".bar-line .event", has_text="En poche"))
    expect(phone.locator(".flying")).to_be_visible()
    karim = phone.locator(f".bar-line[data-person='{scene.karim}'] .track")
    finger.over(karim, x=0.7)
    finger.over(karim, x=0.75)
    finger.up()
    expect(karim.locator(".event", has_text="En poche")).to_be_visible()
    taken = scene.read(work)
    assert taken["technician_ids"] == [scene.karim]
    assert taken["starts_at"] > "2031-06-26T10"


def test_work_is_carried_with_the_keyboard_alone(desk: Page, scene: Scene) -> None:
    hours = {"starts_at": "2031-07-01T08:00:00Z", "ends_at": "2031-07-01T09:00:00Z"}
    work = scene.work("Sans souris", technician_ids=[scene.karim], **hours)
    show(desk, f"{scene.tab}?vue=calendrier&date=2031-07-01")
    desk.locator(".day-column .event > a", has_text="Sans souris").focus()
    for key in ("Space", "ArrowRight", "ArrowDown", "ArrowDown", "Shift+ArrowDown"):
        desk.keyboard.press(key)
    expect(desk.locator("[data-carried]")).to_have_text("mercredi 2 juillet, 10:30 (1\u00a0h\u00a015)")
    desk.keyboard.press("Escape")
    expect(desk.locator(".landing")).to_have_count(0)
    for key in ("Space", "ArrowRight", "ArrowDown", "ArrowDown", "Shift+ArrowDown", "Enter"):
        desk.keyboard.press(key)
    expect(desk.locator(".toast")).to_contain_text("« Sans souris » déplacée, mer. 2 juil. 10:30")
    moved = scene.read(work)
    assert (moved["starts_at"], moved["ends_at"]) == ("2031-07-02T08:30:00+00:00", "2031-07-02T09:45:00+00:00")
    expect(desk.locator(".day-column[data-day='2031-07-02'] .event > a:not(.mover)")).to_be_focused()
    people = f"technician_id={scene.karim}&technician_id={scene.lea}"
    show(desk, f"{scene.tab}?vue=timeline&date=2031-07-02&{people}")
    desk.locator("table.timeline .event > a", has_text="Sans souris").focus()
    for key in ("Space", "ArrowDown", "PageDown", "Enter"):
        desk.keyboard.press(key)
    lea = desk.locator(f"tr[data-person='{scene.lea}'] td[data-day='2031-07-03']")
    expect(lea.locator(".event", has_text="Sans souris")).to_be_visible()
    assert scene.read(work)["technician_ids"] == [scene.lea]


def test_an_overlap_is_told_and_allowed_only_on_purpose(desk: Page, scene: Scene) -> None:
    hours = {"starts_at": "2031-03-18T08:00:00Z", "ends_at": "2031-03-18T16:00:00Z"}
    scene.work("Toute la journée", technician_ids=[scene.karim], **hours)
    other = scene.work("À confier", starts_at="2031-03-18T09:00:00Z", ends_at="2031-03-18T11:00:00Z")
    show(desk, f"{scene.tab}?vue=timeline&date=2031-03-18&technician_id={scene.karim}&technician_id=none")
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
    heard(desk)
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
    heard(desk)
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
    show(phone, f"{scene.tab}?vue=calendrier&date=2031-03-31")
    phone.locator(".strip a").nth(1).click()
    expect(phone).to_have_url(re.compile("date=2031-04-01"))
    expect(phone.locator(".day-list").get_by_role("link", name="Sur le téléphone")).to_be_visible()
    phone.get_by_role("link", name="Timeline").click()
    bar = phone.locator(".bar-line", has_text="Léa Fontaine")
    expect(bar.get_by_role("link", name=re.compile("Sur le téléphone"))).to_be_visible()
    phone.get_by_role("link", name="Liste").click()
    expect(phone.locator("table.work")).to_be_attached()
    heard(phone)
    phone.get_by_role("button", name="Filtres").click()
    phone.get_by_text("À facturer").first.click()
    expect(phone).to_have_url(re.compile("to_invoice=true"))
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_last_week_of_a_month_is_in_sight_below_the_tray(desk: Page, scene: Scene) -> None:
    scene.work("Attend son tour")
    show(desk, f"{scene.tab}?vue=calendrier&periode=mois&date=2031-08-01")
    expect(desk.locator(".waiting", has_text="Attend son tour")).to_be_visible()
    box = desk.locator("td[data-day='2031-08-31']").bounding_box()
    assert box
    assert box["y"] + box["height"] <= 900


def test_a_calendar_is_subscribed_to_with_its_filters_and_withdrawn(office: Page, scene: Scene) -> None:
    desk = office
    scene.work("Au calendrier", starts_at=soon(), technician_ids=[scene.karim])
    scene.work("Pas au calendrier", starts_at=soon(), technician_ids=[scene.lea])
    show(desk, f"{scene.tab}?technician_id={scene.karim}")
    desk.get_by_role("link", name="S’abonner à ce planning").click()
    panel = desk.locator("dialog.panel")
    expect(panel).to_contain_text("Copropriété des Lilas avec les filtres choisis")
    panel.get_by_label("Nom de l’agenda").fill("Agenda de Karim")
    panel.get_by_role("button", name="Créer l’adresse").click()
    shown = desk.get_by_role("dialog", name="Adresse de l’agenda")
    address = shown.get_by_role("textbox").input_value()
    expect(shown.get_by_role("button", name="Copier l’adresse")).to_be_visible()
    path = address.removeprefix(f"{scene.product.url}/api/v1")
    read = scene.product.anonymous.get(path)
    assert read.headers["Content-Type"].startswith("text/calendar")
    assert "SUMMARY:Au calendrier" in read.text
    assert "Pas au calendrier" not in read.text
    shown.get_by_role("button", name="Fermer").click()
    desk.goto(f"/interventions/abonnement?client_id={scene.client}")
    feed = desk.locator(".happened li", has_text="Agenda de Karim")
    feed.get_by_role("button", name="Retirer").click()
    expect(feed).to_have_count(0)
    assert scene.product.anonymous.get(path).status_code == 404
