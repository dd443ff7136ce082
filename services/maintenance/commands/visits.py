"""Visits: another day, planned, moved, done."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select

from chassis.errors import Conflict, Invalid
from chassis.ids import new_id
from chassis.stamp import check_version, lock, touch
from chassis.uow import UnitOfWork
from contracts import maintenance as c
from services.kit.homes import row_facts
from services.kit.zone import company_zone
from services.maintenance import queries
from services.maintenance.commands.plans import due_of, new_visit
from services.maintenance.model import Plan, Visit


def update_visit(uow: UnitOfWork, request: c.UpdateVisit) -> bytes:
    """Another day within the period (null: the plan's own again), another assignee.

    The intervention of a planned visit follows to that day, at its hour (domain, Maintenance: moving the one moves the
    other).
    """
    row = lock(uow.session, Visit, request.id, "Cette visite n’existe pas.")
    check_version(row, request.expected_version)
    changes = request.changes
    before = (row.due_on, row.assignee_id)
    if "due_on" in changes.model_fields_set:
        due = changes.due_on or row.planned_due_on
        if not row.period_start <= due <= row.period_end:
            raise Invalid.field("due_on", f"Choisissez un jour du {_day(row.period_start)} au {_day(row.period_end)}.")
        if row.done_at is not None and due != row.due_on:
            raise Conflict("Cette visite est effectuée\u202f: son jour ne change plus.", code="visit_done")
        row.due_on = due
    if "assignee_id" in changes.model_fields_set:
        row.assignee_id = changes.assignee_id
    if (row.due_on, row.assignee_id) != before:
        touch(uow, row)
        _carry(uow, row, before[0])
        uow.session.flush()
    return queries.get_visit(uow.session, row.id)


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def _carry(uow: UnitOfWork, row: Visit, before: date) -> None:
    """Tells that a planned visit goes to another day, at the same hour of the company's clocks."""
    if row.intervention_starts_at is None or row.done_at is not None or row.due_on == before:
        return
    local = row.intervention_starts_at.astimezone(company_zone(uow.session))
    row.intervention_starts_at = datetime.combine(row.due_on, local.time(), local.tzinfo).astimezone(UTC)
    uow.session.flush()
    uow.emit(c.VisitRescheduled(**_visit_facts(uow, row), starts_at=row.intervention_starts_at))


def record_visit(uow: UnitOfWork, request: c.RecordVisit) -> bytes:
    """A visit done in another system is green here, once by its intervention. A fact of the past: nobody is told.

    Raises `Conflict` where the plan has no visit left in the period of that day.
    """
    plan = lock(uow.session, Plan, request.plan_id, "Ce plan n’existe pas.")
    known = uow.session.scalar(select(Visit.id).where(Visit.intervention_id == request.intervention_id))
    if known is not None:
        return queries.get_visit(uow.session, known)
    day = request.done_at.astimezone(company_zone(uow.session)).date()
    made = {
        (row.period_index, row.ordinal): row
        for row in uow.session.scalars(select(Visit).where(Visit.plan_id == plan.id).with_for_update())
    }
    fitting = [one for one in due_of(plan, day) if one.period_start <= day <= one.period_end]
    free = next((one for one in fitting if _is_open(made.get((one.period_index, one.ordinal)))), None)
    if free is None:
        raise Conflict(f"Ce plan n’a pas de visite à faire le {_day(day)}.", code="no_visit")
    row = made.get((free.period_index, free.ordinal))
    if row is None:
        row = new_visit(uow, plan, free)
        uow.session.add(row)
    else:
        touch(uow, row)
    row.intervention_id = request.intervention_id
    row.intervention_starts_at = row.done_at = request.done_at
    uow.session.flush()
    return queries.get_visit(uow.session, row.id)


def _is_open(row: Visit | None) -> bool:
    return row is None or (row.intervention_id is None and row.done_at is None)


def schedule_visit(uow: UnitOfWork, request: c.ScheduleVisit) -> bytes:
    """Plans a visit. The intervention's id is made here and answered at once (architecture, rule 12)."""
    row = lock(uow.session, Visit, request.id, "Cette visite n’existe pas.")
    if row.done_at is not None:
        raise Conflict("Cette visite est déjà effectuée.", code="visit_done")
    if row.intervention_id is not None:
        raise Conflict("Cette visite est déjà planifiée\u202f: déplacez son intervention.", code="visit_planned")
    plan = uow.session.get_one(Plan, row.plan_id)
    row.intervention_id = new_id()
    row.intervention_starts_at = request.body.starts_at
    touch(uow, row)
    uow.session.flush()
    people = request.body.technician_ids or ([row.assignee_id] if row.assignee_id else [])
    uow.emit(
        c.VisitScheduled(
            **_visit_facts(uow, row),
            written_client_id=row.written_client_id,
            title=plan.title or "Visite d’entretien",
            starts_at=request.body.starts_at,
            ends_at=request.body.ends_at,
            technician_ids=people,
            address_id=plan.address_id,
            place_id=plan.place_id,
            equipment_ids=plan.equipment_ids,
            billable=plan.billable,
            billable_reason="" if plan.billable else f"Comprise dans le contrat {plan.contract_reference}".strip(),
        )
    )
    return queries.get_visit(uow.session, row.id)


def unschedule_visit(uow: UnitOfWork, request: c.UnscheduleVisit) -> bytes:
    """The visit is free at once, whether its intervention exists already or not. Raises `Conflict` for a done one."""
    row = lock(uow.session, Visit, request.id, "Cette visite n’existe pas.")
    check_version(row, request.expected_version)
    if row.done_at is not None:
        raise Conflict("Cette visite est déjà effectuée.", code="visit_done")
    if row.intervention_id is not None:
        told = c.VisitUnscheduled(**_visit_facts(uow, row))
        row.intervention_id = row.intervention_starts_at = None
        touch(uow, row)
        uow.session.flush()
        uow.emit(told)
    return queries.get_visit(uow.session, row.id)


# --- what interventions tell --------------------------------------------------------------------------------------


def intervention_moved(
    uow: UnitOfWork, visit_id: uuid.UUID | None, intervention_id: uuid.UUID, starts_at: datetime | None
) -> None:
    """Moving the intervention moves the visit; without a date it is to plan again, and red."""
    row = _visit(uow, visit_id)
    if row is None or row.done_at is not None or row.intervention_id != intervention_id:
        return
    # Most changes of an intervention are none of its visit: no version more, so that no open form goes stale.
    if row.intervention_starts_at != starts_at:
        row.intervention_starts_at = starts_at
        if (
            starts_at is not None
            and row.period_start <= (day := starts_at.astimezone(company_zone(uow.session)).date()) <= row.period_end
        ):
            row.due_on = day
        touch(uow, row)


def intervention_done(
    uow: UnitOfWork, visit_id: uuid.UUID | None, intervention_id: uuid.UUID, finished_at: datetime
) -> None:
    """Finishing the intervention turns the visit green, once; also one that had begun when its planning was taken
    back.
    """
    row = _visit(uow, visit_id)
    if row is not None and row.done_at is None and row.intervention_id in (None, intervention_id):
        row.intervention_id = intervention_id
        row.done_at = finished_at
        touch(uow, row)
        uow.session.flush()
        uow.emit(c.VisitDone(**_visit_facts(uow, row), done_at=finished_at))


def intervention_cancelled(uow: UnitOfWork, visit_id: uuid.UUID | None, intervention_id: uuid.UUID) -> None:
    """A cancelled intervention frees its visit, which is red again."""
    row = _visit(uow, visit_id)
    if row is not None and row.done_at is None and row.intervention_id == intervention_id:
        row.intervention_id = None
        row.intervention_starts_at = None
        touch(uow, row)


def _visit(uow: UnitOfWork, visit_id: uuid.UUID | None) -> Visit | None:
    return uow.session.get(Visit, visit_id, with_for_update=True) if visit_id else None


def _visit_facts(uow: UnitOfWork, row: Visit) -> dict[str, Any]:
    return {
        **row_facts(uow.session, row),
        "plan_id": row.plan_id,
        "due_on": row.due_on,
        "intervention_id": row.intervention_id,
    }
