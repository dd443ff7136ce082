"""Tables of `maintenance` and the rules that always hold."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.tables import StampedMixin, new_base
from services.kit.erased import Erased, Nobodys, texts
from services.kit.model import HomeMixin, attach, attach_company
from services.kit.movable import Link, Movable
from services.kit.uses import Source

Base = new_base()
attach(Base)
attach_company(Base)


class Plan(StampedMixin, HomeMixin, Base):  # type: ignore[valid-type,misc]
    """So many visits per period, or a recurrence rule, from a start."""

    __tablename__ = "plan"
    __erased__ = Erased(
        texts("title", "contract_reference", "description", paused="true"),
        kept=("equipment_ids", "period", "months", "closed_months", "rrule"),
    )
    title: Mapped[str]
    equipment_ids: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    address_id: Mapped[uuid.UUID | None]
    place_id: Mapped[uuid.UUID | None]
    visits_per_period: Mapped[int]
    period: Mapped[str | None]
    #: Calendar months of the visits of a year; empty: even shares of the period.
    months: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    #: Calendar months without visits.
    closed_months: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    rrule: Mapped[str | None]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    visits_from: Mapped[date | None]
    assignee_id: Mapped[uuid.UUID | None]
    contract_reference: Mapped[str]
    description: Mapped[str]
    #: Whether what its visits make is to be invoiced; else the contract covers it.
    billable: Mapped[bool] = mapped_column(server_default=text("true"))
    paused: Mapped[bool]
    #: Visits exist for every period that begins up to this day; the last of days when there will be no other.
    made_until: Mapped[date | None]
    __table_args__ = (
        CheckConstraint("(period IS NULL) <> (rrule IS NULL)", name="period_or_rule"),
        Index("ix_plan_home", "home_client_id", "created_at", "id"),
        Index("ix_plan_equipment", "equipment_ids", postgresql_using="gin"),
    )


class Visit(StampedMixin, HomeMixin, Base):  # type: ignore[valid-type,misc]
    """A visit, made once: the key of plan, period and ordinal says so, not a check."""

    __tablename__ = "visit"
    __erased__ = Nobodys("ids and days")
    plan_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("plan.id"))
    period_index: Mapped[int]
    ordinal: Mapped[int]
    period_start: Mapped[date]
    period_end: Mapped[date]
    due_on: Mapped[date]
    #: The day the plan itself gave; a day that was changed can be set back to it.
    planned_due_on: Mapped[date]
    assignee_id: Mapped[uuid.UUID | None]
    intervention_id: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    intervention_starts_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("plan_id", "period_index", "ordinal"),
        CheckConstraint("due_on BETWEEN period_start AND period_end", name="due_inside_period"),
        Index("ix_visit_home", "home_client_id", "due_on", "id"),
        Index("ix_visit_due", "due_on", "id"),
    )


KINDS = {"plan": Plan, "visit": Visit}

#: A visit follows its plan.
MOVABLE = {
    "plan": Movable(
        "coalesce(nullif(x.title, ''), 'Plan de maintenance')",
        (Link("address_id", "address"), Link("equipment_ids", "equipment", listed=True)),
    )
}

#: Rows that name an address of a client.
ADDRESS_USES = (Source("maintenance_plans", "plan"),)
