"""What every service that keeps rows of clients tells and answers of the merge forest (merge-protocol)."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeVar

from pydantic import Field

from contracts.base import Event, Id, Model, Query
from contracts.clients.events import FOREST_KEY

E = TypeVar("E", bound=Event)

#: Services that keep rows of clients beside `clients` itself, and so follow the forest.
FOLLOWERS = ("accounts", "billing", "documents", "equipment", "interventions", "maintenance")


class Repointed(Event):
    """A service has applied a merge or its undo; `counts` are the rows whose client changed by it, by kind."""

    event_name: ClassVar[str]
    subject_field: ClassVar[str] = "merge_id"
    ordering_key_constant: ClassVar[str | None] = FOREST_KEY
    merge_id: Id
    forest: int
    direction: Literal["merge", "undo"]
    counts: dict[str, int]


class RepointFailed(Event):
    """A service has put a forest event aside: until an operator mends it, its own lists keep the former client."""

    event_name: ClassVar[str]
    subject_field: ClassVar[str] = "merge_id"
    ordering_key_constant: ClassVar[str | None] = FOREST_KEY
    merge_id: Id
    forest: int
    error: str


class ForestReached(Event):
    """A service has rebuilt its forest from a snapshot, and is at this version now."""

    event_name: ClassVar[str]
    subject_field: ClassVar[str] = "service"
    ordering_key_constant: ClassVar[str | None] = FOREST_KEY
    service: str
    forest: int


def _for_each(base: type[E], name: str) -> dict[str, type[E]]:
    """The event of each follower: the same shape under its owner's name."""
    return {
        owner: type(
            f"{owner.title()}{base.__name__}",
            (base,),
            {"__module__": __name__, "__doc__": base.__doc__, "event_owner": owner, "event_name": name},
        )
        for owner in FOLLOWERS
    }


REPOINTED = _for_each(Repointed, "client_repointed")
REPOINT_FAILED = _for_each(RepointFailed, "client_repoint_failed")
FOREST_REACHED = _for_each(ForestReached, "forest_reached")


class CountHomes(Query):
    """How many rows of each kind belong to these records by themselves: what a merge or undo changes hands of."""

    rpc: ClassVar[str] = "*.count_homes"
    tree: list[Id] = Field(max_length=500)


class HomeCounts(Model):
    """Rows by kind; kinds without any are absent."""

    counts: dict[str, int]


class Move(Model):
    """A row that changes sides with an undo: only where its home is still `home_seen`."""

    service: str = Field(max_length=50)
    kind: str = Field(max_length=50)
    id: Id
    home_seen: Id
    home: Id
