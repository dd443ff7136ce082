"""What an id means: trees and roots over the aliases this service knows (merge-protocol)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.page import Listing, Part, prepared, sections

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


#: The tree of the parameter `asked`, as `tree_of` gives it, as JSON.
_TREE_JSON = (
    "SELECT array_to_json(r.id || ARRAY(SELECT a.id FROM client_alias a WHERE a.root_id = r.id ORDER BY a.id))::text "
    "FROM (SELECT coalesce((SELECT root_id FROM client_alias WHERE id = CAST(:asked AS uuid)), "
    "CAST(:asked AS uuid)) AS id) r"
)


class Asked(Protocol):
    """What of a request for a fiche matters here."""

    @property
    def client_id(self) -> uuid.UUID: ...
    @property
    def limit(self) -> int: ...


def tree_sections(
    session: Session,
    asked: Asked,
    parts: Callable[[Sequence[uuid.UUID]], tuple[Mapping[str, Part], dict[str, Any]]],
    besides: Mapping[str, str] | None = None,
) -> tuple[list[uuid.UUID], dict[str, bytes], dict[str, Any]]:
    """The tree of a client, its sections, and the answers to `besides`.

    These may use the parameters `asked` (the id), `root` and `records` (of the tree).
    `parts` gives the sections and parameters of a tree. They are asked together with the tree, of a guess: nearly every
    client is a tree by itself, and others were seen before. Where it is another one they are asked again.
    """
    given: list[uuid.UUID] | None = getattr(asked, "tree", None)
    tree = given or _GUESSED.get(asked.client_id) or [asked.client_id]
    while True:
        wanted, params = parts(tree)
        more = {**(besides or {}), "tree": _TREE_JSON}
        bound = {**params, "asked": asked.client_id, "root": tree[0], "records": list(tree)}
        found, answers = sections(session, wanted, bound, asked.limit, more)
        true = [uuid.UUID(record) for record in orjson.loads(answers["tree"])]
        if given:
            return list(tree), found, answers
        if true == tree:
            _guess(asked.client_id, true)
            return list(tree), found, answers
        tree = true


#: Trees of more than one record, as they were last seen: what to begin with, never an answer.
_GUESSED: dict[uuid.UUID, list[uuid.UUID]] = {}
_GUESSES = 10_000


def _guess(client_id: uuid.UUID, tree: list[uuid.UUID]) -> None:
    if len(tree) == 1:
        _GUESSED.pop(client_id, None)
        return
    if len(_GUESSED) >= _GUESSES:
        _GUESSED.clear()
    _GUESSED[client_id] = tree


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


def of_root(listing: Listing, alias: str) -> Listing:
    """The listing for rows of one tree, whose root is the parameter `root`: what is the root's is looked up once.

    For the sections of a fiche: the joins with alias and client cost as much a row as half its JSON.
    """
    joins = client_join(alias)
    assert joins in listing.source
    source = listing.source.replace(joins, "").replace(_root(alias), _GIVEN)
    item = listing.item.replace(_client(alias), _CLIENT_OF_ROOT).replace(_root(alias), _GIVEN)
    return replace(listing, source=source, item=item)


def _root(alias: str) -> str:
    return f"coalesce(ca.root_id, {alias}.home_client_id)"


def _client(alias: str) -> str:
    return (
        f"json_build_object('id', {_root(alias)}, 'name', coalesce(kc.display_name, ''), "
        "'reference', coalesce(kc.reference, ''))"
    )


_GIVEN = "CAST(:root AS uuid)"
_CLIENT_OF_ROOT = (
    f"(SELECT json_build_object('id', {_GIVEN}, 'name', coalesce(max(k.display_name), ''), "
    f"'reference', coalesce(max(k.reference), '')) FROM known_client k WHERE k.id = {_GIVEN})"
)


def client_pairs(alias: str) -> str:
    """SQL pairs for `json_build_object`: `client_id`, `client` and, where it differs, `written_client_id`."""
    root = _root(alias)
    return (
        f"'client_id', {root}, 'client', {_client(alias)}, "
        f"'written_client_id', nullif({alias}.written_client_id, {root})"
    )


def client_columns(alias: str) -> str:
    """The same as columns, for `chassis.page.row`."""
    root = _root(alias)
    return (
        f"{root} AS client_id, {_client(alias)} AS client, "
        f"nullif({alias}.written_client_id, {root}) AS written_client_id"
    )


def address_join(alias: str, column: str = "address_id") -> str:
    """SQL join with the known address, `ka`."""
    return f"LEFT JOIN known_address ka ON ka.id = {alias}.{column}"


def address_json(alias: str) -> str:
    """The known address `ka` of a row, as JSON; `client` names another client that it is the address of.

    After an undo a row may lie on the address of the client that it was merged with.
    """
    shown = "'id', ka.id, 'label', ka.label, 'street', ka.street, 'postal_code', ka.postal_code, 'city', ka.city"
    other = (
        "(SELECT json_build_object('id', o.id, 'name', o.display_name) FROM known_client o WHERE o.id = "
        "coalesce((SELECT oa.root_id FROM client_alias oa WHERE oa.id = ka.home_client_id), ka.home_client_id) "
        f"AND o.id <> {_root(alias)})"
    )
    return (
        f"CASE WHEN ka.id IS NULL THEN NULL WHEN ka.home_client_id = {alias}.home_client_id "
        f"THEN json_build_object({shown}) ELSE json_build_object({shown}, 'client', {other}) END"
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
