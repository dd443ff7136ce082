"""Tables of `equipment` and the rules that always hold."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.tables import StampedMixin, new_base
from services.kit.erased import WORDS, Erased, texts
from services.kit.history import attach_history
from services.kit.model import HomeMixin, attach
from services.kit.movable import Link, Movable
from services.kit.uses import Source

Base = new_base()
attach(Base)
attach_history(Base, "equipment")


class Equipment(StampedMixin, HomeMixin, Base):  # type: ignore[valid-type,misc]
    """An apparatus at a place. It stays at its place when the client there changes."""

    __tablename__ = "equipment"
    __erased__ = Erased(
        texts(
            "description", "brand", "model", "serial_number", "reference",
            name=WORDS, details="'[]'", photos="'[]'",
        ),
        kept=("state",),
    )  # fmt: skip
    name: Mapped[str]
    address_id: Mapped[uuid.UUID | None]
    place_id: Mapped[uuid.UUID | None]
    description: Mapped[str] = mapped_column(server_default="")
    brand: Mapped[str] = mapped_column(server_default="")
    model: Mapped[str] = mapped_column(server_default="")
    serial_number: Mapped[str] = mapped_column(server_default="")
    reference: Mapped[str] = mapped_column(server_default="")
    type_id: Mapped[uuid.UUID | None]
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("equipment.id"))
    state: Mapped[str] = mapped_column(server_default="in_service")
    purchased_on: Mapped[date | None]
    installed_on: Mapped[date | None]
    warranty_until: Mapped[date | None]
    details: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    photos: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint("parent_id <> id", name="not_its_own_part"),
        Index("ix_equipment_home_name", "home_client_id", "name", "id"),
        Index("ix_equipment_place", "place_id"),
    )


#: Kinds of rows that have a home: counted, exported and erased by it.
KINDS = {"equipment": Equipment}

#: A part goes with what it stands in.
MOVABLE = {
    "equipment": Movable(
        "x.name",
        (Link("address_id", "address"), Link("parent_id", "equipment"), Link("photos", "document", listed=True)),
    )
}

#: Rows that name an address of a client.
ADDRESS_USES = (Source("equipment", "equipment", "x.deleted_at IS NULL"),)
