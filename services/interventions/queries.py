"""The read side of `interventions`: PostgreSQL makes the JSON."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.page import Listing, columns, like, meta, row, sections
from contracts import interventions as c
from services.kit.homes import (
    ADDRESS_JSON,
    address_join,
    client_columns,
    client_join,
    client_pairs,
    fiche_answer,
    in_tree,
    tree_of,
)

#: Exclusive, tested in this order (http-api, Rules): done, late, today, upcoming; null to plan or cancelled.
_STATUS = """(CASE WHEN x.state = 'done' THEN 'done'
 WHEN x.state = 'cancelled' OR x.starts_at IS NULL THEN NULL
 WHEN coalesce(x.ends_at, x.starts_at) < now() THEN 'late'
 WHEN (x.starts_at AT TIME ZONE 'Europe/Paris')::date <= (now() AT TIME ZONE 'Europe/Paris')::date THEN 'today'
 ELSE 'upcoming' END)"""
_PEOPLE = (
    "coalesce((SELECT json_agg(json_build_object('id', u.id, 'name', u.name) ORDER BY t.n) FROM "
    "jsonb_array_elements_text(x.technician_ids) WITH ORDINALITY AS t(id, n) JOIN known_user u ON u.id = t.id::uuid), "
    "'[]'::json)"
)
_LINKS = (
    "coalesce((SELECT json_agg(l.document_id ORDER BY l.document_id) FROM linked_document l "
    "WHERE l.intervention_id = x.id AND l.kind = '{}'), '[]'::json)"
)
_STARTS = "coalesce(x.starts_at, 'infinity')"

INTERVENTIONS = Listing(
    source=(
        f"intervention x {client_join('x')} {address_join('x')} "
        "LEFT JOIN intervention_type y ON y.id = x.type_id LEFT JOIN known_user lead ON lead.id = x.lead_technician_id"
    ),
    item=row(
        f"{columns('x')}, {client_columns('x')}, x.number, x.title, x.kind, x.type_id, "
        "CASE WHEN y.id IS NOT NULL THEN json_build_object('id', y.id, 'name', y.name) END AS type, "
        f"x.address_id, {ADDRESS_JSON} AS address, x.place_id, x.lead_technician_id, CASE WHEN lead.id IS NOT NULL "
        "THEN json_build_object('id', lead.id, 'name', lead.name) END AS lead_technician, "
        f"x.technician_ids, {_PEOPLE} AS technicians, x.starts_at, x.ends_at, "
        "x.has_appointment OR x.kind = 'appointment' AS has_appointment, x.needs_quote, x.billable, x.priority, "
        "x.client_reference, x.contact_id, x.equipment_ids, x.job_site_id, x.description, x.state, "
        f"{_STATUS} AS status, x.archived_at IS NOT NULL AS archived, x.started_at, x.finished_at, x.report, "
        f"x.visit_id, {_LINKS.format('quote')} AS quote_ids, {_LINKS.format('invoice')} AS invoice_ids"
    ),
    key="x.id",
    sorts={
        "-starts_at": (_STARTS, "timestamptz"),
        "starts_at": (_STARTS, "timestamptz"),
        "number": ("x.number", "text"),
        "-number": ("x.number", "text"),
        "-created_at": ("x.created_at", "timestamptz"),
    },
    default="-starts_at",
)
_LIVING = "x.deleted_at IS NULL"
_SITE_COUNT = "(SELECT count(*) FROM intervention w WHERE w.job_site_id = x.id AND w.deleted_at IS NULL{})"

JOB_SITES = Listing(
    source=f"job_site x {client_join('x')} {address_join('x')}",
    item=(
        f"json_build_object({meta('x')}, {client_pairs('x')}, 'number', x.number, 'title', x.title, "
        f"'address_id', x.address_id, 'address', {ADDRESS_JSON}, 'place_id', x.place_id, 'status', x.status, "
        "'starts_on', x.starts_on, 'ends_on', x.ends_on, 'estimated_hours', x.estimated_hours::text, "
        f"'description', x.description, 'intervention_count', {_SITE_COUNT.format('')}, "
        f"'done_count', {_SITE_COUNT.format(chr(32) + 'AND w.state = ' + chr(39) + 'done' + chr(39))})"
    ),
    key="x.id",
    sorts={"-created_at": ("x.created_at", "timestamptz"), "number": ("x.number", "text")},
    default="-created_at",
)
TYPES = Listing(
    source="intervention_type x",
    item=f"json_build_object({meta('x')}, 'name', x.name, 'free_of_charge', x.free_of_charge)",
    key="x.id",
    sorts={"name": ("lower(x.name)", "text")},
    default="name",
)
TECHNICIANS = Listing(
    source="known_user x",
    item="json_build_object('id', x.id, 'name', x.name, 'roles', x.roles)",
    key="x.id",
    sorts={"name": ("x.name", "text")},
    default="name",
)


def get_intervention(session: Session, identifier: uuid.UUID) -> bytes:
    """One intervention. Raises `NotFound`."""
    return _one(INTERVENTIONS, session, identifier, "Cette intervention n’existe pas.", _LIVING)


def get_job_site(session: Session, identifier: uuid.UUID) -> bytes:
    """One job site. Raises `NotFound`."""
    return _one(JOB_SITES, session, identifier, "Ce chantier n’existe pas.")


def get_type(session: Session, identifier: uuid.UUID) -> bytes:
    """One type. Raises `NotFound`."""
    return _one(TYPES, session, identifier, "Ce type n’existe pas.")


def _one(listing: Listing, session: Session, identifier: uuid.UUID, absent: str, *where: str) -> bytes:
    body = listing.one(session, [*where, "x.id = :id"], {"id": identifier})
    if body is None:
        raise NotFound(absent)
    return body


def list_interventions(session: Session, request: c.ListInterventions) -> bytes:
    """A page of interventions by every filter of http-api, all combinable."""
    where, params = in_tree("x", request.tree)
    where.insert(0, _LIVING)

    def add(condition: str, **values: Any) -> None:
        where.append(condition)
        params.update(values)

    if request.q.strip():
        add("(x.title ILIKE :q OR x.number ILIKE :q)", q=f"%{like(request.q.strip())}%")
    if request.type_id:
        add("x.type_id = :type", type=request.type_id)
    if request.address_id:
        add("x.address_id = ANY(:addresses)", addresses=request.address_id)
    if request.technician_id:
        add(
            "(x.technician_ids ?| :people OR x.lead_technician_id::text = ANY(:people))",
            people=[str(one) for one in request.technician_id],
        )
    if request.archived is not None:
        add("x.archived_at IS NOT NULL" if request.archived else "x.archived_at IS NULL")
    if request.status:
        add(f"{_STATUS} = ANY(:statuses)", statuses=list(request.status))
    if request.scheduled is not None:
        add("x.starts_at IS NOT NULL" if request.scheduled else "x.starts_at IS NULL")
    if request.has_appointment is not None:
        add("(x.has_appointment OR x.kind = 'appointment') = :appointment", appointment=request.has_appointment)
    if request.has_quote is not None:
        add(f"{'' if request.has_quote else 'NOT '}{_has('quote')}")
    if request.needs_quote is not None:
        add(f"(x.needs_quote AND NOT {_has('quote')}) = :needs_quote", needs_quote=request.needs_quote)
    if request.to_invoice is not None:
        # Done, billable, not invoiced yet, not of a job site, its type not free of charge (domain).
        add(
            f"(x.state = 'done' AND x.billable AND x.job_site_id IS NULL AND NOT coalesce(y.free_of_charge, false) "
            f"AND NOT {_has('invoice')}) = :to_invoice",
            to_invoice=request.to_invoice,
        )
    if request.job_site_id:
        add("x.job_site_id = :site", site=request.job_site_id)
    if request.from_day:
        add("x.starts_at >= CAST(:from_day AS date)::timestamp AT TIME ZONE 'Europe/Paris'", from_day=request.from_day)
    if request.to_day:
        add("x.starts_at < (CAST(:to_day AS date) + 1)::timestamp AT TIME ZONE 'Europe/Paris'", to_day=request.to_day)
    return INTERVENTIONS.page(session, where, params, request)


def _has(kind: str) -> str:
    return f"EXISTS (SELECT 1 FROM linked_document l WHERE l.intervention_id = x.id AND l.kind = '{kind}')"


def list_job_sites(session: Session, request: c.ListJobSites) -> bytes:
    """A page of job sites."""
    where, params = in_tree("x", request.tree)
    if request.status:
        where.append("x.status = :status")
        params["status"] = request.status
    if request.q.strip():
        where.append("(x.title ILIKE :q OR x.number ILIKE :q)")
        params["q"] = f"%{like(request.q.strip())}%"
    return JOB_SITES.page(session, where, params, request)


def list_technicians(session: Session, request: c.ListTechnicians) -> bytes:
    """Active staff who work in the field."""
    field = "x.active AND x.roles ?| ARRAY['technician', 'lead_technician', 'subcontractor']"
    return TECHNICIANS.page(session, [field], {}, request)


def fiche(session: Session, request: c.InterventionFiche) -> bytes:
    """Both sections, in one query."""
    tree = request.tree or tree_of(session, request.client_id)
    where, params = in_tree("x", tree)
    parts = {"interventions": (INTERVENTIONS, [_LIVING, *where]), "job_sites": (JOB_SITES, where)}
    return fiche_answer(tree, sections(session, parts, params, request.limit))


def check(session: Session, request: c.CheckInterventions) -> dict[str, list[str]]:
    """`{"foreign": [ids that are not of the tree]}`."""
    rows = session.execute(
        text(
            "SELECT id FROM intervention WHERE id = ANY(:ids) AND home_client_id = ANY(:tree) AND deleted_at IS NULL "
            "UNION ALL SELECT id FROM job_site WHERE id = ANY(:sites) AND home_client_id = ANY(:tree)"
        ),
        {"ids": request.ids, "sites": request.job_site_ids, "tree": request.tree},
    )
    known = {str(row[0]) for row in rows}
    asked = [*request.ids, *request.job_site_ids]
    return {"foreign": [str(identifier) for identifier in asked if str(identifier) not in known]}
