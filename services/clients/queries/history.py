"""What was: the history of a record, its memo; and the fields of one's own."""

from __future__ import annotations

import uuid

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.page import Listing, meta
from contracts import clients as c
from services.clients.queries.records import refuse
from services.kit.homes import tree_of

HISTORY = Listing(
    source="client_field_write w",
    item=(
        "json_build_object('seq', w.seq, 'field', CASE w.field WHEN 'own_name' THEN 'display_name' ELSE w.field END, "
        "'op', w.op, 'value', w.value->'v', 'at', w.at, "
        "'by', json_build_object('id', w.actor_id, 'name', w.actor_name), 'previous', (SELECT p.value->'v' "
        "FROM client_field_write p WHERE p.client_id = w.client_id AND p.field = w.field AND p.seq < w.seq "
        "ORDER BY p.seq DESC LIMIT 1))"
    ),
    # The list's key is a uuid everywhere; here the sequence itself orders, so a constant serves as tie-break.
    key="w.client_id",
    sorts={"-at": ("w.seq", "bigint")},
    default="-at",
)


def history(session: Session, request: c.History) -> bytes:
    """Who changed what and when, field by field, newest first, of the whole tree."""
    refuse(session, request.client_id)
    tree = tree_of(session, request.client_id)
    return HISTORY.page(session, ["w.client_id = ANY(:tree)"], {"tree": tree}, request)


def get_memo(session: Session, identifier: uuid.UUID) -> bytes:
    """`{"text", "version", "updated_at", "updated_by"}`. Raises as `get_client`."""
    refuse(session, identifier)
    row = session.execute(
        text(
            "SELECT json_build_object('text', memo, 'version', memo_version, 'updated_at', memo_updated_at, "
            "'updated_by', memo_updated_by)::text FROM client WHERE id = :id"
        ),
        {"id": identifier},
    ).scalar_one()
    return str(row).encode()


FIELDS = Listing(
    source="custom_field f",
    item=(
        f"json_build_object({meta('f')}, 'key', f.key, 'label', f.label, 'type', f.type, 'required', f.required, "
        "'choices', f.choices)"
    ),
    key="f.id",
    sorts={"created_at": ("f.created_at", "timestamptz")},
    default="created_at",
)


def get_custom_field(session: Session, identifier: uuid.UUID) -> bytes:
    """One definition."""
    body = FIELDS.one(session, ["f.id = :id"], {"id": identifier})
    if body is None:
        raise NotFound("Ce champ n’existe pas.")
    return body
