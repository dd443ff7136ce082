"""What an intervention, a job site, a type and a technician look like: JSON made by PostgreSQL."""

from __future__ import annotations

from chassis.page import Listing, columns, meta, of_pairs, row
from services.kit.homes import address_join, address_json, client_columns, client_join, client_pairs
from services.kit.zone import TODAY, ZONE

_DAY = f"(x.starts_at AT TIME ZONE {ZONE})::date"
#: Exclusive, tested in this order (http-api, Rules): done, late, today, upcoming; null to plan or cancelled.
STATUS = f"""(CASE WHEN x.state = 'done' THEN 'done'
 WHEN x.state = 'cancelled' OR (x.starts_at IS NULL AND x.state <> 'in_progress') THEN NULL
 WHEN x.ends_at < now() OR (x.ends_at IS NULL AND {_DAY} < {TODAY}) THEN 'late'
 WHEN x.state = 'in_progress' OR {_DAY} <= {TODAY} THEN 'today'
 ELSE 'upcoming' END)"""
LIVING = "x.deleted_at IS NULL"
APPOINTMENT = "(x.has_appointment OR x.kind = 'appointment')"


def has_document(kind: str, more: str = "") -> str:
    """SQL: whether a quote or an invoice names the intervention."""
    return f"(EXISTS (SELECT 1 FROM linked_document l WHERE l.intervention_id = x.id AND l.kind = '{kind}'{more}))"


#: A quote is to be made: flagged, and none was made yet (domain, Interventions).
NEEDS_QUOTE = f"(x.needs_quote AND NOT {has_document('quote')})"
#: Done, billable, on no invoice yet, of no job site (the site is invoiced), its type not free of charge (domain).
TO_INVOICE = (
    "(x.state = 'done' AND x.billable AND x.job_site_id IS NULL AND NOT coalesce((SELECT t.free_of_charge "
    f"FROM intervention_type t WHERE t.id = x.type_id), false) AND NOT {has_document('invoice')})"
)
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
        "LEFT JOIN intervention_type y ON y.id = x.type_id LEFT JOIN known_user lead ON lead.id = x.lead_technician_id "
        "LEFT JOIN job_site s ON s.id = x.job_site_id"
    ),
    item=row(
        f"{columns('x')}, {client_columns('x')}, x.number, x.title, x.kind, x.type_id, "
        "CASE WHEN y.id IS NOT NULL THEN json_build_object('id', y.id, 'name', y.name) END AS type, "
        f"x.address_id, {address_json('x')} AS address, x.place_id, x.lead_technician_id, "
        "CASE WHEN lead.id IS NOT NULL THEN json_build_object('id', lead.id, 'name', lead.name) END "
        "AS lead_technician, "
        f"x.technician_ids, {_PEOPLE} AS technicians, x.starts_at, x.ends_at, {APPOINTMENT} AS has_appointment, "
        "x.needs_quote, x.billable, x.billable_reason, x.priority, x.client_reference, x.contact_id, x.equipment_ids, "
        "x.job_site_id, "
        "CASE WHEN s.id IS NOT NULL THEN json_build_object('id', s.id, 'number', s.number, 'title', s.title) END "
        f"AS job_site, x.description, x.state, {STATUS} AS status, x.archived_at IS NOT NULL AS archived, "
        f"x.started_at, x.finished_at, x.report, x.visit_id, {_LINKS.format('quote')} AS quote_ids, "
        f"{_LINKS.format('invoice')} AS invoice_ids, {TO_INVOICE} AS to_invoice, "
        f"{has_document('invoice', ' AND l.issued')} AS invoiced"
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

_ON_SITE = "FROM intervention w WHERE w.job_site_id = x.id AND w.deleted_at IS NULL AND w.state <> 'cancelled'"
JOB_SITES = Listing(
    source=f"job_site x {client_join('x')} {address_join('x')}",
    item=of_pairs(
        f"{meta('x')}, {client_pairs('x')}, 'number', x.number, 'title', x.title, "
        f"'address_id', x.address_id, 'address', {address_json('x')}, 'place_id', x.place_id, 'status', x.status, "
        "'starts_on', x.starts_on, 'ends_on', x.ends_on, 'estimated_hours', x.estimated_hours::text, "
        "'description', x.description, 'quote_id', x.quote_id, "
        f"'intervention_count', (SELECT count(*) {_ON_SITE}), "
        f"'done_count', (SELECT count(*) {_ON_SITE} AND w.state = 'done'), "
        f"'minutes_spent', (SELECT coalesce(sum((w.report->>'minutes')::int), 0) {_ON_SITE})"
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
