"""Requests that `interventions` answers."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from contracts.base import Command, Day, Id, Line, Model, Moment, Page, Query
from contracts.clients import Origin
from contracts.interventions.shapes import (
    InterventionBody,
    InterventionChanges,
    JobSiteBody,
    JobSiteChanges,
    ReportBody,
    SiteStatus,
    State,
    Status,
    TypeBody,
    TypeChanges,
)
from contracts.uses import CountAddressUses


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
    """Starts, finishes, archives, unarchives, cancels, deletes; `reopen` takes back an end or a cancellation,
    `restore` a deletion. Asked for what already is, nothing changes.
    """

    rpc: ClassVar[str] = "interventions.act"
    id: Id
    action: Literal["start", "finish", "archive", "unarchive", "cancel", "delete", "reopen", "restore"]
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


class ListReportVersions(Query):
    """Every version of an intervention's report, newest first."""

    rpc: ClassVar[str] = "interventions.report_versions"
    id: Id


class ListWorkHistory(Page):
    """Who changed what of an intervention and when, newest first; its deletion included."""

    rpc: ClassVar[str] = "interventions.history"
    id: Id


class ListJobSiteHistory(Page):
    """Who changed what of a job site and when, newest first."""

    rpc: ClassVar[str] = "interventions.job_site_history"
    id: Id


class InterventionFilters(Model):
    """The filters of http-api, all combinable; a repeatable one takes any of its values.

    `from_day`/`to_day` (days of the company, inclusive) keep what takes place on one of these days, be it only in
    part. `technician_id=none` keeps what nobody is assigned to.
    """

    tree: list[Id] | None = None
    q: str = Field(default="", max_length=200)
    type_id: list[Id] = Field(default_factory=list, max_length=100)
    address_id: list[Id] = Field(default_factory=list, max_length=100)
    technician_id: list[Id | Literal["none"]] = Field(default_factory=list, max_length=100)
    archived: bool | None = None
    status: list[Status] = Field(default_factory=list, max_length=4)
    state: list[State] = Field(default_factory=list, max_length=5)
    scheduled: bool | None = None
    has_appointment: bool | None = None
    has_quote: bool | None = None
    needs_quote: bool | None = None
    to_invoice: bool | None = None
    job_site_id: Id | None = None
    equipment_id: Id | None = None
    place_id: Id | None = None
    from_day: Day | None = None
    to_day: Day | None = None


class ListInterventions(InterventionFilters, Page):
    """Interventions by the filters, latest first."""

    rpc: ClassVar[str] = "interventions.list"


class CountInterventions(InterventionFilters, Query):
    """How many each value of each filter would leave."""

    rpc: ClassVar[str] = "interventions.counts"


class ListOverlaps(Query):
    """What these people already have at that time, but for one intervention: told before a plan is saved."""

    rpc: ClassVar[str] = "interventions.overlaps"
    technician_ids: list[Id] = Field(min_length=1, max_length=51)
    starts_at: Moment
    ends_at: Moment | None = None
    except_id: Id | None = None


class InterventionFiche(Query):
    """Sections `interventions` and `job_sites` of a fiche."""

    rpc: ClassVar[str] = "interventions.fiche"
    client_id: Id
    tree: list[Id] | None = None
    limit: int = Field(default=50, ge=1, le=200)


class WorkTies(Query):
    """How many interventions forbid deleting a client: `{"started", "done"}`."""

    rpc: ClassVar[str] = "interventions.ties"
    tree: list[Id]


class CheckInterventions(Query):
    """Which of these interventions and job sites belong to the tree; the door refuses the others (422)."""

    rpc: ClassVar[str] = "interventions.check"
    tree: list[Id]
    ids: list[Id] = Field(default_factory=list, max_length=200)
    job_site_ids: list[Id] = Field(default_factory=list, max_length=200)


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
    status: list[SiteStatus] = Field(default_factory=list, max_length=3)
    q: str = Field(default="", max_length=200)


class CountJobSites(Query):
    """How many job sites each status has, under the other filters: `{"total", "status": {...}}`."""

    rpc: ClassVar[str] = "interventions.count_job_sites"
    tree: list[Id] | None = None
    status: list[SiteStatus] = Field(default_factory=list, max_length=3)
    q: str = Field(default="", max_length=200)


class AddressUses(CountAddressUses):
    """Interventions and job sites at each of these addresses."""

    rpc: ClassVar[str] = "interventions.address_uses"
