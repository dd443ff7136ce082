"""The pages without a mouse (look, *Keyboard* and *States and access*): Tab goes everywhere and is seen, keys act."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser
#: Pages of an office, `{client}` a client with something in each section.
PAGES = (
    "/clients", "/clients/{client}", "/clients/{client}/documents", "/clients/{client}/interventions",
    "/clients/{client}/devis-factures", "/clients/{client}/equipements", "/clients/{client}/chantiers",
    "/clients/{client}/maintenances", "/interventions", "/interventions?vue=calendrier", "/interventions?vue=timeline",
    "/devis-factures", "/equipements", "/chantiers", "/maintenances", "/clients/{client}/devis/nouveau", "/reglages",
    "/reglages/champs",
)  # fmt: skip
#: Lists that are searched: the page, and whether its rows are walked.
LISTS = (
    "/clients", "/clients/{client}/interventions", "/clients/{client}/devis-factures",
    "/clients/{client}/equipements", "/clients/{client}/chantiers", "/devis-factures", "/equipements", "/chantiers",
)  # fmt: skip
#: What has the focus: which element (its place in the document), and whether that is to be seen.
FOCUSED = """() => {
    const at = document.activeElement;
    if (!at || at === document.body) return null;
    const ringed = (node) => {
        if (!node) return false;
        const style = getComputedStyle(node);
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow.includes("3px");
    };
    const box = at.getBoundingClientRect();
    const label = at.closest("label");
    return {
        place: [...document.querySelectorAll("*")].indexOf(at),
        what: at.outerHTML.slice(0, 160),
        seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth && box.width > 0,
        ringed: [at, at.nextElementSibling, label, at.closest("tr")].some(ringed),
    };
}"""
#: Everything that Tab ought to reach. Of radio buttons of one name it stops at one.
REACHABLE = """() => {
    const every = [...document.querySelectorAll("*")];
    const stops = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
    const radios = new Set();
    return [...document.querySelectorAll(stops)].filter((node) => {
        if (node.disabled || node.tabIndex < 0 || !node.checkVisibility({ visibilityProperty: true })) return false;
        if (node.closest("dialog:not([open]), [inert], noscript")) return false;
        if (node.type !== "radio") return true;
        const known = radios.has(node.name);
        radios.add(node.name);
        return !known;
    }).map((node) => [every.indexOf(node), node.outerHTML.slice(0, 160), node.type === "radio" ? node.name : ""]);
}"""


def opened(desk: Page, path: str, client: dict[str, Any]) -> None:
    """Opens a page and waits until its scripts hear."""
    desk.goto(path.format(client=client["id"]))
    desk.wait_for_selector("html[data-live=open]")


@pytest.mark.parametrize("path", PAGES)
def test_tab_goes_through_the_whole_page_and_is_seen_everywhere(
    desk: Page, tilleuls: dict[str, Any], path: str
) -> None:
    desk.emulate_media(reduced_motion="reduce")
    opened(desk, path, tilleuls)
    assert desk.locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count() == 0
    wanted = desk.evaluate(REACHABLE)
    reached: set[int] = set()
    wrong: list[str] = []
    rounds = 0
    for _ in range(len(wanted) * 10):
        desk.keyboard.press("Tab")
        here = desk.evaluate(FOCUSED)
        if here is None:
            # Past the end; twice, since a form takes the focus when it opens.
            rounds += 1
            if rounds == 2:
                break
            continue
        # The parts of a date are stops of their own, on one element.
        if here["place"] in reached:
            continue
        reached.add(here["place"])
        if not (here["seen"] and here["ringed"]):
            wrong.append(f"not seen: {here}")
    assert rounds == 2, f"Tab is held at {here}"
    names = {name for place, _, name in wanted if name and place in reached}
    wrong += [f"not reached: {what}" for place, what, name in wanted if place not in reached and name not in names]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", LISTS)
def test_slash_searches_the_list_escape_empties_it_and_j_walks_its_rows(
    desk: Page, tilleuls: dict[str, Any], path: str
) -> None:
    opened(desk, path, tilleuls)
    desk.keyboard.press("/")
    field = desk.locator("main input[type=search]:focus")
    expect(field).to_have_count(1)
    desk.keyboard.type("zzqx")
    # The rows of the emptied search: those of before would go, with the focus, once what was typed is looked for.
    with desk.expect_response(lambda answer: bool(re.search(r"[?&]q=(&|$)", answer.url))):
        desk.keyboard.press("Escape")
    expect(field).to_have_value("")
    desk.keyboard.press("Escape")
    expect(desk.locator("main input[type=search]:focus")).to_have_count(0)
    expect(desk.locator("main table.list tbody a").first).to_be_visible()
    desk.keyboard.press("j")
    row = desk.locator("main table.list tbody a:focus")
    expect(row).to_have_count(1)
    address = row.get_attribute("href")
    assert address
    desk.keyboard.press("Enter")
    desk.wait_for_url(f"**{address}**")


def test_keys_open_panels_and_menus_escape_closes_them_and_the_focus_comes_back(
    desk: Page, tilleuls: dict[str, Any]
) -> None:
    panel = desk.locator("dialog.panel[open]")

    def held(opener: Locator, panel: Locator) -> None:
        """The focus stays in the panel, all the way round, and goes back to what opened it."""
        expect(panel.locator(":focus")).to_have_count(1)
        for _ in range(60):
            desk.keyboard.press("Tab")
            inside = desk.evaluate(
                "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
            )
            assert inside, desk.evaluate("document.activeElement.outerHTML")
        desk.keyboard.press("Escape")
        expect(panel).to_have_count(0)
        expect(opener).to_be_focused()

    base = f"/clients/{tilleuls['id']}"
    for path, key, opener in (
        ("/clients", "n", "[data-new]"),
        (base, "c", "[data-consign]"),
        (base, "m", "[data-memo]"),
        (f"{base}/interventions", "n", "[data-new]"),
        (f"{base}/devis-factures", "n", "[data-new]"),
        (f"{base}/equipements", "n", "[data-new]"),
        (f"{base}/chantiers", "n", "[data-new]"),
        ("/interventions", "n", "[data-new]"),
        ("/chantiers", "n", "[data-new]"),
    ):
        opened(desk, path, tilleuls)
        desk.keyboard.press(key)
        panel.locator(".panel-foot").wait_for()
        held(desk.locator(opener).first, panel)
    opened(desk, base, tilleuls)
    actions = desk.locator(".actions-menu summary").locator("visible=true")
    actions.focus()
    desk.keyboard.press("Enter")
    desk.keyboard.press("ArrowDown")
    expect(desk.locator(".actions-menu .menu-list :focus").locator("visible=true")).to_have_count(1)
    desk.keyboard.press("Escape")
    expect(actions).to_be_focused()
    expect(desk.locator("details.menu[open]")).to_have_count(0)
    desk.keyboard.press("?")
    expect(desk.get_by_role("dialog", name="Raccourcis du clavier")).to_be_visible()
    desk.keyboard.press("Escape")
    expect(actions).to_be_focused()


def test_a_form_is_filled_and_saved_without_a_mouse(desk: Page, tilleuls: dict[str, Any]) -> None:
    opened(desk, f"/clients/{tilleuls['id']}", tilleuls)
    desk.keyboard.press("c")
    expect(desk.locator("dialog.panel[open] .panel-foot")).to_be_visible()
    desk.locator("dialog.panel[open]").get_by_label("Objet").focus()
    desk.keyboard.type("Rappelé sans souris")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator(".toast")).to_contain_text("Activité consignée")
    expect(desk.locator(".activity", has_text="Rappelé sans souris")).to_be_visible()
