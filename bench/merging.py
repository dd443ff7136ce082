"""Merging a client of many rows: how long it takes, what others feel of it, and what reading costs afterwards."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import create_engine, text

from bench import page
from bench.floors import RAW, RAW_FAN
from bench.ground import Ground
from bench.measure import Measure, Target

WORKS, INVOICES, RECORDS = 10_000, 2_000, 5
QUIET = "a fiche, nobody merges"
MERGED, UNDONE = "a fiche while others merge", "a fiche while others undo a merge"
#: Fiches looked at of each merge and undo, from its beginning on: some 20 are read until it is done everywhere.
SEEN = 12
#: Copies of one row for several records in turns; each table with what makes a copy another row.
_COPIES = {
    "interventions": (
        "intervention",
        "jsonb_build_object('number', 'BENCH-' || left(:mark, 8) || n, 'starts_at', now() - n * interval '1 hour', "
        "'ends_at', now() - n * interval '1 hour' + interval '30 minutes')",
    ),
    "billing": ("invoice", "jsonb_build_object('dated_on', current_date - n % 700)"),
}


def measures(ground: Ground) -> list[Measure]:
    """The merge, others meanwhile, and the fiche and lists of one record against five with the same rows."""
    api = page.Api(ground.product.url, ground.product.token)
    ground.stack.callback(api.close)
    survivor, duplicate, one, other = (_client(api, name) for name in ("Gardée", "Doublon", "Entière", "Voisine"))
    five = [_client(api, f"Morceau {number}") for number in range(RECORDS)]
    for owners in ([duplicate], [one], five):
        _fill(ground, api, owners)
    for piece in five[1:]:
        _ended(api, _merge(api, five[0], piece), "done")
    ground.notes.append(
        f"Merging: a duplicate of {WORKS:,} interventions and {INVOICES:,} draft invoices; reading: as many of one "
        f"record, and of {RECORDS} merged."
    )
    merging = _Merging(ground, survivor, duplicate, other)
    quiet = page.reader(api, other)[0]
    made = [
        Measure(QUIET, quiet, 30, RAW_FAN),
        Measure("merge, answered", merging.answered, 1, RAW, targets=[Target(200, of_floor=False)]),
        Measure("merge, done everywhere", merging.done, 1, RAW, targets=[Target(2000, of_floor=False)]),
        Measure("its undo, answered", merging.undo_answered, 1, RAW),
        Measure(MERGED, merging.while_merged, SEEN, QUIET, targets=[Target(2, percent=99, of_percent=99)]),
        Measure(UNDONE, merging.while_undone, SEEN, QUIET),
    ]
    for name, path in (
        ("fiche with counts", "/clients/{}/fiche"),
        ("page of interventions", "/interventions?limit=50&client_id={}"),
        ("page of invoices", "/invoices?limit=50&client_id={}"),
    ):
        single = f"{name}, one record"
        made.append(Measure(single, _reads(api, path.format(one)), 10, RAW_FAN))
        merged = _reads(api, path.format(five[0]))
        made.append(Measure(f"{name}, {RECORDS} records", merged, 10, single, targets=[Target(1.5)]))
    return made


class _Merging:
    """One merge and its undo a round; another client's fiche is read all the while."""

    def __init__(self, ground: Ground, survivor: str, duplicate: str, other: str) -> None:
        self._api, self._other_api = (page.Api(ground.product.url, ground.product.token) for _ in range(2))
        for api in (self._api, self._other_api):
            ground.stack.callback(api.close)
        self._records, self._other = (survivor, duplicate), other
        self._done_ms, self._undo_ms = 0.0, 0.0
        self._merged: list[float] = []
        self._undone: list[float] = []

    def answered(self) -> float:
        """Milliseconds until the merge is answered."""
        with self._reading(self._merged):
            started = time.perf_counter()
            merge = _merge(self._api, *self._records)
            answered = time.perf_counter()
            _ended(self._api, merge, "done")
            self._done_ms = (time.perf_counter() - started) * 1000
        with self._reading(self._undone):
            undo = time.perf_counter()
            self._api.ask("POST", f"/merges/{merge}/undo", {})
            self._undo_ms = (time.perf_counter() - undo) * 1000
            _ended(self._api, merge, "undone")
        return (answered - started) * 1000

    def done(self) -> float:
        """Milliseconds until that merge was done in every service."""
        return self._done_ms

    def undo_answered(self) -> float:
        """Milliseconds until its undo was answered."""
        return self._undo_ms

    def while_merged(self) -> float:
        """Milliseconds of the next of the fiches read since the merge was asked for."""
        return self._merged.pop(0)

    def while_undone(self) -> float:
        """Milliseconds of the next of those read since the undo was asked for."""
        return self._undone.pop(0)

    @contextmanager
    def _reading(self, times: list[float]) -> Iterator[None]:
        """Another client's fiche is read without a pause, and at least as often as is looked at."""
        stop = threading.Event()
        times.clear()

        def read() -> None:
            while not stop.is_set() or len(times) < SEEN:
                started = time.perf_counter()
                self._other_api.ask("GET", f"/clients/{self._other}/fiche")
                times.append((time.perf_counter() - started) * 1000)

        reading = threading.Thread(target=read, daemon=True)
        reading.start()
        yield
        stop.set()
        reading.join(30)


def _client(api: page.Api, name: str) -> str:
    return str(api.json("POST", "/clients", {"kind": "company", "company_name": name})["id"])


def _merge(api: page.Api, survivor: str, duplicate: str) -> str:
    body = {"survivor_id": survivor, "duplicate_id": duplicate, "reason": "Mesure"}
    return str(api.json("POST", "/merges", body)["id"])


def _ended(api: page.Api, merge: str, status: str) -> None:
    deadline = time.monotonic() + 60
    while api.json("GET", f"/merges/{merge}")["status"] != status:
        if time.monotonic() > deadline:
            raise RuntimeError(f"a merge is not {status} within a minute")
        # Eight times as often as the page of a merge: who watches must not be what others feel.
        time.sleep(0.1)


def _fill(ground: Ground, api: page.Api, owners: Sequence[str]) -> None:
    """Interventions and invoices of these records in turns: one each by the API, the rest as copies of it."""
    made = {
        "interventions": api.json("POST", "/interventions", {"client_id": owners[0], "title": "Dépannage"}),
        "billing": api.json("POST", "/invoices", {"client_id": owners[0], "lines": []}),
    }
    for service, count in (("interventions", WORKS), ("billing", INVOICES)):
        table, differs = _COPIES[service]
        engine = create_engine(ground.database_of(service))
        with engine.begin() as connection:
            connection.execute(
                text(
                    f"INSERT INTO {table} SELECT (jsonb_populate_record(m, {differs} || jsonb_build_object("
                    "'id', gen_random_uuid(), 'home_client_id', (CAST(:owners AS uuid[]))[1 + n % :records], "
                    "'written_client_id', (CAST(:owners AS uuid[]))[1 + n % :records]))).* "
                    f"FROM {table} m, generate_series(2, :count) n WHERE m.id = CAST(:model AS uuid)"
                ),
                {
                    "owners": list(owners),
                    "records": len(owners),
                    "count": count,
                    "model": made[service]["id"],
                    "mark": uuid.uuid4().hex,
                },
            )
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"ANALYZE {table}"))
        engine.dispose()


def _reads(api: page.Api, path: str) -> Callable[[], None]:
    def once() -> None:
        body = api.ask("GET", path)
        assert body.count(b'"number"') >= 50, path
        assert b'"unavailable"' not in body

    return once
