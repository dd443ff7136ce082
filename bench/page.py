"""What a person waits for over HTTP: the fiche of a client whose sections are full, its pages, lists, searches."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import create_engine, text

from bench.floors import CALLERS, RAW_FAN, RAW_FANS_A_SECOND
from bench.ground import Ground
from bench.measure import Measure, Target
from bench.peers import Callers
from gateway.web.labels import TABS

FICHE = "fiche over HTTP"
#: Rows of each list section: at least a first page.
ROWS = 50
#: Clients among which lists and searches are measured.
MANY = 20_000
FIRST = ["Chauffage", "Plomberie", "Ascenseurs", "Électricité", "Syndic", "Hôtel", "Résidence", "Boulangerie"]
LAST = ["Martin", "Bernard", "Dubois", "Garnier", "Lefèvre", "Moreau", "Rousseau", "Fontaine", "Chevalier", "Perrin"]
_COPIES = """
    INSERT INTO client
    SELECT (jsonb_populate_record(c, jsonb_build_object(
        'id', gen_random_uuid(), 'company_name', s.name, 'display_name', s.name, 'own_name', s.name,
        'reference', 'BENCH-' || s.n, 'sort_name', s.folded, 'search', s.folded || ' bench ' || s.n,
        'created_at', c.created_at - s.n * interval '1 minute'))).*
    FROM client c, LATERAL (
        SELECT n, name, lower(translate(name, 'Ééèô', 'Eeeo')) AS folded
        FROM generate_series(1, CAST(:count AS int)) n, LATERAL (
            SELECT (CAST(:first AS text[]))[1 + n % 8] || ' ' || (CAST(:last AS text[]))[1 + n / 8 % 10] || ' ' || n
            AS name) named) s
    WHERE c.id = CAST(:model AS uuid)
"""


#: Seconds after which an idle connection may be closed by the other end any moment: other rows take their turn.
KEPT_S = 30.0


class Api:
    """A lean HTTP client on one kept connection, so that its own time hardly counts."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.netloc, timeout=30)
        self._asked_at = time.monotonic()
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: Any = None) -> bytes:
        """Bytes of the answer of the API. Raises `RuntimeError` on a refusal."""
        return self._ask(method, f"/api/v1{path}", None if body is None else json.dumps(body))

    def page(self, path: str) -> bytes:
        """Bytes of a page. Raises `RuntimeError` on a refusal, or where it sends elsewhere."""
        return self._ask("GET", path, None)

    def _ask(self, method: str, path: str, data: str | None) -> bytes:
        now = time.monotonic()
        if now - self._asked_at > KEPT_S:
            self._connection.close()  # the next request opens it again
        self._asked_at = now
        self._connection.request(method, path, data, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:500]!r}")
        return content

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """The same, parsed."""
        return json.loads(self.ask(method, path, body))

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()


def full_client(api: Api) -> str:
    """Makes a client with `ROWS` rows in each of the large sections; returns its id."""
    client = api.json("POST", "/clients", {"kind": "company", "company_name": "Mesure & Fils"})["id"]
    address = {"street": "1 rue des Lilas", "postal_code": "75011", "city": "Paris"}
    api.ask("POST", f"/clients/{client}/addresses", address)
    boiler = api.json("POST", "/equipment", {"client_id": client, "name": "Chaudière"})["id"]
    plan = {
        "client_id": client,
        "equipment_ids": [boiler],
        "visits_per_period": 1,
        "period": "month",
        "starts_on": "2026-01-05",
    }
    api.ask("POST", "/maintenance-plans", plan)
    lines = [{"label": "Entretien", "quantity": "1", "unit_price": "120.00", "vat_rate": "10"}] * 3
    for number in range(ROWS):
        api.ask("POST", f"/clients/{client}/contacts", {"last_name": f"Petit {number}"})
        api.ask("POST", f"/clients/{client}/activities", {"kind": "call", "subject": f"Appel {number}"})
        for path, body in (
            ("/interventions", {"title": f"Dépannage {number}"}),
            ("/job-sites", {"title": f"Chantier {number}"}),
            ("/equipment", {"name": f"Radiateur {number}"}),
            ("/quotes", {"lines": lines}),
            ("/invoices", {"lines": lines}),
        ):
            api.ask("POST", path, {"client_id": client, **body})
    return str(client)


