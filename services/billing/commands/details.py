"""How a client is billed."""

from __future__ import annotations

import uuid
from typing import Any

from chassis.ids import new_id
from chassis.stamp import check_version, stamp_new
from chassis.uow import UnitOfWork
from contracts.billing import UpdateDetails
from services.billing import queries
from services.billing.commands import merged
from services.billing.commands.facts import details_of
from services.billing.model import BillingDetails, BillingFieldWrite
from services.billing.model.parties import DETAIL_FIELDS
from services.kit.forest import path_to_root


def update_details(uow: UnitOfWork, request: UpdateDetails) -> bytes:
    """Appends a write for each field that differs and materialises it. Raises `Stale`."""
    session, home = uow.session, request.home_client_id
    records = path_to_root(session, home)
    merged.lock(session, records)
    row = details_of(session, home)
    if row is None:
        row = BillingDetails(
            id=new_id(),
            home_client_id=home,
            written_client_id=request.written_client_id,
            **stamp_new(uow) | {"version": 0},
            **dict.fromkeys(DETAIL_FIELDS),
        )
        session.add(row)
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
