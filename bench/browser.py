"""What the fiche weighs on the wire and when it is there, in Chromium on a processor four times slower.

Each sample is a browser that has nothing yet: its own profile, so everything is fetched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Page, Request, sync_playwright

from bench import page
from bench.ground import Ground
from bench.measure import Measure, Target
from gateway.web.labels import TABS
from tests.support.servers import chromium_path

#: How much slower than this machine the browser's processor is made (issue of the fiche).
SLOWER = 4
SIZES = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
#: Bytes of HTML, CSS, scripts, font and icons together, as they travel (issue of the fiche).
WEIGHT = 250_000
#: Core Web Vitals calls a largest contentful paint good up to here, in ms, at the 75th percentile.
GOOD_PAINT = 2_500
_PAINT = """() => new Promise((told) => {
    new PerformanceObserver((list) => told(list.getEntries().at(-1).startTime))
        .observe({ type: "largest-contentful-paint", buffered: true });
})"""


class Reader:
    """Opens the pages of one client, each time as a browser that has nothing yet."""

    def __init__(self, browser: Browser, url: str, token: str, client: str) -> None:
        self.browser = browser
        self.url = url
        self._token = token
        self._client = client

    def _opened(self, size: str, path: str, prepare: Callable[[Page], None]) -> Page:
        phone = size == "phone"
        context = self.browser.new_context(viewport=SIZES[size], locale="fr-FR", is_mobile=phone, has_touch=phone)  # type: ignore[arg-type]
        context.add_cookies([{"name": "fiche_session", "value": self._token, "url": self.url}])
        opened = context.new_page()
        prepare(opened)
        opened.goto(f"{self.url}/clients/{self._client}{path}", wait_until="load")
        return opened

    def painted(self, size: str) -> float:
        """Milliseconds until the largest text or image of the fiche is painted."""

        def slow(opened: Page) -> None:
            opened.context.new_cdp_session(opened).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})

        opened = self._opened(size, "", slow)
        found = float(opened.evaluate(_PAINT))
        opened.context.close()
        return found

    def weight(self, path: str) -> dict[str, int]:
        """Bytes on the wire of a page and of all it loads, by kind."""
        requests: list[Request] = []

        def listen(opened: Page) -> None:
            opened.on("requestfinished", lambda request: requests.append(request))

        opened = self._opened("desk", path, listen)
        sizes: dict[str, int] = {}
        for request in requests:
            kind = request.resource_type
            sizes[kind] = sizes.get(kind, 0) + request.sizes()["responseBodySize"]
        opened.context.close()
        return sizes


def measures(ground: Ground) -> list[Measure]:
    """Largest contentful paint of the fiche on a desk and on a phone; what each tab weighs is told below the table.

    Raises `RuntimeError` where the fiche is heavier than `WEIGHT`.
    """
    api = page.Api(ground.product.url, ground.product.token)
    ground.stack.callback(api.close)
    client = page.full_client(api)
    page.reader(api, client)
    browser = ground.stack.enter_context(sync_playwright()).chromium.launch(
        executable_path=chromium_path(), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    )
    reader = Reader(browser, ground.product.url, ground.product.token, client)
    weights: dict[str, Any] = {word: reader.weight(path) for _, word, path, _ in TABS}
    ground.facts["weights"] = weights
    for word, kinds in weights.items():
        told = ", ".join(f"{kind} {size / 1000:.1f}" for kind, size in sorted(kinds.items()) if size)
        ground.notes.append(f"{word}: {sum(kinds.values()) / 1000:.1f} kB on the wire ({told}).")
    if sum(weights[TABS[0][1]].values()) > WEIGHT:
        raise RuntimeError(f"the fiche weighs more than {WEIGHT} bytes: {weights}")

    def paint(size: str) -> Measure:
        name = f"largest paint, {size}"
        target = Target(GOOD_PAINT, percent=75, of_floor=False)
        return Measure(name, lambda: reader.painted(size), 1, name, targets=[target])

    return [paint(size) for size in SIZES]
