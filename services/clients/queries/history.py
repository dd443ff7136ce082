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


def _named(value: str) -> str:
    """SQL: the name behind an id, as a person reads it; null for what is readable by itself."""
    return (
        f"CASE WHEN {value} IS NULL THEN NULL "
        f"WHEN w.field = 'sales_rep_id' THEN (SELECT u.name FROM known_user u WHERE u.id = ({value})::uuid) "
        "WHEN w.field = 'main_address_id' THEN (SELECT coalesce(nullif(a.label, ''), concat_ws(' ', a.street, a.city)) "
        f"FROM address a WHERE a.id = ({value})::uuid) END"
    )


_VALUE, _PREVIOUS = _named("w.value->>'v'"), _named("p.value->>'v'")
HISTORY = Listing(
    source=(
        "client_field_write w LEFT JOIN LATERAL (SELECT b.value FROM client_field_write b WHERE b.client_id = "
        "w.client_id AND b.field = w.field AND b.seq < w.seq ORDER BY b.seq DESC LIMIT 1) p ON true"
    ),
    item=(
        "json_build_object('seq', w.seq, "
        "'field', CASE w.field WHEN 'own_name' THEN 'display_name' ELSE w.field END, "
        "'op', w.op, 'value', w.value->'v', 'previous', p.value->'v', "
        f"'value_name', {_VALUE}, 'previous_name', {_PREVIOUS}, "
        "'at', w.at, 'by', json_build_object('id', w.actor_id, 'name', w.actor_name))"
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
