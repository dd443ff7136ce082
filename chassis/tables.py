"""Tables that each service's database holds besides its own: log, places, parked events, answers already given."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


_TYPES: dict[Any, Any] = {
    uuid.UUID: UUID(as_uuid=True),
    datetime: DateTime(timezone=True),
    str: Text,
    dict[str, Any]: JSONB,
    list[Any]: JSONB,
    bool: Boolean,
    bytes: LargeBinary,
}


class EventHeadMixin:
    """One row: the log's identity, the last position given and the last confirmed by the broker."""

    __tablename__ = "event_head"
    singleton: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    log_id: Mapped[uuid.UUID] = mapped_column(server_default=text("gen_random_uuid()"))
    position: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    published: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    #: Identities the log had before its database was restored: log id → last position that they share with it.
    former: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return (CheckConstraint("singleton", name="singleton"),)


class EventLogMixin:
    """The truth: a row for each event, written in the transaction that made it true."""

    __tablename__ = "event_log"
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    id: Mapped[uuid.UUID] = mapped_column(unique=True)
    type: Mapped[str]
    subject: Mapped[str]
    ordering_key: Mapped[str]
    event: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class EventPlaceMixin:
    """How far this service has read each producer's log."""

    __tablename__ = "event_place"
    producer: Mapped[str] = mapped_column(primary_key=True)
    log_id: Mapped[uuid.UUID | None]
    position: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    #: Id of the event at that position: the producer's log must hold the same one there.
    event_id: Mapped[uuid.UUID | None]
    #: Why reading stopped until an operator rebuilds; null while it goes on.
    halted: Mapped[str | None]
    rebuild_asked_at: Mapped[datetime | None]
    rebuilt_at: Mapped[datetime | None]


class EventHandlerMixin:
    """Handlers this service is known to have: one that appears later has missed its past and says what becomes of it.

    `position` is how far that past has been replayed from the log; null once it is level with the place.
    """

    __tablename__ = "event_handler"
    producer: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[str]
    position: Mapped[int | None] = mapped_column(BigInteger)
    known_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class EventSnapshotMixin:
    """Pages of snapshots of this service's state, each snapshot made in one transaction; swept after a day."""

    __tablename__ = "event_snapshot"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    page: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    body: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(server_default=text("now()"), index=True)


class ParkedEventMixin:
    """Events that a handler refuses for good, and those of the same key that wait behind them.

    `position` is negative for a message that could not even be decoded; its bytes are in `raw`.
    """

    __tablename__ = "parked_event"
    producer: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    ordering_key: Mapped[str]
    event: Mapped[str]
    raw: Mapped[bytes | None]
    error: Mapped[str]
    attempts: Mapped[int] = mapped_column(Integer)
    parked_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return (Index("ix_parked_event_producer_ordering_key", "producer", "ordering_key"),)


class EventConsumerMixin:
    """Services that follow this service's log, how far they said they were, and when; pruning stays behind them."""

    __tablename__ = "event_consumer"
    name: Mapped[str] = mapped_column(primary_key=True)
    log_id: Mapped[uuid.UUID]
    position: Mapped[int] = mapped_column(BigInteger)
    last_seen: Mapped[datetime] = mapped_column(server_default=text("now()"))


class EventAttemptMixin:
    """Tries of an event that failed, counted outside the transaction that rolls back: a crash counts too."""

    __tablename__ = "event_attempt"
    producer: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    attempts: Mapped[int] = mapped_column(Integer)


class DroppedEventMixin:
    """Parked events that an operator dropped: who, when, why. Kept for ever."""

    __tablename__ = "dropped_event"
    producer: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event: Mapped[str]
    error: Mapped[str]
    reason: Mapped[str]
    dropped_by: Mapped[str]
    dropped_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class IdempotentAnswerMixin:
    """Answers already given, by actor and Idempotency-Key; written with the effect they tell of."""

    __tablename__ = "idempotent_answer"
    actor_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[str]
    answer: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(server_default=text("now()"), index=True)


class StampedMixin:
    """What every resource bears: `version`, who and when. `created_by_name` is the name as it was then."""

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    created_by_id: Mapped[str]
    created_by_name: Mapped[str]
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    updated_by_id: Mapped[str]
    updated_by_name: Mapped[str]


def new_base() -> type[DeclarativeBase]:
    """A declarative base with metadata of its own, which already holds the chassis's tables."""

    class ServiceBase(DeclarativeBase):
        metadata = MetaData(naming_convention=_NAMING)
        type_annotation_map = _TYPES

        def __init_subclass__(cls, **kwargs: Any) -> None:
            super().__init_subclass__(**kwargs)
            # What a class says of its table stays with the table: of classes made by `add_tables` nobody keeps hold.
            cast(Table, cls.__table__).info["erased"] = getattr(cls, "__erased__", None)

    add_tables(
        ServiceBase,
        EventHeadMixin,
        EventLogMixin,
        EventPlaceMixin,
        EventHandlerMixin,
        EventSnapshotMixin,
        ParkedEventMixin,
        EventConsumerMixin,
        EventAttemptMixin,
        DroppedEventMixin,
        IdempotentAnswerMixin,
    )
    return ServiceBase


def add_tables(base: type[DeclarativeBase], *mixins: type) -> None:
    """Makes a table of `base` from each mixin. The class is called like the mixin without `Mixin`."""
    for mixin in mixins:
        type(mixin.__name__.removesuffix("Mixin"), (mixin, base), {"__module__": base.__module__})
