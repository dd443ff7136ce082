"""The read side of `maintenance`: PostgreSQL makes the JSON."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.page import Listing, meta, sections
from contracts import maintenance as c
from services.kit.homes import ADDRESS_JSON, address_join, client_join, client_pairs, fiche_answer, in_tree, tree_of

_COLOUR = (
    "(CASE WHEN x.done_at IS NOT NULL THEN 'green' WHEN x.intervention_id IS NOT NULL "
    "AND x.intervention_starts_at IS NOT NULL THEN 'blue' ELSE 'red' END)"
)
_ASSIGNEE = "CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.name) END"

PLANS = Listing(
    source=f"plan x {client_join('x')} {address_join('x')} LEFT JOIN known_user u ON u.id = x.assignee_id",
    item=(
        f"json_build_object({meta('x')}, {client_pairs('x')}, 'title', x.title, 'equipment_ids', x.equipment_ids, "
        f"'address_id', x.address_id, 'address', {ADDRESS_JSON}, 'place_id', x.place_id, "
        "'visits_per_period', x.visits_per_period, 'period', x.period, 'months', x.months, 'rrule', x.rrule, "
        "'starts_on', x.starts_on, "
        f"'ends_on', x.ends_on, 'assignee_id', x.assignee_id, 'assignee', {_ASSIGNEE}, "
        "'contract_reference', x.contract_reference, 'description', x.description, 'paused', x.paused)"
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
    item=(
        f"json_build_object({meta('x')}, {client_pairs('x')}, 'plan_id', x.plan_id, "
        "'plan', json_build_object('id', p.id, 'title', p.title, 'visits_per_period', p.visits_per_period, "
        "'period', p.period, 'months', p.months, 'rrule', p.rrule, 'paused', p.paused), "
        "'period_start', x.period_start, "
        f"'period_end', x.period_end, 'due_on', x.due_on, 'colour', {_COLOUR}, 'intervention_id', x.intervention_id, "
        "'intervention', CASE WHEN x.intervention_id IS NOT NULL THEN json_build_object('id', x.intervention_id, "
        f"'starts_at', x.intervention_starts_at) END, 'done_at', x.done_at, 'assignee_id', x.assignee_id, "
        f"'assignee', {_ASSIGNEE}, 'address_id', p.address_id, 'address', {ADDRESS_JSON})"
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
    ):
        if value is not None:
            where.append(condition)
            params[name] = value
    return VISITS.page(session, where, params, request)


def fiche(session: Session, request: c.MaintenanceFiche) -> bytes:
    """The section of a fiche: visits, next ones first."""
    tree = request.tree or tree_of(session, request.client_id)
    where, params = in_tree("x", tree)
    return fiche_answer(tree, sections(session, {"maintenance": (_NEXT, where)}, params, request.limit))


_NEXT = Listing(VISITS.source, VISITS.item, VISITS.key, VISITS.sorts, "next")
