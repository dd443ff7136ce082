"""What the undo of a merge asks of somebody who knows what was billed, and what it changes of billing details."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from contracts import billing as c
from services.billing.commands.facts import day_of
from services.billing.commands.merged import value
from services.billing.model.parties import DETAIL_FIELDS
from services.kit.homes import tree_of

#: Documents with a number of this time, and the document that each was made from.
_ISSUED = """
    SELECT '{kind}' AS kind, x.id, x.number, x.title AS label, x.home_client_id AS home,
    coalesce(x.frozen->'client'->>'name', '') AS name, s.id AS source, s.number AS source_number,
    s.home_client_id AS source_home FROM {kind} x LEFT JOIN {source} s ON s.id = x.{source}_id
    WHERE x.home_client_id = ANY(:both) AND x.number IS NOT NULL AND x.status <> 'draft' AND x.issued_on >= :since
"""
_DOCUMENTS = text(
    f"{_ISSUED.format(kind='invoice', source='quote')} UNION ALL "
    f"{_ISSUED.format(kind='credit_note', source='invoice')} ORDER BY number"
)


def undo_billing(session: Session, request: c.UndoBilling) -> c.UndoneBilling:
    """Documents to decide on, and details that come back or stay because somebody edited them since."""
    restored, kept = _details(session, request)
    return c.UndoneBilling(decisions=list(_decisions(session, request)), restored=restored, kept=kept)


def _decisions(session: Session, request: c.UndoBilling) -> Iterator[c.UndoDecision]:
    branch = set(request.branch)
    moved = {(move.kind, move.id): move for move in request.moves if move.service == c.OWNER}
    rows = session.execute(
        _DOCUMENTS, {"both": [*request.branch, *request.rest], "since": day_of(session, request.since)}
    ).all()
    for row in rows:
        source = "quote" if row.kind == "invoice" else "invoice"
        goes = _home(moved, row.kind, row.id, row.home) in branch
        why = ""
        if row.home in branch and row.name and row.name != request.name:
            why = f"Émis{'e' if row.kind == 'invoice' else ''} depuis la fusion au nom de {row.name}."
        elif row.source and (_home(moved, source, row.source, row.source_home) in branch) != goes:
            of = "Le devis" if source == "quote" else "La facture"
            whose = "elle" if source == "quote" else "il"
            why = f"{of} {row.source_number or ''} dont {whose} vient est de l’autre côté."
        if why:
            yield c.UndoDecision(
                kind=row.kind, id=row.id, number=row.number, label=row.label, home_client_id=row.home, why=why
            )


def _home(moved: dict[Any, Any], kind: str, identifier: uuid.UUID, home: uuid.UUID) -> uuid.UUID:
    """The home that a row has after the moves."""
    move = moved.get((kind, identifier))
    return uuid.UUID(str(move.home)) if move is not None and move.home_seen == home else home


def _details(session: Session, request: c.UndoBilling) -> tuple[list[c.UndoneDetail], list[c.UndoneDetail]]:
    """Details of the living client that the merge has a say in: those that change, and those edited since."""
    root = tree_of(session, request.rest[0])[0]
    restored, kept = [], []
    for field in DETAIL_FIELDS:
        now, then = value(session, root, field), value(session, root, field, without=request.merge_id)
        if now != then:
            restored.append(c.UndoneDetail(field=field, value=then))
        elif _edited_since(session, request, field):
            kept.append(c.UndoneDetail(field=field, value=now))
    return restored, kept


def _edited_since(session: Session, request: c.UndoBilling, field: str) -> bool:
    """Whether somebody edited what the merge had filled or chosen."""
    found = session.execute(
        text(
            "SELECT m.source_client_id AS source, m.forest, m.seq FROM billing_field_write m "
            "WHERE m.merge_id = :merge AND m.field = :field AND EXISTS (SELECT 1 FROM billing_field_write w "
            "WHERE w.home_client_id = ANY(:rest) AND w.field = :field AND w.merge_id IS NULL AND w.forest >= m.forest)"
        ),
        {"merge": request.merge_id, "field": field, "rest": request.rest},
    ).first()
    return found is not None and value(session, found.source, field) is not None
