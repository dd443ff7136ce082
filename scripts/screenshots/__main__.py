"""Pictures of the pages for docs/screenshots: each page and state, desk and phone, some dark.

Usage: python -m scripts.screenshots [--only NAME,NAME] [--out FOLDER] [--keep FOLDER]
Runs the product itself, with a company made for the pictures. With `--keep` the company stays in that folder and the
next run only takes pictures.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from scripts.screenshots import bakery, company, tilleuls
from scripts.screenshots.api import until
from scripts.screenshots.shots import SHOTS, Shot

ROOT = Path(__file__).resolve().parents[2]
HEIGHTS = {"1440": 900, "390": 844}
ARGUMENTS = (
    "--lang=fr-FR",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Product:
    """A product of our own."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url

    def command(self, action: str, service: str) -> None:
        """Stops or starts a service; returns when done."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{action} {service}\n")
        self.process.stdin.flush()
        self.process.stdout.readline()


@contextmanager
def running(folder: Path, token: str) -> Iterator[Product]:
    """The product over this folder, ended afterwards."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("FICHE_")}
    environment |= {
        "FICHE_DATA_DIR": str(folder / "var"),
        "FICHE_PORT": "0",
        "FICHE_BOOTSTRAP_TOKEN": token,
        "FICHE_LOG_LEVEL": "error",
        "PYTHONWARNINGS": "ignore",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.screenshots.product"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        url = process.stdout.readline().strip()
        if not url.startswith("http"):
            raise SystemExit("Le produit n’a pas démarré.")
        yield Product(process, url)
    finally:
        process.stdin.close()
        process.wait(60)


def save(picture: bytes, file: Path) -> None:
    """A picture with a palette of its own: a third of the size, and no eye tells the difference."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    small = image.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small.save(file, optimize=True)


class Camera:
    """Takes shots with a browser. Sessions and ids come from the company."""

    def __init__(self, browser: Browser, product: Product, out: Path) -> None:
        self.browser = browser
        self.product = product
        self.out = out
        self.tokens: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        self.failed: list[str] = []

    def take(self, shot: Shot) -> None:
        """All pictures of a shot. One that fails is told at the end; the others are taken."""
        if shot.away:
            self.product.command("stop", shot.away)
        for size in shot.sizes:
            for dark in (False, True):
                if dark and size not in shot.dark:
                    continue
                name = f"{shot.name}-{size}{'-dark' if dark else ''}"
                try:
                    self._picture(shot, size, dark, self.out / f"{name}.png")
                except Exception as error:
                    self.failed.append(f"{name}: {str(error).splitlines()[0]}")
        if shot.away:
            self.product.command("start", shot.away)

    def _picture(self, shot: Shot, size: str, dark: bool, file: Path) -> None:
        context = self.browser.new_context(
            viewport={"width": int(size), "height": HEIGHTS[size]},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale="fr-FR",
            timezone_id="Europe/Paris",
        )
        context.set_default_timeout(8000)
        if shot.who != "nobody":
            context.add_cookies([{"name": "fiche_session", "value": self.tokens[shot.who], "url": self.product.url}])
        page = context.new_page()
        try:
            page.goto(self.product.url + shot.path.format_map(self.ids), wait_until="load")
            page.evaluate("document.fonts.ready")
            page.wait_for_load_state("networkidle")
            _seen(page)
            if shot.act:
                shot.act(page)
            picture = page.screenshot(animations="disabled", full_page=shot.whole, caret="hide")
            save(picture, file)
        finally:
            context.close()


def _seen(page: Page) -> None:
    # Thumbnails are made when they are first asked for.
    shown = "[...document.images].filter(i => i.getBoundingClientRect().top < innerHeight).every(i => i.complete)"
    until(lambda: page.evaluate(shown), 20)


def main() -> None:
    """Takes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--only", default="", help="names of shots, parted by commas")
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    wanted = [shot for shot in SHOTS if not given.only or shot.name in given.only.split(",")]
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
        failed = _session(given.keep, given.out, wanted)
    else:
        with tempfile.TemporaryDirectory(prefix="fiche-pictures-") as name:
            failed = _session(Path(name), given.out, wanted)
    if failed:
        raise SystemExit("\n".join(failed))


def _session(folder: Path, out: Path, wanted: list[Shot]) -> list[str]:
    kept = folder / "company.json"
    known = json.loads(kept.read_text()) if kept.exists() else {"token": secrets.token_hex(24)}
    browser_path = os.environ.get("FICHE_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with running(folder, known["token"]) as product, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=list(ARGUMENTS))
        camera = Camera(browser, product, out)
        if "ids" not in known:
            made = company.establish(product.url, known["token"])
            camera.tokens = {"camille": made.camille.token}
            for shot in wanted:
                if shot.name == "clients-vide":
                    camera.take(shot)
            company.fill(made)
            tilleuls.settle(made)
            bakery.settle(made)
            known |= {"ids": made.ids, "tokens": {"camille": made.camille.token, "hugo": made.hugo.token}}
            kept.write_text(json.dumps(known))
        camera.ids, camera.tokens = known["ids"], known["tokens"]
        for shot in wanted:
            if shot.name != "clients-vide":
                camera.take(shot)
        browser.close()
        return camera.failed


if __name__ == "__main__":
    main()
