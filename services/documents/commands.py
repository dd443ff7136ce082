"""The write side of `documents`: one function a use case."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from chassis.errors import Conflict, Gone, Invalid
from chassis.ids import new_id
from chassis.objects import ObjectMissing, ObjectStore
from chassis.stamp import check_version, lock, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts import documents as c
from services.documents import queries
from services.documents.model import Content, Document
from services.documents.sniff import HEAD, UNKNOWN, content_type
from services.kit.homes import root_of

ABSENT = "Ce document n’existe pas."


def commit_document(uow: UnitOfWork, store: ObjectStore, request: c.CommitDocument) -> bytes:
    """Makes a document of staged bytes. The staging key stays until whoever made it takes it away.

    Raises `Invalid` when nothing waits under the key or the size differs, `Conflict` when the id is taken.
    """
    if request.id is not None and uow.session.get(Document, request.id) is not None:
        raise Conflict("Un document porte déjà cet identifiant.", code="id_taken")
    content = _take(uow, store, request.key, request.sha256, request.size)
    row = _new(uow, request, content=content)
    uow.session.add(row)
    uow.session.flush()
    uow.emit(c.DocumentAdded(**_facts(uow, row), sha256=row.sha256))
    return queries.get_document(uow.session, row.id)


def import_entry(uow: UnitOfWork, request: c.ImportDocumentEntry) -> bytes:
    """Records a document that another system named and whose content never came. Repeated, it changes nothing."""
    if uow.session.get(Document, request.id) is None:
        row = _new(uow, request, content=None)
        if request.created_at is not None:
            row.created_at = request.created_at
        uow.session.add(row)
        uow.session.flush()
        uow.emit(c.DocumentAdded(**_facts(uow, row), sha256=None, imported=True))
    return queries.get_document(uow.session, request.id)


def supply_content(uow: UnitOfWork, store: ObjectStore, request: c.SupplyContent) -> bytes:
    """Gives a document its missing content. Raises `Conflict` when it has one, `Stale`, `Invalid`."""
    row = _living(uow, request.id)
    check_version(row, request.expected_version)
    if row.sha256 is not None:
        raise Conflict("Ce document a déjà un contenu.", code="has_content")
    content = _take(uow, store, request.key, request.sha256, request.size)
    row.sha256, row.size, row.content_type = content.sha256, content.size, content.content_type
    touch(uow, row)
    uow.session.flush()
    uow.emit(c.DocumentAdded(**_facts(uow, row), sha256=row.sha256))
    return queries.get_document(uow.session, row.id)


def update_document(uow: UnitOfWork, request: c.UpdateDocument) -> bytes:
    """Renames, moves or describes; nothing changed, no event. Raises `Stale`, `Gone`."""
    row = _living(uow, request.id)
    check_version(row, request.expected_version)
    named = request.changes.model_fields_set
    former = (row.name, row.folder, row.description)
    wanted = (
        request.changes.name if "name" in named else row.name,
        request.changes.folder if "folder" in named else row.folder,
        request.changes.description if "description" in named else row.description,
    )
    if wanted != former:
        row.file_under(*wanted)
        touch(uow, row)
        uow.session.flush()
        facts = _facts(uow, row)
        if row.folder != former[1]:
            uow.emit(c.DocumentMoved(**facts, former_folder=former[1]))
        if (row.name, row.description) != (former[0], former[2]):
            uow.emit(c.DocumentRenamed(**facts, former_name=former[0]))
    return queries.get_document(uow.session, row.id)


def delete_document(uow: UnitOfWork, request: c.DeleteDocument) -> bytes:
    """Puts a document into the bin. Raises `Stale`, `Gone` when it is there already."""
    row = _living(uow, request.id)
    check_version(row, request.expected_version)
    row.deleted_at = uow.now
    touch(uow, row)
    uow.session.flush()
    uow.emit(c.DocumentDeleted(**_facts(uow, row)))
    return b"{}"


def restore_document(uow: UnitOfWork, request: c.RestoreDocument) -> bytes:
    """Takes a document out of the bin; one that is not in it stays as it is."""
    row = lock(uow.session, Document, request.id, ABSENT)
    if row.deleted_at is not None:
        row.deleted_at = None
        touch(uow, row)
        uow.session.flush()
        uow.emit(c.DocumentRestored(**_facts(uow, row)))
    return queries.get_document(uow.session, row.id)


def _new(uow: UnitOfWork, request: c.CommitDocument | c.ImportDocumentEntry, content: Content | None) -> Document:
    row = Document(
        id=request.id or new_id(),
        home_client_id=request.home_client_id,
        written_client_id=request.written_client_id,
        sha256=content.sha256 if content else None,
        size=content.size if content else 0,
        content_type=content.content_type if content else UNKNOWN,
        **stamp_new(uow),
    )
    row.file_under(request.body.name, request.body.folder, request.body.description)
    return row


def _take(uow: UnitOfWork, store: ObjectStore, key: str, sha256: str, size: int) -> Content:
    """The content's row; staged bytes that nobody stored before are copied to where their hash says."""
    known = uow.session.get(Content, sha256)
    if known is not None and store.exists(known.key):
        if known.size != size:
            raise Invalid.field("size", "La taille annoncée n’est pas celle de ce contenu.")
        return known
    try:
        if store.size(key) != size:
            raise Invalid.field("size", "Le fichier reçu n’a pas la taille annoncée\u202f: envoyez-le de nouveau.")
        head = b"".join(store.open(key, 0, HEAD))
        target = f"content/{sha256[:2]}/{sha256}"
        store.copy(key, target)
    except ObjectMissing:
        raise Invalid.field("key", "Le fichier reçu n’est plus là\u202f: envoyez-le de nouveau.") from None
    values: dict[str, Any] = {
        "sha256": sha256,
        "key": target,
        "size": size,
        "content_type": content_type(head),
        "stored_at": uow.now,
    }
    # Two uploads of the same bytes at once: both wrote the same object, one of them keeps the row.
    uow.session.execute(insert(Content).values(**values).on_conflict_do_nothing())
    return uow.session.get_one(Content, sha256)


def _living(uow: UnitOfWork, identifier: uuid.UUID) -> Document:
    row = lock(uow.session, Document, identifier, ABSENT)
    if row.deleted_at is not None:
        raise Gone("Ce document est dans la corbeille.")
    return row


def _facts(uow: UnitOfWork, row: Document) -> dict[str, Any]:
    return {
        "id": row.id,
        "home_client_id": row.home_client_id,
        "client_id": root_of(uow.session, row.home_client_id),
        "name": row.name,
        "folder": row.folder,
        "content_type": row.content_type,
        "size": row.size,
        "missing": row.sha256 is None,
    }
