"""Files of a person who was erased: quotes that became no invoice, and drafts. Issued documents keep theirs."""

from __future__ import annotations

from sqlalchemy import text

from chassis.objects import ObjectStore
from chassis.uow import UnitOfWork
from services.billing.pdf.render import DRAFTS


def remove_one(uow: UnitOfWork, store: ObjectStore) -> bool:
    """Takes away the files of one document. False where none waits. A crash before the commit begins it anew."""
    found = uow.session.scalar(
        text(
            "DELETE FROM erased_object WHERE prefix = (SELECT prefix FROM erased_object LIMIT 1 FOR UPDATE SKIP LOCKED)"
            " RETURNING prefix"
        )
    )
    if found is None:
        return False
    for each in list(store.list(found)):
        store.delete(each.key)
    return True


def remove_drafts(store: ObjectStore) -> None:
    """Takes away all drafts' files: they are made again when they are asked for, and do not say whose they are."""
    for each in list(store.list(DRAFTS)):
        store.delete(each.key)
