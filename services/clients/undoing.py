"""What an undo may do, and what it makes of the survivor's fields (merge-protocol, *Undo, as the user sees it*)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import Conflict, Invalid
from contracts.clients import merges as m
from contracts.forest import MOVABLE, Move
from services.clients import fields, merging
from services.clients.model import Merge
from services.kit.forest import path_to_root
from services.kit.homes import tree_of


def check_undoable(merge: Merge, now: datetime) -> None:
    """Raises `Conflict` for a merge that was undone, is sealed by an erasure, or is too old."""
    if merge.undone_forest is not None:
        raise Conflict("Cette fusion a déjà été annulée.", code="merge_undone", data={"merge_id": str(merge.id)})
    if merge.sealed:
        raise Conflict(
            "Cette fusion ne peut plus être annulée\u202f: les données de la personne ont été effacées.",
            code="merge_sealed",
        )
    if now > merge.undo_until:
        raise Conflict(
            f"Cette fusion ne peut plus être annulée\u202f: le délai a pris fin le {merge.undo_until:%d/%m/%Y}.",
            code="undo_too_late",
        )


def check_moves(moves: Sequence[Move], merge: Merge, tree: Iterable[uuid.UUID]) -> None:
    """Raises `Invalid` for a row that is not of the merged client, that goes to a third, or that follows another."""
    known = set(tree)
    for move in moves:
        if move.kind not in MOVABLE.get(move.service, ()):
            raise Invalid.field("moves", "Une de ces lignes ne change pas de fiche par elle-même.")
        if move.home not in (merge.survivor_id, merge.duplicate_id):
            raise Invalid.field("moves", "Une ligne ne peut aller qu’à l’une des deux fiches.")
        if move.home_seen not in known:
            raise Invalid.field("moves", "Une de ces lignes n’est pas de ce client.")


def outcome(session: Session, merge: Merge, rest: Sequence[uuid.UUID]) -> tuple[list[m.FieldUndone], list[str]]:
    """Fields of the living client that an undo changes, with their value after it; and those that it leaves alone
    because somebody edited them since. `rest`: its tree without what goes back, itself first.
    """
    root = rest[0]
    restored, kept = [], []
    written = written_by(session, merge)
    for name in sorted({*written, "main_address_id", "reference"}):
        now, then = _now(session, root, name), _then(session, root, name, merge, rest)
        if (now or None) != (then or None):
            shown = merging.shown(session, name, then)
            restored.append(m.FieldUndone(field=name, label=merging.label(session, name), value=shown))
        elif name in written and _edited_since(session, merge, name):
            kept.append(name)
    return restored, kept


def kept_now(session: Session, root: uuid.UUID, names: Iterable[str]) -> list[m.FieldUndone]:
    """Fields with the value that they have."""
    return [
        m.FieldUndone(
            field=name,
            label=merging.label(session, name),
            value=merging.shown(session, name, _now(session, root, name)),
        )
        for name in names
    ]


def written_by(session: Session, merge: Merge) -> list[str]:
    """Public names of the fields that a merge has written, sorted."""
    found = session.execute(
        text("SELECT DISTINCT field FROM client_field_write WHERE client_id = :id AND merge_id = :merge"),
        {"id": merge.survivor_id, "merge": merge.id},
    ).scalars()
    return sorted(merging.public(name) for name in found)


def _now(session: Session, root: uuid.UUID, name: str) -> object:
    if name == "main_address_id":
        return fields.main_address(session, root)
    if name == "reference":
        return fields.reference(session, root)
    return fields.value(session, root, merging.stored(name))


def _then(session: Session, root: uuid.UUID, name: str, merge: Merge, rest: Sequence[uuid.UUID]) -> object:
    if name == "main_address_id":
        return fields.main_address(session, root, rest, merge.id)
    if name == "reference":
        return fields.reference(session, root, rest, merge.id)
    return fields.value(session, root, merging.stored(name), without=merge.id)


def _edited_since(session: Session, merge: Merge, name: str) -> bool:
    """Whether somebody wrote a field of the survivor, or of a client it has become, after the merge."""
    return bool(
        session.scalar(
            text(
                "SELECT EXISTS (SELECT 1 FROM client_field_write m JOIN client_field_write w ON w.field = m.field "
                "AND w.seq > m.seq AND w.merge_id IS NULL WHERE m.merge_id = :merge AND m.field = :field "
                "AND w.client_id = ANY(:records))"
            ),
            {
                "merge": merge.id,
                "field": merging.stored(name),
                "records": path_to_root(session, merge.survivor_id),
            },
        )
    )


def sides(session: Session, merge: Merge, branch: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """The records that stay together when `branch` goes back, the living client first."""
    gone = set(branch)
    return [record for record in tree_of(session, merge.survivor_id) if record not in gone]
