"""Published language of `interventions`: work at clients, its planning and reports, job sites."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from contracts.base import Command, DecimalText, Id, Line, Model, Moment, Name, Page, Query, Resource, RowEvent, Text
from contracts.clients import Origin

OWNER = "interventions"

Kind = Literal["intervention", "appointment"]
State = Literal["to_plan", "planned", "in_progress", "done", "cancelled"]
Status = Literal["late", "today", "upcoming", "done"]
SiteStatus = Literal["not_started", "in_progress", "done"]
Priority = Literal["low", "normal", "high", "urgent"]


class InterventionFields(Model):
    """What a person says of a piece of work. Without `starts_at` it waits to be planned."""

    title: Line = ""
    kind: Kind = "intervention"
    type_id: Id | None = None
    address_id: Id | None = None
    lead_technician_id: Id | None = None
    technician_ids: list[Id] = Field(default_factory=list, max_length=50)
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    has_appointment: bool = False
    needs_quote: bool = False
    billable: bool = True
    priority: Priority = "normal"
    client_reference: Line = ""
    contact_id: Id | None = None
    equipment_ids: list[Id] = Field(default_factory=list, max_length=100)
    job_site_id: Id | None = None
    description: Text = ""


def check_period(starts: Any, ends: Any) -> None:
    """Raises `ValueError` unless the end, where given, is after the start."""
    if ends is not None and starts is None:
        raise ValueError("Une fin sans début n’a pas de sens : donnez aussi le début.")
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
    """What the technician tells: time in minutes, work done, parts, who signed."""

    work_done: Text = ""
    minutes: int | None = Field(default=None, ge=0, le=100_000)
    parts: list[dict[str, Any]] = Field(default_factory=list, max_length=200)
    signed_by: Line = ""
    needs_quote: bool | None = None


class InterventionView(Resource):
    """An intervention as answered; `status` is exclusive, by the company's time zone, null where none fits."""

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
    priority: Priority
    client_reference: str
    contact_id: Id | None
    equipment_ids: list[Id]
    job_site_id: Id | None
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


class CreateIntervention(Command):
    """Records work. Imports give `id`, `number`, `state`, `report`, `archived` and `origin`."""

    rpc: ClassVar[str] = "interventions.create"
    id: Id | None = None
    home_client_id: Id
    written_client_id: Id
    place_id: Id | None = None
    body: InterventionBody
    number: Line | None = None
    state: State | None = None
    report: ReportBody | None = None
    archived: bool = False
    origin: Origin | None = None


class UpdateIntervention(Command):
    """Changes work; a new date plans it, no date puts it back into the tray."""

    rpc: ClassVar[str] = "interventions.update"
    id: Id
    expected_version: int | None = None
    place_id: Id | None = None
    changes: InterventionChanges


class ActOnIntervention(Command):
    """Starts, finishes, archives, unarchives, cancels or deletes. Asked for what already is, nothing changes."""

    rpc: ClassVar[str] = "interventions.act"
    id: Id
    action: Literal["start", "finish", "archive", "unarchive", "cancel", "delete"]
    expected_version: int | None = None


class FillReport(Command):
    """Writes the report; once the work is done a correction makes the next version and keeps the old one."""

    rpc: ClassVar[str] = "interventions.report"
    id: Id
    expected_version: int | None = None
    body: ReportBody


class GetIntervention(Query):
    """One intervention."""

    rpc: ClassVar[str] = "interventions.get"
    id: Id


class ListInterventions(Page):
    """Interventions by the filters of http-api; `from`/`to` (days, inclusive) look at the start."""

    rpc: ClassVar[str] = "interventions.list"
    tree: list[Id] | None = None
    q: str = Field(default="", max_length=200)
    type_id: Id | None = None
    address_id: list[Id] = Field(default_factory=list, max_length=100)
    technician_id: list[Id] = Field(default_factory=list, max_length=100)
    archived: bool | None = None
    status: list[Status] = Field(default_factory=list, max_length=4)
    scheduled: bool | None = None
    has_appointment: bool | None = None
    has_quote: bool | None = None
    needs_quote: bool | None = None
    to_invoice: bool | None = None
    job_site_id: Id | None = None
    from_day: date | None = None
    to_day: date | None = None


class InterventionFiche(Query):
    """Sections `interventions` and `job_sites` of a fiche."""

    rpc: ClassVar[str] = "interventions.fiche"
    client_id: Id
    tree: list[Id] | None = None
    limit: int = Field(default=50, ge=1, le=200)


