"""The read side of `documents`: PostgreSQL makes the JSON."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import Gone, NotFound
from chassis.page import (
    Listing,
    Part,
    like,
    meta,
    of_pairs,
)
from contracts import documents as c
from services.documents.model import Content, Document, DocumentVersion, plain
from services.documents.sniff import INLINE, SHOWN
from services.kit.history import history, known
from services.kit.homes import (
    client_join,
    client_pairs,
    fiche_answer,
    in_tree,
    of_root,
    tree_sections,
)

ABSENT = "Ce document n’existe pas."


def _among(kinds: frozenset[str]) -> str:
    return "e.content_type IN (" + ", ".join(f"'{kind}'" for kind in sorted(kinds)) + ")"


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
    source=(
        f"document e {client_join('e')} LEFT JOIN content co ON co.sha256 = e.sha256 "
        f"CROSS JOIN LATERAL (SELECT {_BEFORE} AS n) same"
    ),
    item=of_pairs(
        f"{meta('e')}, {client_pairs('e')}, 'name', e.name, 'shown_name', {_SHOWN}, "
        "'folder', e.folder, 'description', e.description, 'content_type', e.content_type, "
        f"'inline', {_among(INLINE)} AND e.sha256 IS NOT NULL, 'size', e.size, 'sha256', e.sha256, "
        "'missing', e.sha256 IS NULL, 'equipment_id', e.equipment_id, "
        f"'preview', {_among(SHOWN)} AND e.sha256 IS NOT NULL AND co.shows IS NOT FALSE, "
        "'pages', co.pages, 'width', co.width, 'height', co.height, "
        "'version_count', (SELECT count(*) FROM document_version v WHERE v.document_id = e.id), "
        "'deleted_at', e.deleted_at"
    ),
    key="e.id",
    sorts={
        "-created_at": ("e.created_at", "timestamptz"),
        "created_at": ("e.created_at", "timestamptz"),
        "name": ("e.name_key", "text"),
        "-name": ("e.name_key", "text"),
        "size": ("e.size", "bigint"),
        "-size": ("e.size", "bigint"),
    },
    default="-created_at",
)
VERSIONS = Listing(
    source="document_version v JOIN document e ON e.id = v.document_id",
    item=(
        "json_build_object('id', v.id, 'number', v.number, 'current', v.number = (SELECT max(number) "
        "FROM document_version o WHERE o.document_id = v.document_id), 'name', v.name, 'size', v.size, "
        "'sha256', v.sha256, 'content_type', v.content_type, 'added_at', v.added_at, "
        "'added_by', json_build_object('id', v.added_by_id, 'name', v.added_by_name))"
    ),
    key="v.id",
    sorts={"-number": ("v.number", "bigint")},
    default="-number",
)
_KEPT = "e.deleted_at IS NULL"


def get_document(session: Session, identifier: uuid.UUID) -> bytes:
    """One document as JSON. Raises `NotFound`, `Gone` when it is in the bin."""
    _living(session, identifier)
    body = DOCUMENTS.one(session, ["e.id = :id"], {"id": identifier})
    if body is None:
        raise NotFound(ABSENT)
    return body


def content(session: Session, request: c.GetContent) -> c.ContentReference:
    """Where a document's bytes are, or those of one version.

    Raises `NotFound` also where its content is missing, `Gone`.
    """
    row = _living(session, request.id)
    version = session.get(DocumentVersion, request.version_id) if request.version_id else None
    if request.version_id and (version is None or version.document_id != row.id):
        raise NotFound("Cette version n’existe pas.")
    sha256 = version.sha256 if version else row.sha256
    stored = session.get(Content, sha256) if sha256 else None
    if stored is None:
        raise NotFound("Le contenu de ce document n’a pas été repris de l’ancien logiciel.", code="content_missing")
    return c.ContentReference(
        key=stored.key,
        size=stored.size,
        sha256=stored.sha256,
        content_type=stored.content_type,
        name=version.name if version else row.name,
        inline=stored.content_type in INLINE,
        preview=stored.content_type in SHOWN and stored.shows is not False,
    )


def versions(session: Session, request: c.ListVersions) -> bytes:
    """The versions of a document, newest first; of one in the bin too."""
    if not known(session, "document", request.id):
        raise NotFound(ABSENT)
    return VERSIONS.page(session, ["v.document_id = :id"], {"id": request.id}, request)


def document_history(session: Session, request: c.ListDocumentHistory) -> bytes:
    """What happened to a document, newest first; to one in the bin too."""
    if not known(session, "document", request.id):
        raise NotFound(ABSENT)
    return history(session, request.id, request)


def _living(session: Session, identifier: uuid.UUID) -> Document:
    row = session.get(Document, identifier)
    if row is None:
        raise NotFound(ABSENT)
    if row.deleted_at is not None:
        raise Gone("Ce document est dans la corbeille.")
    return row


def list_documents(session: Session, request: c.ListDocuments) -> bytes:
    """A page of documents, newest first."""
    where, params = in_tree("e", request.tree)
    where.append("e.deleted_at IS NOT NULL" if request.status == "deleted" else _KEPT)
    if request.folder is not None:
        where.append("e.folder = :folder")
        params["folder"] = request.folder
    if request.equipment_id is not None:
        where.append("e.equipment_id = :equipment")
        params["equipment"] = request.equipment_id
    if request.id:
        where.append("e.id = ANY(:ids)")
        params["ids"] = request.id
    for number, word in enumerate(plain(request.q).split()[:10]):
        where.append(f"e.search LIKE :q{number}")
        params[f"q{number}"] = f"%{like(word)}%"
    return DOCUMENTS.page(session, where, params, request)


_FOLDERS = (
    "SELECT f.path AS folder, (SELECT count(*) FROM document d WHERE d.home_client_id = ANY(:tree) "
    "AND d.folder = f.path AND d.deleted_at IS NULL) AS count "
    "FROM (SELECT path FROM folder WHERE home_client_id = ANY(:tree) UNION SELECT '') f"
)


def folders(session: Session, request: c.ListFolders) -> bytes:
    """`{"items": [{"folder", "count"}]}` of a tree, the root (`""`) first; same-named folders are one."""
    rows = session.execute(
        text(
            "SELECT json_agg(json_build_object('folder', f.folder, 'count', f.count) ORDER BY f.folder)::text "
            f"FROM ({_FOLDERS}) f"
        ),
        {"tree": request.tree},
    )
    return b'{"items":' + str(rows.scalar_one()).encode() + b"}"


def folder(session: Session, tree: Sequence[uuid.UUID], path: str) -> bytes:
    """One folder as JSON."""
    values: dict[str, Any] = {"tree": list(tree), "path": path}
    sql = f"SELECT json_build_object('folder', f.folder, 'count', f.count)::text FROM ({_FOLDERS}) f"
    return str(session.execute(text(f"{sql} WHERE f.folder = :path"), values).scalar_one()).encode()


_OF_ONE = of_root(DOCUMENTS, "e")


def fiche(session: Session, request: c.DocumentsFiche) -> bytes:
    """The section of a fiche: count and first page in one query."""

    def parts(tree: Sequence[uuid.UUID]) -> tuple[dict[str, Part], dict[str, Any]]:
        where, params = in_tree("e", tree)
        return {"documents": (_OF_ONE, [_KEPT, *where])}, params

    tree, found, _ = tree_sections(session, request, parts)
    return fiche_answer(tree, found)


def check(session: Session, request: c.CheckDocuments) -> dict[str, list[str]]:
    """`{"foreign": [ids that are not of the tree]}`."""
    rows = session.execute(
        text("SELECT id FROM document WHERE id = ANY(:ids) AND home_client_id = ANY(:tree) AND deleted_at IS NULL"),
        {"ids": request.ids, "tree": request.tree},
    )
    known = {str(row[0]) for row in rows}
    return {"foreign": [str(identifier) for identifier in request.ids if str(identifier) not in known]}
