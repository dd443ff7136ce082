"""Two processes of each service do the work of one, once; collected by test_stack.py."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg2

from chassis.settings import SERVICES
from tests.stack.commands import fiche
from tests.stack.watching import value
from tests.support.stack import Stack
from tests.support.waiting import wait_until

CLIENTS = 12
LINES = [{"label": "Circulateur", "quantity": "1", "unit_price": "100", "vat_rate": "20"}]


def rows(stack: Stack, service: str, statement: str) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(stack.environment["FICHE_DATABASE_URL"].replace("{service}", service))
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()
    finally:
        connection.close()


def total(stack: Stack, name: str, metric: str, **labels: str) -> float:
    """A counter over both processes of a service."""
    return sum(value(stack.metrics(process), metric, **labels) for process in (name, f"{name}-2"))


def one_clients_work(stack: Stack, number: int) -> str:
    """A client, twice under one key at once, with work, a finalised quote and a plan; the client's id."""
    with stack.client() as http, ThreadPoolExecutor(2) as twice:

        def post(path: str, body: dict[str, Any], key: str = "") -> httpx.Response:
            headers = {"Idempotency-Key": key or secrets.token_hex(8)}
            # The same request at the same time meets either its twin's answer or word that it is under way.
            answer = wait_until(
                lambda: (found := http.post(f"/api/v1{path}", json=body, headers=headers)).status_code != 409 and found,
                "it is answered",
            )
            assert answer.status_code in (200, 201), answer.text
            return answer

        body = {"kind": "company", "company_name": f"Réplique {number}"}
        key = secrets.token_hex(8)
        made = list(twice.map(lambda _: post("/clients", body, key).json()["id"], range(2)))
        assert len(set(made)) == 1
        client = made[0]
        post("/interventions", {"client_id": client, "title": "Fuite", "starts_at": "2026-12-01T08:00:00Z"})
        quote = post("/quotes", {"client_id": client, "lines": LINES}).json()["id"]
        post(f"/quotes/{quote}/finalise", {})
        boiler = post("/equipment", {"client_id": client, "name": "Chaudière"}).json()["id"]
        plan = {"client_id": client, "equipment_ids": [boiler], "visits_per_period": 1, "period": "quarter"}
        post("/maintenance-plans", plan | {"starts_on": "2026-11-01"})
        return str(client)


@contextmanager
def two_of_each(stack: Stack) -> Iterator[list[str]]:
    """Starts a second process of every service; whatever happens, the first ones alone are there afterwards."""
    second = [stack.start_service(name, replica=2) for name in SERVICES]
    try:
        wait_until(lambda: all(stack.ready(name) for name in second), "the second ones are ready", 180)
        yield second
    finally:
        codes = {name: stack.stop_service(name) for name in second if name in stack.running}
        for name in SERVICES:
            if name not in stack.running:
                stack.start_service(name)
        stack.wait_whole()
    assert set(codes.values()) == {0}


def test_two_of_each_service_relays_and_jobs_included_do_nothing_twice(stack: Stack) -> None:
    with two_of_each(stack):
        _nothing_twice(stack)


def _nothing_twice(stack: Stack) -> None:

    def heads() -> dict[str, int]:
        return {name: int(rows(stack, name, "SELECT position FROM event_head")[0][0]) for name in SERVICES}

    def settled() -> bool:
        """Whether everything told was published, and applied by each that reads it."""
        at = heads()
        return all(
            rows(stack, name, "SELECT published FROM event_head")[0][0] == at[name] for name in SERVICES
        ) and all(
            position == at[producer]
            for name in SERVICES
            for producer, position in rows(stack, name, "SELECT producer, position FROM event_place")
        )

    wait_until(settled, "all is settled before", 60)
    before = heads()
    published = {name: total(stack, name, "fiche_events_published_total") for name in SERVICES}
    handled = {name: total(stack, name, "fiche_events_handled_total", producer="clients") for name in SERVICES}
    with ThreadPoolExecutor(4) as pool:
        clients = list(pool.map(lambda number: one_clients_work(stack, number), range(CLIENTS)))
    wait_until(settled, "all is settled after", 60)
    waiting = "SELECT count(*) FROM document_file WHERE sha256 IS NULL"
    wait_until(lambda: rows(stack, "billing", waiting) == [(0,)], "every PDF is made", 60)
    wait_until(settled, "all is settled after the PDFs", 60)

    told = {name: heads()[name] - before[name] for name in SERVICES}
    for name in SERVICES:
        # One relay of the two leads, and each event is applied by one consumer of the two.
        assert total(stack, name, "fiche_events_published_total") - published[name] == told[name], name
        reads = rows(stack, name, "SELECT 1 FROM event_place WHERE producer = 'clients'")
        new = total(stack, name, "fiche_events_handled_total", producer="clients") - handled[name]
        assert new == (told["clients"] if reads else 0), name
    with stack.client() as http:
        for client in clients:
            found = http.get(f"/api/v1/clients/{client}/fiche").json()["sections"]
            made = Counter(item["subject"] for item in found["activities"]["items"])
            assert all(count == 1 for count in made.values()), made
            assert found["activities"]["count"] >= 1
            visits = http.get("/api/v1/maintenance-visits", params={"client_id": client}).json()["items"]
            periods = Counter(visit["period_start"] for visit in visits)
            assert len(periods) >= 6
            assert set(periods.values()) == {1}
    positions = [row[0] for row in rows(stack, "billing", "SELECT position FROM document_file ORDER BY position")]
    assert positions == list(range(positions[0], positions[0] + len(positions)))

    # An import runs in one of the two. Each is killed where it stands; the other goes on alone.
    before_import = rows(stack, "clients", "SELECT count(*) FROM client")[0][0]
    fiche({"FICHE_URL": stack.url, "FICHE_TOKEN": stack.token}, "generate", "--clients", "5", "--seed", "3")
    assert rows(stack, "imports", "SELECT status FROM import_job ORDER BY created_at DESC LIMIT 1") == [("done",)]
    assert rows(stack, "clients", "SELECT count(*) FROM client")[0][0] == before_import + 5
    for name in ("clients", "billing"):
        stack.stop_service(name, kill=True)
    stack.wait_whole()
    one_clients_work(stack, CLIENTS)
    wait_until(settled, "the second ones go on alone", 60)
