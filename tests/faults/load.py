"""Clerks who work by the API without a pause, ask again until they are answered, and keep what was acknowledged."""

from __future__ import annotations

import collections
import hashlib
import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.patience import AGAIN

#: Seconds after which a clerk gives a deed up: whether it was done is then unknown.
PATIENCE_S = 120.0
#: What a company must say of itself before it may send an invoice.
COMPANY = {
    "legal_name": "Chauffage Morel",
    "siret": "73282932000074",
    "vat_number": "FR44732829320",
    "street": "4 rue des Tanneurs",
    "postal_code": "35000",
    "city": "Rennes",
}
LINES = [{"label": "Circulateur", "quantity": "1", "unit_price": "100.00", "vat_rate": "20"}]


@dataclass(frozen=True)
class Ack:
    """A deed that was acknowledged. `marker` is a text found in one row only; `began` and `at` are monotonic."""

    kind: str
    id: str
    marker: str
    began: float
    at: float
    tries: int
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass
class Book:
    """What a load did. Appended to by all clerks."""

    acks: list[Ack] = field(default_factory=list)
    #: (kind, marker) of deeds whose outcome was never heard.
    unknown: list[tuple[str, str]] = field(default_factory=list)
    #: Answers that no fault excuses.
    odd: list[str] = field(default_factory=list)
    told: collections.Counter[str] = field(default_factory=collections.Counter)
    #: When each deed began.
    begun: list[float] = field(default_factory=list)


class Load:
    """`clerks` threads; deeds follow from `seed`, but for their order among clerks."""

    def __init__(self, url: str, token: str, *, clerks: int, seed: str) -> None:
        self.book = Book()
        self.seed = seed
        self._url, self._token = url, token
        self._stop = threading.Event()
        self._busy: set[int] = set()
        self._threads = [
            threading.Thread(target=self._work, args=(number,), name=f"clerk-{number}", daemon=True)
            for number in range(clerks)
        ]

    def start(self) -> None:
        """Sends the clerks to work."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Each clerk finishes the deed in hand."""
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE_S + 30)

    @property
    def under_way(self) -> int:
        """Deeds that wait for their answer now."""
        return len(self._busy)

    def kinds_since(self, moment: float) -> set[str]:
        """Kinds of deeds begun and acknowledged since."""
        return {ack.kind for ack in self.book.acks if ack.began >= moment}

    def _work(self, number: int) -> None:
        with httpx.Client(
            base_url=f"{self._url}/api/v1",
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=6,
            trust_env=False,
        ) as http:
            clerk = Clerk(http, self.book, f"{self.seed}-{number}", self._stop)
            while not self._stop.is_set():
                self._busy.add(number)
                try:
                    clerk.act()
                except (GivenUp, httpx.HTTPError):
                    self._stop.wait(0.2)
                except Exception as error:  # told by the report, not lost in a thread
                    self.book.odd.append(f"{type(error).__name__}: {error}")
                finally:
                    self._busy.discard(number)


class GivenUp(Exception):
    """The deed has no known outcome."""


