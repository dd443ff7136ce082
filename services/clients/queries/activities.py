"""Activities by kind, period, author and text."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.page import like
from contracts import clients as c
from services.clients.queries.rows import LISTINGS, of_client
from services.kit.homes import tree_of
from services.kit.zone import ZONE

_LOGGED = {"call", "email", "sms", "visit", "note"}


def list_activities(session: Session, request: c.ListActivities) -> bytes:
    """A page of activities, newest first."""
    where, params = of_client("activities", tree_of(session, request.client_id))
    if request.kind:
        # A mail that the system tells of is no exchange that somebody logged.
        where.append(
            "(NOT x.automatic AND x.kind = ANY(:logged)) OR (x.automatic AND (:all_told OR x.kind = ANY(:told)))"
        )
        params["logged"] = [kind for kind in request.kind if kind in _LOGGED]
        params["told"] = [kind for kind in request.kind if kind not in _LOGGED]
        params["all_told"] = "automatic" in request.kind
    if request.from_day:
        where.append(f"x.occurred_at >= CAST(CAST(:from AS date) AS timestamp) AT TIME ZONE {ZONE}")
        params["from"] = request.from_day
    if request.to_day:
        where.append(f"x.occurred_at < CAST(CAST(:to AS date) + 1 AS timestamp) AT TIME ZONE {ZONE}")
        params["to"] = request.to_day
    if request.author_id:
        where.append("x.created_by_id = :author")
        params["author"] = request.author_id
    if request.q.strip():
        where.append("(x.subject || ' ' || x.body) ILIKE :q")
        params["q"] = f"%{like(request.q.strip())}%"
    return LISTINGS["activities"].page(session, where, params, request)
