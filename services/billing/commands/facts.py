"""What commands share: today's date, events' data, rows and how a client is billed."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.errors import Conflict
from chassis.ids import new_id
from chassis.stamp import stamp_new
from chassis.uow import UnitOfWork
from services.billing.model import BillingDetails, Company, CreditNote, Invoice, Quote
from services.billing.model.parties import DETAIL_FIELDS
from services.kit.homes import root_of, row_facts

Row = TypeVar("Row", Quote, Invoice, CreditNote)

ABSENT = {
    Quote: "Ce devis n’existe pas.",
    Invoice: "Cette facture n’existe pas.",
    CreditNote: "Cet avoir n’existe pas.",
}
OPEN = ("issued", "sent", "partly_paid")


def company_of(session: Session) -> Company | None:
    """The company's row, None while nothing was written."""
    return session.scalar(select(Company))


def today(uow: UnitOfWork) -> date:
    """The day it is for the company (its own time zone)."""
    return day_of(uow.session, uow.now)


def day_of(session: Session, moment: datetime) -> date:
    """The day of a moment for the company (its own time zone)."""
    company = company_of(session)
    return moment.astimezone(ZoneInfo(company.timezone if company else "Europe/Paris")).date()


def details_of(session: Session, client_id: uuid.UUID) -> BillingDetails | None:
    """How a living client is billed, None where nothing was written."""
    return session.scalar(select(BillingDetails).where(BillingDetails.home_client_id == client_id))


def details_to_write(uow: UnitOfWork, client_id: uuid.UUID, written_client_id: uuid.UUID) -> BillingDetails:
    """How a living client is billed; a first row, of version 0, where nothing was written. Under its lock."""
    row = details_of(uow.session, client_id)
    if row is None:
        row = BillingDetails(
            id=new_id(),
            home_client_id=client_id,
            written_client_id=written_client_id,
            **stamp_new(uow) | {"version": 0},
            **dict.fromkeys(DETAIL_FIELDS),
        )
        uow.session.add(row)
    return row


def payer_of(session: Session, client_id: uuid.UUID) -> uuid.UUID:
    """The living client who pays for a living client: itself unless its details say otherwise."""
    details = details_of(session, client_id)
    return root_of(session, details.payer_id) if details is not None and details.payer_id else client_id


def remaining(invoice: Invoice) -> Decimal:
    """What is left to pay on an invoice; nothing on one that is closed."""
    if invoice.status not in OPEN:
        return Decimal("0.00")
    return max(invoice.total_incl_tax - invoice.paid, Decimal("0.00"))


def refuse_existing(session: Session, kind: type[Any], identifier: uuid.UUID | None) -> None:
    """Raises `Conflict` when the id that the caller chose is taken."""
    if identifier is not None and session.get(kind, identifier) is not None:
        raise Conflict("Un document porte déjà cet identifiant.", code="id_taken")


def document_facts(uow: UnitOfWork, row: Quote | Invoice | CreditNote) -> dict[str, Any]:
    """Data of an event about a document."""
    facts: dict[str, Any] = {
        **row_facts(uow.session, row),
        "number": row.number,
        "status": row.status,
        "title": row.title,
        "payer_id": row.payer_id,
        "address_id": row.address_id,
        "job_site_id": row.job_site_id,
        "intervention_ids": row.intervention_ids or [],
        "issued_on": row.issued_on,
        "currency": row.currency,
        "total_excl_tax": row.total_excl_tax,
        "total_tax": row.total_tax,
        "total_incl_tax": row.total_incl_tax,
        "imported": bool(row.imported),
    }
    if isinstance(row, Invoice):
        facts |= {"kind": row.kind, "quote_id": row.quote_id, "due_on": row.due_on, "remaining": remaining(row)}
    return facts