class Clerk:
    """One person's work: clients of its own, so that what it does to each is in a known order."""

    def __init__(self, http: httpx.Client, book: Book, name: str, stop: threading.Event) -> None:
        self._http, self._book, self._name, self._stop = http, book, name, stop
        self._random = random.Random(name)
        self._count = 0
        self._clients: list[dict[str, Any]] = []
        #: (marker, id) of interventions that events make of planned visits.
        self._visits: list[tuple[str, str]] = []
        self._deeds: list[tuple[int, Callable[[dict[str, Any]], object]]] = [
            (4, self._rename),
            (2, self._address),
            (2, self._contact),
            (4, self._intervention),
            (2, self._equipment),
            (2, self._quote),
            (3, self._invoice),
            (2, self._plan),
            (2, self._finish_visit),
            (1, self._document),
        ]

    def act(self) -> None:
        """One deed, or a few that follow from each other."""
        if not self._clients or self._random.random() < 0.15:
            self._clients.append(self._client())
            return
        weights, deeds = zip(*self._deeds, strict=True)
        self._random.choices(deeds, weights)[0](self._random.choice(self._clients[-5:]))

    # --- asking -----------------------------------------------------------------------------------------------------

    def _marker(self) -> str:
        self._count += 1
        return f"{self._name}-{self._count}"

    def _do(
        self,
        kind: str,
        marker: str,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        sha256: str = "",
        **given: Any,
    ) -> dict[str, Any]:
        """Asks under one key until there is an answer; keeps it as acknowledged."""
        key = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        began, tries = time.monotonic(), 0
        self._book.begun.append(began)
        while time.monotonic() - began < PATIENCE_S:
            tries += 1
            try:
                answer = self._http.request(method, path, headers={"Idempotency-Key": key, **(headers or {})}, **given)
            except httpx.HTTPError as error:
                self._book.told[type(error).__name__] += 1
                self._pause()
                continue
            self._book.told[str(answer.status_code)] += 1
            if answer.is_success:
                body = dict(answer.json())
                detail = {"got": body, "sha256": sha256}
                self._book.acks.append(Ack(kind, str(body.get("id")), marker, began, time.monotonic(), tries, detail))
                return body
            if answer.status_code in AGAIN or '"in_progress"' in answer.text:
                self._pause()
                continue
            self._book.odd.append(
                f"{method} {path}, try {tries}: {answer.status_code} {answer.text[:300]} to {given.get('json')}"
            )
            break
        self._book.unknown.append((kind, marker))
        raise GivenUp(kind)

    def _pause(self) -> None:
        # A caller that is refused waits a little; a load that stops goes on asking, so that its deeds are known.
        threading.Event().wait(0.1 + 0.2 * self._random.random())

    # --- deeds ------------------------------------------------------------------------------------------------------

    def _client(self) -> dict[str, Any]:
        marker = self._marker()
        body = {"kind": "company", "company_name": marker, "stage": "client"}
        made = self._do("client", marker, "POST", "/clients", json=body)
        return {"id": made["id"], "equipment": []}

    def _rename(self, client: dict[str, Any]) -> None:
        marker, path = self._marker(), f"/clients/{client['id']}"
        read = self._http.get(path)  # a first address, say, has changed the version
        if read.is_success:
            match = {"If-Match": read.headers["ETag"]}
            self._do("rename", marker, "PATCH", path, headers=match, json={"company_name": marker})

    def _address(self, client: dict[str, Any]) -> dict[str, Any]:
        marker = self._marker()
        body = {"label": marker, "street": "1 rue du Port", "postal_code": "29200", "city": "Brest"}
        return self._do("address", marker, "POST", f"/clients/{client['id']}/addresses", json=body)

    def _contact(self, client: dict[str, Any]) -> None:
        marker = self._marker()
        body = {"last_name": marker, "email": f"{marker}@exemple.fr", "portal_access": True}
        self._do("contact", marker, "POST", f"/clients/{client['id']}/contacts", json=body)

    def _intervention(self, client: dict[str, Any]) -> None:
        marker = self._marker()
        day = self._random.randrange(1, 28)
        body = {
            "client_id": client["id"],
            "title": marker,
            "starts_at": f"2026-12-{day:02}T08:00:00Z",
            "ends_at": f"2026-12-{day:02}T10:00:00Z",
        }
        made = self._do("intervention", marker, "POST", "/interventions", json=body)
        if self._random.random() < 0.5:
            self._do("finish", marker, "POST", f"/interventions/{made['id']}/finish", json={})

    def _equipment(self, client: dict[str, Any]) -> None:
        marker = self._marker()
        body = {"client_id": client["id"], "name": marker}
        client["equipment"].append(self._do("equipment", marker, "POST", "/equipment", json=body)["id"])

    def _quote(self, client: dict[str, Any]) -> None:
        marker = self._marker()
        body = {"client_id": client["id"], "title": marker, "lines": LINES}
        made = self._do("quote", marker, "POST", "/quotes", json=body)
        self._do("finalise", marker, "POST", f"/quotes/{made['id']}/finalise", json={})
        self._do("send", marker, "POST", f"/quotes/{made['id']}/send", json={})

    def _invoice(self, client: dict[str, Any]) -> None:
        marker, path = self._marker(), f"/clients/{client['id']}/billing"
        read = self._http.get(path)
        if not read.is_success:
            return
        if not read.json()["billing_address_id"]:
            address = self._address(client)
            changes = {"billing_name": marker, "billing_address_id": address["id"]}
            self._do("billing", marker, "PATCH", path, headers={"If-Match": read.headers["ETag"]}, json=changes)
            return
        if not read.json()["billing_address"]:
            return  # told by an event; until it has come there is nothing to write on an invoice
        body = {"client_id": client["id"], "title": marker, "lines": LINES}
        made = self._do("invoice", marker, "POST", "/invoices", json=body)
        self._do("issue", marker, "POST", f"/invoices/{made['id']}/issue", json={})

    def _plan(self, client: dict[str, Any]) -> None:
        marker = self._marker()
        body = {
            "client_id": client["id"],
            "title": marker,
            "equipment_ids": client["equipment"][-2:],
            "visits_per_period": 1,
            "period": "year",
            "starts_on": "2026-12-01",
        }
        made = self._do("plan", marker, "POST", "/maintenance-plans", json=body)
        visits = self._http.get("/maintenance-visits", params={"client_id": client["id"], "limit": 200})
        if not visits.is_success:
            return
        mine = [visit for visit in visits.json()["items"] if visit["plan_id"] == made["id"]]
        if mine:
            when = {"starts_at": "2026-12-15T08:00:00Z", "ends_at": "2026-12-15T09:00:00Z"}
            planned = self._do("schedule", marker, "POST", f"/maintenance-visits/{mine[0]['id']}/schedule", json=when)
            self._visits.append((marker, planned["intervention_id"]))

    def _finish_visit(self, _client: dict[str, Any]) -> None:
        # Its intervention is there once the event has been applied; until then there is nothing to finish.
        if self._visits and self._http.get(f"/interventions/{self._visits[0][1]}").is_success:
            marker, identifier = self._visits.pop(0)
            self._do("visit", marker, "POST", f"/interventions/{identifier}/finish", json={})

    def _document(self, client: dict[str, Any]) -> None:
        marker = self._marker()
        content = self._random.randbytes(self._random.randrange(1_000, 60_000))
        files = {"file": (f"{marker}.bin", content)}
        given = {"data": {"client_id": client["id"]}, "files": files}
        self._do("document", marker, "POST", "/documents", sha256=hashlib.sha256(content).hexdigest(), **given)
