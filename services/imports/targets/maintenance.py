"""Plans → maintenance."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import cast

from contracts import maintenance as c
from contracts.clients import Origin
from services.imports import records
from services.imports.targets.base import AUTHOR, Order, Refusal, Resolver


def plan(record: records.Plan, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """A plan. Its visits begin today: what was due before was done, or not, in the other system."""
    home = resolver.home(record.client_ref)
    body = c.PlanBody(
        title=record.title,
        equipment_ids=resolver.many(record.equipment_refs),
        address_id=resolver.find(record.address_ref),
        visits_per_period=record.visits_per_period or 1,
        period=cast(c.Period | None, record.period),
        rrule=record.rrule,
        starts_on=record.starts_on,
        ends_on=record.ends_on,
        assignee_id=resolver.find(record.assignee_ref),
        contract_reference=record.contract_reference or "",
        description=record.description,
        # One that has ended makes no visit any more.
        paused=record.status != "active",
    )
    request = c.CreatePlan(
        id=chosen,
        home_client_id=home.home,
        written_client_id=home.written,
        place_id=resolver.answer(record.address_ref, "place_id"),
        body=body,
        origin=Origin(created_by_name=AUTHOR),
        visits_from=record.visits_from or datetime.now(UTC).date(),
    )
    return Order("maintenance", "plan", chosen, [request])


def planned_visit(record: records.PlannedVisit, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """Plans the visit whose period the date is in. Its intervention is made by event."""
    plan_id = resolver.need(record.plan_ref, "le contrat d’entretien")
    day = record.starts_at.date()
    visits = resolver.ask(c.ListVisits(plan_id=plan_id, limit=200))["items"]
    fitting = [
        visit
        for visit in visits
        if visit["period_start"] <= day.isoformat() <= visit["period_end"] and visit["intervention_id"] is None
    ]
    if not fitting:
        raise Refusal(f"le contrat d’entretien n’a pas de visite à planifier le {day:%d/%m/%Y}")
    visit_id = uuid.UUID(fitting[0]["id"])
    body = c.ScheduleBody(
        starts_at=record.starts_at, ends_at=record.ends_at, technician_ids=resolver.many(record.technician_refs)
    )
    return Order("maintenance", "visit", visit_id, [c.ScheduleVisit(id=visit_id, body=body)])


def done_visit(record: records.DoneVisit, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """Turns the visit of that day green."""
    request = c.RecordVisit(
        plan_id=resolver.need(record.plan_ref, "le contrat d’entretien"),
        intervention_id=resolver.need(record.intervention_ref, "l’intervention"),
        done_at=record.done_at,
    )
    return Order("maintenance", "visit", chosen, [request])
