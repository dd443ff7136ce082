"""What `documents` tells."""

from __future__ import annotations

from typing import ClassVar

from contracts.base import Id, RowEvent
from contracts.documents.shapes import OWNER


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


class DocumentReplaced(DocumentEvent):
    """A document got its next version; `number` counts them."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "document.replaced"
    public: ClassVar[bool] = True
    sha256: str
    number: int


class FolderEvent(RowEvent):
    """What each event of a folder tells."""

    id: Id
    folder: str


class FolderCreated(FolderEvent):
    """A folder was made."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "folder.created"
    public: ClassVar[bool] = True


class FolderRenamed(FolderEvent):
    """A folder got another path. Each document in it tells `document.moved` too."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "folder.renamed"
    public: ClassVar[bool] = True
    former_folder: str


class FolderDeleted(FolderEvent):
    """An empty folder was taken away."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "folder.deleted"
    public: ClassVar[bool] = True


class DocumentReassigned(DocumentEvent):
    """A document is another client's now, with all its versions."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "document.reassigned"
    public: ClassVar[bool] = True
    former_home_client_id: Id
