"""Published language of `maintenance`: plans and their visits."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from contracts.base import Command, Day, Flag, Id, Line, Model, Moment, Page, Query, Resource, RowEvent, Text
from contracts.clients import Origin
from contracts.uses import CountAddressUses

OWNER = "maintenance"

Period = Literal["month", "quarter", "half_year", "year"]
Colour = Literal["green", "blue", "red"]
#: Calendar months, each once, in order.
Months = Annotated[list[Annotated[int, Field(ge=1, le=12)]], AfterValidator(lambda months: sorted(set(months)))]
#: How long a rule may wait for its next day.
LONGEST_WAIT = timedelta(days=8 * 366)


class PlanBody(Model):
    """Equipment covered at an address, so many visits per period (or an RRULE, RFC 5545), from a start.

    With `months` (1 to 12) the visits of a year fall in these calendar months, one each: « 2 fois par an, en mars et
    septembre ». In `closed_months` no visit is due; a period that lies wholly in them has none. `billable`: whether
    what its visits make is to be invoiced; without, the contract is said to cover it.
    """

    title: Line = ""
    equipment_ids: list[Id] = Field(default_factory=list, max_length=200)
    address_id: Id | None = None
    visits_per_period: int = Field(default=1, ge=1, le=31)
    period: Period | None = None
    months: Months = Field(default_factory=list, max_length=12)
    rrule: str | None = Field(default=None, max_length=500)
    starts_on: Day
    ends_on: Day | None = None
    assignee_id: Id | None = None
    closed_months: Months = Field(default_factory=list, max_length=11)
    contract_reference: Line = ""
    description: Text = ""
    billable: Flag = True
    paused: Flag = False

    @model_validator(mode="after")
    def _sound(self) -> PlanBody:
        if self.ends_on and self.ends_on < self.starts_on:
            raise ValueError("La fin doit être après le début.")
        if (self.period is None) == (self.rrule is None):
            raise ValueError("Donnez une période, ou une règle de récurrence, pas les deux.")
        if self.rrule is not None:
            check_rrule(self.rrule, self.starts_on)
        if self.months:
            check_months(self.period, self.months, self.closed_months)
        return self


def check_months(period: Period | None, months: list[int], closed: list[int]) -> None:
    """Raises `ValueError` unless months are told of a year, and none of them is closed."""
    if period != "year":
        raise ValueError("Les mois se choisissent pour des visites par an.")
    if set(months) & set(closed):
        raise ValueError("Un mois ne peut pas avoir une visite et être sans visite.")


def check_rrule(value: str, starts_on: Day) -> None:
    """Raises `ValueError` for a rule that dateutil cannot read, one finer than a day, or one that never falls."""
    from dateutil.rrule import rrule, rrulestr

    upper = value.upper()
    if any(word in upper for word in ("SECONDLY", "MINUTELY", "HOURLY", "DTSTART", "EXRULE")):
        raise ValueError("Cette récurrence est trop fine, ou porte sa propre date de début.")
    # dateutil takes an interval of 0, and then never comes to an end.
    if any(not one.isdigit() or int(one) < 1 for one in re.findall(r"INTERVAL=([^;\s]*)", upper)):
        raise ValueError("L’intervalle d’une récurrence est un nombre à partir de 1.")
    # dateutil looks for the next day until the year 9999, whatever end it was given, and that takes it seconds. The
    # calendar is the same every 400 years, weekdays included: as late as can be, there is little left to look through.
    begin = datetime(starts_on.year + (9999 - starts_on.year - 20) // 400 * 400, starts_on.month, starts_on.day)
    try:
        rule = rrulestr(value, ignoretz=True, dtstart=begin)
    except (ValueError, TypeError, KeyError):
        raise ValueError("Cette règle de récurrence n’est pas valable (RFC 5545).") from None
    if not isinstance(rule, rrule):
        raise ValueError("Donnez une seule règle de récurrence.")
    # It may be 30 February, or a Tuesday each seventh day from a Monday; 29 February may be eight years away.
    if next(iter(rule.replace(until=begin + LONGEST_WAIT, count=None)), None) is None:
        raise ValueError("Cette récurrence ne tombe jamais dans les huit ans qui suivent son début.")


class PlanChanges(Model):
    """JSON merge patch of a plan; only visits to come that are not planned move."""

    title: Line = ""
    equipment_ids: list[Id] = Field(default_factory=list, max_length=200)
    address_id: Id | None = None
    visits_per_period: int = Field(default=1, ge=1, le=31)
    period: Period | None = None
    months: Months = Field(default_factory=list, max_length=12)
    rrule: str | None = Field(default=None, max_length=500)
    ends_on: Day | None = None
    assignee_id: Id | None = None
    closed_months: Months = Field(default_factory=list, max_length=11)
    contract_reference: Line = ""
    description: Text = ""
    billable: Flag = True
    paused: Flag = False


class PlanView(Resource):
    """A plan as answered."""

    client_id: Id
    client: dict[str, Any]
    written_client_id: Id | None
    title: str
    equipment_ids: list[Id]
    address_id: Id | None
    address: dict[str, Any] | None
    place_id: Id | None
    visits_per_period: int
    period: Period | None
    months: list[int]
    rrule: str | None
    starts_on: Day
    ends_on: Day | None
    assignee_id: Id | None
    assignee: dict[str, Any] | None
    closed_months: list[int]
    contract_reference: str
    description: str
    billable: bool
    paused: bool


class VisitView(Resource):
    """A visit as answered: green done, blue planned, red not planned. `planned_due_on`: the day that the plan gave."""

    plan_id: Id
    plan: dict[str, Any]
    client_id: Id
    client: dict[str, Any]
    written_client_id: Id | None
    period_start: Day
    period_end: Day
    due_on: Day
    planned_due_on: Day
    colour: Colour
    intervention_id: Id | None
    intervention: dict[str, Any] | None
    done_at: Moment | None
    assignee_id: Id | None
    assignee: dict[str, Any] | None
    address_id: Id | None
    address: dict[str, Any] | None


class CreatePlan(Command):
    """Opens a plan and makes its visits 18 months ahead. Imports may say what of the past is done."""

    rpc: ClassVar[str] = "maintenance.create_plan"
    id: Id | None = None
    home_client_id: Id
    written_client_id: Id
    place_id: Id | None = None
    body: PlanBody
    origin: Origin | None = None
    #: Visits due before this day are not made (a company that begins with us has no past here).
    visits_from: Day | None = None


class UpdatePlan(Command):
    """Changes a plan."""

    rpc: ClassVar[str] = "maintenance.update_plan"
    id: Id
    expected_version: int | None = None
    place_id: Id | None = None
    changes: PlanChanges


class GetPlan(Query):
    """One plan."""

    rpc: ClassVar[str] = "maintenance.get_plan"
    id: Id


class ListPlans(Page):
    """Plans, newest first; `ids`: these alone."""

    rpc: ClassVar[str] = "maintenance.list_plans"
    tree: list[Id] | None = None
    ids: list[Id] | None = Field(default=None, max_length=200)
    equipment_id: Id | None = None


class GetVisit(Query):
    """One visit."""

    rpc: ClassVar[str] = "maintenance.get_visit"
    id: Id


class ListVisits(Page):
    """Visits by due day (`from`, `to` inclusive)."""

    rpc: ClassVar[str] = "maintenance.list_visits"
    tree: list[Id] | None = None
    from_day: Day | None = None
    to_day: Day | None = None
    assignee_id: Id | None = None
    colour: Colour | None = None
    plan_id: Id | None = None
    equipment_id: Id | None = None


class EquipmentVisits(Query):
    """For each of these equipment the visit that says how its maintenance stands: `{"items": [EquipmentVisit]}`.

    The earliest that is not done and whose period has begun; else the last one done; else the next to come.
    """

    rpc: ClassVar[str] = "maintenance.of_equipment"
    ids: list[Id] = Field(max_length=200)


class EquipmentVisit(Model):
    """How the maintenance of an equipment stands; `on` is the day done, planned, or due."""

    equipment_id: Id
    visit_id: Id
    colour: Colour
    on: Day


class VisitChanges(Model):
    """JSON merge patch of a visit: its day within its period (null sets it back), its assignee."""

    due_on: Day | None = None
    assignee_id: Id | None = None


class UpdateVisit(Command):
    """Changes a visit."""

    rpc: ClassVar[str] = "maintenance.update_visit"
    id: Id
    expected_version: int | None = None
    changes: VisitChanges


class ScheduleBody(Model):
    """When a visit takes place, and who goes."""

    starts_at: Moment
    ends_at: Moment | None = None
    technician_ids: list[Id] = Field(default_factory=list, max_length=50)

    @model_validator(mode="after")
    def _period(self) -> ScheduleBody:
        if self.ends_at and self.ends_at < self.starts_at:
            raise ValueError("La fin doit être après le début.")
        return self


class RecordVisit(Command):
    """Takes in a visit of the past that another system knows as done: green, in the period of its day."""

    rpc: ClassVar[str] = "maintenance.record_visit"
    plan_id: Id
    intervention_id: Id
    done_at: Moment


class ScheduleVisit(Command):
    """Plans a visit: the intervention's id is answered at once, `interventions` makes it exist by event."""

    rpc: ClassVar[str] = "maintenance.schedule_visit"
    id: Id
    body: ScheduleBody


