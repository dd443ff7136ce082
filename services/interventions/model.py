"""Tables of `interventions` and the rules that always hold."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.tables import StampedMixin, new_base
from services.kit.erased import WORDS, Erased, Nobodys, texts
from services.kit.history import attach_history
from services.kit.model import HomeMixin, attach, attach_company
from services.kit.movable import Link, Movable
from services.kit.uses import Source

Base = new_base()
attach(Base)
attach_history(Base, "intervention", "job_site")
attach_company(Base)


class InterventionType(StampedMixin, Base):  # type: ignore[valid-type,misc]
    """A type of work; `free_of_charge` work is never to be invoiced."""

    __tablename__ = "intervention_type"
    __erased__ = Nobodys("types of the company")
    name: Mapped[str]
    free_of_charge: Mapped[bool]
    __table_args__ = (Index("uq_intervention_type_name", text("lower(name)"), unique=True),)


class JobSite(StampedMixin, HomeMixin, Base):  # type: ignore[valid-type,misc]
    """A job site (*chantier*)."""

    __tablename__ = "job_site"
    __erased__ = Erased(texts("description", title=WORDS), kept=("number", "status"))
    number: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    address_id: Mapped[uuid.UUID | None]
    place_id: Mapped[uuid.UUID | None]
    status: Mapped[str]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    estimated_hours: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    description: Mapped[str]
    #: The accepted quote it was made from; a quote makes one job site.
    quote_id: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    __table_args__ = (Index("ix_job_site_home", "home_client_id", "created_at", "id"),)


class Intervention(StampedMixin, HomeMixin, Base):  # type: ignore[valid-type,misc]
    """A piece of work or an appointment. `state` is what was done with it; `status` is worked out when read."""

    __tablename__ = "intervention"
    __erased__ = Erased(
        texts("billable_reason", "client_reference", "description", title=WORDS, report="NULL"),
        kept=("number", "kind", "technician_ids", "priority", "equipment_ids", "state"),
    )
    number: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    kind: Mapped[str]
    type_id: Mapped[uuid.UUID | None]
    address_id: Mapped[uuid.UUID | None]
    place_id: Mapped[uuid.UUID | None]
    lead_technician_id: Mapped[uuid.UUID | None]
    technician_ids: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    has_appointment: Mapped[bool]
    needs_quote: Mapped[bool]
    billable: Mapped[bool]
    billable_reason: Mapped[str] = mapped_column(server_default="")
    priority: Mapped[str]
    client_reference: Mapped[str]
    contact_id: Mapped[uuid.UUID | None]
    equipment_ids: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    job_site_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    visit_id: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    #: The visit it was for before it was cancelled or deleted; that visit has been free for other work since.
    released_visit_id: Mapped[uuid.UUID | None]
    description: Mapped[str]
    state: Mapped[str]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    report: Mapped[dict[str, Any] | None]
    __table_args__ = (
        CheckConstraint("state IN ('to_plan', 'planned', 'in_progress', 'done', 'cancelled')", name="state"),
        CheckConstraint("ends_at IS NULL OR starts_at <= ends_at", name="period"),
        Index("ix_intervention_home", "home_client_id", text("(coalesce(starts_at, 'infinity'))"), "id"),
        Index("ix_intervention_starts", text("(coalesce(starts_at, 'infinity'))"), "id"),
        Index("ix_intervention_technicians", "technician_ids", postgresql_using="gin"),
        Index("ix_intervention_equipment", "equipment_ids", postgresql_using="gin"),
        Index("ix_intervention_place", "place_id", postgresql_where=text("place_id IS NOT NULL")),
    )


class ReportVersion(Base):  # type: ignore[valid-type,misc]
    """Every version of a report, the present one included."""

    __tablename__ = "report_version"
    __erased__ = Erased(drop=True, homes=(), parents=(("intervention", "intervention_id"),))
    intervention_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    report: Mapped[dict[str, Any]]
    written_at: Mapped[datetime]
    written_by_id: Mapped[str] = mapped_column(server_default="")
    written_by_name: Mapped[str]


class LinkedDocument(Base):  # type: ignore[valid-type,misc]
    """A quote or invoice that names an intervention, as `billing` told.

    `kind` is `quote`, `invoice`, or of an invoice that bills a part beforehand `deposit` or `progress`.
    """

    __tablename__ = "linked_document"
    __erased__ = Nobodys("ids")
    document_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    intervention_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, index=True)
    kind: Mapped[str]
    #: An invoice that has its number; a draft has none yet.
    issued: Mapped[bool] = mapped_column(server_default=text("false"))


class CalendarFeed(StampedMixin, Base):  # type: ignore[valid-type,misc]
    """A filter that a calendar program reads by a secret address; only the secret's SHA-256 is kept."""

    __tablename__ = "calendar_feed"
    __erased__ = Erased(
        {"label": WORDS, "filters": "'{}'", "withdrawn_at": "coalesce(NEW.withdrawn_at, now())"},
        kept=("key_hash",),
        homes=("written_client_id",),
    )
    owner_id: Mapped[uuid.UUID] = mapped_column(index=True)
    label: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    written_client_id: Mapped[uuid.UUID | None]
    filters: Mapped[dict[str, Any]]
    withdrawn_at: Mapped[datetime | None]


class NumberCounter(Base):  # type: ignore[valid-type,misc]
    """Last number given in a series and year."""

    __tablename__ = "number_counter"
    __erased__ = Nobodys("numbers")
    series: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]


KINDS = {"intervention": Intervention, "job_site": JobSite}

#: What was made from a visit or a quote follows it.
MOVABLE = {
    "intervention": Movable(
        "concat_ws(' ', x.number, x.title)",
        (
            Link("address_id", "address"),
            Link("contact_id", "contact"),
            Link("job_site_id", "job_site"),
            Link("equipment_ids", "equipment", listed=True),
        ),
        alone="x.visit_id IS NULL AND x.released_visit_id IS NULL",
    ),
    "job_site": Movable(
        "concat_ws(' ', x.number, x.title)", (Link("address_id", "address"),), alone="x.quote_id IS NULL"
    ),
}

#: Rows that name an address of a client.
ADDRESS_USES = (Source("interventions", "intervention", "x.deleted_at IS NULL"), Source("job_sites", "job_site"))
