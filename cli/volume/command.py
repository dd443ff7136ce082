"""The work of `fiche generate --direct` from the outside: the pattern, the plan, a process a service, one commit."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from chassis.embedded_pg import EmbeddedPostgres
from chassis.errors import Conflict, FicheError
from chassis.migrations import upgrade
from chassis.objects import object_store
from chassis.settings import SERVICES, Settings
from cli.volume import reading, stamping
from cli.volume.loading import Job

out = Console()
ROOT = Path(__file__).resolve().parents[2]
#: Clients of the pattern: enough for every kind of history, few enough to be made in two minutes.
PATTERN = 400
#: Services filled at the same time.
AT_ONCE = 2


@dataclass(frozen=True)
class Made:
    """What was written, and how long it took."""

    clients: int
    interventions: int
    rows: int
    events: int
    seconds: float
    pattern_seconds: float


def generate_direct(settings: Settings, clients: int, interventions: int, seed: int, pattern: int = PATTERN) -> Made:
    """Fills the databases of a stopped product. Raises `Conflict` where there are clients, or services at work."""
    started = time.monotonic()
    with base_of(settings) as base, tempfile.TemporaryDirectory(prefix="fiche-generate-") as name:
        folder = Path(name)
        urls = {service: settings.service_database_url(service, base) for service in SERVICES}
        for service, url in urls.items():
            upgrade(service, url)
        _refuse_unless_fresh(urls)
        with Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(), console=out,
        ) as bar:  # fmt: skip
            task = bar.add_task("Entreprise modèle", total=None, told="")
            found = _pattern(folder, min(pattern, clients), seed, clients, settings)
            bar.update(task, total=1, completed=1, told=f"{len(found.clusters)} modèles")
            made_after = time.monotonic() - started
            copies = stamping.plan(found.clusters, clients, interventions, seed)
            books = stamping.books(found, copies)
            loads = [
                _Load(Job(service, urls[service], found, books, copies, clients), folder, bar)
                for service in reading.SERVICES
            ]
            _run(loads)
            _objects(folder, settings)
        events = _places(urls, found)
    works = sum(found.clusters[copy.cluster].interventions for copy in copies)
    rows = sum(load.rows for load in loads)
    return Made(clients, works, rows, events, time.monotonic() - started, made_after)


@contextlib.contextmanager
def base_of(settings: Settings) -> Iterator[str | None]:
    """Address of the embedded server where there is no other; refused while the product runs on it."""
    if settings.database_url:
        yield None
        return
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    server = EmbeddedPostgres(settings.data_dir / "postgres")
    try:
        yield server.start()
    finally:
        server.stop()


def _refuse_unless_fresh(urls: dict[str, str]) -> None:
    heads: dict[str, int] = {}
    places: list[tuple[str, str, int]] = []
    for service, url in urls.items():
        with reading.connection(url) as link, link.cursor() as cursor:
            cursor.execute(
                "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() "
                "AND application_name LIKE 'fiche-%%' AND pid <> pg_backend_pid()"
            )
            if (there := cursor.fetchone()) is not None and there[0] != "fiche-generate":
                raise Conflict("Le produit est en marche\u202f: arrêtez-le avant de créer l’entreprise directement.")
            if service == "clients":
                cursor.execute("SELECT EXISTS (SELECT 1 FROM client)")
                if cursor.fetchone()[0]:
                    raise Conflict("Il y a déjà des clients\u202f: cette création demande une entreprise vide.")
            cursor.execute("SELECT position FROM event_head")
            heads[service] = cursor.fetchone()[0]
            cursor.execute("SELECT producer, position FROM event_place")
            places += [(service, producer, position) for producer, position in cursor.fetchall()]
        link.close()
    behind = sorted({service for service, producer, position in places if position < heads[producer]})
    if behind:
        raise Conflict(
            f"{', '.join(behind)} n’a pas encore lu tous les événements\u202f: lancez le produit un moment, "
            "arrêtez-le, puis recommencez."
        )


def _pattern(folder: Path, size: int, seed: int, clients: int, settings: Settings) -> reading.Pattern:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FICHE_")}
    made = subprocess.run(
        [sys.executable, "-m", "cli.volume.pattern", str(folder / "pattern"), *map(str, (size, seed, clients))],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        raise FicheError(f"L’entreprise modèle n’a pas pu être faite\u202f: {made.stderr.strip()[-500:]}")
    server = EmbeddedPostgres(folder / "pattern" / "postgres")
    try:
        return reading.read(settings, server.start())
    finally:
        server.stop()


class _Load:
    """One service being filled by a process of its own."""

    def __init__(self, job: Job, folder: Path, bar: Progress) -> None:
        self.service = job.service
        tables = job.pattern.tables[job.service]
        self.total = sum(
            len(rows) * job.books.counts.get(cluster, 0) for table in tables for cluster, rows in table.rows.items()
        )
        self.rows = 0
        self.ready = threading.Event()
        self._path = folder / f"{job.service}.job"
        self._path.write_bytes(pickle.dumps(job))
        self._bar = bar
        self._task: TaskID = bar.add_task(job.service, total=self.total or 1, told="", start=False)
        self._process: subprocess.Popen[str] | None = None
        self._hearing: threading.Thread | None = None
        self._errors = ""

    def run(self, slots: threading.Semaphore) -> None:
        """Fills until all is ready to be committed, or fails."""
        with slots:
            self._bar.start_task(self._task)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cli.volume.loading", str(self._path)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
            )  # fmt: skip
            self._hearing = threading.Thread(target=self._hear, args=(self._process.stderr,), daemon=True)
            self._hearing.start()
            assert self._process.stdout is not None
            for line in self._process.stdout:
                word, _, figure = line.strip().partition(" ")
                if word == "rows":
                    self.rows += int(figure)
                    told = f"{self.rows:,} lignes".replace(",", "\u202f")
                    self._bar.update(self._task, completed=self.rows, told=told)
                elif word == "indexes":
                    self._bar.update(self._task, told=f"{self.rows:,} lignes, index".replace(",", "\u202f"))
                elif word == "ready":
                    told = f"{self.rows:,} lignes ✓".replace(",", "\u202f")
                    self._bar.update(self._task, completed=self.total or 1, told=told)
                    self.ready.set()
                    return

    def _hear(self, stream: IO[str] | None) -> None:
        assert stream is not None
        self._errors = stream.read()

    def commit(self) -> None:
        """Lets the process commit. Raises `FicheError` where it failed."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write("commit\n")
        self._process.stdin.close()
        if self._process.wait():
            raise FicheError(f"{self.service}\u202f: {self._errors.strip()[-500:]}")

    def end(self) -> str:
        """Ends a process that is not to commit; what it said."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            if self._hearing is not None:
                self._hearing.join()
            for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
                if stream is not None:
                    stream.close()
        return self._errors.strip()[-500:]


def _run(loads: list[_Load]) -> None:
    """All or none: each commits once every one is ready. Raises `FicheError`."""
    slots = threading.Semaphore(AT_ONCE)
    threads = [threading.Thread(target=load.run, args=(slots,), daemon=True) for load in loads]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
        failed = [load for load in loads if not load.ready.is_set()]
        if failed:
            raise FicheError("\n".join(f"{load.service}\u202f: {load.end()}" for load in failed))
        for load in loads:
            load.commit()
    finally:
        for load in loads:
            load.end()


def _objects(folder: Path, settings: Settings) -> None:
    """The bytes that documents share."""
    source = object_store(settings.model_copy(update={"data_dir": folder / "pattern", "s3_url": ""}))
    target = object_store(settings)
    for listed in source.list("content/"):
        if not target.exists(listed.key):
            target.put(listed.key, source.open(listed.key))


def _places(urls: dict[str, str], found: reading.Pattern) -> int:
    """The copies are what the events told: every service has read every log to its end. Gives how many events."""
    heads: dict[str, tuple[Any, int, Any]] = {}
    for service, url in urls.items():
        with reading.connection(url) as link, link.cursor() as cursor:
            cursor.execute(
                "SELECT h.log_id, h.position, l.id FROM event_head h LEFT JOIN event_log l USING (position)",
            )
            heads[service] = cursor.fetchone()
            for reader in (reader for reader, producer in found.followed if producer == service):
                cursor.execute(
                    "INSERT INTO event_consumer (name, log_id, position) VALUES (%s, %s, %s) ON CONFLICT (name) "
                    "DO UPDATE SET log_id = EXCLUDED.log_id, position = EXCLUDED.position, last_seen = now()",
                    (reader, *heads[service][:2]),
                )
        link.close()
    for service, url in urls.items():
        with reading.connection(url) as link, link.cursor() as cursor:
            for producer in (producer for reader, producer in found.followed if reader == service):
                cursor.execute(
                    "INSERT INTO event_place (producer, log_id, position, event_id) VALUES (%s, %s, %s, %s) "
                    "ON CONFLICT (producer) DO UPDATE SET log_id = EXCLUDED.log_id, position = EXCLUDED.position, "
                    "event_id = EXCLUDED.event_id",
                    (producer, *heads[producer]),
                )
            cursor.executemany(
                "INSERT INTO event_handler (producer, type, since) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                [handler[1:] for handler in found.handlers if handler[0] == service],
            )
        link.close()
    return sum(head[1] for head in heads.values())


def tell(made: Made) -> None:
    """One line for a person."""
    figures = (
        f"{figure:,}".replace(",", "\u202f") for figure in (made.clients, made.interventions, made.rows, made.events)
    )
    clients, works, rows, events = figures
    out.print(
        f"[green]✓[/green] {clients} clients, {works} interventions\u202f: {rows} lignes écrites, "
        f"{events} événements aux journaux, en {made.seconds:.0f} s "
        f"(dont {made.pattern_seconds:.0f} s pour l’entreprise modèle).",
        highlight=False,
    )
