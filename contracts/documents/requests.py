"""What can be asked of `documents`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from contracts.base import Command, Id, Moment, Page, Query
from contracts.documents.shapes import (
    DocumentBody,
    DocumentChanges,
    FileName,
    FolderBody,
    FolderRename,
    PreviewSize,
    Sha256,
)

#: Where the gateway puts what it streams, until a command takes it.
STAGING_KEY = r"^staging/[0-9a-f-]{36}$"


class CommitDocument(Command):
    """Makes a document of bytes that wait under the staging key `key`, of this size and SHA-256.

    The content type is sniffed from the bytes. Raises 422 when the key is absent or the size differs.
    """

    rpc: ClassVar[str] = "documents.commit"
    id: Id | None = None
    home_client_id: Id
    written_client_id: Id
    key: str = Field(pattern=STAGING_KEY)
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


class ReplaceContent(Command):
    """Gives a document the bytes under a staging key as its next version; `name`, where given, is its name from then.

    What it had before is kept as a version. The very same bytes change nothing. Raises 412, 410, 422.
    """

    rpc: ClassVar[str] = "documents.replace"
    id: Id
    expected_version: int | None = None
    key: str = Field(pattern=STAGING_KEY)
    sha256: Sha256
    size: int = Field(ge=0)
    name: FileName | None = None


class RestoreVersion(Command):
    """Makes a former version the current one again, as a new version: none is lost."""

    rpc: ClassVar[str] = "documents.restore_version"
    id: Id
    version_id: Id
    expected_version: int | None = None


class ListVersions(Page):
    """The versions of a document, newest first."""

    rpc: ClassVar[str] = "documents.versions"
    id: Id


class ListDocumentHistory(Page):
    """What happened to a document, newest first; also to one in the bin."""

    rpc: ClassVar[str] = "documents.history"
    id: Id


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
    """Where a document's bytes are, or those of one of its versions: `ContentReference`. 404 where they are missing."""

    rpc: ClassVar[str] = "documents.content"
    id: Id
    version_id: Id | None = None


class RenderPreview(Query):
    """Sees to it that the object store has a picture of these bytes; asked again it finds it made. Touches no row
    before the picture is there, so that nobody waits for it.
    """

    rpc: ClassVar[str] = "documents.preview"
    #: A child process opens the picture.
    patience: ClassVar[float] = 40.0
    sha256: Sha256
    size: PreviewSize = "medium"
    page: int = Field(default=1, ge=1, le=5000)


class PreparePhoto(Query):
    """Turns the picture under a staging key upright and strips what the camera wrote in it, under the same key.

    Raises 422 where it is no picture.
    """

    rpc: ClassVar[str] = "documents.prepare_photo"
    #: A child process opens the picture.
    patience: ClassVar[float] = 40.0
    key: str = Field(pattern=STAGING_KEY)


class ListDocuments(Page):
    """Documents of a client's tree (all when None). `folder` is exact, `id` picks some; `status` asks for the bin."""

    rpc: ClassVar[str] = "documents.list"
    tree: list[Id] | None = None
    folder: str | None = Field(default=None, max_length=500)
    q: str = Field(default="", max_length=200)
    status: Literal["kept", "deleted"] = "kept"
    equipment_id: Id | None = None
    id: list[Id] = Field(default_factory=list, max_length=200)


class ListFolders(Query):
    """Folders of a client's tree with how many documents each holds; same-named ones are one, empty ones are there."""

    rpc: ClassVar[str] = "documents.folders"
    tree: list[Id]


class CreateFolder(Command):
    """Makes a folder, and those it lies in; one that is there is no error."""

    rpc: ClassVar[str] = "documents.create_folder"
    home_client_id: Id
    written_client_id: Id
    body: FolderBody


class RenameFolder(Command):
    """Gives a folder of the tree, with all in it, another path. 409 where that one is taken or lies in it."""

    rpc: ClassVar[str] = "documents.rename_folder"
    tree: list[Id]
    body: FolderRename


class DeleteFolder(Command):
    """Takes an empty folder of the tree away. 409 while it holds documents or folders."""

    rpc: ClassVar[str] = "documents.delete_folder"
    tree: list[Id]
    body: FolderBody


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
