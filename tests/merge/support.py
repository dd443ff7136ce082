"""What the tests of merging share: the deeds through the API, and waiting for every service."""

from __future__ import annotations

from typing import Any

from tests.gateway.conftest import Product
from tests.support.waiting import wait_until


def merge(product: Product, survivor: dict[str, Any], duplicate: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Merges two records; returns the merge as it was answered."""
    body = {"survivor_id": survivor["id"], "duplicate_id": duplicate["id"], "reason": "Saisie en double"} | more
    answer = product.http.post("/merges", json=body)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def undo(product: Product, made: dict[str, Any], **body: Any) -> dict[str, Any]:
    """Takes a merge back; returns what was answered."""
    answer = product.http.post(f"/merges/{made['id']}/undo", json=body)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def settled(product: Product, made: dict[str, Any], status: str) -> dict[str, Any]:
    """The merge once every service has followed."""

    def look() -> dict[str, Any] | None:
        last.update(product.http.get(f"/merges/{made['id']}").json())
        return last if last["status"] == status else None

    last: dict[str, Any] = {}
    try:
        return dict(wait_until(look, f"the merge to be {status}") or {})
    except AssertionError:
        raise AssertionError(f"not {status}: {last}") from None


def client(product: Product, identifier: str) -> dict[str, Any]:
    """A record that stands by itself."""
    answer = product.http.get(f"/clients/{identifier}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def fiche(product: Product, identifier: str) -> dict[str, Any]:
    """The assembled fiche, every section there."""
    answer = product.http.get(f"/clients/{identifier}/fiche")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def ids(fiche: dict[str, Any], section: str) -> set[str]:
    """Rows of a section."""
    found = fiche["sections"][section]
    assert found["status"] == "ok", (section, found)
    return {item["id"] for item in found["items"]}
