"""Records: one, the list with its search, the fiche, what ids mean, the history."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import Gone, Moved, NotFound
from chassis.page import Listing, meta
from contracts import clients as c
from services.clients.queries import rows
from services.clients.relations import HIERARCHICAL
from services.clients.text import fold, looks_like_phone, national_digits
from services.kit.homes import fiche_answer, tree_of

ABSENT = "Cette fiche n’existe pas."

_TREE = "ARRAY(SELECT t.id FROM client_alias t WHERE t.root_id = c.id)"
_TAGS = (
    "coalesce((SELECT json_agg(DISTINCT t.tag ORDER BY t.tag) FROM client_tag t "
    f"WHERE t.home_client_id = c.id OR t.home_client_id = ANY({_TREE})), '[]'::json)"
)
_MAIN = (
    "(SELECT json_build_object('id', a.id, 'label', a.label, 'street', a.street, 'street_extra', a.street_extra, "
    "'postal_code', a.postal_code, 'city', a.city, 'country', a.country) FROM address a WHERE a.id = c.main_address_id)"
)
_STATUS = (
    "CASE WHEN c.deleted_at IS NOT NULL THEN 'deleted' WHEN c.archived_at IS NOT NULL THEN 'archived' ELSE 'active' END"
)
_PARENT = (
    "(SELECT json_build_object('id', p.id, 'name', p.display_name, 'reference', p.reference, 'type', r.type) "
    "FROM relation r JOIN client p ON p.id = coalesce((SELECT root_id FROM client_alias WHERE id = r.home_client_id), "
    "r.home_client_id) WHERE (r.other_home_client_id = c.id OR r.other_home_client_id = ANY"
    f"({_TREE})) AND r.deleted_at IS NULL AND r.type IN ({', '.join(repr(kind) for kind in HIERARCHICAL)}) "
    "AND p.id <> c.id ORDER BY r.created_at, r.id LIMIT 1)"
)
_SHORT = (
    f"{meta('c')}, 'kind', c.kind, 'first_name', c.first_name, 'last_name', c.last_name, "
    "'company_name', c.company_name, 'display_name', c.display_name, 'reference', c.reference, "
    "'registration_number', c.registration_number, 'stage', c.stage, 'siret', c.siret, 'vat_number', c.vat_number, "
    "'email', c.email, 'phone', c.phone, 'secondary_phone', c.secondary_phone, 'website', c.website, "
    "'sales_rep_id', c.sales_rep_id, 'sales_rep', CASE WHEN u.id IS NOT NULL THEN "
    "json_build_object('id', u.id, 'name', u.name) END, "
    f"'tags', {_TAGS}, 'custom_fields', c.custom_fields, 'memo', c.memo, 'status', {_STATUS}, "
    f"'main_address', {_MAIN}, 'parent', {_PARENT}, 'memo_version', c.memo_version, "
    "'memo_updated_at', c.memo_updated_at, 'memo_updated_by', c.memo_updated_by"
)

CLIENTS = Listing(
    source="client c LEFT JOIN known_user u ON u.id = c.sales_rep_id",
    item=f"json_build_object({_SHORT})",
    key="c.id",
    sorts={
        "name": ("c.sort_name", "text"),
        "-name": ("c.sort_name", "text"),
        "created_at": ("c.created_at", "timestamptz"),
        "-created_at": ("c.created_at", "timestamptz"),
        "updated_at": ("c.updated_at", "timestamptz"),
        "-updated_at": ("c.updated_at", "timestamptz"),
        "reference": ("c.reference", "text"),
        "-reference": ("c.reference", "text"),
    },
    default="name",
)
# With a search the best come first: the exact reference, names that begin so, the others.
SEARCHED = dataclasses.replace(
    CLIENTS,
    sorts={
        **CLIENTS.sorts,
        "relevance": (
            "(CASE WHEN c.id = CAST(:exact AS uuid) THEN '0' WHEN c.sort_name LIKE :prefix THEN '1' ELSE '2' END "
            "|| c.sort_name)",
            "text",
        ),
    },
    default="relevance",
)
# A typo: the closest first.
NEAR = dataclasses.replace(
    CLIENTS,
    sorts={
        **CLIENTS.sorts,
        "relevance": ("(to_char(1 - word_similarity(:near, c.search), '0.0000') || c.sort_name)", "text"),
    },
    default="relevance",
)


def tree_ids(session: Session, root: uuid.UUID) -> list[uuid.UUID]:
    """A root and all records below it."""
    return tree_of(session, root)


def get_client(session: Session, identifier: uuid.UUID) -> bytes:
    """One living record. Raises `NotFound`, `Moved` (with the survivor's id), `Gone`."""
    body = CLIENTS.one(session, ["c.id = :id", "c.deleted_at IS NULL", "c.merged_into IS NULL"], {"id": identifier})
    if body is None:
        refuse(session, identifier)
    assert body is not None
    return body


def refuse(session: Session, identifier: uuid.UUID) -> None:
    """Raises why a record cannot be shown; returns when it can."""
    row = session.execute(
        text("SELECT c.deleted_at, a.root_id FROM client c LEFT JOIN client_alias a ON a.id = c.id WHERE c.id = :id"),
        {"id": identifier},
    ).one_or_none()
    if row is None:
        raise NotFound(ABSENT)
    if row.root_id is not None:
        raise Moved("Cette fiche a été fusionnée dans une autre.", data={"client_id": str(row.root_id)})
    if row.deleted_at is not None:
        raise Gone("Cette fiche a été supprimée. Elle peut être restaurée pendant 30 jours.")


def list_clients(session: Session, request: c.ListClients) -> bytes:
    """A page of clients. `q`: exact reference, every word somewhere or, when nothing is found, a typo forgiven."""
    where = ["c.merged_into IS NULL"]
    params: dict[str, Any] = {}
    match request.status:
        case "deleted":
            where.append("c.deleted_at IS NOT NULL")
        case "active":
            where += ["c.deleted_at IS NULL", "c.archived_at IS NULL"]
        case "archived":
            where += ["c.deleted_at IS NULL", "c.archived_at IS NOT NULL"]
        case None:
            where.append("c.deleted_at IS NULL")
    for name in ("kind", "stage", "sales_rep_id"):
        value = getattr(request, name)
        if value is not None:
            where.append(f"c.{name} = :{name}")
            params[name] = value
    if request.tag:
        where.append(
            "EXISTS (SELECT 1 FROM client_tag t LEFT JOIN client_alias ta ON ta.id = t.home_client_id "
            "WHERE t.tag = :tag AND coalesce(ta.root_id, t.home_client_id) = c.id)"
        )
        params["tag"] = request.tag
    if not request.q.strip():
        return CLIENTS.page(session, where, params, request)
    return _search(session, request, where, params)


def _search(session: Session, request: c.ListClients, where: list[str], params: dict[str, Any]) -> bytes:
    folded = fold(request.q)
    exact = session.scalar(
        text(
            "SELECT coalesce(a.root_id, r.client_id) FROM client_reference r "
            "LEFT JOIN client_alias a ON a.id = r.client_id WHERE r.reference = :folded"
        ),
        {"folded": folded},
    )
    params |= {"exact": exact, "prefix": f"{folded}%"}
    words = folded.split()
    if not words:
        return SEARCHED.page(session, [*where, "false"], params, request)
    found = [f"c.search LIKE :word{n}" for n in range(len(words))]
    params |= {f"word{n}": f"%{word}%" for n, word in enumerate(words)}
    condition = f"(({' AND '.join(found)}) OR c.id = CAST(:exact AS uuid))"
    if looks_like_phone(request.q):
        params["digits"] = f"%{national_digits(request.q)}%"
        condition = f"({condition} OR c.phones LIKE :digits)"
    any_hit = session.scalar(
        text(f"SELECT EXISTS (SELECT 1 FROM {CLIENTS.source} WHERE {' AND '.join([*where, condition])})"), params
    )
    if any_hit or len(folded) < 4:
        return SEARCHED.page(session, [*where, condition], params, request)
    # One wrong, missing or swapped letter in a word leaves about half of its trigrams.
    session.execute(text("SET LOCAL pg_trgm.word_similarity_threshold = 0.4"))
    near = {name: value for name, value in params.items() if not name.startswith(("word", "digits", "exact", "prefix"))}
    return NEAR.page(session, [*where, ":near <% c.search"], near | {"near": folded}, request)


def counts(session: Session) -> dict[str, Any]:
    """How many records by status, and the tags in use."""
    row = session.execute(
        text(
            "SELECT count(*) FILTER (WHERE deleted_at IS NULL AND archived_at IS NULL) AS active, "
            "count(*) FILTER (WHERE deleted_at IS NULL AND archived_at IS NOT NULL) AS archived, "
            "count(*) FILTER (WHERE deleted_at IS NOT NULL) AS deleted FROM client WHERE merged_into IS NULL"
        )
    ).one()
    tags = session.execute(text("SELECT DISTINCT tag FROM client_tag ORDER BY tag LIMIT 200")).scalars().all()
    return {"active": row.active, "archived": row.archived, "deleted": row.deleted, "tags": list(tags)}


def fiche(session: Session, request: c.ClientFiche) -> bytes:
    """The record and its sections, in a bounded number of queries, with the true tree and the forest's version."""
    client = get_client(session, request.client_id)
    tree = tree_of(session, request.client_id)
    forest = session.scalar(text("SELECT version FROM client_forest")) or 0
    sections = rows.sections(session, tree, request.limit)
    return fiche_answer(tree, sections, client=client, forest=str(forest).encode())


def identify(session: Session, request: c.Identify) -> c.IdentifyAnswer:
    """What ids mean now. On the primary, never cached (merge-protocol, *Which home a new row gets*)."""
    found = session.execute(
        text(
            "SELECT q.id AS asked, r.id, r.display_name, r.archived_at, r.deleted_at, "
            "(SELECT array_agg(t.id ORDER BY t.id) FROM client_alias t WHERE t.root_id = r.id) AS below "
            "FROM unnest(CAST(:ids AS uuid[])) AS q(id) LEFT JOIN client_alias a ON a.id = q.id "
            "LEFT JOIN client r ON r.id = coalesce(a.root_id, q.id)"
        ),
        {"ids": request.ids},
    ).all()
    forest = session.scalar(text("SELECT version FROM client_forest")) or 0
    return c.IdentifyAnswer(
        forest=forest,
        clients=[
            c.Identified(id=row.asked, found=False)
            if row.id is None
            else c.Identified(
                id=row.asked,
                found=True,
                root_id=row.id,
                tree=[row.id, *(row.below or [])],
                status="deleted" if row.deleted_at else "archived" if row.archived_at else "active",
                display_name=row.display_name,
            )
            for row in found
        ],
        addresses=_roots(session, "address", request.address_ids, "place_id, x.retired_at IS NOT NULL AS retired"),
        contacts=_roots(session, "contact", request.contact_ids, "email"),
    )


def _roots(session: Session, table: str, ids: Sequence[uuid.UUID], columns: str) -> dict[str, dict[str, Any]]:
    if not ids:
        return {}
    found = session.execute(
        text(
            f"SELECT x.id, coalesce(a.root_id, x.home_client_id) AS root_id, x.{columns} FROM {table} x "
            "LEFT JOIN client_alias a ON a.id = x.home_client_id WHERE x.id = ANY(:ids)"
        ),
        {"ids": list(ids)},
    )
    return {
        str(row.id): {key: str(value) if isinstance(value, uuid.UUID) else value for key, value in row._mapping.items()}
        for row in found
    }


HISTORY = Listing(
    source="client_field_write w",
    item=(
        "json_build_object('seq', w.seq, 'field', w.field, 'op', w.op, 'value', w.value->'v', 'at', w.at, "
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


def forest_snapshot(session: Session, request: c.ForestSnapshot) -> bytes:
    """Edges, erased ids, choices and moves after a version, with the position they are true at."""
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    head = session.execute(text("SELECT log_id, position FROM event_head")).one()
    edges = session.execute(
        text("SELECT id, duplicate_id, survivor_id, forest FROM merge WHERE undone_forest IS NULL ORDER BY forest")
    )
    deeds = session.execute(
        text(
            "SELECT id, survivor_id, duplicate_id, choices, forest, undone_forest, moves FROM merge "
            "WHERE forest > :after OR undone_forest > :after ORDER BY forest"
        ),
        {"after": request.after},
    )
    return orjson.dumps(
        {
            "log_id": str(head.log_id),
            "position": head.position,
            "forest": session.scalar(text("SELECT version FROM client_forest")),
            "edges": [dict(row._mapping) for row in edges],
            "deeds": [dict(row._mapping) for row in deeds],
            "erased": [str(row[0]) for row in session.execute(text("SELECT id FROM erased_client"))],
        },
        default=str,
    )