class CheckInterventions(Query):
    """Which of these interventions and job sites belong to the tree; the door refuses the others (422)."""

    rpc: ClassVar[str] = "interventions.check"
    tree: list[Id]
    ids: list[Id] = Field(default_factory=list, max_length=200)
    job_site_ids: list[Id] = Field(default_factory=list, max_length=200)


class TypeBody(Model):
    """A type of intervention; `free_of_charge` work is never to be invoiced."""

    name: Name
    free_of_charge: bool = False


class TypeChanges(Model):
    """JSON merge patch of a type."""

    name: Name = ""
    free_of_charge: bool = False


class TypeView(Resource):
    """A type as answered."""

    name: str
    free_of_charge: bool


class CreateType(Command):
    """Adds a type."""

    rpc: ClassVar[str] = "interventions.create_type"
    id: Id | None = None
    body: TypeBody


class UpdateType(Command):
    """Changes a type."""

    rpc: ClassVar[str] = "interventions.update_type"
    id: Id
    expected_version: int | None = None
    changes: TypeChanges


class GetType(Query):
    """One type."""

    rpc: ClassVar[str] = "interventions.get_type"
    id: Id


class ListTypes(Page):
    """Types by name."""

    rpc: ClassVar[str] = "interventions.list_types"


class ListTechnicians(Page):
    """Staff who work in the field, by name."""

    rpc: ClassVar[str] = "interventions.list_technicians"


class JobSiteBody(Model):
    """What a person says of a job site."""

    title: Name
    address_id: Id | None = None
    status: SiteStatus = "not_started"
    starts_on: date | None = None
    ends_on: date | None = None
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
    starts_on: date | None = None
    ends_on: date | None = None
    estimated_hours: DecimalText | None = Field(default=None, ge=0, le=1_000_000)
    description: Text = ""


class JobSiteView(Resource):
    """A job site as answered, with how many interventions it has."""

    number: str
    client_id: Id
    client: dict[str, Any]
    written_client_id: Id | None
    title: str
    address_id: Id | None
    address: dict[str, Any] | None
    place_id: Id | None
    status: SiteStatus
    starts_on: date | None
    ends_on: date | None
    estimated_hours: str | None
    description: str
    intervention_count: int
    done_count: int


class CreateJobSite(Command):
    """Opens a job site. Imports give `id`, `number` and `origin`."""

    rpc: ClassVar[str] = "interventions.create_job_site"
    id: Id | None = None
    home_client_id: Id
    written_client_id: Id
    place_id: Id | None = None
    body: JobSiteBody
    number: Line | None = None
    origin: Origin | None = None


class UpdateJobSite(Command):
    """Changes a job site."""

    rpc: ClassVar[str] = "interventions.update_job_site"
    id: Id
    expected_version: int | None = None
    place_id: Id | None = None
    changes: JobSiteChanges


class GetJobSite(Query):
    """One job site."""

    rpc: ClassVar[str] = "interventions.get_job_site"
    id: Id


class ListJobSites(Page):
    """Job sites, newest first."""

    rpc: ClassVar[str] = "interventions.list_job_sites"
    tree: list[Id] | None = None
    status: SiteStatus | None = None
    q: str = Field(default="", max_length=200)


class InterventionEvent(RowEvent):
    """What each event of an intervention tells."""

    id: Id
    number: str
    title: str
    kind: str
    state: str
    starts_at: Moment | None
    ends_at: Moment | None
    address_id: Id | None
    place_id: Id | None
    technician_ids: list[Id]
    visit_id: Id | None
    job_site_id: Id | None


class InterventionCreated(InterventionEvent):
    """Work was recorded."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "intervention.created"
    public: ClassVar[bool] = True


class InterventionPlanned(InterventionEvent):
    """Work got a date, or another one."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "intervention.planned"
    public: ClassVar[bool] = True


class InterventionUpdated(InterventionEvent):
    """Something else of the work changed; without date it is to plan again."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "intervention.updated"
    public: ClassVar[bool] = True


class InterventionStarted(InterventionEvent):
    """Work began."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "intervention.started"
    public: ClassVar[bool] = True


class InterventionDone(InterventionEvent):
    """Work is finished."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "intervention.done"
    public: ClassVar[bool] = True
    finished_at: Moment


class InterventionCancelled(InterventionEvent):
    """Work will not be done."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "intervention.cancelled"
    public: ClassVar[bool] = True


class JobSiteEvent(RowEvent):
    """What each event of a job site tells."""

    id: Id
    number: str
    title: str
    status: str


class JobSiteCreated(JobSiteEvent):
    """A job site was opened."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "job_site.created"
    public: ClassVar[bool] = True


class JobSiteUpdated(JobSiteEvent):
    """A job site changed."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "job_site.updated"
    public: ClassVar[bool] = True
