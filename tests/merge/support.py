"""What the tests of merging share: the deeds through the API, and waiting for every service."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpx

from chassis.ids import new_id
from chassis.settings import SERVICES
from tests.gateway.conftest import Product
from tests.merge.forests import Sql
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


def move(service: str, kind: str, row: str, seen: str, home: str) -> dict[str, str]:
    """A row that changes sides."""
    return {"service": service, "kind": kind, "id": row, "home_seen": seen, "home": home}


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


#: What the law keeps of a person erased: tables of `billing`.
KEPT = {"invoice", "invoice_line", "credit_note", "credit_note_line", "payment"}


def rows_that_say(sql: Sql, words: Sequence[str], services: Iterable[str] = SERVICES) -> list[str]:
    """Rows of any table of these services, but those that the law keeps, with one of these words in any column."""
    found = []
    for service in services:
        tables = [table for (table,) in sql(service, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        asked = " UNION ALL ".join(
            f"""SELECT '{service}.{table}', x::text FROM "{table}" x WHERE lower(x::text) LIKE ANY(:words)"""
            for table in tables
            if service != "billing" or table not in KEPT
        )
        rows = sql(service, asked, words=[f"%{word}%" for word in words])
        found += [f"{row[0]}: {row[1][:400]}" for row in rows]
    return found


class AskedAgain(httpx.BaseTransport):
    """Asks again, under the same key, what was not answered in time: done once all the same.

    `again` is called before, and says whether to; at most for a minute.
    """

    def __init__(self, again: Callable[[], bool] = lambda: True) -> None:
        self._again = again
        self._transport = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The first answer that is one."""
        if request.method != "GET":
            request.headers.setdefault("Idempotency-Key", str(new_id()))
        deadline = time.monotonic() + 60
        while True:
            answer = self._transport.handle_request(request)
            if answer.status_code not in (409, 503):
                return answer
            # A call that was not answered in time may be at work still.
            waits = answer.status_code == 503 or b'"in_progress"' in answer.read()
            if not waits or time.monotonic() > deadline or not self._again():
                return answer
            answer.close()
            time.sleep(0.2)

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()


def patient(product: Product, again: Callable[[], bool] = lambda: True) -> httpx.Client:
    """An administrator's client that asks again; see `AskedAgain`."""
    made = httpx.Client(
        transport=AskedAgain(again), base_url=product.http.base_url, headers=product.http.headers, timeout=60
    )
    return product.opened.enter_context(made)
