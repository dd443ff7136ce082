"""Erasing a person (GDPR, article 17): what is asked, what it would do, and what is kept of it for the audit."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from contracts.base import Command, Id, Line, Model, Moment, Page, Person, Query
from contracts.clients.merges import Why


class EraseBody(Model):
    """Body of `POST /clients/{id}/erase`. `name`, where given, must be the name shown: typed back, it was read."""

    reason: Why
    name: Line | None = None


class EraseClient(Command):
    """Erases a person with the whole tree of the record, for good.

    Raises `Conflict` (`client_merged`), `Gone` (`client_erased`), `NotFound`, `Invalid` where the name differs.
    """

    rpc: ClassVar[str] = "clients.erase"
    id: Id
    body: EraseBody


class PreviewErase(Query):
    """What an erasure would do in `clients`. Refused as the erasure would be."""

    rpc: ClassVar[str] = "clients.preview_erase"
    id: Id


class ErasedRecord(Model):
    """A record that goes: the one asked for, or one merged into it."""

    id: Id
    display_name: str
    reference: str


class ErasurePreview(Model):
    """Answer of `PreviewErase`. `merges` could still be undone, and could not afterwards."""

    records: list[ErasedRecord]
    tree: list[Id]
    blanked: dict[str, int]
    merges: int


class ServiceErasure(Model):
    """Rows of one service, by kind: those that would be blanked, those that the law keeps; null where it is away."""

    status: Literal["ok", "unavailable"]
    blanked: dict[str, int] | None
    kept: dict[str, int] | None
    error: str | None = None


class ErasureWouldBe(Model):
    """Answer of `POST /clients/{id}/erase?dry_run=true`: what goes and what stays, in every service."""

    dry_run: Literal[True]
    records: list[ErasedRecord]
    tree: list[Id]
    merges: int
    services: dict[str, ServiceErasure]
    #: Why something stays, in words.
    law: str


class GetErasure(Query):
    """One erasure. Raises `NotFound`."""

    rpc: ClassVar[str] = "clients.get_erasure"
    id: Id


class ListErasures(Page):
    """Erasures, newest first: all, or that of a client."""

    rpc: ClassVar[str] = "clients.list_erasures"
    client_id: Id | None = None


class ErasureView(Model):
    """An erasure: who, when, why; nothing of the person but ids and the reference.

    `waits_for` names the services that still have something of the person: rows, files, what their logs say. It is done
    when none is left.
    """

    id: Id
    client_id: Id
    tree: list[Id]
    reference: str
    reason: str
    erased_by: Person
    erased_at: Moment
    forest: int
    counts: dict[str, int] = Field(default_factory=dict)
    waits_for: list[str]
    status: Literal["running", "done"]
