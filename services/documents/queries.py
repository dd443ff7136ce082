"""The read side of `documents`: PostgreSQL makes the JSON."""

from __future__ import annotations

import uuid

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import Gone, NotFound
from chassis.page import Listing, like, meta
from contracts.documents import CheckDocuments, ContentReference, DocumentsFiche, ListDocuments, ListFolders
from services.documents.model import Content, Document, plain
from services.documents.sniff import INLINE
from services.kit.homes import client_join, client_pairs, fiche_answer, in_tree, tree_of

ABSENT = "Ce document n’existe pas."
_INLINE = "e.content_type IN (" + ", ".join(f"'{kind}'" for kind in sorted(INLINE)) + ")"
#: How many living documents of the same name stood in the folder before this one; tells them apart.
_BEFORE = (
    "(SELECT count(*) FROM document o WHERE o.home_client_id = e.home_client_id AND o.folder = e.folder "
    "AND o.name_key = e.name_key AND o.deleted_at IS NULL AND (o.created_at, o.id) < (e.created_at, e.id))"
)
_SHOWN = (
    "CASE WHEN same.n = 0 OR e.deleted_at IS NOT NULL THEN e.name "
    r"ELSE regexp_replace(e.name, '^(.+?)(\.[^.]*)?$', '\1 (' || (same.n + 1) || ')\2') END"
)
DOCUMENTS = Listing(
    source=f"document e {client_join('e')} CROSS JOIN LATERAL (SELECT {_BEFORE} AS n) same",
    item=(
        f"json_build_object({meta('e')}, {client_pairs('e')}, 'name', e.name, 'shown_name', {_SHOWN}, "
        "'folder', e.folder, 'description', e.description, 'content_type', e.content_type, "
        f"'inline', {_INLINE} AND e.sha256 IS NOT NULL, 'size', e.size, 'sha256', e.sha256, "
        "'missing', e.sha256 IS NULL, 'deleted_at', e.deleted_at)"
    ),
    key="e.id",
    sorts={
        "-created_at": ("e.created_at", "timestamptz"),
        "created_at": ("e.created_at", "timestamptz"),
        "name": ("e.name_key", "text"),
        "-size": ("e.size", "bigint"),
    },
    default="-created_at",
)
_KEPT = "e.deleted_at IS NULL"


def get_document(session: Session, identifier: uuid.UUID) -> bytes:
    """One document as JSON. Raises `NotFound`, `Gone` when it is in the bin."""
    _living(session, identifier)
    body = DOCUMENTS.one(session, ["e.id = :id"], {"id": identifier})
    if body is None:
        raise NotFound(ABSENT)
    return body


def content(session: Session, identifier: uuid.UUID) -> ContentReference:
    """Where a document's bytes are. Raises `NotFound` also where its content is missing, `Gone`."""
    row = _living(session, identifier)
    stored = session.get(Content, row.sha256) if row.sha256 else None
    if stored is None:
        raise NotFound("Le contenu de ce document n’a pas été repris de l’ancien logiciel.", code="content_missing")
    return ContentReference(
        key=stored.key,
        size=stored.size,
        sha256=stored.sha256,
        content_type=stored.content_type,
        name=row.name,
        inline=stored.content_type in INLINE,
    )


def _living(session: Session, identifier: uuid.UUID) -> Document:
    row = session.get(Document, identifier)
    if row is None:
        raise NotFound(ABSENT)
    if row.deleted_at is not None:
        raise Gone("Ce document est dans la corbeille.")
    return row


def list_documents(session: Session, request: ListDocuments) -> bytes:
    """A page of documents, newest first."""
    where, params = in_tree("e", request.tree)
    where.append("e.deleted_at IS NOT NULL" if request.status == "deleted" else _KEPT)
    if request.folder is not None:
        where.append("e.folder = :folder")
        params["folder"] = request.folder
    for number, word in enumerate(plain(request.q).split()[:10]):
        where.append(f"e.search LIKE :q{number}")
        params[f"q{number}"] = f"%{like(word)}%"
    return DOCUMENTS.page(session, where, params, request)


def folders(session: Session, request: ListFolders) -> bytes:
    """`{"items": [{"folder", "count"}]}` of a tree; same-named folders are one."""
    rows = session.execute(
        text(
            "SELECT coalesce(json_agg(json_build_object('folder', f.folder, 'count', f.n) ORDER BY f.folder), "
            "'[]')::text FROM (SELECT folder, count(*) AS n FROM document "
            "WHERE home_client_id = ANY(:tree) AND deleted_at IS NULL GROUP BY folder) f"
        ),
        {"tree": request.tree},
    )
    return b'{"items":' + str(rows.scalar_one()).encode() + b"}"


def fiche(session: Session, request: DocumentsFiche) -> bytes:
    """The section of a fiche: count and first page in one query."""
    tree = request.tree or tree_of(session, request.client_id)
    where, params = in_tree("e", tree)
    return fiche_answer(tree, {"documents": DOCUMENTS.section(session, [_KEPT, *where], params, request.limit)})


def check(session: Session, request: CheckDocuments) -> dict[str, list[str]]:
    """`{"foreign": [ids that are not of the tree]}`."""
    rows = session.execute(
        text("SELECT id FROM document WHERE id = ANY(:ids) AND home_client_id = ANY(:tree) AND deleted_at IS NULL"),
        {"ids": request.ids, "tree": request.tree},
    )
    known = {str(row[0]) for row in rows}
    return {"foreign": [str(identifier) for identifier in request.ids if str(identifier) not in known]}
