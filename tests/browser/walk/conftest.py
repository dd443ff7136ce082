"""The company that is walked through: made up by `fiche generate`, through the product, as anybody would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, Response, expect

from tests.browser.axe import MODES, serious_in_both_modes
from tests.browser.conftest import ROOT, heard, patient, shot
from tests.gateway.conftest import TOKEN, Product
from tests.gateway.test_money import COMPANY

#: Messages of 5 and 10 s stay until the walk closes them: the machine may stand still for as long as they last.
LASTING = """const wait = window.setTimeout;
window.setTimeout = (deed, ms, ...more) => wait(deed, ms === 5000 || ms === 10000 ? 100 * ms : ms, ...more);"""
SIZES = {"desk": (1440, 900), "phone": (390, 844)}


@dataclass
class Walk:
    """Somebody of the office before the pages, on a desk or on a phone.

    `firm`: a company of the generated data with work, money and equipment. `person`: an individual of it.
    """

    page: Page
    product: Product
    phone: bool
    firm: dict[str, Any]
    person: dict[str, Any]

    def open(self, client: dict[str, Any], tab: str = "") -> None:
        """Opens the fiche and waits until its scripts hear."""
        self.page.goto(f"/clients/{client['id']}{tab}")
        expect(self.page.get_by_role("heading", level=1)).to_have_text(client["display_name"])
        self.page.wait_for_selector("html[data-live=open]")

    def arrived(self, title: str | re.Pattern[str]) -> None:
        """Returns once the page of this title is there and hears."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title)
        heard(self.page)

    def unfold(self) -> None:
        """The side column, in sight: on a phone it is folded below the name."""
        heard(self.page)
        if self.phone:
            self.page.get_by_role("button", name="Détails du client").click()

    def section(self, name: str) -> Locator:
        """A section of the side column, opened."""
        found = self.page.locator(f"details[data-section={name}]")
        if found.get_attribute("open") is None:
            found.locator("summary").first.click()
        return found

    @property
    def panel(self) -> Locator:
        """The side panel; the whole screen on a phone."""
        return self.page.locator("dialog.panel[open]")

    def leave_panel(self) -> None:
        """Closes the panel by its key; returns once the focus is back where it was opened, as it is for a person."""
        self.page.keyboard.press("Escape")
        expect(self.page.locator("#panneau:empty")).to_have_count(1)

    def said(self, words: str) -> None:
        """The page says so; the message is then closed, as whoever it covers something for would."""
        note = self.page.locator(".toast").filter(has_text=words)
        note.get_by_role("button", name="Fermer le message").click()

    def undo(self, words: str) -> None:
        """The page says so, and « Annuler » of the message is pressed; what follows is said too."""
        note = self.page.locator(".toast").filter(has_text=words)
        note.get_by_role("button", name="Annuler").click()
        self.said("C’est annulé")

    def actions(self) -> Locator:
        """The menu Actions of the fiche, opened."""
        heard(self.page)
        box = self.page.locator(".actions-menu").locator("visible=true")
        box.locator("summary").click()
        expect(box.locator(".menu-list")).to_be_visible()
        return box

    def fits(self) -> None:
        """Nothing scrolls sideways."""
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{self.page.url} is {wide} px too wide"

    def look(self, name: str) -> None:
        """The page as it stands keeps to its width and has nothing that axe finds serious; a picture, where asked.

        Looked at in light on a desk and in dark on a phone; `FICHE_AXE_ALL` asks for both on both.
        """
        self.fits()
        shot(self.page, f"{name}-{390 if self.phone else 1440}")
        modes = MODES if os.environ.get("FICHE_AXE_ALL") else (MODES[self.phone],)
        assert serious_in_both_modes(self.page, modes) == []
        self.page.emulate_media(color_scheme="light", reduced_motion="reduce")

    def note(self, text: str) -> str:
        """What the memo of the firm says from now on; answers its ETag."""
        path = f"/clients/{self.firm['id']}/memo"
        now = self.product.http.get(path).headers["ETag"]
        answer = self.product.http.put(path, json={"text": text}, headers={"If-Match": now})
        assert answer.status_code == 200, answer.text
        return str(answer.headers["ETag"])

    def change(self, client: dict[str, Any], **fields: Any) -> None:
        """A colleague changes a client's record."""
        path = f"/clients/{client['id']}"
        tag = self.product.http.get(path).headers["ETag"]
        answer = self.product.http.patch(path, json=fields, headers={"If-Match": tag})
        assert answer.status_code == 200, answer.text

    def read(self, path: str, **params: Any) -> dict[str, Any]:
        """What the API answers."""
        answer = self.product.http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.fixture(scope="session")
