"""What a running job reads and writes in the service's own database, in short transactions."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import text

from chassis.bell import Bell
from chassis.context import Context
from chassis.db import Database
from chassis.ids import new_id
from chassis.uow import UnitOfWork
from contracts.imports import ImportFinished
from services.imports.model import ImportJob

#: A worker that has not said anything for so long is taken for dead.
LEASE_S = 60
_LINES = uuid.UUID("6f1d1f0a-6a3e-5d7a-9a52-0d6f3f6f7f11")


class LeaseLost(Exception):
    """Another worker has the job, or a person stopped it: leave it alone."""


@dataclass(slots=True)
class Known:
    """An outside reference: the id chosen for it, and whether its owner has it."""

    id: uuid.UUID
    digest: str
    done: bool
    job_id: uuid.UUID
    answer: dict[str, Any]
    said: dict[str, Any]


@dataclass(slots=True)
class Score:
    """Counts by table, saved as they stand."""

    tables: dict[str, dict[str, int]] = field(default_factory=dict)
    notices: int = 0

    def start(self, rows: dict[str, int]) -> None:
        """Begin with so many rows by table."""
        self.tables = {
            table: {"rows": count, "created": 0, "updated": 0, "unchanged": 0, "refused": 0}
            for table, count in rows.items()
        }

    def count(self, table: str, outcome: str, rows: int = 1) -> None:
        """Rows of a table had this outcome."""
        counts = self.tables.setdefault(table, {"rows": 0, "created": 0, "updated": 0, "unchanged": 0, "refused": 0})
        counts[outcome] += rows


class Ledger:
    """The database as one worker sees it."""

    def __init__(self, database: Database, bell: Bell) -> None:
        self._database = database
        self._bell = bell
        self.owner = new_id()

    def _unit(self) -> UnitOfWork:
        return UnitOfWork(self._database, self._bell, Context())

    def take(self) -> ImportJob | None:
        """The oldest job that nobody works on, under our lease."""
        unit = self._unit()

        def work() -> ImportJob | None:
            row = unit.session.execute(
                text(
                    "UPDATE import_job SET status = 'running', lease_owner = :owner, attempts = attempts + 1, "
                    "lease_until = now() + make_interval(secs => :lease), "
                    "started_at = coalesce(started_at, now()), "
                    "error = '', updated_at = now() "
                    "WHERE id = (SELECT id FROM import_job WHERE status IN ('queued', 'running') "
                    "AND (lease_until IS NULL OR lease_until < now()) ORDER BY created_at LIMIT 1 "
                    "FOR UPDATE SKIP LOCKED) RETURNING id"
                ),
                {"owner": self.owner, "lease": LEASE_S},
            ).scalar_one_or_none()
            return None if row is None else unit.session.get(ImportJob, row)

        found = unit.run(None, work)
        assert not isinstance(found, bytes)
        return found

    def release(self, job: ImportJob, wait_s: int = 0, why: str = "") -> None:
        """Give the job back unfinished; anyone may take it up after `wait_s` seconds. `why` is told meanwhile."""
        self._execute(
            "UPDATE import_job SET lease_until = now() + make_interval(secs => :wait), lease_owner = NULL, "
            "error = :why, updated_at = now() WHERE id = :id AND lease_owner = :owner AND status = 'running'",
            {"id": job.id, "owner": self.owner, "wait": wait_s, "why": why},
        )

    def save(self, job: ImportJob, score: Score) -> None:
        """Write the progress and keep the lease. Raises `LeaseLost`."""
        rows = self._execute(
            "UPDATE import_job SET tables = CAST(:tables AS jsonb), notices = :notices, updated_at = now(), "
            "lease_until = now() + make_interval(secs => :lease) "
            "WHERE id = :id AND lease_owner = :owner AND status = 'running'",
            {
                "tables": orjson.dumps(score.tables).decode(),
                "notices": score.notices,
                "lease": LEASE_S,
                "id": job.id,
                "owner": self.owner,
            },
        )
        if rows != 1:
            raise LeaseLost

    def finish(self, job: ImportJob, status: str, error: str = "") -> None:
        """The job has ended; told as an event. Raises `LeaseLost`."""
        unit = self._unit()

        def work() -> None:
            row = unit.session.execute(
                text(
                    "UPDATE import_job SET status = :status, error = :error, finished_at = now(), updated_at = now(), "
                    "version = version + 1, lease_until = NULL, lease_owner = NULL "
                    "WHERE id = :id AND lease_owner = :owner AND status = 'running' RETURNING source, tables"
                ),
                {"status": status, "error": error, "id": job.id, "owner": self.owner},
            ).one_or_none()
            if row is None:
                raise LeaseLost
            totals = {
                name: sum(counts[name] for counts in row.tables.values())
                for name in ("rows", "created", "updated", "unchanged", "refused")
            }
            unit.emit(ImportFinished(id=job.id, source=row.source, status=status, totals=totals))

        unit.run(None, work)

    def known(self, refs: Sequence[str]) -> dict[str, Known]:
        """What is known of these references."""
        if not refs:
            return {}
        with self._database.reading() as session:
            rows = session.execute(
                text(
                    "SELECT ref, id, digest, done_at IS NOT NULL AS done, job_id, answer, said FROM outside_ref "
                    "WHERE ref = ANY(:refs)"
                ),
                {"refs": list(refs)},
            ).all()
        return {row.ref: Known(row.id, row.digest, row.done, row.job_id, row.answer, row.said) for row in rows}

    def choose(self, job: ImportJob, rows: Sequence[dict[str, Any]]) -> None:
        """Write down the ids of records about to be sent.

        `ref`, `service`, `kind`, `id`, `record`, `digest`, `said` each.
        """
        self._execute(
            "INSERT INTO outside_ref (ref, service, kind, id, record_id, digest, said, job_id) "
            "SELECT r.ref, r.service, r.kind, r.id, r.record, r.digest, r.said, :job "
            "FROM json_to_recordset(CAST(:rows AS json)) "
            "AS r(ref text, service text, kind text, id uuid, record uuid, digest text, said jsonb) "
            # A record that was chosen and never confirmed keeps its id; it may have changed since.
            "ON CONFLICT (ref) DO UPDATE SET digest = EXCLUDED.digest, said = EXCLUDED.said, job_id = EXCLUDED.job_id "
            "WHERE outside_ref.done_at IS NULL",
            {"job": job.id, "rows": orjson.dumps(list(rows), default=str).decode()},
        )

    def done(self, answers: dict[str, dict[str, Any]]) -> None:
        """The owners have these records now."""
        rows = [{"ref": ref, "answer": answer} for ref, answer in answers.items()]
        self._execute(
            "UPDATE outside_ref o SET done_at = now(), answer = r.answer "
            "FROM json_to_recordset(CAST(:rows AS json)) AS r(ref text, answer jsonb) WHERE o.ref = r.ref",
            {"rows": orjson.dumps(rows, default=str).decode()},
        )

    def changed(self, ref: str, digest: str, said: dict[str, Any]) -> None:
        """A record follows what its source says now."""
        self._execute(
            "UPDATE outside_ref SET digest = :digest, said = CAST(:said AS jsonb) WHERE ref = :ref",
            {"ref": ref, "digest": digest, "said": orjson.dumps(said, default=str).decode()},
        )

    def say(self, job: ImportJob, lines: Iterable[tuple[str, str, str, str]]) -> None:
        """Lines for the person who reads the result: (level, table, row, reason)."""
        rows = [
            {
                "id": str(uuid.uuid5(_LINES, "\n".join((str(job.id), *line)))),
                "level": line[0],
                "t": line[1],
                "r": line[2],
                "reason": line[3].replace("\x00", ""),
            }
            for line in lines
        ]
        self._execute(
            "INSERT INTO import_line (id, job_id, level, source_table, source_row, reason) "
            "SELECT r.id, :job, r.level, r.t, r.r, r.reason FROM json_to_recordset(CAST(:rows AS json)) "
            "AS r(id uuid, level text, t text, r text, reason text) ON CONFLICT (id) DO NOTHING",
            {"job": job.id, "rows": orjson.dumps(rows).decode()},
        )

    def _execute(self, statement: str, params: dict[str, Any]) -> int:
        unit = self._unit()
        found = unit.run(None, lambda: unit.session.execute(text(statement), params).rowcount)  # type: ignore[attr-defined]
        assert not isinstance(found, bytes)
        return int(found)
