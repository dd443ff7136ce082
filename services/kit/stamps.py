"""Stamp columns of rows that an import brings with an author and a moment of their own."""

from __future__ import annotations

from typing import Any

from chassis.stamp import stamp_new
from chassis.uow import UnitOfWork
from contracts.clients import Origin


def stamps(uow: UnitOfWork, origin: Origin | None) -> dict[str, Any]:
    """Stamp columns of a new row; an import's own moment and author where it gives them."""
    values = stamp_new(uow)
    if origin and origin.created_at:
        values["created_at"] = values["updated_at"] = origin.created_at
    if origin and origin.created_by_name:
        values["created_by_name"] = values["updated_by_name"] = origin.created_by_name
    return values
