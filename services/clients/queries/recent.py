"""The list of clients by what happened last, without looking at what ever happened at each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.page import PageLike, cursor_errors, decode_cursor, page_of
from services.clients.queries.records import CLIENTS

SORT = "-activity"
_DONE = "{0}.deleted_at IS NULL AND {0}.occurred_at <= now()"
_ORDER = "ORDER BY value DESC, key DESC LIMIT :_limit + 1"


def page(session: Session, where: Sequence[str], params: Mapping[str, Any], asked: PageLike) -> bytes:
    """A page of `CLIENTS` sorted by `-activity`: the same as by that sort's expression, for any number of clients.

    The newest activities come first, each that is its client's last; then, where their creation is as recent, clients
    without any. Raises `Invalid` for a bad cursor.
    """
    filters = " AND ".join(f"({part})" for part in where) or "true"
    bound: dict[str, Any] = {**params, "_limit": asked.limit}
    after = {"active": "true", "silent": "true"}
    if asked.cursor:
        bound["_value"], bound["_key"] = decode_cursor(asked.cursor, SORT)
        behind = "({0}, c.id) < (CAST(:_value AS timestamptz), CAST(:_key AS uuid))"
        # The first is for the index: activities of one moment are many at most at once.
        after = {
            "active": f"v.occurred_at <= CAST(:_value AS timestamptz) AND {behind.format('v.occurred_at')}",
            "silent": behind.format("c.created_at"),
        }
    sql = (
        "WITH active AS MATERIALIZED (SELECT c.id AS key, v.occurred_at AS value FROM activity v "
        f"JOIN client c ON c.id = v.home_client_id WHERE {_DONE.format('v')} AND {after['active']} AND {filters} "
        f"AND NOT EXISTS (SELECT 1 FROM activity n WHERE n.home_client_id = v.home_client_id AND {_DONE.format('n')} "
        "AND (n.occurred_at, n.id) > (v.occurred_at, v.id)) "
        "ORDER BY v.occurred_at DESC, v.home_client_id DESC LIMIT :_limit + 1), "
        "silent AS (SELECT c.id AS key, c.created_at AS value FROM client c "
        "WHERE c.created_at >= coalesce((SELECT min(value) FROM active HAVING count(*) > :_limit), '-infinity') "
        f"AND {after['silent']} AND {filters} AND NOT EXISTS (SELECT 1 FROM activity n "
        f"WHERE n.home_client_id = c.id AND {_DONE.format('n')}) ORDER BY c.created_at DESC, c.id DESC "
        "LIMIT :_limit + 1) "
        f"SELECT * FROM (SELECT key, value FROM active UNION ALL SELECT key, value FROM silent) b {_ORDER}"
    )
    with cursor_errors(asked):
        rows = session.execute(text(f"SELECT key AS told, key, value::text AS value FROM ({sql}) r"), bound).all()
    return page_of(CLIENTS, session, params, SORT, rows, asked.limit)
