"""What ids mean: the door's question, and the forest as a whole (merge-protocol)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from contracts import clients as c
from services.clients import merging

_IDENTIFY = """
    SELECT f.version AS forest, q.id AS asked, r.id, r.display_name, r.reference, r.version,
    r.archived_at, r.deleted_at, r.deleted_at IS NOT NULL AND EXISTS (
        SELECT 1 FROM erased_client e WHERE e.id = r.id) AS erased,
    (SELECT array_agg(t.id ORDER BY t.id) FROM client_alias t WHERE t.root_id = r.id) AS below
    FROM client_forest f LEFT JOIN unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS q(id, n) ON true
    LEFT JOIN client_alias a ON a.id = q.id LEFT JOIN client r ON r.id = coalesce(a.root_id, q.id)
    ORDER BY q.n
"""
_ADDRESSES = """
    SELECT x.id, coalesce(a.root_id, x.home_client_id) AS root_id, x.home_client_id, x.place_id, x.label, x.street,
    x.street_extra, x.postal_code, x.city, x.country, x.retired_at IS NOT NULL AS retired
    FROM address x LEFT JOIN client_alias a ON a.id = x.home_client_id
    WHERE x.id = ANY(:ids) AND x.deleted_at IS NULL
"""
_CONTACTS = """
    SELECT x.id, coalesce(a.root_id, x.home_client_id) AS root_id, x.home_client_id,
    trim(x.first_name || ' ' || x.last_name) AS name, x.email, x.phone, x.portal_access
    FROM contact x LEFT JOIN client_alias a ON a.id = x.home_client_id
    WHERE x.id = ANY(:ids) AND x.deleted_at IS NULL
"""


def identify(session: Session, request: c.Identify) -> c.IdentifyAnswer:
    """What ids mean now. On the primary, never cached (merge-protocol, *Which home a new row gets*).

    Records and forest version come of one statement, so that they are true at one moment.
    """
    found = session.execute(text(_IDENTIFY), {"ids": request.ids}).all()
    return c.IdentifyAnswer(
        forest=found[0].forest,
        clients=[_identified(row) for row in found if row.asked is not None],
        addresses=_rows(session, _ADDRESSES, request.address_ids),
        contacts=_rows(session, _CONTACTS, request.contact_ids),
    )


def _identified(row: Any) -> c.Identified:
    if row.id is None:
        return c.Identified(id=row.asked, found=False)
    return c.Identified(
        id=row.asked,
        found=True,
        root_id=row.id,
        tree=[row.id, *(row.below or [])],
        erased=row.erased,
        status="deleted" if row.deleted_at else "archived" if row.archived_at else "active",
        display_name=row.display_name,
        reference=row.reference,
        version=row.version,
    )


def _rows(session: Session, statement: str, ids: Sequence[uuid.UUID]) -> dict[str, dict[str, Any]]:
    if not ids:
        return {}
    return {str(row.id): _plain(row) for row in session.execute(text(statement), {"ids": list(ids)})}


#: SQL: the records that were the duplicate's when the merge `g` was made.
_BRANCH_THEN = (
    "(WITH RECURSIVE below(id) AS (SELECT g.duplicate_id UNION SELECT m.duplicate_id FROM merge m "
    "JOIN below b ON m.survivor_id = b.id WHERE m.forest < g.forest "
    "AND (m.undone_forest IS NULL OR m.undone_forest > g.forest)) SELECT json_agg(id) FROM below)"
)


def forest_told(session: Session) -> c.ForestTold:
    """The forest as it stands, with what every merge and undo asked of services. Read in the snapshot's transaction."""
    aliases = session.execute(text("SELECT id, parent_id, merge_id, root_id FROM client_alias ORDER BY id"))
    deeds = session.execute(
        text(
            "SELECT g.id AS merge_id, g.survivor_id, g.duplicate_id, g.choices, g.forest, g.undone_forest, g.moves, "
            f"{_BRANCH_THEN} AS duplicate_tree FROM merge g ORDER BY g.forest"
        )
    )
    return c.ForestTold(
        forest=session.execute(text("SELECT version FROM client_forest")).scalar_one(),
        aliases=[_plain(row) for row in aliases],
        erased=list(session.execute(text("SELECT id FROM erased_client ORDER BY id")).scalars()),
        deeds=[_plain(row) | {"choices": choices_told(row.choices)} for row in deeds],
    )


def choices_told(choices: dict[str, str]) -> dict[str, dict[str, str]]:
    """The choices of a merge that concern other services, by service."""
    return {"billing": {name: choice for name, choice in choices.items() if name in merging.BILLING}}


def _plain(row: Any) -> dict[str, Any]:
    return {key: str(value) if isinstance(value, uuid.UUID) else value for key, value in row._mapping.items()}
