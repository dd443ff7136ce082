"""What several use cases need: contents by hash, living rows, facts of events."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from chassis.errors import Gone, Invalid
from chassis.ids import new_id
from chassis.objects import ObjectMissing, ObjectStore
from chassis.stamp import lock
from chassis.uow import UnitOfWork
from services.documents.commands.erasing import hold_content
from services.documents.model import Content, Document, DocumentVersion
from services.documents.pictures import content_key
from services.documents.sniff import HEAD, content_type
from services.kit.homes import row_facts

ABSENT = "Ce document n’existe pas."


def take(uow: UnitOfWork, store: ObjectStore, key: str, sha256: str, size: int) -> Content:
    """The content's row; staged bytes that nobody stored before are copied to where their hash says."""
    hold_content(uow, sha256)
    known = uow.session.get(Content, sha256)
    if known is not None and store.exists(known.key):
        if known.size != size:
            raise Invalid.field("size", "La taille annoncée n’est pas celle de ce contenu.")
        return known
    try:
        if store.size(key) != size:
            raise Invalid.field("size", "Le fichier reçu n’a pas la taille annoncée\u202f: envoyez-le de nouveau.")
        head = b"".join(store.open(key, 0, HEAD))
        target = content_key(sha256)
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


def give(uow: UnitOfWork, row: Document, content: Content) -> int:
    """Makes a content the document's current one, as its next version; returns the number. The row is locked."""
    row.sha256, row.size, row.content_type = content.sha256, content.size, content.content_type
    last = uow.session.query(DocumentVersion.number).filter_by(document_id=row.id).order_by(
        DocumentVersion.number.desc()
    ).first()  # fmt: skip
    number = (last[0] if last else 0) + 1
    uow.session.flush()
    uow.session.add(
        DocumentVersion(
            id=new_id(),
            document_id=row.id,
            number=number,
            name=row.name,
            sha256=content.sha256,
            size=content.size,
            content_type=content.content_type,
            added_at=uow.now,
            added_by_id=uow.context.actor.id,
            added_by_name=uow.context.actor.name,
        )
    )
    uow.session.flush()
    return number


def living(uow: UnitOfWork, identifier: uuid.UUID) -> Document:
    """The document, locked. Raises `NotFound`, `Gone` when it is in the bin."""
    row = lock(uow.session, Document, identifier, ABSENT)
    if row.deleted_at is not None:
        raise Gone("Ce document est dans la corbeille.")
    return row


def facts(uow: UnitOfWork, row: Document) -> dict[str, Any]:
    """Fields of a document's events."""
    return {
        **row_facts(uow.session, row),
        "name": row.name,
        "folder": row.folder,
        "content_type": row.content_type,
        "size": row.size,
        "missing": row.sha256 is None,
    }
