"""Shapes of work, its reports and types."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from contracts.base import Day, DecimalText, Flag, Id, Line, Model, Moment, Name, Person, Resource, Text

OWNER = "interventions"

Kind = Literal["intervention", "appointment"]
State = Literal["to_plan", "planned", "in_progress", "done", "cancelled"]
Status = Literal["late", "today", "upcoming", "done"]
SiteStatus = Literal["not_started", "in_progress", "done"]
Priority = Literal["low", "normal", "high", "urgent"]

#: Minutes that work without an end is taken to last where a planning needs a length.
DEFAULT_MINUTES = 60


class InterventionFields(Model):
    """What a person says of a piece of work. Without `starts_at` it waits to be planned.

    Without `ends_at` it is late only once its day is over, in the company's time zone.
    """

    title: Line = ""
    kind: Kind = "intervention"
    type_id: Id | None = None
    address_id: Id | None = None
    lead_technician_id: Id | None = None
    technician_ids: list[Id] = Field(default_factory=list, max_length=50)
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    has_appointment: Flag = False
    needs_quote: Flag = False
    billable: Flag = True
    #: Why it is not billable; said of nothing that is.
    billable_reason: Line = ""
    priority: Priority = "normal"
    client_reference: Line = ""
    contact_id: Id | None = None
    equipment_ids: list[Id] = Field(default_factory=list, max_length=100)
    job_site_id: Id | None = None
    description: Text = ""


def check_period(starts: Any, ends: Any) -> None:
    """Raises `ValueError` unless the end, where given, is after the start."""
    if ends is not None and starts is None:
        raise ValueError("Une fin sans début n’a pas de sens\u202f: donnez aussi le début.")
    if starts is not None and ends is not None and ends < starts:
        raise ValueError("La fin doit être après le début.")


class InterventionBody(InterventionFields):
    """Body of `POST /interventions`; only the title is required beside the client."""

    title: Name

    @model_validator(mode="after")
    def _period(self) -> InterventionBody:
        check_period(self.starts_at, self.ends_at)
        return self


class InterventionChanges(InterventionFields):
    """JSON merge patch of an intervention."""


class ReportBody(Model):
    """What the technician tells: time in minutes, work done, parts, who signed.

    A part bears at least a `label`; `quantity` and `reference` where they are known.
    """

    work_done: Text = ""
    minutes: int | None = Field(default=None, ge=0, le=100_000)
    parts: list[dict[str, Any]] = Field(default_factory=list, max_length=200)
    signed_by: Line = ""
    needs_quote: Flag | None = None


class InterventionView(Resource):
    """An intervention as answered.

    `status` is exclusive, by the company's time zone: done; late (not done and its end passed, or without an end its
    day over); today (it starts today or is going on, or was started); upcoming; null where none fits (to plan,
    cancelled). `to_invoice`: done, billable, on no invoice, of no job site, its type not free of charge. `invoiced`:
    an issued invoice names it; `invoice_ids` holds drafts too.
    """

    number: str
    client_id: Id
    client: dict[str, Any]
    written_client_id: Id | None
    title: str
    kind: Kind
    type_id: Id | None
    type: dict[str, Any] | None
    address_id: Id | None
    address: dict[str, Any] | None
    place_id: Id | None
    lead_technician_id: Id | None
    lead_technician: dict[str, Any] | None
    technician_ids: list[Id]
    technicians: list[dict[str, Any]]
    starts_at: Moment | None
    ends_at: Moment | None
    has_appointment: bool
    needs_quote: bool
    billable: bool
    billable_reason: str
    priority: Priority
    client_reference: str
    contact_id: Id | None
    equipment_ids: list[Id]
    job_site_id: Id | None
    job_site: dict[str, Any] | None
    description: str
    state: State
    status: Status | None
    archived: bool
    started_at: Moment | None
    finished_at: Moment | None
    report: dict[str, Any] | None
    visit_id: Id | None
    quote_ids: list[Id]
    invoice_ids: list[Id]
    to_invoice: bool
    invoiced: bool


class InterventionCounts(Model):
    """How many rows each value of a filter would leave, all other filters as they are.

    Keys are the values as the filter takes them (`none` among the technicians: nobody is assigned). `total` is what
    all filters together leave, `to_plan` what waits in the tray under the filters that are not about time.
    """

    total: int
    to_plan: int
    type_id: dict[str, int]
    address_id: dict[str, int]
    technician_id: dict[str, int]
    status: dict[str, int]
    state: dict[str, int]
    archived: dict[str, int]
    scheduled: dict[str, int]
    has_appointment: dict[str, int]
    has_quote: dict[str, int]
    needs_quote: dict[str, int]
    to_invoice: dict[str, int]


class ReportVersionView(Model):
    """One version of a report, with who wrote it and when."""

    number: int
    report: dict[str, Any]
    written_at: Moment
    written_by: Person


class TypeBody(Model):
    """A type of intervention; `free_of_charge` work is never to be invoiced."""

    name: Name
    free_of_charge: Flag = False


class TypeChanges(Model):
    """JSON merge patch of a type."""

    name: Name = ""
    free_of_charge: Flag = False


class TypeView(Resource):
    """A type as answered."""

    name: str
    free_of_charge: bool


class JobSiteBody(Model):
    """What a person says of a job site."""

    title: Name
    address_id: Id | None = None
    status: SiteStatus = "not_started"
    starts_on: Day | None = None
    ends_on: Day | None = None
    estimated_hours: DecimalText | None = Field(default=None, ge=0, le=1_000_000)
    description: Text = ""

    @model_validator(mode="after")
    def _period(self) -> JobSiteBody:
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValueError("La fin doit être après le début.")
        return self


class JobSiteChanges(Model):
    """JSON merge patch of a job site."""

    title: Name = ""
    address_id: Id | None = None
    status: SiteStatus = "not_started"
    starts_on: Day | None = None
    ends_on: Day | None = None
    estimated_hours: DecimalText | None = Field(default=None, ge=0, le=1_000_000)
    description: Text = ""


class JobSiteView(Resource):
    """A job site as answered, with how many interventions it has and the minutes that their reports tell."""

    number: str
    client_id: Id
    client: dict[str, Any]
    written_client_id: Id | None
    title: str
    address_id: Id | None
    address: dict[str, Any] | None
    place_id: Id | None
    status: SiteStatus
    starts_on: Day | None
    ends_on: Day | None
    estimated_hours: str | None
    description: str
    quote_id: Id | None
    intervention_count: int
    done_count: int
    minutes_spent: int
