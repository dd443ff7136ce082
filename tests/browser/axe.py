"""What axe-core finds on a page."""

from __future__ import annotations

from typing import Any, Literal

from playwright.sync_api import Page

from tests.browser.conftest import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
MODES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def serious(page: Page) -> list[str]:
    """What axe finds serious or worse."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text())
    # What still fades in has colours of its own; what turns for ever is not waited for.
    page.evaluate(
        """() => Promise.race([
            new Promise((end) => setTimeout(end, 1000)),
            Promise.all(document.getAnimations().filter((each) => each.effect?.getComputedTiming().endTime < 1000)
                .map((each) => each.finished.catch(() => null))),
        ])"""
    )
    found: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"][:3]
    ]


def serious_in_both_modes(page: Page, modes: tuple[Literal["light", "dark"], ...] = MODES) -> list[str]:
    """The same in light and in dark, or in one of them."""
    found = []
    for mode in modes:
        # Without motion: a colour on its way from one mode to the other is neither's.
        page.emulate_media(color_scheme=mode, reduced_motion="reduce")
        found += [f"{mode}: {fault}" for fault in serious(page)]
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    return found
