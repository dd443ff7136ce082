"""Merging two records and taking it back (merge-protocol): what is asked, and what is answered."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from contracts.base import Command, Id, Model, Moment, Page, Person, Query
from contracts.forest import Move

#: Which of two values stands; `join`: both, where both can (texts).
Choice = Literal["survivor", "duplicate", "join"]
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]


class MergeBody(Model):
    """Body of `POST /merges`. Fields without a choice get the proposed one; versions are checked where given."""

    survivor_id: Id
    duplicate_id: Id
    choices: dict[str, Choice] = Field(default_factory=dict, max_length=200)
    reason: Why
    survivor_version: int | None = Field(default=None, ge=1)
    duplicate_version: int | None = Field(default=None, ge=1)


class MergeClients(Command):
    """The duplicate becomes a signpost of the survivor. `choices` of other services' facts are passed on to them.

    Raises `Conflict` (`client_merged`), `Gone`, `Stale`, `Invalid`.
    """

    rpc: ClassVar[str] = "clients.merge"
    body: MergeBody


class PreviewMerge(Query):
    """What a merge of these two would do in `clients`: fields, conflicts, trees. Refused as the merge would be."""

    rpc: ClassVar[str] = "clients.preview_merge"
    survivor_id: Id
    duplicate_id: Id


class FieldPreview(Model):
    """A field whose values differ, or that only one has: both values, the proposed choice and why."""

    field: str
    label: str
    survivor: Any
    duplicate: Any
    proposed: Choice
    why: str
    choices: list[Choice]


class MergeConflict(Model):
    """Something a person should know before merging, in words."""

    code: str
    detail: str


class MergePreview(Model):
    """Answer of `PreviewMerge`."""

    survivor: dict[str, Any]
    duplicate: dict[str, Any]
    survivor_tree: list[Id]
    duplicate_tree: list[Id]
    fields: list[FieldPreview]
    conflicts: list[MergeConflict]
    counts: dict[str, int]


class Kept(Model):
    """A document issued since a merge that stays where it is at the undo: somebody decided so. Its number is nobody's
    secret, so it stays in the audit when a person is erased.
    """

    service: str = Field(max_length=50)
    kind: str = Field(max_length=50)
    id: Id
    number: str = Field(max_length=100)


class UndoMerge(Command):
    """Takes a merge back. `moves`: rows that change sides with it; `keep`: what whoever asks decided to leave.

    Raises `Conflict` (`merge_undone`, `merge_sealed`, `undo_too_late`), `NotFound`, `Invalid`.
    """

    rpc: ClassVar[str] = "clients.undo_merge"
    id: Id
    moves: list[Move] = Field(default_factory=list, max_length=5000)
    keep: list[Kept] = Field(default_factory=list, max_length=5000)


class PreviewUndo(Query):
    """What an undo would do in `clients`. Raises `NotFound`, and `Invalid` for moves that the undo would refuse."""

    rpc: ClassVar[str] = "clients.preview_undo"
    id: Id
    moves: list[Move] = Field(default_factory=list, max_length=5000)


class FieldUndone(Model):
    """What becomes of a field at an undo: the survivor's value after it."""

    field: str
    label: str
    value: Any


class Refused(Model):
    """Why an undo is refused for good."""

    code: str
    detail: str


class UndoPreview(Model):
    """Answer of `PreviewUndo`: fields that come back, and those that stay because somebody edited them since.

    `branch` are the records that go back, the duplicate first; `rest` those that stay together, the root first.
    """

    merge: dict[str, Any]
    refused: Refused | None
    restored: list[FieldUndone]
    kept: list[FieldUndone]
    branch: list[Id]
    rest: list[Id]


class GetMerge(Query):
    """One merge with its progress. Raises `NotFound`."""

    rpc: ClassVar[str] = "clients.get_merge"
    id: Id


class ListMerges(Page):
    """Merges, newest first: all, or those that a record took part in."""

    rpc: ClassVar[str] = "clients.list_merges"
    client_id: Id | None = None
    status: Literal["running", "done", "undoing", "undone"] | None = None


class ServiceProgress(Model):
    """How far one service is with a merge or its undo; `moved` counts its rows by kind."""

    status: Literal["running", "done", "failed"]
    moved: dict[str, int] | None
    error: str | None = None


class MergeView(Model):
    """A merge: who, when, why, and how far each service is. Done only when every service is.

    Of one that was undone, asked for by itself, also what whoever undid it decided: `moves` and `keep`.
    """

    id: Id
    survivor_id: Id
    duplicate_id: Id
    survivor: dict[str, Any]
    duplicate: dict[str, Any]
    choices: dict[str, Any]
    reason: str
    merged_by: Person
    merged_at: Moment
    undone_by: Person | None
    undone_at: Moment | None
    undo_until: Moment
    sealed: bool
    can_undo: bool
    forest: int
    status: Literal["running", "done", "undoing", "undone"]
    services: dict[str, ServiceProgress]
    moves: list[Move] | None = None
    keep: list[Kept] | None = None
    restored: list[str] | None = None
    kept: list[str] | None = None


class NotDuplicates(Command):
    """Remembers that two records are not the same client, or forgets it again."""

    rpc: ClassVar[str] = "clients.not_duplicates"
    client_id: Id
    other_id: Id
    same: bool = False
