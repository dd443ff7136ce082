"""Merges as people and pages see them: who, when, why, how far each service is; previews of merge and undo."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import Conflict, NotFound
from chassis.page import Listing
from contracts.clients import merges as m
from services.clients import merging, undoing
from services.clients.model import KINDS, Client, Merge
from services.clients.queries.records import refuse
from services.kit.forest import count_homes
from services.kit.homes import tree_of

_RECORD = (
    "(SELECT json_build_object('id', r.id, 'display_name', r.display_name, 'reference', r.reference, 'kind', r.kind) "
    "FROM client r WHERE r.id = g.{0})"
)
#: SQL: the version that a service must have reached: the undo's, else the merge's.
_NEEDED = "coalesce(g.undone_forest, g.forest)"
_DONE = f"NOT EXISTS (SELECT 1 FROM merge_progress p WHERE p.merge_id = g.id AND coalesce(p.forest, 0) < {_NEEDED})"
_STATUS = (
    f"CASE WHEN g.undone_forest IS NULL THEN CASE WHEN {_DONE} THEN 'done' ELSE 'running' END "
    f"ELSE CASE WHEN {_DONE} THEN 'undone' ELSE 'undoing' END END"
)
_SERVICES = (
    "(SELECT json_object_agg(p.service, json_build_object('status', "
    f"CASE WHEN p.failed IS NOT NULL THEN 'failed' WHEN coalesce(p.forest, 0) >= {_NEEDED} THEN 'done' "
    "ELSE 'running' END, 'moved', p.moved, 'error', p.failed) ORDER BY p.service) "
    "FROM merge_progress p WHERE p.merge_id = g.id)"
)
MERGES = Listing(
    source="merge g",
    item=(
        "json_build_object('id', g.id, 'survivor_id', g.survivor_id, 'duplicate_id', g.duplicate_id, "
        f"'survivor', {_RECORD.format('survivor_id')}, 'duplicate', {_RECORD.format('duplicate_id')}, "
        "'choices', g.choices, 'reason', g.reason, 'merged_by', g.actor, 'merged_at', g.merged_at, "
        "'undone_by', g.undone_by, 'undone_at', g.undone_at, 'undo_until', g.undo_until, 'sealed', g.sealed, "
        "'can_undo', g.undone_forest IS NULL AND NOT g.sealed AND now() <= g.undo_until, "
        f"'forest', g.forest, 'status', {_STATUS}, 'services', {_SERVICES})"
    ),
    key="g.id",
    sorts={"-merged_at": ("g.merged_at", "timestamptz")},
    default="-merged_at",
)

#: One by itself tells also what was decided at its undo; in lists that could be thousands of rows.
_ONE = replace(MERGES, item=f"{MERGES.item.removesuffix(')')}, 'moves', g.moves, 'keep', g.keep)")


def get_merge(
    session: Session,
    identifier: uuid.UUID,
    *,
    restored: list[str] | None = None,
    kept: list[str] | None = None,
) -> bytes:
    """One merge with its progress; at its undo also what became of the fields. Raises `NotFound`."""
    body = _ONE.one(session, ["g.id = :id"], {"id": identifier})
    if body is None:
        raise NotFound("Cette fusion n’existe pas.")
    if restored is None:
        return body
    view = m.MergeView.model_validate_json(body)
    return view.model_copy(update={"restored": restored, "kept": kept}).model_dump_json().encode()


def list_merges(session: Session, request: m.ListMerges) -> bytes:
    """Merges, newest first; of one client, those that any record of its tree took part in."""
    where: list[str] = []
    params: dict[str, Any] = {}
    if request.client_id is not None:
        where.append("g.survivor_id = ANY(:tree) OR g.duplicate_id = ANY(:tree) OR g.duplicate_id = :client")
        params |= {"tree": tree_of(session, request.client_id), "client": request.client_id}
    if request.status is not None:
        where.append(f"{_STATUS} = :status")
        params["status"] = request.status
    return MERGES.page(session, where, params, request)


def preview_merge(session: Session, request: m.PreviewMerge) -> m.MergePreview:
    """What a merge would do here. Raises what the merge would, but for versions."""
    for record in (request.survivor_id, request.duplicate_id):
        refuse(session, record)
    survivor, duplicate = (session.get_one(Client, record) for record in (request.survivor_id, request.duplicate_id))
    mine, theirs = tree_of(session, survivor.id), tree_of(session, duplicate.id)
    return m.MergePreview(
        survivor=_brief(survivor),
        duplicate=_brief(duplicate),
        survivor_tree=mine,
        duplicate_tree=theirs,
        fields=merging.previews(session, survivor, duplicate),
        conflicts=merging.conflicts(session, survivor, duplicate, mine, theirs),
        counts=count_homes(session, KINDS, theirs),
    )


def _brief(row: Client) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "display_name": row.display_name,
        "reference": row.reference,
        "kind": row.kind,
        "version": row.version,
        "status": "archived" if row.archived_at else "active",
        "created_at": row.created_at.isoformat(),
    }


def preview_undo(session: Session, request: m.PreviewUndo, now: datetime) -> m.UndoPreview:
    """What an undo would do here, or why it is refused for good. Raises `NotFound`, `Invalid`."""
    merge = session.get(Merge, request.id)
    if merge is None:
        raise NotFound("Cette fusion n’existe pas.")
    told = orjson.loads(get_merge(session, merge.id))
    try:
        undoing.check_undoable(merge, now)
    except Conflict as error:
        refused = m.Refused(code=error.code, detail=error.detail)
        return m.UndoPreview(merge=told, refused=refused, restored=[], kept=[], branch=[], rest=[])
    goes = branch(session, merge.duplicate_id)
    rest = undoing.sides(session, merge, goes)
    undoing.check_moves(request.moves, merge, [*goes, *rest])
    restored, kept = undoing.outcome(session, merge, rest)
    return m.UndoPreview(
        merge=told,
        refused=None,
        restored=restored,
        kept=undoing.kept_now(session, rest[0], kept),
        branch=goes,
        rest=rest,
    )


# --- the forest and the writes ----------------------------------------------------------------------------------------


def branch(session: Session, record: uuid.UUID) -> list[uuid.UUID]:
    """A record and all below it: what goes back with it."""
    found = session.execute(
        text(
            "WITH RECURSIVE below(id) AS (SELECT CAST(:id AS uuid) UNION "
            "SELECT a.id FROM client_alias a JOIN below b ON a.parent_id = b.id) SELECT id FROM below"
        ),
        {"id": record},
    )
    ids = [uuid.UUID(str(row.id)) for row in found]
    return [record, *sorted(each for each in ids if each != record)]


def merged_fields(session: Session, record: uuid.UUID) -> Sequence[str]:
    """Fields of a record that merges, undone ones too, have a say in; pointers follow the tree anyway."""
    found = session.execute(
        text("SELECT DISTINCT field FROM client_field_write WHERE client_id = :id AND merge_id IS NOT NULL"),
        {"id": record},
    ).scalars()
    return sorted({*found, "main_address_id", "reference"})
