"""Facts that `interventions` tells."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from contracts.base import Id, Moment, RowEvent
from contracts.interventions.shapes import OWNER


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


class InterventionReopened(InterventionEvent):
    """An end or a cancellation was taken back, or a deletion: the work is to be done again."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "intervention.reopened"
    public: ClassVar[bool] = True


class InterventionArchived(InterventionEvent):
    """Work was put away; its state is what it was."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "intervention.archived"
    public: ClassVar[bool] = True


class InterventionUnarchived(InterventionEvent):
    """Work that was put away is back."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "intervention.unarchived"
    public: ClassVar[bool] = True


class ReportFilled(InterventionEvent):
    """A report was written, or corrected where its `report_version` is above 1. The subject is the intervention."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "report.filled"
    public: ClassVar[bool] = True
    report_version: int
    minutes: int | None
    needs_quote: bool


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
    #: Came in from another system: a fact of the past that nobody has to be told of as news.
    imported: bool = False


class JobSiteUpdated(JobSiteEvent):
    """A job site changed."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "job_site.updated"
    public: ClassVar[bool] = True
    #: Names of the fields.
    changed: list[str] = Field(default_factory=list)


class InterventionReassigned(InterventionEvent):
    """An intervention is another client's now, with all that was told of it."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "intervention.reassigned"
    public: ClassVar[bool] = True
    former_home_client_id: Id


class JobSiteReassigned(JobSiteEvent):
    """A job site is another client's now."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "job_site.reassigned"
    public: ClassVar[bool] = True
    former_home_client_id: Id
