"""The part of the service that works on jobs: one green thread per process, started and stopped with the container."""

from __future__ import annotations

import threading
from typing import Any

import structlog
from nameko.extensions import Entrypoint

from chassis.runtime import Runtime
from services.imports.runner.engine import Engine
from services.imports.runner.ledger import LeaseLost, Ledger
from services.imports.runner.post import OwnersAwayError

log = structlog.get_logger(__name__)

#: How often an idle process looks for a job. A job that a dead process held waits for its lease first.
IDLE_S = 1.0
#: After this the job is given back when the owners of the records stay away, and taken up again later.
AWAY_S = 30


class JobRunner(Entrypoint):  # type: ignore[misc]
    """Takes jobs one after the other. A stop lets the batch in hand end and gives the job back."""

    def setup(self) -> None:
        self.runtime: Runtime = self.container.config["runtime"]
        self._stopping = threading.Event()
        self._thread: Any = None

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._run, identifier="import-jobs")

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.wait()

    def _run(self) -> None:
        name = self.container.service_name
        ledger = Ledger(self.runtime.database(name), self.runtime.bell(name))
        while not self._stopping.is_set():
            try:
                if not work_once(self.runtime, ledger, self._stopping.is_set):
                    self._stopping.wait(IDLE_S)
            except Exception:
                # The database is away, say: nothing was promised, the next look may do.
                log.exception("imports.runner_failed")
                self._stopping.wait(IDLE_S * 5)


def work_once(runtime: Runtime, ledger: Ledger, stopping: Any = lambda: False) -> bool:
    """Takes one job and works on it until it has ended, is given back or lost. False when there was none."""
    job = ledger.take()
    if job is None:
        return False
    log.info("imports.job_taken", job=str(job.id), attempt=job.attempts)
    try:
        Engine(runtime, ledger, job, stopping).run()
    except LeaseLost:
        log.info("imports.job_left", job=str(job.id))
    except OwnersAwayError as error:
        log.warning("imports.owners_away", job=str(job.id), services=error.services)
        away = ", ".join(error.services)
        ledger.release(job, AWAY_S, f"En attente\u202f: {away} ne répond pas. L’import reprendra de lui-même.")
    except Exception:
        log.exception("imports.job_failed", job=str(job.id))
        _failed(ledger, job)
    return True


def _failed(ledger: Ledger, job: Any) -> None:
    """A fault of ours: tried again twice (a restart may mend it), then told."""
    try:
        if job.attempts < 3:
            ledger.release(job, 5)
        else:
            ledger.finish(job, "failed", "Une erreur inattendue a arrêté l’import. Le journal du service la décrit.")
    except LeaseLost:
        log.info("imports.job_left", job=str(job.id))
