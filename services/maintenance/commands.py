"""The write side of `maintenance`: one function a use case."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from chassis.errors import Conflict, Invalid
from chassis.ids import new_id
from chassis.stamp import apply_changes, check_version, lock, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts import maintenance as c
from services.kit.homes import root_of
from services.maintenance import queries
from services.maintenance.calendar import AHEAD, visits_due
from services.maintenance.model import Plan, Visit

PARIS = ZoneInfo("Europe/Paris")
_EXTEND_LOCK = 5_021_980


def create_plan(uow: UnitOfWork, request: c.CreatePlan) -> bytes:
    """Opens a plan and makes its visits 18 months ahead, in the same transaction."""
    body = request.body
    if request.id and uow.session.get(Plan, request.id) is not None:
        raise Conflict("Ce plan existe déjà.", code="exists")
    stamps = stamp_new(uow)
    if request.origin and request.origin.created_at:
        stamps["created_at"] = stamps["updated_at"] = request.origin.created_at
    row = Plan(
        id=request.id or new_id(),
        home_client_id=request.home_client_id,
        written_client_id=request.written_client_id,
        place_id=request.place_id,
        equipment_ids=[str(one) for one in body.equipment_ids],
        visits_from=request.visits_from,
        **body.model_dump(exclude={"equipment_ids"}),
        **stamps,
    )
    uow.session.add(row)
    uow.session.flush()
    make_visits(uow, row)
    uow.emit(c.PlanCreated(**_plan_facts(uow, row)))
    return queries.get_plan(uow.session, row.id)


def update_plan(uow: UnitOfWork, request: c.UpdatePlan) -> bytes:
    """Changes a plan. Only visits to come that are neither planned nor done follow."""
    row = lock(uow.session, Plan, request.id, "Ce plan n’existe pas.")
    check_version(row, request.expected_version)
    changed = apply_changes(row, request.changes, skip=frozenset({"equipment_ids"}))
    if "equipment_ids" in request.changes.model_fields_set:
        ids = [str(one) for one in request.changes.equipment_ids]
        if ids != row.equipment_ids:
            row.equipment_ids = ids
            changed.add("equipment_ids")
    if not changed:
        return queries.get_plan(uow.session, row.id)
    if (row.period is None) == (row.rrule is None):
        raise Invalid.field("period", "Donnez une période, ou une règle de récurrence, pas les deux.")
    if row.rrule is not None and "rrule" in changed:
        try:
            c.check_rrule(row.rrule)
        except ValueError as error:
            raise Invalid.field("rrule", str(error)) from None
    if row.ends_on and row.ends_on < row.starts_on:
        raise Invalid.field("ends_on", "La fin doit être après le début.")
    if "address_id" in changed:
        row.place_id = request.place_id
    touch(uow, row)
    uow.session.flush()
    if changed & {"period", "rrule", "visits_per_period", "ends_on", "paused"}:
        _withdraw(uow, row)
        if changed & {"period", "rrule"}:
            _set_aside(uow, row)
        # Neither a new schedule nor the end of a pause makes visits of the past.
        row.visits_from = max(row.visits_from or row.starts_on, _today(uow))
        make_visits(uow, row)
    if "assignee_id" in changed:
        for visit in uow.session.scalars(_open_visits(row.id)):
            visit.assignee_id = row.assignee_id
            touch(uow, visit)
    uow.session.flush()
    uow.emit(c.PlanUpdated(**_plan_facts(uow, row)))
    return queries.get_plan(uow.session, row.id)


def _open_visits(plan_id: uuid.UUID) -> Any:
    return (
        select(Visit)
        .where(Visit.plan_id == plan_id, Visit.intervention_id.is_(None), Visit.done_at.is_(None))
        .with_for_update()
    )


def _today(uow: UnitOfWork) -> date:
    return uow.now.astimezone(PARIS).date()


def _withdraw(uow: UnitOfWork, plan: Plan) -> None:
    """Takes the open visits to come away; their keys are free again for the plan as it is now."""
    uow.session.execute(
        text(
            "DELETE FROM visit WHERE plan_id = :plan AND intervention_id IS NULL AND done_at IS NULL "
            "AND due_on >= :today"
        ),
        {"plan": plan.id, "today": _today(uow)},
    )


def _set_aside(uow: UnitOfWork, plan: Plan) -> None:
    """Gives what was kept of the former schedule keys below zero: those of the new one count from zero."""
    uow.session.execute(
        text(
            "UPDATE visit SET period_index = kept.index FROM (SELECT id, least((SELECT min(period_index) FROM visit "
            "WHERE plan_id = :plan), 0) - row_number() OVER (ORDER BY due_on, id) AS index FROM visit "
            "WHERE plan_id = :plan AND period_index >= 0) kept WHERE visit.id = kept.id"
        ),
        {"plan": plan.id},
    )


def make_visits(uow: UnitOfWork, plan: Plan) -> None:
    """Makes the visits that lack, each once by its key; a paused plan makes none."""
    until = _today(uow) + AHEAD
    if plan.paused:
        return
    stamps = stamp_new(uow)
    due = visits_due(
        starts_on=plan.starts_on,
        ends_on=plan.ends_on,
        period=plan.period,
        rrule=plan.rrule,
        per_period=plan.visits_per_period,
        until=until,
    )
    rows = [
        {
            "id": new_id(),
            "home_client_id": plan.home_client_id,
            "written_client_id": plan.written_client_id,
            "plan_id": plan.id,
            "period_index": one.period_index,
            "ordinal": one.ordinal,
            "period_start": one.period_start,
            "period_end": one.period_end,
            "due_on": one.due_on,
            "planned_due_on": one.due_on,
            "assignee_id": plan.assignee_id,
            **stamps,
        }
        for one in due
        if plan.visits_from is None or one.due_on >= plan.visits_from
    ]
    if rows:
        statement = insert(Visit).values(rows)
        uow.session.execute(statement.on_conflict_do_nothing(index_elements=["plan_id", "period_index", "ordinal"]))
    plan.made_until = until


def extend_all(uow: UnitOfWork) -> int:
    """Makes what is newly within 18 months; one process at a time, and harmless when two do. Returns how many plans."""
    if not uow.session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _EXTEND_LOCK}):
        return 0
    until = _today(uow) + AHEAD
    plans = uow.session.scalars(
        select(Plan).where(~Plan.paused, (Plan.made_until.is_(None)) | (Plan.made_until < until)).limit(1000)
    ).all()
    for plan in plans:
        make_visits(uow, plan)
    return len(plans)


def update_visit(uow: UnitOfWork, request: c.UpdateVisit) -> bytes:
    """Another day within the period (null: the plan's own again), another assignee."""
    row = lock(uow.session, Visit, request.id, "Cette visite n’existe pas.")
    check_version(row, request.expected_version)
    changes = request.changes
    before = (row.due_on, row.assignee_id)
    if "due_on" in changes.model_fields_set:
        due = changes.due_on or row.planned_due_on
        if not row.period_start <= due <= row.period_end:
            raise Invalid.field("due_on", f"Choisissez un jour du {row.period_start} au {row.period_end}.")
        row.due_on = due
    if "assignee_id" in changes.model_fields_set:
        row.assignee_id = changes.assignee_id
    if (row.due_on, row.assignee_id) != before:
        touch(uow, row)
        uow.session.flush()
    return queries.get_visit(uow.session, row.id)


def schedule_visit(uow: UnitOfWork, request: c.ScheduleVisit) -> bytes:
    """Plans a visit. The intervention's id is made here and answered at once (architecture, rule 12)."""
    row = lock(uow.session, Visit, request.id, "Cette visite n’existe pas.")
    if row.done_at is not None:
        raise Conflict("Cette visite est déjà faite.", code="visit_done")
    if row.intervention_id is not None:
        raise Conflict("Cette visite est déjà planifiée : déplacez son intervention.", code="visit_planned")
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
        )
    )
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
        touch(uow, row)


def intervention_done(
    uow: UnitOfWork, visit_id: uuid.UUID | None, intervention_id: uuid.UUID, finished_at: datetime
) -> None:
    """Finishing the intervention turns the visit green, once."""
    row = _visit(uow, visit_id)
    if row is not None and row.done_at is None and row.intervention_id == intervention_id:
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
        "id": row.id,
        "home_client_id": row.home_client_id,
        "client_id": root_of(uow.session, row.home_client_id),
        "plan_id": row.plan_id,
        "due_on": row.due_on,
        "intervention_id": row.intervention_id,
    }


def _plan_facts(uow: UnitOfWork, row: Plan) -> dict[str, Any]:
    return {
        "id": row.id,
        "home_client_id": row.home_client_id,
        "client_id": root_of(uow.session, row.home_client_id),
        "title": row.title,
        "starts_on": row.starts_on,
        "ends_on": row.ends_on,
        "paused": row.paused,
    }
