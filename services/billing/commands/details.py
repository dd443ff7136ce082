"""How a client is billed."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import text

from chassis.ids import new_id
from chassis.stamp import check_version, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts.billing import DetailsUpdated, UpdateDetails
from services.billing import queries
from services.billing.commands.facts import details_of
from services.billing.model import BillingDetails, BillingFieldWrite
from services.billing.model.parties import DETAIL_FIELDS
from services.kit.homes import root_of


def update_details(uow: UnitOfWork, request: UpdateDetails) -> bytes:
    """Appends a write for each field that differs and materialises it. Raises `Stale`."""
    session, home = uow.session, request.home_client_id
    # Two first writes of one client have no row to lock.
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:home, 11))"), {"home": str(home)})
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
    changed = []
    for field in sorted(request.changes.model_fields_set):
        value = getattr(request.changes, field)
        value = None if value == "" else value
        if field == "payer_id" and value == home:
            value = None
        if getattr(row, field) == value:
            continue
        setattr(row, field, value)
        changed.append(field)
        session.add(_write(uow, request, field, value))
    if changed:
        touch(uow, row)
        session.flush()
        uow.emit(
            DetailsUpdated(
                home_client_id=home,
                client_id=root_of(session, home),
                billing_name=row.billing_name,
                billing_address_id=row.billing_address_id,
                payer_id=row.payer_id,
                invoice_contact_id=row.invoice_contact_id,
                changed=changed,
            )
        )
    session.flush()
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
