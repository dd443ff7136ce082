"""Payments: money in on invoices, money back on credit notes, credits used."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from typing import Any

from chassis.errors import Conflict, Invalid, NotFound
from chassis.ids import new_id
from chassis.stamp import lock, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts import billing as c
from services.billing import queries
from services.billing.commands.facts import ABSENT, OPEN, document_facts, refuse_existing, remaining, today
from services.billing.model import CreditNote, Invoice, Payment
from services.billing.model.money import tidy
from services.kit.homes import root_of

#: Means of a payment that moves no money: a credit note's rest set against an invoice.
CREDIT_MEANS = "credit_note"


def record_payment(uow: UnitOfWork, request: c.RecordPayment) -> bytes:
    """Puts money or a credit on an issued invoice; what is above its total stays as credit.

    Raises `Conflict` on a draft or a cancelled one, `Invalid` for more of a credit note than is left or than is due.
    """
    invoice = lock(uow.session, Invoice, request.invoice_id, ABSENT[Invoice])
    refuse_existing(uow.session, Payment, request.id)
    if invoice.status not in (*OPEN, "paid"):
        raise Conflict(
            "Un règlement ne peut être enregistré que sur une facture émise et non annulée.",
            code="wrong_status",
            data={"status": invoice.status},
        )
    body = request.body
    note = _usable(uow, invoice, body.credit_note_id, body.amount) if body.credit_note_id else None
    pay(
        uow,
        invoice,
        note,
        body.amount,
        body.paid_on or today(uow),
        CREDIT_MEANS if note else body.means,
        body.reference,
        request.id,
    )
    return queries.get_invoice(uow.session, invoice.id)


def _usable(uow: UnitOfWork, invoice: Invoice, note_id: uuid.UUID, amount: Decimal) -> CreditNote:
    note = lock(uow.session, CreditNote, note_id, ABSENT[CreditNote])
    same = root_of(uow.session, note.home_client_id) == root_of(uow.session, invoice.home_client_id)
    if not same and note.payer_id != invoice.payer_id:
        raise Invalid.field("credit_note_id", "Cet avoir est d’un autre client.")
    if note.status != "issued":
        raise Invalid.field("credit_note_id", "Cet avoir n’est pas émis, ou il n’en reste rien.")
    left = note.total_incl_tax - note.used
    if amount > left:
        raise Invalid.field("amount", f"Il ne reste que {_euros(left)} de cet avoir.")
    if amount > remaining(invoice):
        raise Invalid.field("amount", f"Il ne reste que {_euros(remaining(invoice))} à régler sur cette facture.")
    return note


def refund_credit_note(uow: UnitOfWork, request: c.RefundCreditNote) -> bytes:
    """Pays back money on an issued credit note, at most what is left of it. Raises `Conflict`, `Invalid`."""
    note = lock(uow.session, CreditNote, request.credit_note_id, ABSENT[CreditNote])
    refuse_existing(uow.session, Payment, request.id)
    if note.status != "issued":
        raise Conflict("Il n’y a rien à rembourser sur cet avoir.", code="wrong_status", data={"status": note.status})
    body = request.body
    left = note.total_incl_tax - note.used
    if body.amount > left:
        raise Invalid.field("amount", f"Il ne reste que {_euros(left)} de cet avoir.")
    pay(uow, None, note, body.amount, body.paid_on or today(uow), body.means, body.reference, request.id)
    return queries.get_credit_note(uow.session, note.id)


def cancel_payment(uow: UnitOfWork, request: c.CancelPayment) -> bytes:
    """Takes back a payment of an invoice; a credit note that paid it is available again. Taken back, it stays so.

    Raises `NotFound`, `Conflict` for what an import brought and for a credit note set against its own invoice.
    """
    invoice = lock(uow.session, Invoice, request.invoice_id, ABSENT[Invoice])
    payment = uow.session.get(Payment, request.id)
    if payment is None or payment.invoice_id != invoice.id:
        raise NotFound("Ce règlement n’existe pas.")
    if payment.cancelled_at is not None:
        return queries.get_invoice(uow.session, invoice.id)
    if payment.imported:
        raise Conflict("Ce règlement vient d’un autre logiciel\u202f: corrigez-le par un avoir.", code="imported")
    note = lock(uow.session, CreditNote, payment.credit_note_id) if payment.credit_note_id else None
    if note is not None and note.invoice_id == invoice.id:
        raise Conflict("Cet avoir corrige cette facture\u202f: son imputation ne s’annule pas.", code="own_credit")
    payment.cancelled_at, payment.cancelled_by_name = uow.now, uow.context.actor.name
    touch(uow, payment)
    invoice.paid = tidy(invoice.paid - payment.amount)
    if note is not None:
        note.used = tidy(note.used - payment.amount)
        note.status = "issued"
        touch(uow, note)
    refresh_status(uow, invoice)
    uow.session.flush()
    uow.emit(
        c.PaymentCancelled(
            id=payment.id,
            home_client_id=invoice.home_client_id,
            client_id=root_of(uow.session, invoice.home_client_id),
            document_id=invoice.id,
            document_number=invoice.number,
            invoice_id=invoice.id,
            credit_note_id=payment.credit_note_id,
            amount=payment.amount,
            remaining=remaining(invoice),
        )
    )
    return queries.get_invoice(uow.session, invoice.id)


def pay(
    uow: UnitOfWork,
    invoice: Invoice | None,
    note: CreditNote | None,
    amount: Decimal,
    paid_on: date,
    means: str,
    reference: str = "",
    identifier: uuid.UUID | None = None,
    *,
    imported: bool = False,
) -> None:
    """Writes a payment on locked documents, brings their states up to date and tells it."""
    payment = Payment(
        id=identifier or new_id(),
        invoice_id=invoice.id if invoice else None,
        credit_note_id=note.id if note else None,
        amount=amount,
        paid_on=paid_on,
        means=means,
        reference=reference,
        imported=imported,
        **stamp_new(uow),
    )
    uow.session.add(payment)
    if note is not None:
        note.used += amount
        if note.status == "issued" and note.used >= note.total_incl_tax:
            note.status = "used"
        touch(uow, note)
    if invoice is not None:
        invoice.paid += amount
    document: Any = invoice or note
    left = remaining(invoice) if invoice else document.total_incl_tax - document.used
    uow.emit(
        c.PaymentRecorded(
            id=payment.id,
            home_client_id=document.home_client_id,
            client_id=root_of(uow.session, document.home_client_id),
            document_id=document.id,
            document_number=document.number,
            invoice_id=payment.invoice_id,
            credit_note_id=payment.credit_note_id,
            amount=amount,
            paid_on=paid_on,
            means=means,
            remaining=left,
            imported=imported,
        )
    )
    if invoice is not None:
        refresh_status(uow, invoice)
    uow.session.flush()


def refresh_status(uow: UnitOfWork, invoice: Invoice) -> None:
    """The state that follows from what was paid and credited; tells when that closes the invoice.

    An imported invoice that its source had closed stays closed.
    """
    if invoice.status == "draft" or (invoice.imported and invoice.status in ("paid", "cancelled")):
        touch(uow, invoice)
        return
    if invoice.credited and invoice.credited >= invoice.total_incl_tax:
        status = "cancelled"
    elif invoice.paid >= invoice.total_incl_tax:
        status = "paid"
    elif invoice.paid > 0:
        status = "partly_paid"
    else:
        status = "sent" if invoice.sent_at else "issued"
    former, invoice.status = invoice.status, status
    touch(uow, invoice)
    if status == former:
        return
    facts = document_facts(uow, invoice)
    if status == "paid":
        uow.emit(c.InvoicePaid(**facts))
    elif status == "cancelled":
        uow.emit(c.InvoiceCancelled(**facts))


def send_invoice(uow: UnitOfWork, request: c.SendInvoice) -> bytes:
    """Marks an issued invoice as sent; sent again, it stays as it is. Raises `Conflict` on a draft or cancelled one."""
    invoice = lock(uow.session, Invoice, request.id, ABSENT[Invoice])
    if invoice.status not in (*OPEN, "paid"):
        raise Conflict(
            "Seule une facture émise et non annulée peut être envoyée.",
            code="wrong_status",
            data={"status": invoice.status},
        )
    if invoice.sent_at is None:
        invoice.sent_at = uow.now
        if invoice.status == "issued":
            invoice.status = "sent"
        touch(uow, invoice)
        uow.session.flush()
        uow.emit(c.InvoiceSent(**document_facts(uow, invoice)))
    return queries.get_invoice(uow.session, invoice.id)


def _euros(amount: Decimal) -> str:
    return f"{amount:,.2f}\u202f€".replace(",", "\u202f").replace(".", ",")
