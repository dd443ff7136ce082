"""Small helpers of the write side: stamps, versions, row locks, partial changes."""

from __future__ import annotations

import uuid
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from chassis.errors import NotFound, Stale
from chassis.uow import UnitOfWork
from contracts.base import Model

Row = TypeVar("Row")

GONE = "Cet élément n’existe pas ou n’existe plus."


def stamp_new(uow: UnitOfWork) -> dict[str, Any]:
    """Values of the stamp columns for a new row."""
    actor = uow.context.actor
    return {
        "version": 1,
        "created_at": uow.now,
        "created_by_id": actor.id,
        "created_by_name": actor.name,
        "updated_at": uow.now,
        "updated_by_id": actor.id,
        "updated_by_name": actor.name,
    }


def touch(uow: UnitOfWork, row: Any) -> None:
    """Marks a row as changed by the actor, now: one version more."""
    row.version += 1
    row.updated_at = uow.now
    row.updated_by_id = uow.context.actor.id
    row.updated_by_name = uow.context.actor.name


def lock(session: Session, model: type[Row], identifier: uuid.UUID, detail: str = GONE) -> Row:
    """The row, locked until the end of the transaction. Raises `NotFound`."""
    row = session.get(model, identifier, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(detail)
    return row


def check_version(row: Any, expected: int | None) -> None:
    """Raises `Stale` when the caller knows another version; None asks for no check (machines inside, imports)."""
    if expected is not None and row.version != expected:
        raise Stale(
            "Quelqu’un a modifié cet élément entre-temps. Rechargez-le avant d’enregistrer.",
            data={"version": row.version},
        )


def apply_changes(row: Any, changes: Model, *, skip: frozenset[str] = frozenset()) -> set[str]:
    """Sets the fields that `changes` names (JSON merge patch, RFC 7396); returns those whose value differs."""
    changed = set()
    for name in changes.model_fields_set - skip:
        value = getattr(changes, name)
        if getattr(row, name) != value:
            setattr(row, name, value)
            changed.add(name)
    return changed
