"""Published language of `documents`: a store of files per client. Bytes never go by RPC.

The gateway streams an upload to a staging key of the object store (`chassis.objects`), then sends
`documents.commit`; for a download it asks `documents.content` and streams from the key it gets.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from contracts.base import Command, Id, Line, Model, Moment, Page, Query, Resource, RowEvent

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
    """What a person says of a document."""

    name: FileName
    folder: Folder = ""
    description: Line = ""


class DocumentChanges(Model):
    """JSON merge patch of a document."""

    name: FileName = "x"
    folder: Folder = ""
    description: Line = ""


class Document(Resource):
    """A document as answered. `missing` where another system named it and its content never came.

    `shown_name` tells it apart from others of the same name in the same folder, as in `photo (2).jpg`.
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
    deleted_at: Moment | None


class CommitDocument(Command):
    """Makes a document of bytes that wait under the staging key `key`, of this size and SHA-256.

    The content type is sniffed from the bytes. Raises 422 when the key is absent or the size differs.
    """

    rpc: ClassVar[str] = "documents.commit"
    id: Id | None = None
    home_client_id: Id
    written_client_id: Id
    key: str = Field(pattern=r"^staging/[0-9a-f-]{36}$")
    sha256: Sha256
    size: int = Field(ge=0)
    body: DocumentBody


class ImportDocumentEntry(Command):
    """Records a document whose content is missing (another system named it). Repeated, it changes nothing."""

    rpc: ClassVar[str] = "documents.import_entry"
    id: Id
    home_client_id: Id
    written_client_id: Id
    body: DocumentBody
    created_at: Moment | None = None


class SupplyContent(Command):
    """Gives a document that misses its content the bytes under a staging key."""

    rpc: ClassVar[str] = "documents.supply"
    id: Id
    expected_version: int | None = None
    key: str = Field(pattern=r"^staging/[0-9a-f-]{36}$")
    sha256: Sha256
    size: int = Field(ge=0)


class UpdateDocument(Command):
    """Renames, moves or describes a document. `expected_version` other than the current one is refused (412)."""

    rpc: ClassVar[str] = "documents.update"
    id: Id
    expected_version: int | None = None
    changes: DocumentChanges


class DeleteDocument(Command):
    """Puts a document into the bin; its bytes stay until it is purged."""

    rpc: ClassVar[str] = "documents.delete"
    id: Id
    expected_version: int | None = None


class RestoreDocument(Command):
    """Takes a document out of the bin; one that is not in it stays as it is."""

    rpc: ClassVar[str] = "documents.restore"
    id: Id


class GetDocument(Query):
    """One document. One in the bin is 410."""

    rpc: ClassVar[str] = "documents.get"
    id: Id


class GetContent(Query):
    """Where a document's bytes are: `ContentReference`. 404 where its content is missing."""

    rpc: ClassVar[str] = "documents.content"
    id: Id


class ContentReference(Model):
    """`key` in the object store. `inline` where a browser may show it; anything active may only be saved."""

    key: str
    size: int
    sha256: str
    content_type: str
    name: str
    inline: bool


class ListDocuments(Page):
    """Documents of a client's tree (all when None). `folder` is exact; `status` asks for the bin."""

    rpc: ClassVar[str] = "documents.list"
    tree: list[Id] | None = None
    folder: str | None = Field(default=None, max_length=500)
    q: str = Field(default="", max_length=200)
    status: Literal["kept", "deleted"] = "kept"


class ListFolders(Query):
    """Folders of a client's tree with how many documents each holds; same-named ones are one."""

    rpc: ClassVar[str] = "documents.folders"
    tree: list[Id]


class DocumentsFiche(Query):
    """The section `documents` of a fiche. With `tree` the service uses it instead of its own aliases."""

    rpc: ClassVar[str] = "documents.fiche"
    client_id: Id
    tree: list[Id] | None = None
    limit: int = Field(default=50, ge=1, le=200)


class CheckDocuments(Query):
    """Which of these belong to the tree; the door refuses the others (422)."""

    rpc: ClassVar[str] = "documents.check"
    ids: list[Id] = Field(max_length=200)
    tree: list[Id]


class DocumentEvent(RowEvent):
    """What each event of a document tells."""

    id: Id
    name: str
    folder: str
    content_type: str
    size: int
    missing: bool


class DocumentAdded(DocumentEvent):
    """A document was added."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "document.added"
    public: ClassVar[bool] = True
    sha256: str | None
    #: Came in from another system: a fact of the past that nobody has to be told of as news.
    imported: bool = False


class DocumentRenamed(DocumentEvent):
    """A document's name or description changed."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "document.renamed"
    public: ClassVar[bool] = True
    former_name: str


class DocumentMoved(DocumentEvent):
    """A document went to another folder."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "document.moved"
    public: ClassVar[bool] = True
    former_folder: str


class DocumentDeleted(DocumentEvent):
    """A document was put into the bin."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "document.deleted"
    public: ClassVar[bool] = True


class DocumentRestored(DocumentEvent):
    """A document was taken out of the bin."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "document.restored"
    public: ClassVar[bool] = True
