"""Merging and taking it back: one transaction each, a handful of rows whatever the size (merge-protocol).

Lock order: the forest, then records by id, then the log.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import select, text

from chassis.errors import Conflict, Gone, Invalid, NotFound, Stale
from chassis.ids import new_id
from chassis.stamp import touch
from chassis.uow import UnitOfWork
from contracts import clients as c
from contracts.clients import merges as m
from contracts.forest import FOLLOWERS
from services.clients import fields, merging
from services.clients.commands import activities, distinct
from services.clients.commands import moves as row_moves
from services.clients.commands.records import check_named
from services.clients.commands.shared import facts
from services.clients.model import KINDS, Client, Merge, MergeProgress
from services.clients.queries import merges as queries
from services.clients.queries.identity import choices_told
from services.clients.relating import settle
from services.clients.undoing import check_moves, check_undoable, outcome, sides
from services.kit.forest import count_homes, cut, graft, path_to_root
from services.kit.homes import root_of, tree_of


def merge_clients(uow: UnitOfWork, request: m.MergeClients) -> bytes:
    """Makes the duplicate a signpost of the survivor. Raises `Conflict`, `Gone`, `NotFound`, `Stale`, `Invalid`."""
    body = request.body
    if body.survivor_id == body.duplicate_id:
        raise Invalid.field("duplicate_id", "Choisissez deux fiches différentes.")
    forest = lock_forest(uow)
    locked = lock_records(uow, [body.survivor_id, body.duplicate_id])
    survivor = _mergeable(uow, locked, body.survivor_id, "survivor_id")
    duplicate = _mergeable(uow, locked, body.duplicate_id, "duplicate_id")
    _check_previewed(survivor, body.survivor_version)
    _check_previewed(duplicate, body.duplicate_version)
    choices = _choices(uow, survivor, duplicate, body.choices)
    survivor_tree, duplicate_tree = (tree_of(uow.session, each.id) for each in (survivor, duplicate))
    merge = Merge(
        id=new_id(),
        survivor_id=survivor.id,
        duplicate_id=duplicate.id,
        choices=choices,
        reason=body.reason,
        actor=acting(uow),
        merged_at=uow.now,
        forest=forest,
        undo_until=uow.now + timedelta(days=uow.database.settings.undo_days),
    )
    uow.session.add(merge)
    duplicate.merged_into = survivor.id
    uow.session.flush()
    graft(uow.session, merge.id, survivor.id, duplicate.id)
    _start_progress(uow, merge, duplicate_tree)
    settle(uow.session, [survivor.id])
    for record in (survivor.id, duplicate.id):
        fields.append(uow, record, {fields.MERGED: merge.id})
    activities.note_merge(uow, merge.id, survivor.id)
    changed = _take(uow, merge, survivor, choices)
    check_named(survivor)
    touch(uow, duplicate)
    move_forest(uow, forest)
    uow.session.flush()
    uow.emit(
        c.ClientMerged(
            merge_id=merge.id,
            forest=forest,
            survivor_id=survivor.id,
            duplicate_id=duplicate.id,
            survivor_tree=survivor_tree,
            duplicate_tree=duplicate_tree,
            choices=choices_told(choices),
            survivor=c.ClientState(**facts(survivor)).model_dump(mode="json"),
        ),
        c.ClientUpdated(**facts(survivor), changed=sorted(changed)),
    )
    return queries.get_merge(uow.session, merge.id)


def undo_merge(uow: UnitOfWork, request: m.UndoMerge) -> bytes:
    """Takes a merge back, in any order and in mid-chain. Raises `NotFound`, `Conflict`."""
    forest = lock_forest(uow)
    merge = uow.session.get(Merge, request.id, with_for_update=True, populate_existing=True)
    if merge is None:
        raise NotFound("Cette fusion n’existe pas.")
    above = path_to_root(uow.session, merge.survivor_id)
    locked = lock_records(uow, [merge.duplicate_id, *above])
    check_undoable(merge, uow.now)
    duplicate, root = locked[merge.duplicate_id], locked[above[-1]]
    before = {row.id: _state(row) for row in (duplicate, root)}
    duplicate_tree = queries.branch(uow.session, merge.duplicate_id)
    rest = sides(uow.session, merge, duplicate_tree)
    check_moves(request.moves, merge, [*duplicate_tree, *rest])
    _, kept = outcome(uow.session, merge, rest)
    merge.undone_forest, merge.undone_at, merge.undone_by = forest, uow.now, acting(uow)
    merge.moves = [move.model_dump(mode="json") for move in request.moves]
    merge.keep = [row.model_dump(mode="json") for row in request.keep]
    duplicate.merged_into = None
    uow.session.flush()
    cut(uow.session, duplicate.id, duplicate_tree)
    reported(uow, c.OWNER, merge.id, forest, None)
    row_moves.move_rows(uow, request.moves)
    settle(uow.session, [duplicate.id, root.id])
    for record in above[:-1]:
        _let_go(uow, locked[record])
    changed = {row.id: _again(uow, row, before[row.id]) for row in (duplicate, root)}
    distinct.remember(uow, merge.survivor_id, merge.duplicate_id)
    for record in (merge.survivor_id, merge.duplicate_id):
        fields.append(uow, record, {fields.UNDONE: merge.id})
    activities.drop_merge(uow, merge.id)
    move_forest(uow, forest)
    uow.session.flush()
    uow.emit(
        c.ClientMergeUndone(
            merge_id=merge.id,
            forest=forest,
            survivor_id=merge.survivor_id,
            survivor_root_id=root.id,
            duplicate_id=merge.duplicate_id,
            duplicate_tree=duplicate_tree,
            moves=merge.moves,
        )
    )
    uow.emit(
        *(
            c.ClientUpdated(**facts(row), changed=sorted(changed[row.id]))
            for row in (duplicate, root)
            if row.deleted_at is None
        )
    )
    restored = changed[root.id]
    return queries.get_merge(uow.session, merge.id, restored=sorted(restored), kept=kept)


# --- locks and checks -------------------------------------------------------------------------------------------------


def lock_forest(uow: UnitOfWork) -> int:
    """Locks the forest; the version that this deed will have."""
    return int(uow.session.execute(text("SELECT version FROM client_forest FOR UPDATE")).scalar_one()) + 1


def move_forest(uow: UnitOfWork, version: int) -> None:
    """The deed is done at this version."""
    uow.session.execute(text("UPDATE client_forest SET version = :version"), {"version": version})


def lock_records(uow: UnitOfWork, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Client]:
    """Locks records, in the order of their ids."""
    rows = uow.session.scalars(
        select(Client)
        .where(Client.id.in_(list(ids)))
        .order_by(Client.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}


def _mergeable(uow: UnitOfWork, locked: dict[uuid.UUID, Client], identifier: uuid.UUID, field: str) -> Client:
    row = locked.get(identifier)
    if row is None:
        raise Invalid.field(field, "Cette fiche n’existe pas.")
    if row.merged_into is not None:
        active = uow.session.scalar(select(Merge.id).where(Merge.duplicate_id == row.id, Merge.undone_forest.is_(None)))
        raise Conflict(
            f"La fiche {row.display_name} est déjà fusionnée dans une autre.",
            code="client_merged",
            data={"client_id": str(root_of(uow.session, row.id)), "merge_id": str(active)},
        )
    if row.deleted_at is not None:
        raise Gone(f"La fiche {row.display_name} a été supprimée\u202f: restaurez-la avant de la fusionner.")
    return row


def _check_previewed(row: Client, version: int | None) -> None:
    if version is not None and version != row.version:
        raise Stale(
            f"La fiche {row.display_name} a changé depuis l’aperçu\u202f: relisez-le avant de fusionner.",
            data={"client_id": str(row.id), "version": row.version},
        )


# --- fields -----------------------------------------------------------------------------------------------------------


def _choices(uow: UnitOfWork, survivor: Client, duplicate: Client, given: dict[str, Any]) -> dict[str, Any]:
    """What stands for each field: the choice made, else the one proposed."""
    for name, choice in given.items():
        if not merging.is_field(name):
            raise Invalid.field(f"choices.{name}", "Ce champ ne se choisit pas dans une fusion.")
        if choice == "join" and name != "memo" and name not in merging.BILLING:
            raise Invalid.field(f"choices.{name}", "Seuls des textes peuvent être réunis.")
    proposed = {each.field: each.proposed for each in merging.previews(uow.session, survivor, duplicate)}
    return {name: choice for name, choice in (proposed | given).items() if choice != "survivor" or name in given}


def _take(uow: UnitOfWork, merge: Merge, survivor: Client, choices: dict[str, Any]) -> set[str]:
    """Writes the choices, each read ever after by the same rule as an edit, and materialises the survivor."""
    before = _state(survivor)
    for name, choice in sorted(choices.items()):
        if choice == "survivor" or name in merging.BILLING:
            continue
        fields.append(
            uow,
            survivor.id,
            {merging.stored(name): None},
            op="join" if choice == "join" else "take",
            source_client_id=merge.duplicate_id,
            merge_id=merge.id,
        )
    return _again(uow, survivor, before)


def _again(uow: UnitOfWork, row: Client, before: dict[str, Any]) -> set[str]:
    """Materialises what merges have a say in, marks the record as changed; the fields that differ now."""
    fields.materialise(uow.session, row, queries.merged_fields(uow.session, row.id))
    if row.memo != before["memo"]:
        row.memo_version += 1
        row.memo_updated_at, row.memo_updated_by = uow.now, uow.context.actor.name
    touch(uow, row)
    after = _state(row)
    return {name for name in before | after if before.get(name) != after.get(name)}


def _let_go(uow: UnitOfWork, row: Client) -> None:
    """A signpost keeps nothing of what it took from a record that it has no more, which may be erased one day.

    It is read by its writes alone: pointers, which follow the tree, are set when it is freed.
    """
    pointers = {"main_address_id", "reference"}
    fields.materialise(uow.session, row, set(queries.merged_fields(uow.session, row.id)) - pointers)


def _state(row: Client) -> dict[str, Any]:
    """A record's fields by the names that choices have."""
    plain = {name: getattr(row, merging.stored(name)) for name in merging.CHOSEN}
    return plain | {fields.CUSTOM + key: value for key, value in row.custom_fields.items()}


