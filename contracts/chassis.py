"""What every service answers besides its own language: its log, its health, its parked events."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from contracts.base import Command, Id, Model, Query


class LogHead(Query):
    """How far the log goes. `published` is the last position that the broker confirmed."""

    rpc: ClassVar[str] = "*.log_head"


class LogHeadAnswer(Model):
    """`position` is the last given; in one process without a broker `published` equals it."""

    log_id: Id
    position: int
    published: int


class LogRead(Query):
    """Events behind `after`, in order. A consumer says who it is, so that pruning stays behind it.

    With `types` only these are read (the partners' feed); the answer then tells how far it has looked.
    """

    rpc: ClassVar[str] = "*.log_read"
    log_id: Id | None = None
    after: int = Field(ge=0)
    limit: int = Field(default=500, ge=1, le=1000)
    consumer: str | None = Field(default=None, max_length=100)
    public_only: bool = False
    types: list[str] | None = None


class Snapshot(Query):
    """The producer's present state as events, true at `position` of its log, in one transaction."""

    rpc: ClassVar[str] = "*.snapshot"


class Health(Query):
    """Whether the service really works: database, log, consumers."""

    rpc: ClassVar[str] = "*.health"


class ParkedList(Query):
    """Parked events, by producer, key and position."""

    rpc: ClassVar[str] = "*.parked_list"
    producer: str | None = None


class ParkedShow(Query):
    """One parked event with its body and error."""

    rpc: ClassVar[str] = "*.parked_show"
    producer: str
    position: int


class ParkedAct(Command):
    """Replays, in order, or drops a parked sequence (all events of the key of the one named)."""

    rpc: ClassVar[str] = "*.parked_act"
    action: Literal["replay", "drop"]
    producer: str
    position: int
    reason: str = Field(default="", max_length=1000)


class LogPage(Model):
    """Answer of `LogRead`: `events` are rows of the log; `upto` is how far was looked."""

    log_id: Id
    upto: int
    events: list[dict[str, Any]]
