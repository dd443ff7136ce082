"""Work: sites, interventions, equipment, plans, files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from services.imports.records.base import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class InterventionType(Record):
    """A type of intervention."""

    name: str
    free_of_charge: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSite(Record):
    """A job site (*chantier*); `status` is not_started, in_progress or done."""

    client_ref: str
    title: str
    number: str | None = None
    description: str = ""
    status: str = "not_started"
    starts_on: date | None = None
    ends_on: date | None = None
    address_ref: str | None = None
    estimated_hours: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkLine:
    """A line of a report: what was done, when, for how many minutes."""

    text: str
    done_at: datetime | None
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention(Record):
    """An intervention or an appointment; `state` is to_plan, planned, in_progress, done or cancelled."""

    client_ref: str
    title: str
    kind: str = "intervention"
    type_ref: str | None = None
    number: str | None = None
    state: str = "to_plan"
    address_ref: str | None = None
    lead_technician_ref: str | None = None
    technician_refs: tuple[str, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    has_appointment: bool = False
    needs_quote: bool = False
    billable: bool = True
    invoiced: bool = False
    archived: bool = False
    priority: str | None = None
    client_reference: str | None = None
    contact_ref: str | None = None
    equipment_refs: tuple[str, ...] = ()
    job_site_ref: str | None = None
    plan_ref: str | None = None
    description: str = ""
    report_text: str = ""
    work_lines: tuple[WorkLine, ...] = ()
    minutes: int = 0
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment(Record):
    """Something installed at a client's address."""

    client_ref: str
    name: str
    address_ref: str | None = None
    type: str | None = None
    description: str = ""
    brand: str | None = None
    model: str | None = None
    serial_number: str | None = None
    reference: str | None = None
    parent_ref: str | None = None
    purchased_on: date | None = None
    installed_on: date | None = None
    warranty_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Record):
    """A maintenance plan: `visits_per_period` a `period` (month, quarter, half_year, year), or `rrule`."""

    client_ref: str
    title: str
    starts_on: date
    ends_on: date | None = None
    visits_per_period: int | None = None
    period: str | None = None
    rrule: str | None = None
    status: str = "active"
    address_ref: str | None = None
    equipment_refs: tuple[str, ...] = ()
    assignee_ref: str | None = None
    contract_reference: str | None = None
    description: str = ""
    #: Visits due before this day are not made; the day of the import where None.
    visits_from: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedVisit(Record):
    """A visit of a plan that has its date and people."""

    plan_ref: str
    starts_at: datetime
    ends_at: datetime | None = None
    technician_refs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneVisit(Record):
    """A visit of a plan that an intervention of the past was."""

    plan_ref: str
    intervention_ref: str
    done_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Record):
    """A file known by name only: its content is not in the source and is marked as missing."""

    client_ref: str
    name: str
    folder: str
    description: str = ""
    about_ref: str | None = None
    created_at: datetime | None = None
    author_ref: str | None = None
