"""The page *Import*, over the product as it runs: tables chosen together, a made-up company, read by a child."""

from __future__ import annotations

import httpx

from tests.gateway.conftest import TOKEN, Product
from tests.imports.conftest import SMALL
from tests.support.waiting import wait_until


def page(product: Product) -> tuple[httpx.Client, str]:
    """A browser that is signed in, and the token of its forms."""
    browser = product.opened.enter_context(
        httpx.Client(base_url=product.url, cookies={"fiche_session": TOKEN}, timeout=30, trust_env=False)
    )
    shown = browser.get("/import").text
    return browser, shown.split('name="csrf_token" value="')[1].split('"')[0]


def test_tables_chosen_together_are_one_import_and_anything_else_is_told(product: Product) -> None:
    browser, token = page(product)
    tables = [("file", (path.name, path.read_bytes(), "text/csv")) for path in sorted(SMALL.glob("*.csv"))]
    form = {"csrf_token": token, "dry_run": "true"}
    assert browser.post("/import", data=form, files=tables).status_code == 303
    mixed = [tables[0], ("file", ("plan.pdf", b"%PDF", "application/pdf"))]
    for files in (mixed, [("file", ("", b"", "application/octet-stream"))]):
        refused = browser.post("/import", data=form, files=files)
        assert refused.status_code == 422
        assert "Choisissez un fichier zip, ou les fichiers CSV" in refused.text

    def ended() -> dict[str, object] | None:
        [job] = [job for job in product.http.get("/imports").json()["items"] if "autres" in job["file_name"]]
        return dict(job) if job["status"] in ("done", "failed") else None

    job = wait_until(ended, "the tables have been read", 60)
    assert (job["status"], job["dry_run"]) == ("done", True)
    assert product.http.get(f"/imports/{job['id']}").json()["totals"]["created"] > 20
