#!/usr/bin/env python3
"""Pictures of the pages for docs/screenshots: list and each tab, desk and phone, light and dark.

Usage: scripts/screenshots.py [URL --token KEY | --link PATH_OR_URL] [--client ID] [--out FOLDER] [--every]
Without an address it runs the product itself, with a demo company. A `--token` is an API key
(FICHE_BOOTSTRAP_TOKEN); a `--link` is the one-time link that `make run` prints.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SIZES = {"1440": (1440, 900), "390": (390, 844)}
TABS = {
    "fiche": "",
    "documents": "/documents",
    "interventions": "/interventions",
    "devis-factures": "/devis-factures",
    "equipements": "/equipements",
    "chantiers": "/chantiers",
    "maintenances": "/maintenances",
}
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str | None:
    """The machine's Chromium, or None for the one that playwright brings."""
    return os.environ.get("FICHE_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def cookie(url: str, token: str) -> dict[str, Any]:
    """The session cookie that lets a key read the pages."""
    return {"name": "fiche_session", "value": token, "url": url}


def richest(url: str, token: str) -> str:
    """Id of the client with the most to show among the first 50."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(path: str) -> Any:
        request = urllib.request.Request(f"{url}/api/v1{path}", headers={"Authorization": f"Bearer {token}"})
        with opener.open(request, timeout=30) as answer:
            return json.load(answer)

    def weight(client_id: str) -> int:
        sections = get(f"/clients/{client_id}/fiche")["sections"]
        return sum(100 * bool(part.get("count")) + min(part.get("count") or 0, 20) for part in sections.values())

    ids = [row["id"] for row in get("/clients?status=active&limit=50")["items"]]
    return max(ids, key=weight)


def shrink(path: Path) -> None:
    """Makes a picture smaller with pngquant where the machine has it."""
    if shutil.which("pngquant"):
        subprocess.run(["pngquant", "--force", "--ext", ".png", "--skip-if-larger", str(path)], check=False)


def contexts(browser: Browser, url: str, token: str, state: Any) -> Iterator[tuple[str, BrowserContext]]:
    """Name of the file's end, and a signed-in context of that size and mode."""
    for size, (width, height) in SIZES.items():
        for mode in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if mode == "dark" else "light",
                locale="fr-FR",
                timezone_id="Europe/Paris",
                storage_state=state,
            )
            if token:
                context.add_cookies([cookie(url, token)])  # type: ignore[list-item]
            yield size + ("-dark" if mode == "dark" else ""), context
            context.close()


@contextmanager
def own_product() -> Iterator[tuple[str, str]]:
    """Address and key of a product of our own with a demo company, gone afterwards."""
    token = secrets.token_hex(24)
    with tempfile.TemporaryDirectory(prefix="fiche-pictures-") as name:
        output = Path(name) / "out.log"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("FICHE_")}
        environment |= {"FICHE_DATA_DIR": f"{name}/var", "FICHE_PORT": "0", "FICHE_BOOTSTRAP_TOKEN": token}
        with output.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "dev", "--demo"],
                cwd=ROOT,
                env=environment | {"COLUMNS": "200"},
                stdout=log,
                stderr=log,
            )
        try:
            deadline = time.monotonic() + 300
            while "Entreprise de démonstration" not in output.read_text():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(output.read_text())
                time.sleep(0.2)
            found = re.search(r"est prête en \S+ s\s?: (\S+)", output.read_text())
            assert found
            yield found[1], token
        finally:
            process.terminate()
            process.wait(30)


def main() -> None:
    """Takes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?", default=os.environ.get("FICHE_URL", ""))
    parser.add_argument("--token", default=os.environ.get("FICHE_TOKEN", ""))
    parser.add_argument("--link", default="")
    parser.add_argument("--client", default="")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--every", action="store_true", help="each page in dark mode too, not only list and fiche")
    parser.add_argument("--only", default="", help="names of pages, parted by commas")
    given = parser.parse_args()
    if given.url:
        take(given)
        return
    with own_product() as (given.url, given.token):
        take(given)


def take(given: argparse.Namespace) -> None:
    """Takes the pictures of the product at `given.url`."""
    url = given.url.rstrip("/")
    given.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        state: Any = None
        client = given.client or (richest(url, given.token) if given.token else "")
        if given.link:
            context = browser.new_context()
            page = context.new_page()
            page.goto(given.link if given.link.startswith("http") else url + given.link)
            page.get_by_role("button", name="Entrer dans Fiche").click()
            page.wait_for_url("**/clients")
            if not client:
                client = (page.locator("table.list tbody a").first.get_attribute("href") or "").rsplit("/", 1)[-1]
            state = context.storage_state()
            context.close()
        pages = {"clients": "/clients"} | {name: f"/clients/{client}{path}" for name, path in TABS.items()}
        pages |= {"import": "/import", "liste-planning": "/interventions", "liste-devis-factures": "/devis-factures"}
        for end, context in contexts(browser, url, given.token, state):
            page = context.new_page()
            for name, path in pages.items():
                if given.only and name not in given.only.split(","):
                    continue
                if "dark" in end and not given.every and name not in ("clients", "fiche"):
                    continue
                page.goto(url + path, wait_until="load")
                page.evaluate("document.fonts.ready")
                file = given.out / f"{name}-{end}.png"
                page.screenshot(path=str(file), animations="disabled")
                shrink(file)
        browser.close()


if __name__ == "__main__":
    main()
