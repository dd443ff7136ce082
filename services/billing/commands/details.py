"""How a client is billed."""

from __future__ import annotations

import uuid
from typing import Any

from chassis.stamp import check_version
from chassis.uow import UnitOfWork
from contracts.billing import UpdateDetails
from services.billing import queries
from services.billing.commands import merged
from services.billing.commands.facts import details_to_write
from services.billing.model import BillingFieldWrite
from services.kit.forest import path_to_root


def update_details(uow: UnitOfWork, request: UpdateDetails) -> bytes:
    """Appends a write for each field that differs and materialises it. Raises `Stale`."""
    session, home = uow.session, request.home_client_id
    records = path_to_root(session, home)
    merged.lock(session, records)
    row = details_to_write(uow, home, request.written_client_id)
    check_version(row, request.expected_version)
    for field in sorted(request.changes.model_fields_set):
        value = getattr(request.changes, field)
        value = None if value == "" else value
        if field == "payer_id" and value == home:
            value = None
        if getattr(row, field) == value:
            continue
        session.add(_write(uow, request, field, value))
    session.flush()
    # A merge that the writer could not know of yet may have the last word; and what merges above take from here.
    merged.materialise(uow, records)
    return queries.get_details(session, home, None)


def _write(uow: UnitOfWork, request: UpdateDetails, field: str, value: Any) -> BillingFieldWrite:
    return BillingFieldWrite(
        home_client_id=request.home_client_id,
        written_client_id=request.written_client_id,
        field=field,
        op="set",
        value=str(value) if isinstance(value, uuid.UUID) else value,
        forest=request.forest,
        actor_id=uow.context.actor.id,
        actor_name=uow.context.actor.name,
        written_at=uow.now,
    )
