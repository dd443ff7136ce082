"""Erasures for the audit, and what one would do."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import Conflict, NotFound
from chassis.page import Listing
from contracts.clients import erasures as c
from services.clients.model import KINDS, Base, Client
from services.clients.queries.records import ABSENT, refuse_erased
from services.kit.erasure import count_rows
from services.kit.homes import root_of, tree_of

ERASURES = Listing(
    source="erasure e",
    item=(
        "json_build_object('id', e.id, 'client_id', e.client_id, 'tree', e.tree, 'reference', e.reference, "
        "'reason', e.reason, 'erased_by', e.actor, 'erased_at', e.erased_at, 'forest', e.forest, 'counts', e.counts, "
        "'waits_for', e.waits_for, 'status', CASE WHEN e.waits_for = '[]' THEN 'done' ELSE 'running' END)"
    ),
    key="e.id",
    sorts={"-erased_at": ("e.erased_at", "timestamptz")},
    default="-erased_at",
)


def get_erasure(session: Session, identifier: uuid.UUID) -> bytes:
    """One erasure. Raises `NotFound`."""
    body = ERASURES.one(session, ["e.id = :id"], {"id": identifier})
    if body is None:
        raise NotFound("Cet effacement n’existe pas.")
    return body


def list_erasures(session: Session, request: c.ListErasures) -> bytes:
    """Erasures, newest first."""
    where: list[str] = []
    params: dict[str, Any] = {}
    if request.client_id is not None:
        where.append("e.tree ? CAST(:client AS text)")
        params["client"] = str(request.client_id)
    return ERASURES.page(session, where, params, request)


def check_erasable(session: Session, row: Client | None) -> Client:
    """The record, if it may be erased: a root, deleted or not. Raises `NotFound`, `Conflict`, `Gone`."""
    if row is None:
        raise NotFound(ABSENT)
    if row.merged_into is not None:
        raise Conflict(
            "Cette fiche a été fusionnée dans une autre\u202f: effacez celle-ci, tout le dossier l’est avec elle.",
            code="client_merged",
            data={"client_id": str(root_of(session, row.id))},
        )
    refuse_erased(session, row.id)
    return row


def preview_erase(session: Session, request: c.PreviewErase) -> c.ErasurePreview:
    """What an erasure would do here."""
    row = check_erasable(session, session.get(Client, request.id))
    tree = tree_of(session, row.id)
    records = [session.get_one(Client, each) for each in tree]
    open_merges = session.execute(
        text(
            "SELECT count(*) FROM merge WHERE undone_forest IS NULL AND NOT sealed AND undo_until >= now() "
            "AND (survivor_id = ANY(:tree) OR duplicate_id = ANY(:tree))"
        ),
        {"tree": tree},
    ).scalar_one()
    return c.ErasurePreview(
        records=[
            c.ErasedRecord(id=each.id, display_name=each.display_name, reference=each.reference) for each in records
        ],
        tree=tree,
        blanked=count_rows(session, Base, KINDS, tree)[0],
        merges=open_merges,
    )
