"""Quotes, invoices and credit notes that become another client's: drafts by hand, whatever an undo of a merge moves."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select

from chassis.errors import Conflict
from chassis.stamp import touch
from chassis.uow import UnitOfWork
from contracts import billing as c
from services.billing.commands.facts import document_facts
from services.billing.model import CreditNote, Invoice, Quote

Row = Quote | Invoice | CreditNote


def check_reassignable(row: Row) -> None:
    """Only a draft that was made from no other document goes to another client by itself: what has its number bears a
    name, what was made from a quote or an invoice goes with it. Raises `Conflict`.
    """
    if row.status != "draft" or row.number is not None:
        raise Conflict(
            "Ce document porte son numéro et le nom de son client\u202f: annulez-le ou faites un avoir, "
            "puis établissez-le au bon nom.",
            code="issued",
        )
    source = getattr(row, "quote_id", None) or getattr(row, "invoice_id", None)
    if source is not None:
        of = "d’un devis" if isinstance(row, Invoice) else "d’une facture"
        raise Conflict(
            f"Ce brouillon vient {of}\u202f: il reste chez le même client.",
            code="follows_source",
            data={"source_id": str(source)},
        )


def rehomed(uow: UnitOfWork, row: Row, former: uuid.UUID) -> None:
    """Tells that a document is another client's now; drafts made from it go with it."""
    facts: dict[str, Any] = {**document_facts(uow, row), "former_home_client_id": former}
    if isinstance(row, CreditNote):
        uow.emit(c.CreditNoteReassigned(**facts))
        return
    if isinstance(row, Quote):
        uow.emit(c.QuoteReassigned(**facts))
        drafts: Any = select(Invoice).where(Invoice.quote_id == row.id, Invoice.status == "draft")
    else:
        uow.emit(c.InvoiceReassigned(**facts))
        drafts = select(CreditNote).where(CreditNote.invoice_id == row.id, CreditNote.status == "draft")
    for draft in uow.session.scalars(drafts.with_for_update()).all():
        if draft.home_client_id == former:
            draft.home_client_id, draft.written_client_id = row.home_client_id, row.written_client_id
            touch(uow, draft)
            uow.session.flush()
            rehomed(uow, draft, former)
