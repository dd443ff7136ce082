"""What `billing` says of the undo of a merge: documents that somebody must decide on, details that come back."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from contracts.base import Id, Line, Model, Moment, Query
from contracts.forest import Move


class UndoBilling(Query):
    """Documents issued since a merge that its undo would leave with the wrong client, and what becomes of details.

    `branch` are the records that go back, `rest` those that stay together, `name` what the duplicate is called, `moves`
    the rows that change sides with the undo.
    """

    rpc: ClassVar[str] = "billing.undo_billing"
    merge_id: Id
    branch: list[Id] = Field(max_length=500)
    rest: list[Id] = Field(max_length=500)
    since: Moment
    name: Line
    moves: list[Move] = Field(default_factory=list, max_length=5000)


class UndoDecision(Model):
    """A document that was issued since, and why it could belong to either: somebody says where it goes."""

    kind: Literal["invoice", "credit_note"]
    id: Id
    number: str
    label: str
    home_client_id: Id
    why: str


class UndoneDetail(Model):
    """A billing detail and the survivor's value once the merge is undone."""

    field: str
    value: Any


class UndoneBilling(Model):
    """Answer of `UndoBilling`. `kept` are details that the merge wrote and somebody edited since."""

    decisions: list[UndoDecision]
    restored: list[UndoneDetail]
    kept: list[UndoneDetail]
