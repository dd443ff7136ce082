"""The read side of `maintenance`: PostgreSQL makes the JSON."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.page import (
    Listing,
    Part,
    meta,
    of_pairs,
)
from contracts import maintenance as c
from services.kit.homes import (
    address_join,
    address_json,
    client_join,
    client_pairs,
    fiche_answer,
    in_tree,
    of_root,
    tree_sections,
)
from services.kit.zone import TODAY, ZONE

_COLOUR = (
    "(CASE WHEN x.done_at IS NOT NULL THEN 'green' WHEN x.intervention_id IS NOT NULL "
    "AND x.intervention_starts_at IS NOT NULL THEN 'blue' ELSE 'red' END)"
)
_ASSIGNEE = "CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.name) END"

PLANS = Listing(
    source=f"plan x {client_join('x')} {address_join('x')} LEFT JOIN known_user u ON u.id = x.assignee_id",
    item=of_pairs(
        f"{meta('x')}, {client_pairs('x')}, 'title', x.title, 'equipment_ids', x.equipment_ids, "
        f"'address_id', x.address_id, 'address', {address_json('x')}, 'place_id', x.place_id, "
        "'visits_per_period', x.visits_per_period, 'period', x.period, 'months', x.months, 'rrule', x.rrule, "
        "'closed_months', x.closed_months, 'billable', x.billable, "
        "'starts_on', x.starts_on, "
        f"'ends_on', x.ends_on, 'assignee_id', x.assignee_id, 'assignee', {_ASSIGNEE}, "
        "'contract_reference', x.contract_reference, 'description', x.description, 'paused', x.paused"
    ),
    key="x.id",
    sorts={"-created_at": ("x.created_at", "timestamptz")},
    default="-created_at",
)
VISITS = Listing(
    source=(
        f"visit x JOIN plan p ON p.id = x.plan_id {client_join('x')} {address_join('p')} "
        "LEFT JOIN known_user u ON u.id = x.assignee_id"
    ),
    item=of_pairs(
        f"{meta('x')}, {client_pairs('x')}, 'plan_id', x.plan_id, "
        "'plan', json_build_object('id', p.id, 'title', p.title, 'visits_per_period', p.visits_per_period, "
        "'period', p.period, 'months', p.months, 'rrule', p.rrule, 'paused', p.paused), "
        "'period_start', x.period_start, "
        f"'period_end', x.period_end, 'due_on', x.due_on, 'planned_due_on', x.planned_due_on, "
        f"'colour', {_COLOUR}, 'intervention_id', x.intervention_id, "
        "'intervention', CASE WHEN x.intervention_id IS NOT NULL THEN json_build_object('id', x.intervention_id, "
        f"'starts_at', x.intervention_starts_at) END, 'done_at', x.done_at, 'assignee_id', x.assignee_id, "
        f"'assignee', {_ASSIGNEE}, 'address_id', p.address_id, 'address', {address_json('x')}"
    ),
    key="x.id",
    sorts={
        "due_on": ("x.due_on", "date"),
        "-due_on": ("x.due_on", "date"),
        # On the fiche: what is still to be done first, the soonest on top; then what is done.
        "next": ("((CASE WHEN x.done_at IS NULL THEN '0' ELSE '1' END) || x.due_on::text)", "text"),
    },
    default="due_on",
)


def get_plan(session: Session, identifier: uuid.UUID) -> bytes:
    """One plan. Raises `NotFound`."""
    body = PLANS.one(session, ["x.id = :id"], {"id": identifier})
    if body is None:
        raise NotFound("Ce plan n’existe pas.")
    return body


def get_visit(session: Session, identifier: uuid.UUID) -> bytes:
    """One visit. Raises `NotFound`."""
    body = VISITS.one(session, ["x.id = :id"], {"id": identifier})
    if body is None:
        raise NotFound("Cette visite n’existe pas.")
    return body


def list_plans(session: Session, request: c.ListPlans) -> bytes:
    """A page of plans."""
    where, params = in_tree("x", request.tree)
    if request.ids is not None:
        where.append("x.id = ANY(:ids)")
        params["ids"] = request.ids
    if request.equipment_id:
        where.append("x.equipment_ids @> jsonb_build_array(CAST(:equipment AS text))")
        params["equipment"] = str(request.equipment_id)
    return PLANS.page(session, where, params, request)


def list_visits(session: Session, request: c.ListVisits) -> bytes:
    """A page of visits by due day."""
    where, params = in_tree("x", request.tree)
    for value, condition, name in (
        (request.from_day, "x.due_on >= :from_day", "from_day"),
        (request.to_day, "x.due_on <= :to_day", "to_day"),
        (request.assignee_id, "x.assignee_id = :assignee", "assignee"),
        (request.colour, f"{_COLOUR} = :colour", "colour"),
        (request.plan_id, "x.plan_id = :plan", "plan"),
        (request.equipment_id, "p.equipment_ids @> jsonb_build_array(CAST(:equipment AS text))", "equipment"),
    ):
        if value is not None:
            where.append(condition)
            params[name] = str(value) if name == "equipment" else value
    return VISITS.page(session, where, params, request)


_OF_EQUIPMENT = text(
    "SELECT coalesce(json_agg(json_build_object('equipment_id', q.id, 'visit_id', x.id, 'colour', x.colour, "
    "'on', x.day)), '[]')::text FROM unnest(CAST(:ids AS text[])) q(id) CROSS JOIN LATERAL ("
    f"SELECT x.id, {_COLOUR} AS colour, coalesce(x.done_at AT TIME ZONE {ZONE}, "
    f"x.intervention_starts_at AT TIME ZONE {ZONE}, x.due_on::timestamp)::date AS day "
    "FROM plan p JOIN visit x ON x.plan_id = p.id WHERE p.equipment_ids @> jsonb_build_array(q.id) "
    f"ORDER BY CASE WHEN x.done_at IS NULL AND x.period_start <= {TODAY} THEN 0 "
    "WHEN x.done_at IS NOT NULL THEN 1 ELSE 2 END, "
    "CASE WHEN x.done_at IS NOT NULL THEN -extract(epoch FROM x.done_at) ELSE extract(epoch FROM x.due_on) END, x.id "
    "LIMIT 1) x"
)


def of_equipment(session: Session, request: c.EquipmentVisits) -> bytes:
    """For each equipment the visit that says how its maintenance stands."""
    values = {"ids": [str(one) for one in request.ids]}
    return b'{"items":' + str(session.execute(_OF_EQUIPMENT, values).scalar_one()).encode() + b"}"


def fiche(session: Session, request: c.MaintenanceFiche) -> bytes:
    """The section of a fiche: visits, next ones first."""

    def parts(tree: Sequence[uuid.UUID]) -> tuple[dict[str, Part], dict[str, Any]]:
        where, params = in_tree("x", tree)
        return {"maintenance": (_NEXT, where)}, params

    tree, found, _ = tree_sections(session, request, parts)
    return fiche_answer(tree, found)


_NEXT = of_root(Listing(VISITS.source, VISITS.item, VISITS.key, VISITS.sorts, "next"), "x")
