"""The PDF of each numbered document: asked for with its number, made once, never again."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.billing.model.parties import Base
from services.kit.erased import Erased, Nobodys


class DocumentFile(Base):  # type: ignore[valid-type,misc]
    """A row is written in the transaction that numbers a document; its bytes are made from the frozen data after it.

    `position` is the order in which the files were made; each one's `hash` covers its SHA-256 and the hash before.
    """

    __tablename__ = "document_file"
    __erased__ = Erased(
        {
            "object_key": "NULL",
            # Nothing is left to make it of.
            "try_at": "CASE WHEN NEW.sha256 IS NULL THEN 'infinity' ELSE NEW.try_at END",
        },
        kept=("kind", "number", "sha256", "previous_hash", "hash"),
        homes=(),
        parents=(("quote", "document_id"),),
        also=(
            "INSERT INTO erased_object (prefix) VALUES ('billing/quote/' || NEW.document_id || '/') "
            "ON CONFLICT DO NOTHING"
        ),
    )
    document_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    number: Mapped[str]
    #: When it is to be made: at once, later after a failure.
    try_at: Mapped[datetime]
    sha256: Mapped[str | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    object_key: Mapped[str | None]
    made_at: Mapped[datetime | None]
    position: Mapped[int | None] = mapped_column(BigInteger)
    previous_hash: Mapped[str | None]
    hash: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("kind IN ('quote', 'invoice', 'credit_note')", name="kind"),
        CheckConstraint("(sha256 IS NULL) = (position IS NULL)", name="made_whole"),
        Index("uq_document_file_position", "position", unique=True),
        Index("ix_document_file_waiting", "try_at", postgresql_where=text("sha256 IS NULL")),
    )


class ErasedObject(Base):  # type: ignore[valid-type,misc]
    """Keys of the object store, by how they begin, whose bytes are to be removed: a person was erased."""

    __tablename__ = "erased_object"
    __erased__ = Nobodys("ids")
    prefix: Mapped[str] = mapped_column(primary_key=True)
