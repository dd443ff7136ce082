"""The write side of `imports`: asking for a job, stopping it. What a job does is in `runner`."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from chassis.errors import Invalid
from chassis.ids import new_id
from chassis.stamp import lock, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts.imports import CancelImport, CreateImport
from services.imports import queries
from services.imports.model import ImportJob

_DEFAULT_CLIENTS = 200
_ENDED = ("done", "failed", "cancelled")


def create_job(uow: UnitOfWork, request: CreateImport) -> bytes:
    """Puts a job in the queue. Raises `Invalid` when what it needs is not named."""
    if request.source == "dolibarr" and not request.staging_key:
        raise Invalid.field("file", "Joignez le fichier zip des tables de Dolibarr exportées en CSV.")
    demo = request.source == "demo"
    job = ImportJob(
        id=request.id or new_id(),
        source=request.source,
        staging_key=request.staging_key,
        file_name=request.file_name,
        dry_run=request.dry_run,
        clients=(request.clients or _DEFAULT_CLIENTS) if demo else None,
        seed=(request.seed or 0) if demo else None,
        # Written down, so that a job taken up on another day makes the same company.
        today=request.today or datetime.now(ZoneInfo("Europe/Paris")).date(),
        **stamp_new(uow),
    )
    uow.session.add(job)
    uow.session.flush()
    return queries.get_job(uow.session, job.id)


def cancel_job(uow: UnitOfWork, request: CancelImport) -> bytes:
    """Stops a job; its worker sees it at its next step."""
    job = lock(uow.session, ImportJob, request.id, queries.ABSENT)
    if job.status not in _ENDED:
        job.status = "cancelled"
        job.finished_at = uow.now
        job.lease_until = None
        touch(uow, job)
        uow.session.flush()
    return queries.get_job(uow.session, job.id)
