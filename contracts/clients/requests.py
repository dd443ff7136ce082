"""What may be asked of `clients`, and what it answers that is no resource."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from contracts.base import Command, Day, Id, Model, Page, Query, Text
from contracts.clients.row_shapes import (
    ActivityBody,
    ActivityChanges,
    ActivityFilter,
    AddressBody,
    AddressChanges,
    ContactBody,
    ContactChanges,
    RelationBody,
    RelationChanges,
)
from contracts.clients.shapes import (
    ClientBody,
    ClientChanges,
    ConvertBody,
    Kind,
    Origin,
    Stage,
    Status,
)


class CreateClient(Command):
    """Opens a record. Imports give `id`, `origin` and `archived`."""

    rpc: ClassVar[str] = "clients.create"
    id: Id | None = None
    body: ClientBody
    origin: Origin | None = None
    archived: bool = False


class UpdateClient(Command):
    """Changes a record; each field differing is one line of its history."""

    rpc: ClassVar[str] = "clients.update"
    id: Id
    expected_version: int | None = None
    changes: ClientChanges


class ConvertClient(Command):
    """Individual → company (the person becomes its first contact) and back; nothing is lost."""

    rpc: ClassVar[str] = "clients.convert"
    id: Id
    expected_version: int | None = None
    body: ConvertBody


class SetStatus(Command):
    """Archives, unarchives, deletes or restores a record; never follows a merged id."""

    rpc: ClassVar[str] = "clients.set_status"
    id: Id
    action: Literal["archive", "unarchive", "delete", "restore"]
    expected_version: int | None = None


class GetClient(Query):
    """One record. A merged id is refused with `moved`, a deleted one with `gone`."""

    rpc: ClassVar[str] = "clients.get"
    id: Id


class ListClients(Page):
    """The list of clients; without `status` active and archived both come."""

    rpc: ClassVar[str] = "clients.list"
    q: str = Field(default="", max_length=200)
    kind: Kind | None = None
    stage: Stage | None = None
    status: Status | None = None
    sales_rep_id: Id | None = None
    tag: str | None = Field(default=None, max_length=300)
    city: str | None = Field(default=None, max_length=300)
    #: Whether the answer also tells how many there are in all (`count`), and whether a typo was forgiven (`near`).
    counted: bool = False


class Neighbours(ListClients):
    """Where a client stands in a list of clients: `{"position", "count", "previous", "next"}`, ids or null."""

    rpc: ClassVar[str] = "clients.neighbours"
    id: Id


class CountClients(Query):
    """How many records there are, by status, and which tags."""

    rpc: ClassVar[str] = "clients.counts"


class ClientFiche(Query):
    """The record and its own sections, with the true tree and forest version."""

    rpc: ClassVar[str] = "clients.fiche"
    client_id: Id
    limit: int = Field(default=50, ge=1, le=200)


class Identify(Query):
    """The door's question: what these ids mean now, and whether addresses and contacts belong there."""

    rpc: ClassVar[str] = "clients.identify"
    ids: list[Id] = Field(max_length=500)
    address_ids: list[Id] = Field(default_factory=list, max_length=500)
    contact_ids: list[Id] = Field(default_factory=list, max_length=500)


class Identified(Model):
    """What an id means: the living root, its tree, how it stands."""

    id: Id
    found: bool
    root_id: Id | None = None
    tree: list[Id] = Field(default_factory=list)
    status: Status | None = None
    display_name: str = ""
    reference: str = ""
    version: int | None = None
    #: A person who was erased: deleted, for good.
    erased: bool = False


class IdentifyAnswer(Model):
    """What ids mean, at the forest version told.

    `addresses`: id → `root_id`, `home_client_id`, `place_id`, `label`, `street`, `street_extra`, `postal_code`,
    `city`, `country`, `retired`. `contacts`: id → `root_id`, `home_client_id`, `name`, `email`, `phone`,
    `portal_access`. An unknown or deleted id is absent; one of another client has another `root_id`.
    """

    forest: int
    clients: list[Identified]
    addresses: dict[str, dict[str, Any]]
    contacts: dict[str, dict[str, Any]]


