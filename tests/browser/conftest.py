"""A signed-in Chromium before the running product."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Response, Route, expect, sync_playwright

from tests.gateway.conftest import TOKEN, Product, product, routes
from tests.gateway.test_money import COMPANY
from tests.support.servers import chromium_path

__all__ = ["product", "routes"]
ROOT = Path(__file__).resolve().parents[2]
SHOTS = os.environ.get("FICHE_SHOTS")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Two suites, their servers and two browsers share the processor: what is right after six seconds is right.
expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The run's browser."""
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


def shot(page: Page, name: str) -> None:
    """A picture for whoever asked for one (`FICHE_SHOTS`: a folder), in light and in dark."""
    for scheme in ("light", "dark") if SHOTS else ():
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.screenshot(path=str(Path(SHOTS or "") / f"{name}-{scheme}.png"))
    if SHOTS:
        page.emulate_media(color_scheme="light")


@pytest.fixture
def desk(chromium: Browser, product: Product) -> Iterator[Page]:
    """A page of 1440 × 900, signed in; the test fails on a script error or a refusal of the content policy."""
    yield from _page(chromium, product, 1440, 900)


@pytest.fixture
def phone(chromium: Browser, product: Product) -> Iterator[Page]:
    """A page of 390 × 844, signed in."""
    yield from _page(chromium, product, 390, 844, touch=True)


@pytest.fixture
def tablet(chromium: Browser, product: Product) -> Iterator[Page]:
    """A page as wide as a desk's that is used with fingers, signed in."""
    yield from _page(chromium, product, 1440, 900, touch=True)


def patient(page: Page) -> Page:
    """A page whose `goto` returns once what is there hears (`app.js`), as it does for a person, who is slower.

    Not where less is waited for (`wait_until`), nor for what is no page of the product.
    """
    go = page.goto

    def goto(url: str, **how: Any) -> Response | None:
        answer = go(url, **how)
        if "wait_until" not in how and page.locator("script[src*='/app.js']").count():
            heard(page)
        return answer

    setattr(page, "goto", goto)  # noqa: B010 - a method, which only so mypy lets be replaced
    return page


def heard(page: Page) -> None:
    """Waits until the page hears, once something of it was seen: after a press that navigates nothing else waits."""
    page.wait_for_selector("html[data-started]", state="attached")
    # htmx looks at a page in a timer that it sets before: one set now comes after it.
    page.evaluate("() => new Promise((done) => { setTimeout(done); })")


def uncounted(page: Page) -> None:
    """Stops the countdown of a part that is away before its end: from then on only who presses tries again."""
    page.add_init_script(
        """const every = window.setInterval;
        window.setInterval = (deed, ms, ...more) => {
            let left = ms === 1000 ? 5 : Infinity;
            return every(() => { if (left > 0) deed(...more); left -= 1; }, ms);
        };"""
    )


def kept_back(page: Page, script: str) -> list[Route]:
    """What asks for an area's script, not yet answered: a telephone in a cellar."""
    held: list[Route] = []
    # A plain function: handlers are marked.
    page.route(f"**/{script}*", lambda route: held.append(route))
    return held


def _page(browser: Browser, product: Product, width: int, height: int, *, touch: bool = False) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="fr-FR", base_url=product.url, has_touch=touch
    )
    context.add_cookies([{"name": "fiche_session", "value": TOKEN, "url": product.url}])
    page = patient(context.new_page())
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Content Security" in message.text else None)
    yield page
    context.close()
    assert not faults, faults


def made(answer: httpx.Response) -> dict[str, Any]:
    """The body of what went well."""
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


def billable(product: Product, name: str) -> dict[str, Any]:
    """A client with an address, that can be billed, of a company that can bill."""
    etag = product.http.get("/company").headers["ETag"]
    made(product.http.patch("/company", json=COMPANY, headers={"If-Match": etag}))
    client = product.new_client(company_name=name)
    base = f"/clients/{client['id']}"
    address = made(product.http.post(f"{base}/addresses", json={"street": "12 place Bellecour", "city": "Lyon"}))
    etag = product.http.get(f"{base}/billing").headers["ETag"]
    body = {"billing_name": name, "billing_address_id": address["id"]}
    made(product.http.patch(f"{base}/billing", json=body, headers={"If-Match": etag}))
    return client


@pytest.fixture(scope="session")
def tilleuls(product: Product) -> dict[str, Any]:
    """A client with something in each section."""
    client = product.new_client(
        company_name="Copropriété Les Tilleuls", email="syndic@lestilleuls.example", phone="01 99 00 20 14"
    )
    base = f"/clients/{client['id']}"
    address = product.http.post(
        f"{base}/addresses",
        json={"label": "Bâtiment A", "street": "18 rue des Tilleuls", "postal_code": "69100", "city": "Villeurbanne"},
    )
    bodies: tuple[tuple[str, dict[str, Any]], ...] = (
        (f"{base}/contacts", {"first_name": "Odile", "last_name": "Garnier", "role": "Présidente"}),
        (f"{base}/activities", {"kind": "call", "direction": "in", "subject": "Fuite au vase d’expansion"}),
        ("/interventions", {"client_id": client["id"], "title": "Purge des colonnes"}),
        ("/job-sites", {"client_id": client["id"], "title": "Rénovation de la chaufferie"}),
        ("/equipment", {"client_id": client["id"], "name": "Chaudière 1", "address_id": address.json()["id"]}),
        (
            "/quotes",
            {
                "client_id": client["id"],
                "lines": [{"label": "Circulateur", "quantity": "1", "unit_price": "2905.00", "vat_rate": "20"}],
            },
        ),
    )
    for path, body in bodies:
        if path.endswith("/activities"):
            body = body | {"occurred_at": "2026-11-24T09:12:00+01:00"}
        answer = product.http.post(path, json=body)
        assert answer.status_code == 201, f"{path}: {answer.text}"
    return client
