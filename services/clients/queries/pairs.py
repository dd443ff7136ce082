"""Likely pairs of the whole base, the likeliest first, and how far a scan is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.page import Listing
from contracts import clients as c
from services.kit.homes import root_of


def _side(alias: str) -> str:
    """JSON of one of the two records, as it is shown beside the other."""
    x = alias
    return (
        f"json_build_object('id', {x}.id, 'display_name', {x}.display_name, 'reference', {x}.reference, "
        f"'kind', {x}.kind, 'status', CASE WHEN {x}.archived_at IS NULL THEN 'active' ELSE 'archived' END, "
        f"'siret', {x}.siret, 'email', {x}.email, 'phone_display', {x}.phone_display, 'created_at', {x}.created_at, "
        "'address', (SELECT json_build_object('street', a.street, 'postal_code', a.postal_code, 'city', a.city) "
        f"FROM address a WHERE a.id = {x}.main_address_id))"
    )


#: Of a pair: both living by now, and nobody has found them to be two.
SHOWN = [
    "lo.deleted_at IS NULL AND lo.merged_into IS NULL AND hi.deleted_at IS NULL AND hi.merged_into IS NULL",
    "NOT EXISTS (SELECT 1 FROM not_duplicate n WHERE (n.low_id, n.high_id) = (p.low_id, p.high_id))",
]
_PAIRS = Listing(
    source="likely_pair p JOIN client lo ON lo.id = p.low_id JOIN client hi ON hi.id = p.high_id",
    item="json_build_object('id', p.id, 'score', p.score / 100.0, 'reasons', p.reasons, 'clients', "
    f"CASE WHEN (lo.created_at, lo.id) <= (hi.created_at, hi.id) THEN json_build_array({_side('lo')}, {_side('hi')}) "
    f"ELSE json_build_array({_side('hi')}, {_side('lo')}) END)",
    key="p.id",
    sorts={"-score": ("p.score", "integer"), "score": ("p.score", "integer")},
    default="-score",
)


def list_pairs(session: Session, request: c.ListLikelyPairs) -> bytes:
    """A page of pairs. Raises `Invalid` for a bad `sort` or `cursor`."""
    where, params = list(SHOWN), dict[str, Any]()
    if request.min_score is not None:
        where.append("p.score >= :least")
        params["least"] = round(request.min_score * 100)
    if request.client_id is not None:
        where.append(":client IN (p.low_id, p.high_id)")
        params["client"] = root_of(session, request.client_id)
    if request.reason is not None:
        where.append("p.reasons @> to_jsonb(CAST(:reason AS text))")
        params["reason"] = request.reason
    body = _PAIRS.page(session, where, params, request)
    if not request.counted:
        return body
    return body[:-1] + b',"count":%d}' % _PAIRS.count(session, where, params)


def get_scan(session: Session) -> bytes:
    """The last scan, with how many of its steps are done; `never` before the first."""
    return str(
        session.execute(
            text(
                "SELECT coalesce((SELECT json_build_object('id', s.id, "
                "'status', CASE WHEN s.finished_at IS NULL THEN 'running' ELSE 'done' END, 'total', s.total, "
                "'done', CASE WHEN s.finished_at IS NULL THEN greatest(s.total - (SELECT count(*) FROM likeness_due "
                "WHERE rank > 0), 0) ELSE s.total END, 'started_at', s.started_at, 'started_by', s.started_by, "
                "'finished_at', s.finished_at) FROM duplicate_scan s ORDER BY s.started_at DESC, s.id DESC LIMIT 1), "
                '\'{"status": "never", "total": 0, "done": 0}\'::json)::text'
            )
        ).scalar_one()
    ).encode()
