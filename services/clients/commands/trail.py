"""The history of a record's rows, told on the same page as that of its fields."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import inspect

from chassis.uow import UnitOfWork
from services.clients import fields


def note(uow: UnitOfWork, kind: str, row: Any, values: dict[str, Any], **more: Any) -> None:
    """Keeps what became of a row: field → value, or `created`, `deleted`, `restored`. `more`: as `fields.append`."""
    plain = {f"{kind}.{name}": _plain(value) for name, value in values.items()}
    fields.append(uow, row.home_client_id, plain, row_id=row.id, **more)


def changed(uow: UnitOfWork, kind: str, row: Any, names: set[str]) -> None:
    """Keeps fields of a row that have changed, as they are now and as they were when it was read.

    To be called before the session is flushed: what was is known until then.
    """
    before = {name: inspect(row).attrs[name].history.deleted for name in names}
    was = {f"{kind}.{name}": _plain(old[0]) if old else None for name, old in before.items()}
    note(uow, kind, row, {name: getattr(row, name) for name in sorted(names)}, before=was)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, uuid.UUID) else value
