"""Opening and changing plans, and the visits that they make."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import structlog
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from chassis.errors import Conflict, Invalid
from chassis.ids import new_id
from chassis.stamp import apply_changes, check_version, lock, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts import maintenance as c
from services.kit.homes import row_facts
from services.kit.stamps import stamps
from services.maintenance import queries
from services.maintenance.calendar import AHEAD, Due, visits_due
from services.maintenance.commands.shared import today
from services.maintenance.model import Plan, Visit

log = structlog.get_logger(__name__)
_EXTEND_LOCK = 5_021_980
#: Plans extended in one transaction.
SOME = 200
#: How far ahead of the visits made the next period is looked for.
LONGEST = timedelta(days=2 * 366)


def create_plan(uow: UnitOfWork, request: c.CreatePlan) -> bytes:
    """Opens a plan and makes its visits 18 months ahead, in the same transaction."""
    body = request.body
    if request.id and uow.session.get(Plan, request.id) is not None:
        raise Conflict("Ce plan existe déjà.", code="exists")
    row = Plan(
        id=request.id or new_id(),
        home_client_id=request.home_client_id,
        written_client_id=request.written_client_id,
        place_id=request.place_id,
        equipment_ids=[str(one) for one in body.equipment_ids],
        visits_from=request.visits_from,
        visits_per_period=len(body.months) or body.visits_per_period,
        **body.model_dump(exclude={"equipment_ids", "visits_per_period"}),
        **stamps(uow, request.origin),
    )
    uow.session.add(row)
    uow.session.flush()
    make_visits(uow, row)
    uow.emit(c.PlanCreated(**_plan_facts(uow, row), imported=request.origin is not None))
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
    if row.period != "year" and "months" not in request.changes.model_fields_set:
        row.months = []
    if row.months:
        try:
            c.check_months(row.period, row.months, row.closed_months)  # type: ignore[arg-type]
        except ValueError as error:
            raise Invalid.field("months", str(error)) from None
        row.visits_per_period = len(row.months)
    if row.rrule is not None and "rrule" in changed:
        try:
            c.check_rrule(row.rrule, row.starts_on)
        except ValueError as error:
            raise Invalid.field("rrule", str(error)) from None
    if row.ends_on and row.ends_on < row.starts_on:
        raise Invalid.field("ends_on", "La fin doit être après le début.")
    if "address_id" in changed:
        row.place_id = request.place_id
    touch(uow, row)
    uow.session.flush()
    if changed & {"period", "rrule", "months", "closed_months", "visits_per_period", "ends_on", "paused"}:
        _withdraw(uow, row)
        if changed & {"period", "rrule", "months"}:
            _set_aside(uow, row)
        # Neither a new schedule nor the end of a pause makes visits of the past.
        row.visits_from = max(row.visits_from or row.starts_on, today(uow))
        make_visits(uow, row)
    if "assignee_id" in changed:
        for visit in uow.session.scalars(_open_visits(row.id)):
            visit.assignee_id = row.assignee_id
            touch(uow, visit)
    uow.session.flush()
    uow.emit(c.PlanUpdated(**_plan_facts(uow, row)))
    return queries.get_plan(uow.session, row.id)


def rehomed(uow: UnitOfWork, row: Plan, former: uuid.UUID) -> None:
    """A plan is another client's now: its visits go with it, and `interventions` takes theirs along."""
    moved = uow.session.scalars(
        update(Visit)
        .where(Visit.plan_id == row.id)
        .values(home_client_id=row.home_client_id, written_client_id=row.written_client_id, version=Visit.version + 1)
        .returning(Visit.id)
    ).all()
    uow.emit(c.PlanReassigned(**_plan_facts(uow, row), former_home_client_id=former, visit_ids=sorted(moved)))


def _open_visits(plan_id: uuid.UUID) -> Any:
    return (
        select(Visit)
        .where(Visit.plan_id == plan_id, Visit.intervention_id.is_(None), Visit.done_at.is_(None))
        .with_for_update()
    )


def _withdraw(uow: UnitOfWork, plan: Plan) -> None:
    """Takes the open visits to come away; their keys are free again for the plan as it is now."""
    uow.session.execute(
        text(
            "DELETE FROM visit WHERE plan_id = :plan AND intervention_id IS NULL AND done_at IS NULL "
            "AND due_on >= :today"
        ),
        {"plan": plan.id, "today": today(uow)},
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
    until = today(uow) + AHEAD
    if plan.paused:
        return
    dues = list(due_of(plan, until + LONGEST))
    rows = [
        visit_values(uow, plan, one)
        for one in dues
        if one.period_start <= until and (plan.visits_from is None or one.due_on >= plan.visits_from)
    ]
    if rows:
        statement = insert(Visit).values(rows)
        uow.session.execute(statement.on_conflict_do_nothing(index_elements=["plan_id", "period_index", "ordinal"]))
    # Nothing is to be made until the next period is near: most plans are left alone on most days.
    following = next((one.period_start for one in dues if one.period_start > until), None)
    plan.made_until = following - timedelta(days=1) if following else _ended(plan, until)


def _ended(plan: Plan, until: date) -> date:
    """For a plan without a period in sight: never again where it has an end before, else looked at again later."""
    return date.max if plan.ends_on and plan.ends_on <= until + LONGEST else until + LONGEST - timedelta(days=366)


def due_of(plan: Plan, until: date) -> Iterator[Due]:
    """Every visit of a plan whose period begins up to `until`."""
    return visits_due(
        starts_on=plan.starts_on,
        ends_on=plan.ends_on,
        period=plan.period,
        rrule=plan.rrule,
        per_period=plan.visits_per_period,
        months=plan.months,
        closed=plan.closed_months,
        until=until,
    )


def new_visit(uow: UnitOfWork, plan: Plan, one: Due) -> Visit:
    """The row of a visit that a plan gives, not yet in the session."""
    return Visit(**visit_values(uow, plan, one))


def visit_values(uow: UnitOfWork, plan: Plan, one: Due) -> dict[str, Any]:
    """Columns of a visit that a plan gives."""
    return {
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
        **stamp_new(uow),
    }


def extend_some(uow: UnitOfWork) -> int:
    """Makes what is newly within 18 months, of at most `SOME` plans. Returns of how many: 0 when none is left.

    One process at a time, and harmless when two do.
    """
    if not uow.session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _EXTEND_LOCK}):
        return 0
    until = today(uow) + AHEAD
    plans = uow.session.scalars(
        select(Plan)
        .where(~Plan.paused, (Plan.made_until.is_(None)) | (Plan.made_until < until))
        .order_by(Plan.id)
        .limit(SOME)
        # A plan that is being changed makes its visits itself.
        .with_for_update(skip_locked=True)
    ).all()
    for plan in plans:
        identifier = plan.id
        try:
            with uow.session.begin_nested():
                make_visits(uow, plan)
        except (ValueError, IntegrityError):
            # One that cannot be reckoned does not hold up the others; it is tried again tomorrow.
            log.exception("maintenance.extend", plan=str(identifier))
            plan.made_until = until
    return len(plans)


def _plan_facts(uow: UnitOfWork, row: Plan) -> dict[str, Any]:
    return {
        **row_facts(uow.session, row),
        "title": row.title,
        "starts_on": row.starts_on,
        "ends_on": row.ends_on,
        "paused": row.paused,
    }
