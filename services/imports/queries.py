"""The read side of `imports`."""

from __future__ import annotations

import uuid

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.page import Listing, meta
from contracts.imports import FindOutside, ListImportLines, ListImports

ABSENT = "Cet import n’existe pas."

_TOTALS = (
    "(SELECT json_build_object("
    + ", ".join(
        f"'{name}', coalesce(sum((value->>'{name}')::bigint), 0)"
        for name in ("rows", "created", "updated", "unchanged", "refused")
    )
    + ") FROM jsonb_each(j.tables))"
)
_JOB = (
    f"json_build_object({meta('j')}, 'source', j.source, 'file_name', j.file_name, 'dry_run', j.dry_run, "
    "'clients', j.clients, 'seed', j.seed, 'status', j.status, 'error', j.error, 'tables', j.tables, "
    f"'totals', {_TOTALS}, 'notices', j.notices, 'started_at', j.started_at, 'finished_at', j.finished_at)"
)
JOBS = Listing(
    source="import_job j",
    item=_JOB,
    key="j.id",
    sorts={"-created_at": ("j.created_at", "timestamptz"), "created_at": ("j.created_at", "timestamptz")},
    default="-created_at",
)
LINES = Listing(
    source="import_line l",
    item="json_build_object('id', l.id, 'level', l.level, 'table', l.source_table, 'row', l.source_row, "
    "'reason', l.reason)",
    key="l.id",
    sorts={"position": ("l.position", "bigint")},
    default="position",
)


def get_job(session: Session, job_id: uuid.UUID) -> bytes:
    """One job. Raises `NotFound`."""
    found = JOBS.one(session, ["j.id = :id"], {"id": job_id})
    if found is None:
        raise NotFound(ABSENT)
    return found


def list_jobs(session: Session, request: ListImports) -> bytes:
    """A page of jobs."""
    return JOBS.page(session, [], {}, request)


def list_lines(session: Session, request: ListImportLines) -> bytes:
    """A page of what a job says of single rows. Raises `NotFound`."""
    if session.execute(text("SELECT 1 FROM import_job WHERE id = :id"), {"id": request.id}).one_or_none() is None:
        raise NotFound(ABSENT)
    where, params = ["l.job_id = :job"], {"job": request.id}
    if request.level is not None:
        where.append("l.level = :level")
        params["level"] = request.level  # type: ignore[assignment]
    return LINES.page(session, where, params, request)


def find_outside(session: Session, request: FindOutside) -> bytes:
    """What these outside references became."""
    return str(
        session.execute(
            text(
                "SELECT json_build_object('items', coalesce(json_agg(json_build_object('ref', ref, 'service', service, "
                "'kind', kind, 'id', id) ORDER BY ref), '[]'::json))::text FROM outside_ref "
                "WHERE ref = ANY(:refs) AND done_at IS NOT NULL"
            ),
            {"refs": request.refs},
        ).scalar_one()
    ).encode()
