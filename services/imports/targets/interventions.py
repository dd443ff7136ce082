"""Types, job sites and work → interventions."""

from __future__ import annotations

import uuid
from typing import cast

from contracts import interventions as c
from contracts.clients import Origin
from services.imports import records
from services.imports.targets.base import AUTHOR, Order, Resolver


def intervention_type(record: records.InterventionType, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """A type; one that exists under this name already stays as it is."""
    body = c.TypeBody(name=record.name, free_of_charge=record.free_of_charge)
    return Order("interventions", "type", chosen, [c.CreateType(id=chosen, body=body)])


def job_site(record: records.JobSite, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """A job site, under the number it had."""
    home = resolver.home(record.client_ref)
    backwards = record.starts_on and record.ends_on and record.ends_on < record.starts_on
    body = c.JobSiteBody(
        title=record.title,
        address_id=resolver.find(record.address_ref),
        status=cast(c.SiteStatus, record.status),
        starts_on=record.starts_on,
        ends_on=None if backwards else record.ends_on,
        estimated_hours=record.estimated_hours,
        description=record.description,
    )
    request = c.CreateJobSite(
        id=chosen,
        home_client_id=home.home,
        written_client_id=home.written,
        place_id=resolver.answer(record.address_ref, "place_id"),
        body=body,
        number=record.number,
        origin=Origin(created_by_name=AUTHOR),
    )
    notices = [f"fin ({record.ends_on}) avant le début\u202f: non reprise"] if backwards else []
    return Order("interventions", "job_site", chosen, [request], notices=notices)


def intervention(record: records.Intervention, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """Work with its report, under the number it had."""
    home = resolver.home(record.client_ref)
    body = c.InterventionBody(
        title=record.title,
        kind=cast(c.Kind, record.kind),
        type_id=resolver.find(record.type_ref),
        address_id=resolver.find(record.address_ref),
        lead_technician_id=resolver.find(record.lead_technician_ref),
        technician_ids=resolver.many(record.technician_refs),
        starts_at=record.starts_at,
        ends_at=record.ends_at,
        has_appointment=record.has_appointment,
        needs_quote=record.needs_quote,
        billable=record.billable,
        priority=cast(c.Priority, record.priority or "normal"),
        client_reference=record.client_reference or "",
        contact_id=resolver.find(record.contact_ref),
        equipment_ids=resolver.many(record.equipment_refs),
        job_site_id=resolver.find(record.job_site_ref),
        description=record.description,
    )
    report = c.ReportBody(work_done=record.report_text, minutes=record.minutes or None)
    request = c.CreateIntervention(
        id=chosen,
        home_client_id=home.home,
        written_client_id=home.written,
        place_id=resolver.answer(record.address_ref, "place_id"),
        body=body,
        number=record.number,
        state=cast(c.State, record.state),
        report=report if record.report_text or record.minutes else None,
        archived=record.archived,
        origin=Origin(created_at=record.created_at, created_by_name=AUTHOR) if record.created_at else None,
    )
    return Order("interventions", "intervention", chosen, [request])
