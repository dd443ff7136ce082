"""What a document is, and what a person says of one."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from contracts.base import Id, Line, Model, Moment, Person, Resource

OWNER = "documents"


def checked_name(value: str) -> str:
    """A file's name exactly as given. Raises `ValueError` for what is no name.

    It is a label, never a path of ours: slashes do no harm, composed and decomposed letters stay (field-reports 18).
    """
    if not value.strip() or value.strip() in (".", ".."):
        raise ValueError("Donnez un nom au document.")
    if any(unicodedata.category(letter) == "Cc" for letter in value):
        raise ValueError("Le nom contient des caractères de contrôle.")
    return value


def checked_folder(value: str) -> str:
    """A folder's path, parts divided by `/`; empty is the root. Raises `ValueError` for `..` and empty parts."""
    parts = [part.strip() for part in value.split("/")] if value.strip() else []
    if any(part in ("", ".", "..") or "\\" in part for part in parts):
        raise ValueError("Ce dossier n’est pas valable.")
    if any(unicodedata.category(letter) == "Cc" for letter in value):
        raise ValueError("Le dossier contient des caractères de contrôle.")
    return "/".join(parts)


FileName = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(checked_name)]
Folder = Annotated[str, Field(max_length=500), AfterValidator(checked_folder)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DocumentBody(Model):
    """What a person says of a document. `equipment_id`: what it is about, an equipment of the same client."""

    name: FileName
    folder: Folder = ""
    description: Line = ""
    equipment_id: Id | None = None


class DocumentChanges(Model):
    """JSON merge patch of a document."""

    name: FileName = ""
    folder: Folder = ""
    description: Line = ""
    equipment_id: Id | None = None


class Document(Resource):
    """A document as answered. `missing` where another system named it and its content never came.

    `shown_name` tells it apart from others of the same name in the same folder, as in `photo (2).jpg`. `preview`: a
    picture of it can be asked for. `pages` of a PDF, `width` and `height` of a picture are null until it was looked at.
    """

    client_id: Id
    client: dict[str, Any]
    written_client_id: Id | None
    name: str
    shown_name: str
    folder: str
    description: str
    content_type: str
    inline: bool
    size: int
    sha256: str | None
    missing: bool
    equipment_id: Id | None
    preview: bool
    pages: int | None
    width: int | None
    height: int | None
    version_count: int
    deleted_at: Moment | None


class Version(Model):
    """A content that a document has or had; `current` is what it has now. Numbers count from 1."""

    id: Id
    number: int
    current: bool
    name: str
    size: int
    sha256: str
    content_type: str
    added_at: Moment
    added_by: Person


class FolderBody(Model):
    """A folder of a client, parts divided by `/`."""

    folder: Annotated[Folder, Field(min_length=1)]


class FolderView(Model):
    """A folder and how many documents it holds itself; those of its folders are not counted."""

    folder: str
    count: int


class FolderRename(Model):
    """A folder's new path."""

    folder: Annotated[Folder, Field(min_length=1)]
    to: Annotated[Folder, Field(min_length=1)]


class ContentReference(Model):
    """`key` in the object store. `inline` where a browser may show it; anything active may only be saved.

    `preview` where a picture of it can be asked for (`documents.preview`).
    """

    key: str
    size: int
    sha256: str
    content_type: str
    name: str
    inline: bool
    preview: bool


#: Sizes of a preview and the pixels of its longest side.
SIDES = {"small": 160, "medium": 640, "large": 1600}
PreviewSize = Literal["small", "medium", "large"]


class Preview(Model):
    """Where the picture is (WebP); null where the bytes show nothing."""

    key: str | None


class Staged(Model):
    """What waits under a staging key."""

    sha256: Sha256
    size: int
