"""Activities by kind, period, author and text."""

from __future__ import annotations

from sqlalchemy.orm import Session

from contracts import clients as c
from services.clients.queries.rows import LISTINGS, of_client
from services.clients.text import fold
from services.kit.homes import tree_of
from services.kit.zone import ZONE

# As `services.clients.text.fold` does, in SQL: accents, case, apostrophes and punctuation do not count.
_BARE = (
    r"lower(regexp_replace(normalize(replace(replace(x.subject || ' ' || x.body, 'œ', 'oe'), 'Œ', 'oe'), NFD), "
    r"'[\u0300-\u036f]', '', 'g'))"
)
_FOLDED = rf"regexp_replace(regexp_replace({_BARE}, '[''’‘ʼ`´.]', '', 'g'), '[^0-9a-z]+', ' ', 'g')"
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
        for n, word in enumerate(fold(request.q).split() or ["\x01"]):
            where.append(f"{_FOLDED} LIKE :word{n}")
            params[f"word{n}"] = f"%{word}%"
    return LISTINGS["activities"].page(session, where, params, request)
