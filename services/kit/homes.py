"""What an id means: trees and roots over the aliases this service knows (merge-protocol)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.page import prepared

_TREE = (
    "SELECT r.id, ARRAY(SELECT a.id FROM client_alias a WHERE a.root_id = r.id ORDER BY a.id) FROM (SELECT "
    "coalesce((SELECT root_id FROM client_alias WHERE id = CAST(:id AS uuid)), CAST(:id AS uuid)) AS id) r"
)


def root_of(session: Session, home: uuid.UUID) -> uuid.UUID:
    """The living client a home stands under, as this service knows it. For answers and events, never to be stored."""
    row = session.execute(text("SELECT root_id FROM client_alias WHERE id = :id"), {"id": home}).one_or_none()
    return home if row is None else uuid.UUID(str(row[0]))


def row_facts(session: Session, row: Any) -> dict[str, Any]:
    """What every event of a client's row bears: its id, its home, who owns it now (architecture, Event envelope)."""
    return {"id": row.id, "home_client_id": row.home_client_id, "client_id": root_of(session, row.home_client_id)}


def tree_of(session: Session, client_id: uuid.UUID) -> list[uuid.UUID]:
    """The root of `client_id` and every record below it, root first, the rest sorted."""
    [(root, below)] = prepared(session, _TREE, {"id": client_id})
    return [uuid.UUID(str(record)) for record in (root, *below)]


def in_tree(alias: str, tree: Sequence[uuid.UUID] | None) -> tuple[list[str], dict[str, Any]]:
    """Conditions and parameters that keep the rows of a tree; nothing when `tree` is None (all clients).

    A tree of one record, the usual case, compares with one value so that a list's index gives its order too.
    """
    if tree is None:
        return [], {}
    if len(tree) == 1:
        return [f"{alias}.home_client_id = :tree"], {"tree": tree[0]}
    return [f"{alias}.home_client_id = ANY(:tree)"], {"tree": list(tree)}


def client_join(alias: str) -> str:
    """SQL joins that tell whom a row belongs to now: `ca` the alias, `kc` the known client (root)."""
    return (
        f"LEFT JOIN client_alias ca ON ca.id = {alias}.home_client_id "
        f"LEFT JOIN known_client kc ON kc.id = coalesce(ca.root_id, {alias}.home_client_id)"
    )


def client_pairs(alias: str) -> str:
    """SQL pairs for `json_build_object`: `client_id`, `client` and, where it differs, `written_client_id`."""
    root = f"coalesce(ca.root_id, {alias}.home_client_id)"
    return (
        f"'client_id', {root}, "
        f"'client', json_build_object('id', {root}, 'name', coalesce(kc.display_name, ''), "
        "'reference', coalesce(kc.reference, '')), "
        f"'written_client_id', nullif({alias}.written_client_id, {root})"
    )


def client_columns(alias: str) -> str:
    """The same as columns, for `chassis.page.row`."""
    root = f"coalesce(ca.root_id, {alias}.home_client_id)"
    return (
        f"{root} AS client_id, json_build_object('id', {root}, 'name', coalesce(kc.display_name, ''), "
        "'reference', coalesce(kc.reference, '')) AS client, "
        f"nullif({alias}.written_client_id, {root}) AS written_client_id"
    )


def address_join(alias: str, column: str = "address_id") -> str:
    """SQL join with the known address, `ka`."""
    return f"LEFT JOIN known_address ka ON ka.id = {alias}.{column}"


ADDRESS_JSON = (
    "CASE WHEN ka.id IS NULL THEN NULL ELSE json_build_object('id', ka.id, 'label', ka.label, 'street', ka.street, "
    "'postal_code', ka.postal_code, 'city', ka.city) END"
)


def fiche_answer(tree: Sequence[uuid.UUID], sections: dict[str, bytes], **extra: bytes) -> bytes:
    """Answer of a `fiche` RPC: the tree used, `extra` and the sections, spliced without being parsed.

    In this order, by which the gateway takes it apart unread.
    """
    # Each section says by itself that it is there, so that the gateway need not look into it.
    body = b",".join(b'"%b":{"status":"ok",%b' % (name.encode(), json[1:]) for name, json in sections.items())
    more = b"".join(b',"%b":%b' % (name.encode(), json) for name, json in extra.items())
    ids = orjson.dumps([str(record) for record in tree])
    return b'{"tree":' + ids + more + b',"sections":{' + body + b"}}"
