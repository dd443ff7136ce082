"""Work is started, finished, put away, given up, and each of these taken back."""

from __future__ import annotations

from sqlalchemy import text

from chassis.errors import Conflict, Gone
from chassis.stamp import check_version, lock, touch
from chassis.uow import UnitOfWork
from contracts import interventions as c
from services.interventions import queries
from services.interventions.commands.shared import ABSENT, facts, refuse_others_work
from services.interventions.model import Intervention
from services.kit.history import note


def act(uow: UnitOfWork, request: c.ActOnIntervention) -> bytes:
    """Does what is asked, or nothing where it is so already. Raises `Stale`, `Gone`, `Conflict`."""
    row = lock(uow.session, Intervention, request.id, ABSENT)
    refuse_others_work(uow, row)
    if row.deleted_at is not None and request.action != "restore":
        if request.action == "delete":
            return b"{}"
        raise Gone("Cette intervention a été supprimée.", code="deleted")
    check_version(row, request.expected_version)
    event = _ACTIONS[request.action](uow, row)
    if event is not None:
        touch(uow, row)
        uow.session.flush()
        note(uow, row, request.action)
        more = {"finished_at": row.finished_at} if event is c.InterventionDone else {}
        uow.emit(event(**facts(uow, row), **more))
        if event is c.InterventionCancelled:
            # The visit is free: planned again, it gets another intervention, and this one tells of it no more.
            row.released_visit_id = row.visit_id or row.released_visit_id
            row.visit_id = None
            uow.session.flush()
    if row.deleted_at is not None:
        return b"{}"
    return queries.get_intervention(uow.session, row.id)


_Told = type[c.InterventionEvent] | None


def _start(uow: UnitOfWork, row: Intervention) -> _Told:
    if row.state in ("done", "cancelled"):
        raise Conflict("Cette intervention est close.", code="closed")
    if row.state == "in_progress":
        return None
    row.state, row.started_at = "in_progress", uow.now
    return c.InterventionStarted


def _finish(uow: UnitOfWork, row: Intervention) -> _Told:
    if row.state == "cancelled":
        raise Conflict("Cette intervention est annulée.", code="cancelled")
    if row.state == "done":
        return None
    row.state, row.finished_at = "done", uow.now
    return c.InterventionDone


def _cancel(uow: UnitOfWork, row: Intervention) -> _Told:
    if row.state == "done":
        raise Conflict("Cette intervention est terminée\u202f: elle ne s’annule plus.", code="closed")
    if row.state == "cancelled":
        return None
    row.state = "cancelled"
    return c.InterventionCancelled


def _archive(uow: UnitOfWork, row: Intervention) -> _Told:
    if row.archived_at is not None:
        return None
    row.archived_at = uow.now
    return c.InterventionArchived


def _unarchive(uow: UnitOfWork, row: Intervention) -> _Told:
    if row.archived_at is None:
        return None
    row.archived_at = None
    return c.InterventionUnarchived


def _delete(uow: UnitOfWork, row: Intervention) -> _Told:
    if row.state == "done":
        raise Conflict(
            "Une intervention terminée ne se supprime pas\u202f: archivez-la plutôt.", code="archive_instead"
        )
    row.deleted_at = uow.now
    return c.InterventionCancelled


def _reopen(uow: UnitOfWork, row: Intervention) -> _Told:
    if row.state not in ("done", "cancelled"):
        return None
    if row.visit_id or row.released_visit_id:
        raise Conflict(
            "Cette intervention vient d’une visite d’entretien\u202f: planifiez de nouveau la visite depuis les "
            "maintenances.",
            code="of_a_visit",
        )
    billed = uow.session.scalar(
        text("SELECT 1 FROM linked_document WHERE intervention_id = :id AND kind = 'invoice'"), {"id": row.id}
    )
    if billed:
        raise Conflict("Cette intervention est facturée\u202f: elle ne se rouvre plus.", code="invoiced")
    started = row.state == "done" and row.started_at is not None
    row.state = "in_progress" if started else "planned" if row.starts_at else "to_plan"
    row.finished_at = None
    return c.InterventionReopened


def _restore(uow: UnitOfWork, row: Intervention) -> _Told:
    if row.deleted_at is None:
        return None
    if row.released_visit_id:
        raise Conflict(
            "Cette intervention venait d’une visite d’entretien\u202f: planifiez de nouveau la visite depuis les "
            "maintenances.",
            code="of_a_visit",
        )
    row.deleted_at = None
    return c.InterventionReopened


_ACTIONS = {
    "start": _start,
    "finish": _finish,
    "cancel": _cancel,
    "archive": _archive,
    "unarchive": _unarchive,
    "delete": _delete,
    "reopen": _reopen,
    "restore": _restore,
}
