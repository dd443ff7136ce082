"""Likely duplicates of one client, or of one being typed, each with its reasons (field reports 3 and 4)."""

from __future__ import annotations

import uuid

from sqlalchemy import text
from sqlalchemy.orm import Session

from contracts import clients as c
from services.clients.likeness.finding import Asked, alike, stored, together, trees, typed
from services.clients.likeness.score import Likeness
from services.clients.queries.records import refuse
from services.kit.homes import tree_of

_SHOWN = """
    SELECT c.id, json_build_object('id', c.id, 'display_name', c.display_name, 'reference', c.reference,
        'kind', c.kind, 'status', CASE WHEN c.archived_at IS NULL THEN 'active' ELSE 'archived' END,
        'city', coalesce(a.city, ''), 'email', c.email, 'phone_display', c.phone_display) AS client
    FROM client c LEFT JOIN address a ON a.id = c.main_address_id WHERE c.id = ANY(:ids)
"""


def find_duplicates(session: Session, request: c.FindDuplicates) -> c.Duplicates:
    """Living clients likely the one typed, the likeliest first."""
    but = tuple(tree_of(session, request.but)) if request.but else ()
    [found] = alike(session, [Asked(typed(request.fields.model_dump()), but)])
    return _told(session, found, request.limit)


def list_duplicates(session: Session, request: c.ListDuplicates) -> c.Duplicates:
    """Living clients likely the same as one that stands. Raises as `get_client`."""
    refuse(session, request.client_id)
    tree = tree_of(session, request.client_id)
    [found] = alike(session, [Asked(together(stored(session, tree).values()), tuple(tree))])
    return _told(session, found, request.limit)


def of_each(session: Session, records: list[uuid.UUID], least: float, limit: int = 3) -> c.FoundAmong:
    """Living clients likely the same as each of these; those that have none are left out."""
    of_root = trees(session, dict.fromkeys(records))
    known = stored(session, [record for tree in of_root.values() for record in tree])
    asked = [
        Asked(together([known[record] for record in tree if record in known]), tuple(tree))
        for root, tree in of_root.items()
        if root in known
    ]
    items = []
    for one, found in zip(asked, alike(session, asked), strict=True):
        likely = {root: likeness for root, likeness in found.items() if likeness.score >= least}
        if likely:
            items.append(c.Found(id=one.records[0], items=_told(session, likely, limit).items))
    return c.FoundAmong(items=items)


def _told(session: Session, found: dict[uuid.UUID, Likeness], limit: int) -> c.Duplicates:
    best = sorted(found.items(), key=lambda each: (-each[1].score, each[0]))[:limit]
    rows = session.execute(text(_SHOWN), {"ids": [root for root, _ in best]}) if best else ()
    shown = {uuid.UUID(str(row.id)): row.client for row in rows}
    items = [
        c.Duplicate(
            client=shown[root],
            score=likeness.score,
            reasons=[c.Why(field=reason, detail=c.REASONS[reason]) for reason in likeness.reasons],
        )
        for root, likeness in best
        if root in shown
    ]
    return c.Duplicates(items=sorted(items, key=lambda each: (-each.score, each.client["display_name"])))