def many_clients(api: Api, database_url: str, count: int = MANY) -> None:
    """Makes so many clients beside those that are there, by copying one within the database of `clients`."""
    model = api.json("POST", "/clients", {"kind": "company", "company_name": "Modèle"})["id"]
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text(_COPIES), {"model": model, "count": count, "first": FIRST, "last": LAST})
        connection.execute(text("ANALYZE client"))
    engine.dispose()


def lists(api: Api) -> dict[str, Callable[[], None]]:
    """Readers of the list of clients: its first page, a search of whole words, one with a typo."""

    def reads(path: str, rows: int) -> Callable[[], None]:
        def once() -> None:
            assert api.ask("GET", path).count(b'"display_name"') >= rows, path

        return once

    return {
        "list of clients": reads("/clients?limit=50", 50),
        "search of two words": reads("/clients?limit=50&q=chauffage+martin", 50),
        "search of a reference": reads("/clients?limit=50&q=BENCH-1234", 1),
        "search with a typo": reads("/clients?limit=50&q=chaufage+martin", 1),
    }


def tabs(api: Api, client: str) -> dict[str, Callable[[], None]]:
    """Readers of the pages of a fiche, by tab."""

    def reads(path: str) -> Callable[[], None]:
        def once() -> None:
            assert b"</html>" in api.page(path)

        return once

    return {word: reads(f"/clients/{client}{path}") for _, word, path, _ in TABS}


def fullest_client(api: Api) -> str:
    """Id of the client with the most rows, of the first hundred; changes nothing. Raises when there is none."""
    clients = [client["id"] for client in api.json("GET", "/clients?limit=100")["items"]]
    if not clients:
        raise RuntimeError("the product has no client to read")
    return str(max(clients, key=lambda client: _size(api.json("GET", f"/clients/{client}/fiche"))))


def _size(fiche: dict[str, Any]) -> int:
    return sum(section.get("count") or 0 for section in fiche["sections"].values())


def reader(api: Api, client: str) -> tuple[Callable[[], None], dict[str, Any]]:
    """What reads the fiche once and raises when a section lacks; and what it holds (bytes, rows by section).

    A busy gateway may know what was just told by events a moment later: waits until every section is there.
    """
    path = f"/clients/{client}/fiche"
    deadline = time.monotonic() + 30
    while b'"unavailable"' in (body := api.ask("GET", path)):
        if time.monotonic() > deadline:
            raise RuntimeError("a section of the fiche stays unavailable")
    sections = json.loads(body)["sections"]
    rows = {name: len(section["items"]) for name, section in sections.items() if section.get("items")}

    def once() -> None:
        assert b'"unavailable"' not in api.ask("GET", path)

    return once, {"bytes": len(body), "rows": rows}


def measures(ground: Ground) -> list[Measure]:
    """The fiche, its pages, the list of clients and its searches.

    Where `FICHE_URL` (with `FICHE_TOKEN`) names a running product, its fullest fiche is read, changing nothing.
    """
    given = os.environ.get("FICHE_URL")
    if given:
        api = Api(given, os.environ.get("FICHE_TOKEN", ""))
        client = fullest_client(api)
    else:
        api = Api(ground.product.url, ground.product.token)
        client = full_client(api)
        many_clients(api, ground.database_of("clients"))
    ground.stack.callback(api.close)
    once, holds = reader(api, client)
    ground.facts["fiche"] = holds
    rows = ", ".join(f"{name} {count}" for name, count in holds["rows"].items())
    ground.notes.append(f"The fiche: {holds['bytes'] / 1000:.0f} kB; {rows}.")
    made = [Measure(FICHE, once, 20, RAW_FAN, targets=[Target(3.5), Target(6, percent=99)])]
    url, token = (given, os.environ.get("FICHE_TOKEN", "")) if given else (ground.product.url, ground.product.token)
    readers = Callers(["bench.reading", url, token, f"/clients/{client}/fiche", str(holds["bytes"])], CALLERS)
    ground.stack.callback(readers.close)
    made.append(
        Measure(
            "fiches a second", lambda: readers.a_second(1), 1, RAW_FANS_A_SECOND, "/s",
            [Target(0.3, at_least=True)], rounds=8,
        )
    )  # fmt: skip
    made += [Measure(f"page {name}", each, 5, FICHE) for name, each in tabs(api, client).items()]
    if not given:
        ground.notes.append(f"Lists and searches: pages of 50 among {MANY} clients.")
        made += [Measure(name, each, 5, RAW_FAN) for name, each in lists(api).items()]
    return made
