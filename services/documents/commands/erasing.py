"""Bytes that no document has any more: a person was erased, whose documents and versions are blank."""

from __future__ import annotations

from sqlalchemy import text

from chassis.objects import ObjectStore
from chassis.uow import UnitOfWork
from services.documents.pictures import content_key, preview_prefix

_ORPHAN = (
    "NOT EXISTS (SELECT 1 FROM document d WHERE d.sha256 = c.sha256) "
    "AND NOT EXISTS (SELECT 1 FROM document_version v WHERE v.sha256 = c.sha256)"
)


def hold_content(uow: UnitOfWork, sha256: str) -> None:
    """Until the transaction ends, nobody takes these bytes away, and nobody stores them, but we."""
    uow.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:sha256, 17))"), {"sha256": sha256})


def remove_one(uow: UnitOfWork, store: ObjectStore) -> bool:
    """Takes away a content that no document has, with its pictures. False where there is none.

    The row goes with the bytes: after a crash it is found again, and what is gone already is no error.
    """
    found = uow.session.scalar(text(f"SELECT c.sha256 FROM content c WHERE {_ORPHAN} ORDER BY c.sha256 LIMIT 1"))
    if found is None:
        return False
    hold_content(uow, found)
    gone = uow.session.execute(
        text(f"DELETE FROM content c WHERE c.sha256 = :sha256 AND {_ORPHAN} RETURNING c.key"), {"sha256": found}
    ).scalar_one_or_none()
    if gone is not None:
        for picture in list(store.list(preview_prefix(found))):
            store.delete(picture.key)
        store.delete(gone)
        store.delete(content_key(found))
    return True