def company(product: Product) -> dict[str, list[dict[str, Any]]]:
    """Active clients of a company made up by the command: `firms`, the busiest first, and `persons`."""
    subprocess.run(
        [sys.executable, "-m", "cli.main", "generate", "--clients", "16", "--seed", "7"],
        cwd=ROOT,
        env=os.environ | {"FICHE_URL": product.url, "FICHE_TOKEN": TOKEN, "PYTHONWARNINGS": "ignore"},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    # Whatever tests before this one made of it.
    etag = product.http.get("/company").headers["ETag"]
    plain = COMPANY | {"operations": "services", "vat_mention": "", "vat_on_debits": False}
    answer = product.http.patch("/company", json=plain, headers={"If-Match": etag})
    assert answer.status_code == 200, answer.text
    found: dict[str, list[dict[str, Any]]] = {}
    for name, kind in (("firms", "company"), ("persons", "individual")):
        rows = product.http.get("/clients", params={"kind": kind, "status": "active", "limit": 200}).json()["items"]
        # Other tests' clients have no such number.
        made = [row for row in rows if re.fullmatch(r"M0000\d\d", row["registration_number"] or "")]
        found[name] = sorted(made, key=lambda row: -_work_of(product, row["id"]))
    assert len(found["firms"]) >= 4, found
    assert len(found["persons"]) >= 2, found
    return found


def _work_of(product: Product, client_id: str) -> int:
    sections = product.http.get(f"/clients/{client_id}/fiche").json()["sections"]
    return int(sections["interventions"]["count"])


@pytest.fixture(scope="module", params=["desk", "phone"])
def walk(
    request: pytest.FixtureRequest, chromium: Browser, product: Product, company: dict[str, list[dict[str, Any]]]
) -> Iterator[Walk]:
    """One person of the office for the whole walk; script errors and refusals of the content policy fail it."""
    at = int(request.param == "phone")
    yield from walking(chromium, product, request.param, company["firms"][at], company["persons"][at])


def walking(
    chromium: Browser, product: Product, size: str, firm: dict[str, Any], person: dict[str, Any]
) -> Iterator[Walk]:
    """Somebody of the office before the pages, on a desk or a phone."""
    phone = size == "phone"
    width, height = SIZES[size]
    context = chromium.new_context(
        viewport={"width": width, "height": height},
        locale="fr-FR",
        timezone_id="Europe/Paris",
        base_url=product.url,
        has_touch=phone,
        is_mobile=phone,
        reduced_motion="reduce",
    )
    context.add_cookies([{"name": "fiche_session", "value": TOKEN, "url": product.url}])
    context.set_default_timeout(15_000)
    page = patient(context.new_page())
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Content Security" in message.text else None)
    page.add_init_script(LASTING)
    _tell_writes(page)
    yield Walk(page, product, phone, firm, person)
    context.close()
    assert not faults, faults


def _tell_writes(page: Page) -> None:
    """Pytest shows with a step that fails what the page had asked to change, what it was answered, and when."""

    def tell(*words: object) -> None:
        sys.stdout.write(" ".join(map(str, (round(time.monotonic(), 2), *words))) + "\n")

    def asked(request: Request) -> None:
        if request.method != "GET":
            tell(request.method, request.url)

    def answered(response: Response) -> None:
        if response.request.method != "GET" or response.status >= 400:
            tell(response.status, response.url)

    page.on("request", asked)
    page.on("response", answered)
    page.on("requestfailed", lambda request: tell(request.failure, request.method, request.url))
