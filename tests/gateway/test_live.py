"""What changes is told to the open pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import orjson

from gateway.live import hint_of
from tests.gateway.conftest import Product


def hints(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """The messages of a stream as they come."""
    for line in answer.iter_lines():
        if line.startswith("data: "):
            yield orjson.loads(line[6:])


def heard(product: Product, client_id: str) -> Iterator[dict[str, Any]]:
    """Opens a stream, adds a contact once it is open, and gives the hints about this client."""
    with product.client(dict(product.http.headers)).stream("GET", f"{product.url}/live") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-accel-buffering"] == "no"
        product.http.post(f"/clients/{client_id}/contacts", json={"last_name": "Garnier"}).raise_for_status()
        for hint in hints(answer):
            if hint["client_id"] == client_id:
                yield hint


def test_a_stream_hints_at_what_changed_and_bears_no_data(product: Product) -> None:
    client = product.new_client()
    for hint in heard(product, client["id"]):
        if hint["kind"] == "clients.contact.created":
            assert set(hint) == {"kind", "id", "client_id"}
            break


def test_nobody_hears_without_signing_in(product: Product) -> None:
    assert product.anonymous.get(f"{product.url}/live", headers={"Accept": "application/json"}).status_code == 401


def test_a_hint_is_made_of_what_can_be_read() -> None:
    event = {"type": "fiche.billing.invoice.issued.v1", "subject": "i", "data": {"home_client_id": "h", "total": "9"}}
    assert hint_of(orjson.dumps(event)) == b'data: {"kind":"billing.invoice.issued","id":"i","client_id":"h"}\n\n'
    renamed = {"type": "fiche.clients.client.updated.v1", "subject": "c", "data": {}}
    assert hint_of(orjson.dumps(renamed)) == b'data: {"kind":"clients.client.updated","id":"c","client_id":"c"}\n\n'
    assert hint_of(b"\xff") is None
    assert hint_of(b"[]") is None
