"""Tables and columns that `merge-protocol` asks of every service, and the copies that events keep."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from chassis.tables import add_tables
from services.kit.erased import WORDS, Erased, Nobodys, texts


class HomeMixin:
    """A row of a client. `home_client_id` is the record it belongs to by itself and never changes by a merge;
    `written_client_id` is the id the writer used, for audit only. There is no `client_id` column, on purpose.
    """

    home_client_id: Mapped[uuid.UUID]
    written_client_id: Mapped[uuid.UUID]


class ClientAliasMixin:
    """What a merged id means now. Only merged ids have a row."""

    __tablename__ = "client_alias"
    __erased__ = Nobodys("what ids mean")
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    parent_id: Mapped[uuid.UUID] = mapped_column(index=True)
    merge_id: Mapped[uuid.UUID]
    root_id: Mapped[uuid.UUID] = mapped_column(index=True)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return (CheckConstraint("id <> root_id", name="not_itself"),)


class ClientForestMixin:
    """One row: the version of the merge forest this service has applied."""

    __tablename__ = "client_forest"
    __erased__ = Nobodys("a number")
    singleton: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return (CheckConstraint("singleton", name="singleton"),)


class GivenAwayMixin:
    """Rows re-assigned by hand at a forest version that this service had not applied yet.

    An undo up to it may still bring `moves` of theirs, which were asked for before: they no longer count. Swept as the
    service catches up; nearly always empty.
    """

    __tablename__ = "given_away"
    __erased__ = Nobodys("ids of rows")
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    forest: Mapped[int] = mapped_column(BigInteger)


class ErasedClientMixin:
    """Persons erased: a row of theirs that comes late is blanked as it comes.

    `swept_at`: when events, answers and files of theirs were seen to; null until it is done.
    """

    __tablename__ = "erased_client"
    __erased__ = Nobodys("ids")
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    swept_at: Mapped[datetime | None]


class KnownClientMixin:
    """Name, reference and status of a client, as its events told."""

    __tablename__ = "known_client"
    __erased__ = Erased({"display_name": WORDS, "status": "'deleted'"}, kept=("reference",), homes=("id",))
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    display_name: Mapped[str]
    reference: Mapped[str]
    status: Mapped[str]


class KnownUserMixin:
    """Name and roles of a member of staff, as accounts told."""

    __tablename__ = "known_user"
    __erased__ = Nobodys("the staff")
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    roles: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class KnownAddressMixin:
    """An address of a client, as its events told. `home_client_id` is the address's own home."""

    __tablename__ = "known_address"
    __erased__ = Erased(texts("label", "street", "postal_code", "city"))
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    home_client_id: Mapped[uuid.UUID] = mapped_column(index=True)
    place_id: Mapped[uuid.UUID | None]
    label: Mapped[str]
    street: Mapped[str]
    postal_code: Mapped[str]
    city: Mapped[str]
    retired: Mapped[bool] = mapped_column(server_default=text("false"))


class KnownCompanyMixin:
    """One row once billing has told it: the company's time zone, by which days begin and end."""

    __tablename__ = "known_company"
    __erased__ = Nobodys("the company's time zone")
    singleton: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    timezone: Mapped[str]

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return (CheckConstraint("singleton", name="singleton"),)


def attach_company(base: type[DeclarativeBase]) -> None:
    """Adds what billing tells of the company."""
    add_tables(base, KnownCompanyMixin)


def attach_erased(base: type[DeclarativeBase]) -> None:
    """Adds only who was erased (for what keeps no rows of clients, but words of them)."""
    add_tables(base, ErasedClientMixin)


def attach(base: type[DeclarativeBase]) -> None:
    """Adds the tables of this module to a service's base."""
    attach_forest(base)
    add_tables(base, GivenAwayMixin, KnownClientMixin, KnownUserMixin, KnownAddressMixin)


def attach_forest(base: type[DeclarativeBase]) -> None:
    """Adds only the merge protocol's tables (for `clients`, which owns the names itself)."""
    add_tables(base, ClientAliasMixin, ClientForestMixin, ErasedClientMixin)
