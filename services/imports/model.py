"""Tables of `imports`: jobs, what they say of single rows, and which outside reference became which id."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.tables import StampedMixin, new_base
from services.kit.erased import WORDS, Erased, Nobodys
from services.kit.model import attach_erased

Base = new_base()
attach_erased(Base)


class ImportJob(StampedMixin, Base):  # type: ignore[valid-type,misc]
    """A job. Who holds `lease_owner` until `lease_until` works on it; when that time has passed, anyone may."""

    __tablename__ = "import_job"
    __erased__ = Nobodys("jobs; the file of an ended one is gone, that of a dry run after a day")
    source: Mapped[str]
    staging_key: Mapped[str] = mapped_column(server_default="")
    file_name: Mapped[str] = mapped_column(server_default="")
    dry_run: Mapped[bool] = mapped_column(server_default=text("false"))
    clients: Mapped[int | None]
    seed: Mapped[int | None]
    today: Mapped[date]
    status: Mapped[str] = mapped_column(server_default="queued")
    error: Mapped[str] = mapped_column(server_default="")
    #: Counts by table of the source: rows, created, updated, unchanged, refused.
    tables: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    notices: Mapped[int] = mapped_column(server_default=text("0"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    lease_owner: Mapped[uuid.UUID | None]
    lease_until: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("status IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="known_status"),
        Index("ix_import_job_waiting", "created_at", postgresql_where=text("status IN ('queued', 'running')")),
    )


class ImportLine(Base):  # type: ignore[valid-type,misc]
    """A refused row, or a notice about a row. The id is made of what it says: a job taken up again says it once."""

    __tablename__ = "import_line"
    __erased__ = Erased(
        {"reason": WORDS},
        kept=("level", "source_table", "source_row"),
        homes=(),
        parents=(
            ("outside_ref", "p.ref IN ({x}.source_row, 'dolibarr:' || {x}.source_table || ':' || {x}.source_row)"),
        ),
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, Identity())
    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("import_job.id", ondelete="CASCADE"))
    level: Mapped[str]
    source_table: Mapped[str]
    source_row: Mapped[str]
    reason: Mapped[str]

    __table_args__ = (
        CheckConstraint("level IN ('refused', 'notice')", name="known_level"),
        Index("ix_import_line_job", "job_id", "position"),
    )


class OutsideRef(Base):  # type: ignore[valid-type,misc]
    """Which id an outside reference became. The id is chosen and written down before it is sent anywhere.

    `done_at` is set when the owner has answered; `digest` is that of the record sent; `job_id` the job that made it.
    """

    __tablename__ = "outside_ref"
    __erased__ = Erased(
        {"said": "'{}'", "answer": "'{}'"}, kept=("ref", "service", "kind", "digest"), homes=("record_id",)
    )
    ref: Mapped[str] = mapped_column(primary_key=True)
    service: Mapped[str]
    kind: Mapped[str]
    id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: The client record that it is or belongs to, as it was sent.
    record_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    digest: Mapped[str]
    job_id: Mapped[uuid.UUID]
    chosen_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    done_at: Mapped[datetime | None]
    #: What was sent, for the kinds that another run may change.
    said: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    #: What the owner's answer says that later records need (an address: its place).
    answer: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class ErasedUpto(Base):  # type: ignore[valid-type,misc]
    """The forest version up to which everybody erased is known here: one row, once somebody was."""

    __tablename__ = "erased_upto"
    __erased__ = Nobodys("a number")
    singleton: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    forest: Mapped[int] = mapped_column(BigInteger)


#: Kinds of rows that have a home: none. What an id of a client means is asked of its owner each time.
KINDS: dict[str, type] = {}
