"""The memo: as it stands, and the texts it has had."""

from __future__ import annotations

import uuid

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.page import decode_cursor, encode_cursor
from contracts import clients as c
from services.clients import fields
from services.clients.queries.records import refuse

_SORT = "-seq"
_WRITES = text(
    "SELECT w.seq, w.op, w.value->>'v' AS text, w.at, w.actor_id, w.actor_name FROM client_field_write w "
    "LEFT JOIN merge m ON m.id = w.merge_id WHERE w.client_id = :id AND w.field = 'memo' "
    "AND m.undone_forest IS NULL AND w.seq < :before ORDER BY w.seq DESC LIMIT :limit"
)


def get_memo(session: Session, identifier: uuid.UUID) -> bytes:
    """`MemoView`; empty with version 0 before it was ever written. Raises as `get_client`."""
    refuse(session, identifier)
    row = session.execute(
        text(
            "SELECT json_build_object('client_id', id, 'text', memo, 'version', memo_version, "
            "'updated_at', memo_updated_at, 'updated_by', memo_updated_by)::text FROM client WHERE id = :id"
        ),
        {"id": identifier},
    ).scalar_one()
    return str(row).encode()


def memo_versions(session: Session, request: c.MemoVersions) -> bytes:
    """A page of `MemoVersion`, newest first. Raises as `get_client`."""
    refuse(session, request.client_id)
    before = 2**62
    if request.cursor:
        before = int(decode_cursor(request.cursor, _SORT)[0])
    rows = session.execute(_WRITES, {"id": request.client_id, "before": before, "limit": request.limit + 1}).all()
    shown = rows[: request.limit]
    items = [
        {
            "seq": row.seq,
            # What a merge wrote is worked out as a field's value is.
            "text": row.text if row.op == "set" else fields.value(session, request.client_id, "memo", row.seq + 1),
            "at": row.at,
            "by": {"id": row.actor_id, "name": row.actor_name},
        }
        for row in shown
    ]
    following = None
    if len(rows) > request.limit:
        following = encode_cursor(_SORT, str(shown[-1].seq), str(request.client_id))
    return orjson.dumps({"items": items, "next": following})