def acting(uow: UnitOfWork) -> dict[str, str]:
    """Who acts, as the audit keeps it."""
    return {"id": uow.context.actor.id, "name": uow.context.actor.name}


# --- what services report ---------------------------------------------------------------------------------------------


def _start_progress(uow: UnitOfWork, merge: Merge, duplicate_tree: Sequence[uuid.UUID]) -> None:
    """A row for each service that follows the forest by now; one never deployed is absent."""
    known = set(uow.session.execute(text("SELECT name FROM event_consumer")).scalars())
    for service in FOLLOWERS:
        if service in known:
            uow.session.add(MergeProgress(merge_id=merge.id, service=service))
    own = count_homes(uow.session, KINDS, duplicate_tree)
    uow.session.add(MergeProgress(merge_id=merge.id, service=c.OWNER, forest=merge.forest, moved=own))


def reported(uow: UnitOfWork, service: str, merge_id: uuid.UUID, forest: int, counts: dict[str, int] | None) -> None:
    """A service has applied a merge or its undo. What it counted at the merge is written once."""
    uow.session.execute(
        text(
            "INSERT INTO merge_progress AS p (merge_id, service, forest, moved) "
            "SELECT m.id, :service, :forest, CAST(:counts AS jsonb) FROM merge m WHERE m.id = :merge "
            "ON CONFLICT (merge_id, service) DO UPDATE SET forest = greatest(coalesce(p.forest, 0), excluded.forest), "
            "failed = NULL, moved = coalesce(p.moved, excluded.moved)"
        ),
        {
            "merge": merge_id,
            "service": service,
            "forest": forest,
            "counts": None if counts is None else orjson.dumps(counts).decode(),
        },
    )


def report_failed(uow: UnitOfWork, service: str, merge_id: uuid.UUID, error: str) -> None:
    """A service has put a merge's event aside; operators see it, and so does the merge."""
    row = uow.session.get(MergeProgress, (merge_id, service), with_for_update=True)
    if row is not None:
        row.failed = error


def reached(uow: UnitOfWork, service: str, forest: int) -> None:
    """A service has rebuilt up to a version: every merge up to it is done there."""
    uow.session.execute(
        text(
            "UPDATE merge_progress p SET forest = greatest(p.forest, :forest), failed = NULL FROM merge m "
            "WHERE m.id = p.merge_id AND p.service = :service AND (p.failed IS NOT NULL OR p.forest IS NULL "
            "OR (m.undone_forest IS NOT NULL AND p.forest < m.undone_forest)) "
            "AND (m.forest <= :forest OR m.undone_forest <= :forest)"
        ),
        {"service": service, "forest": forest},
    )
