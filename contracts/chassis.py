"""What every service answers besides its own language: its log, its health, its parked events."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

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

    With `types` only these are read (the partners' feed); the answer then tells how far it has looked. `after_id` is
    the id of the event that the reader knows at `after`: a log that holds another one there is another log.
    """

    rpc: ClassVar[str] = "*.log_read"
    log_id: Id | None = None
    after: int = Field(ge=0)
    after_id: Id | None = None
    limit: int = Field(default=500, ge=1, le=1000)
    consumer: str | None = Field(default=None, max_length=100)
    public_only: bool = False
    types: list[str] | None = None


class Snapshot(Query):
    """The producer's present state as events, true at `position` of its log, made in one transaction.

    Without `id` a snapshot is made and its first page told; the others are asked for by its id within a day.
    """

    rpc: ClassVar[str] = "*.snapshot"
    id: Id | None = None
    page: int = Field(default=0, ge=0)


class SnapshotPage(Model):
    """Answer of `Snapshot`. `former` are the identities the log had before a restore, with the last position shared;
    `first` is the lowest position still in the log; `covers` are the types of events that the state replaces.
    """

    id: Id
    log_id: Id
    position: int
    first: int
    former: dict[str, int]
    covers: list[str]
    pages: int
    events: list[dict[str, Any]]


class Rebuild(Command):
    """Has the copies that a service keeps of a producer's facts rebuilt from a snapshot; `health` tells when it is."""

    rpc: ClassVar[str] = "*.rebuild"
    producer: str = Field(max_length=100)


class LogPrune(Command):
    """Removes a batch of what is older than so many days and was read by all who follow; refused while one is behind.

    `forget` names followers that exist no more. The answer's `upto` is given back with the next batch.
    """

    rpc: ClassVar[str] = "*.log_prune"
    remembered: ClassVar[bool] = False
    older_than_days: int = Field(ge=0, le=36_500)
    forget: list[Annotated[str, Field(max_length=100)]] = Field(default_factory=list)
    upto: int | None = Field(default=None, ge=0)


class LogPruneAnswer(Model):
    """How many events were removed, up to which position the next batches go, how many are left to remove."""

    removed: int
    upto: int
    left: int


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
    """Answer of `LogRead`: `events` are rows of the log; `upto` is how far was looked, `first` the lowest position."""

    log_id: Id
    first: int
    upto: int
    events: list[dict[str, Any]]