class History(Page):
    """Who changed what and when, field by field, newest first; only lines older than `before`, a line's `seq`."""

    rpc: ClassVar[str] = "clients.history"
    client_id: Id
    before: int | None = Field(default=None, ge=1)


class GetMemo(Query):
    """The memo, empty with version 0 before it was ever written."""

    rpc: ClassVar[str] = "clients.get_memo"
    client_id: Id


class MemoVersions(Page):
    """Texts that the memo has had, newest first; the first is the present one."""

    rpc: ClassVar[str] = "clients.memo_versions"
    client_id: Id


class SetMemo(Command):
    """Writes the memo. A stale version is refused with `MemoConflict` as data: no word of either is lost."""

    rpc: ClassVar[str] = "clients.set_memo"
    client_id: Id
    expected_version: int | None = None
    text: Text


class _CreateRow(Command):
    id: Id | None = None
    home_client_id: Id
    written_client_id: Id
    origin: Origin | None = None


class CreateAddress(_CreateRow):
    """Adds an address; the first of a client is its main one."""

    rpc: ClassVar[str] = "clients.create_address"
    body: AddressBody
    main: bool = False


class UpdateAddress(Command):
    """Changes or retires an address."""

    rpc: ClassVar[str] = "clients.update_address"
    id: Id
    expected_version: int | None = None
    changes: AddressChanges


class PromoteAddress(Command):
    """Makes an address the main one of its client."""

    rpc: ClassVar[str] = "clients.promote_address"
    id: Id


class CreateContact(_CreateRow):
    """Adds a contact."""

    rpc: ClassVar[str] = "clients.create_contact"
    body: ContactBody


class UpdateContact(Command):
    """Changes a contact."""

    rpc: ClassVar[str] = "clients.update_contact"
    id: Id
    expected_version: int | None = None
    changes: ContactChanges


class CreateRelation(_CreateRow):
    """Links two clients. `other_home_id` is what the door made of `other_client_id`."""

    rpc: ClassVar[str] = "clients.create_relation"
    other_home_id: Id
    body: RelationBody


class UpdateRelation(Command):
    """Changes the type of a relation, seen from `client_id`."""

    rpc: ClassVar[str] = "clients.update_relation"
    id: Id
    client_id: Id
    expected_version: int | None = None
    changes: RelationChanges


class CreateActivity(_CreateRow):
    """Logs an exchange."""

    rpc: ClassVar[str] = "clients.create_activity"
    body: ActivityBody
    automatic: bool = False


class UpdateActivity(Command):
    """Changes an activity logged by hand."""

    rpc: ClassVar[str] = "clients.update_activity"
    id: Id
    expected_version: int | None = None
    changes: ActivityChanges


SubKind = Literal["addresses", "contacts", "relations", "activities"]


class GetSub(Query):
    """One row of a client's own sections."""

    rpc: ClassVar[str] = "clients.get_sub"
    kind: SubKind
    id: Id
    client_id: Id


class ListSub(Page):
    """Rows of one of a client's own sections."""

    rpc: ClassVar[str] = "clients.list_sub"
    kind: SubKind
    client_id: Id


class ListActivities(Page):
    """What was said with a client and what happened there, newest first.

    `kind` (repeatable): of exchanges logged by hand, of what the system tells, or `automatic` for all of the latter.
    Days are the company's, both included.
    """

    rpc: ClassVar[str] = "clients.list_activities"
    client_id: Id
    kind: list[ActivityFilter] = Field(default_factory=list, max_length=20)
    from_day: Day | None = None
    to_day: Day | None = None
    author_id: str | None = Field(default=None, max_length=100)
    q: str = Field(default="", max_length=200)


class FindContacts(Page):
    """Contacts of all living clients by name, e-mail or phone."""

    rpc: ClassVar[str] = "clients.find_contacts"
    q: str = Field(max_length=200)


class DeleteSub(Command):
    """Removes a row: a used address is retired, the others leave the fiche."""

    rpc: ClassVar[str] = "clients.delete_sub"
    kind: SubKind
    id: Id
    expected_version: int | None = None


class RestoreSub(Command):
    """Brings back a row that was removed. What was not removed stays as it is."""

    rpc: ClassVar[str] = "clients.restore_sub"
    kind: SubKind
    id: Id
    client_id: Id
