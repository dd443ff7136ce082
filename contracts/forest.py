"""What every service that keeps rows of clients tells and answers of the merge forest (merge-protocol)."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeVar

from pydantic import Field

from contracts.base import Command, Event, Id, Model, Moment, Query
from contracts.clients.events import FOREST_KEY

E = TypeVar("E", bound=Event)

#: Services that keep rows of clients beside `clients` itself, and so follow the forest.
FOLLOWERS = ("accounts", "billing", "documents", "equipment", "interventions", "maintenance")
#: Services beside `clients` that keep something of persons, and say when nothing of an erased one is left.
ERASERS = (*FOLLOWERS, "imports")


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
    """A service has rebuilt its forest from a snapshot, or blanked the rows of a person, and is at this version now.

    `erased`: nothing is left there of anybody erased up to this version, no file and no word in a log either.
    """

    event_name: ClassVar[str]
    subject_field: ClassVar[str] = "service"
    ordering_key_constant: ClassVar[str | None] = FOREST_KEY
    service: str
    forest: int
    erased: int | None = None


def _for_each(base: type[E], name: str, owners: tuple[str, ...] = FOLLOWERS) -> dict[str, type[E]]:
    """The event of each service that tells it: the same shape under its owner's name."""
    return {
        owner: type(
            f"{owner.title()}{base.__name__}",
            (base,),
            {"__module__": __name__, "__doc__": base.__doc__, "event_owner": owner, "event_name": name},
        )
        for owner in owners
    }


REPOINTED = _for_each(Repointed, "client_repointed")
REPOINT_FAILED = _for_each(RepointFailed, "client_repoint_failed")
FOREST_REACHED = _for_each(ForestReached, "forest_reached", ERASERS)


class CountHomes(Query):
    """How many rows of each kind belong to these records by themselves: what a merge or undo changes hands of."""

    rpc: ClassVar[str] = "*.count_homes"
    tree: list[Id] = Field(max_length=500)


class HomeCounts(Model):
    """Rows by kind; kinds without any are absent."""

    counts: dict[str, int]


#: Service → kinds of rows that a person may give to another client: by an undo's `moves`, or by re-assigning them.
#: Every other kind follows one of these (a visit its plan, access to the portal its contact) or goes with the record.
MOVABLE: dict[str, tuple[str, ...]] = {
    "clients": ("address", "contact", "relation", "activity"),
    "interventions": ("intervention", "job_site"),
    "billing": ("quote", "invoice", "credit_note"),
    "equipment": ("equipment",),
    "maintenance": ("plan",),
    "documents": ("document",),
}


class UndoRows(Query):
    """What an undo changes of a service's rows: `branch` are the records that go back, `rest` those that stay together.

    `since` is the merge's moment: what was made after it is told apart, and one by one where it could go either way.
    """

    rpc: ClassVar[str] = "*.undo_rows"
    branch: list[Id] = Field(max_length=500)
    rest: list[Id] = Field(max_length=500)
    since: Moment


class LinkedRow(Model):
    """A row that another names, by kind and id."""

    kind: str
    id: Id


class SinceRow(Model):
    """A row made since a merge that names others, or that was written under the id of a record that goes back."""

    kind: str
    id: Id
    label: str
    home_client_id: Id
    written_under: bool
    links: list[LinkedRow]


class UndoneRows(Model):
    """Answer of `UndoRows`: rows by kind that go back, and that were made since and stay; `since`: those to look at.

    `more`: there were too many to be told one by one.
    """

    goes_back: dict[str, int]
    stays: dict[str, int]
    since: list[SinceRow]
    more: bool = False


class HomesOf(Query):
    """Which record each of these rows of a service belongs to by itself: kind → ids."""

    rpc: ClassVar[str] = "*.homes_of"
    rows: dict[str, list[Id]]


class Homes(Model):
    """Row id → its home; rows that are not there are absent."""

    homes: dict[str, Id]


class OtherClient(Model):
    """To which client a row goes; its own id is in the path."""


class ReassignRow(Command):
    """Gives a row to another client for good: no later undo takes it back (merge-protocol, *Re-assign a row*).

    Raises `NotFound`, `Gone`, `Stale`, and `Conflict` (`follows_source`, `issued`, …) for a row that is another's part.
    """

    rpc: ClassVar[str] = "*.reassign_row"
    kind: str = Field(max_length=50)
    id: Id
    expected_version: int | None = None
    home_client_id: Id
    written_client_id: Id
    #: Version of the forest that the ids are of, as `clients.identify` told.
    forest: int = 0


class PreviewErasure(Query):
    """How many rows of each kind an erasure of these records would blank, and how many the law keeps as they are."""

    rpc: ClassVar[str] = "*.preview_erasure"
    tree: list[Id] = Field(max_length=500)


class ErasureCounts(Model):
    """Rows by kind; kinds without any are absent."""

    blanked: dict[str, int]
    kept: dict[str, int]


class Move(Model):
    """A row that changes sides with an undo: only where its home is still `home_seen`."""

    service: str = Field(max_length=50)
    kind: str = Field(max_length=50)
    id: Id
    home_seen: Id
    home: Id
