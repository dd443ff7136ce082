"""Tables of `documents` and the rules that always hold."""

from __future__ import annotations

import unicodedata
import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.tables import StampedMixin, new_base
from services.kit.erased import WORDS, Erased, Nobodys, texts
from services.kit.history import attach_history
from services.kit.model import HomeMixin, attach
from services.kit.movable import Link, Movable

Base = new_base()
attach(Base)
attach_history(Base, "document")


class Content(Base):  # type: ignore[valid-type,misc]
    """Bytes, stored once however many documents have them. `key` is theirs in the object store.

    `shows` is null until somebody asked for a picture of them, then says whether there can be one.
    """

    __tablename__ = "content"
    __erased__ = Nobodys("bytes that any document may have; those that none has any more go (commands.erasing)")
    sha256: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    content_type: Mapped[str]
    stored_at: Mapped[datetime]
    shows: Mapped[bool | None]
    pages: Mapped[int | None] = mapped_column(Integer)
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)


class Document(StampedMixin, HomeMixin, Base):  # type: ignore[valid-type,misc]
    """A file of a client. Without `sha256` its content is missing: another system named it, nobody supplied it."""

    __tablename__ = "document"
    __erased__ = Erased(
        texts(
            "folder", "description", "search",
            name=WORDS, name_key=WORDS, sha256="NULL", size="0", content_type="'application/octet-stream'",
            deleted_at="coalesce(NEW.deleted_at, now())",
        )
    )  # fmt: skip
    #: Exactly as given: composed or decomposed letters, slashes and emoji included. It never becomes a path.
    name: Mapped[str]
    #: The name in one Unicode form, by which the same name is known again.
    name_key: Mapped[str]
    folder: Mapped[str] = mapped_column(server_default="")
    description: Mapped[str] = mapped_column(server_default="")
    #: Name, folder and description without accents or capitals.
    search: Mapped[str]
    sha256: Mapped[str | None] = mapped_column(ForeignKey("content.sha256"), index=True)
    content_type: Mapped[str] = mapped_column(server_default="application/octet-stream")
    size: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    equipment_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint("size >= 0", name="size"),
        Index("ix_document_home", "home_client_id", "created_at", "id"),
        Index("ix_document_same_name", "home_client_id", "folder", "name_key"),
    )

    def file_under(self, name: str, folder: str, description: str) -> None:
        """Names, files and describes the document, with what searching it needs."""
        self.name, self.folder, self.description = name, folder, description
        self.name_key = unicodedata.normalize("NFC", name).casefold()
        self.search = plain(f"{name} {folder} {description}")


class DocumentVersion(Base):  # type: ignore[valid-type,misc]
    """A content that a document had or has: the highest number is what it has now. None is ever changed."""

    __tablename__ = "document_version"
    __erased__ = Erased(drop=True, homes=(), parents=(("document", "document_id"),))
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    document_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("document.id"))
    number: Mapped[int] = mapped_column(Integer)
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(ForeignKey("content.sha256"), index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    content_type: Mapped[str]
    added_at: Mapped[datetime]
    added_by_id: Mapped[str]
    added_by_name: Mapped[str]

    __table_args__ = (UniqueConstraint("document_id", "number"),)


class Folder(StampedMixin, HomeMixin, Base):  # type: ignore[valid-type,misc]
    """A folder of a client, empty or not. Each that a document names has a row, and so has each it lies in."""

    __tablename__ = "folder"
    __erased__ = Erased({"path": "NEW.id::text"})
    path: Mapped[str]

    __table_args__ = (
        CheckConstraint("path <> ''", name="named"),
        UniqueConstraint("home_client_id", "path"),
    )


def plain(words: str) -> str:
    """Text without accents or capitals, typographic apostrophes straight."""
    opened = unicodedata.normalize("NFKD", words.replace("’", "'").replace("œ", "oe").replace("Œ", "OE"))
    return "".join(letter for letter in opened if not unicodedata.combining(letter)).casefold()


#: Kinds of rows that have a home: counted, exported and erased by it.
KINDS: dict[str, type] = {"document": Document, "folder": Folder}

#: A folder is made where a document needs it.
MOVABLE = {"document": Movable("x.name", (Link("equipment_id", "equipment"),))}