class UnscheduleVisit(Command):
    """Takes the planning of a visit back: it is free at once, its intervention is withdrawn by event unless it has
    begun. Nothing changes for a visit that is not planned.
    """

    rpc: ClassVar[str] = "maintenance.unschedule_visit"
    id: Id
    expected_version: int | None = None


class MaintenanceFiche(Query):
    """Section `maintenance` of a fiche: visits, next ones first."""

    rpc: ClassVar[str] = "maintenance.fiche"
    client_id: Id
    tree: list[Id] | None = None
    limit: int = Field(default=50, ge=1, le=200)


class AddressUses(CountAddressUses):
    """Plans at each of these addresses."""

    rpc: ClassVar[str] = "maintenance.address_uses"


class PlanEvent(RowEvent):
    """What each event of a plan tells."""

    id: Id
    title: str
    starts_on: Day
    ends_on: Day | None
    paused: bool


class PlanCreated(PlanEvent):
    """A plan was opened."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "plan.created"
    public: ClassVar[bool] = True
    #: Came in from another system: a fact of the past that nobody has to be told of as news.
    imported: bool = False


class PlanUpdated(PlanEvent):
    """A plan changed."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "plan.updated"
    public: ClassVar[bool] = True


class VisitEvent(RowEvent):
    """What each event of a visit tells."""

    id: Id
    plan_id: Id
    due_on: Day
    intervention_id: Id | None


class VisitScheduled(VisitEvent):
    """A visit was planned; `interventions` makes its intervention with the id given here."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "visit.scheduled"
    public: ClassVar[bool] = True
    written_client_id: Id
    title: str
    starts_at: Moment
    ends_at: Moment | None
    technician_ids: list[Id]
    address_id: Id | None
    place_id: Id | None
    equipment_ids: list[Id]
    billable: bool = True
    #: Why not, where it is not.
    billable_reason: str = ""


class VisitUnscheduled(VisitEvent):
    """A planning was taken back; `interventions` withdraws the intervention named here unless it has begun."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "visit.unscheduled"
    public: ClassVar[bool] = True


class VisitRescheduled(VisitEvent):
    """A planned visit was moved to another day; `interventions` moves its intervention."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "visit.rescheduled"
    public: ClassVar[bool] = True
    starts_at: Moment


class VisitDone(VisitEvent):
    """A visit was done."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "visit.done"
    public: ClassVar[bool] = True
    done_at: Moment


class PlanReassigned(PlanEvent):
    """A maintenance plan is another client's now, with these visits, which are all of it."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "plan.reassigned"
    public: ClassVar[bool] = True
    former_home_client_id: Id
    visit_ids: list[Id]
