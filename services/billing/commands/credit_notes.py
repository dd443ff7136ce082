"""Credit notes: whole or partial, issued on an invoice, never more than it."""

from __future__ import annotations

import uuid
from decimal import Decimal

from chassis.errors import Conflict, Invalid
from chassis.stamp import check_version, lock, touch
from chassis.uow import UnitOfWork
from contracts import billing as c
from services.billing import queries
from services.billing.commands.drafts import following_document, line_rows, lines_of, store
from services.billing.commands.facts import ABSENT, document_facts, refuse_existing, remaining
from services.billing.commands.invoicing import refresh_invoiced, refuse_deducted
from services.billing.commands.issuing import freeze, number_credit_note
from services.billing.commands.payments import CREDIT_MEANS, pay, refresh_status
from services.billing.commands.works import claim_works
from services.billing.model import CreditNote, Invoice, Quote
from services.kit.homes import root_of


def check_invoice(uow: UnitOfWork, invoice_id: uuid.UUID | None, home: uuid.UUID) -> None:
    """Raises `Invalid` unless the invoice is issued and of the same client."""
    if invoice_id is None:
        return
    invoice = uow.session.get(Invoice, invoice_id)
    session = uow.session
    if invoice is None or root_of(session, invoice.home_client_id) != root_of(session, home):
        raise Invalid.field("invoice_id", "Cette facture n’existe pas chez ce client.")
    if invoice.status == "draft":
        raise Invalid.field("invoice_id", "Cette facture n’est pas émise\u202f: modifiez-la directement.")


def credit_invoice(uow: UnitOfWork, request: c.CreditInvoice) -> bytes:
    """Issues a credit note of the whole invoice, or of the lines given, and answers with it.

    Raises `Conflict` on a draft and where the invoice is credited already, `Invalid` for more than is left of it.
    """
    invoice = lock(uow.session, Invoice, request.id, ABSENT[Invoice])
    refuse_existing(uow.session, CreditNote, request.credit_note_id)
    if invoice.status == "draft":
        raise Conflict("Cette facture n’est pas émise\u202f: modifiez-la ou supprimez-la.", code="wrong_status")
    if invoice.credited >= invoice.total_incl_tax:
        raise Conflict("Cette facture est déjà entièrement annulée par avoir.", code="credited")
    if request.body.lines is None and invoice.credited:
        raise Conflict(
            "Une partie de cette facture a déjà fait l’objet d’un avoir\u202f: indiquez les lignes à créditer.",
            code="partly_credited",
        )
    bodies = lines_of(uow, invoice) if request.body.lines is None else request.body.lines
    row = following_document(
        uow,
        CreditNote,
        invoice,
        request.credit_note_id,
        invoice_id=invoice.id,
        reason=request.body.reason,
        title=f"Avoir sur la facture {invoice.number}",
        notes="",
    )
    store(uow, row, line_rows(CreditNote, row.id, bodies))
    if request.body.lines is None:
        _same_totals(row, invoice)
    _issue(uow, row, invoice, list(request.parties))
    return queries.get_credit_note(uow.session, row.id)


def _same_totals(row: CreditNote, invoice: Invoice) -> None:
    """The whole of an invoice is its very totals, also those another system had computed its own way."""
    row.total_excl_tax, row.total_tax = invoice.total_excl_tax, invoice.total_tax
    row.total_other_taxes, row.total_incl_tax = invoice.total_other_taxes, invoice.total_incl_tax
    row.taxes = invoice.taxes


def issue_credit_note(uow: UnitOfWork, request: c.IssueCreditNote) -> bytes:
    """Numbers and freezes a draft. Raises `Stale`, `Conflict` when it is none, `Invalid` telling what lacks."""
    found = uow.session.get(CreditNote, request.id)
    # The invoice is always locked before its credit note.
    invoice = lock(uow.session, Invoice, found.invoice_id) if found is not None and found.invoice_id else None
    row = lock(uow.session, CreditNote, request.id, ABSENT[CreditNote])
    check_version(row, request.expected_version)
    if row.status != "draft":
        raise Conflict("Cet avoir est déjà émis.", code="issued")
    _issue(uow, row, invoice, list(request.parties))
    return queries.get_credit_note(uow.session, row.id)


def _issue(uow: UnitOfWork, row: CreditNote, invoice: Invoice | None, parties: list[c.Party]) -> None:
    if invoice is not None:
        refuse_deducted(uow, invoice)
    if row.total_incl_tax <= 0:
        raise Invalid.field("lines", "Le total d’un avoir doit être positif.")
    if invoice is not None and row.total_incl_tax > invoice.total_incl_tax - invoice.credited:
        raise Invalid.field("lines", "Un avoir ne peut pas dépasser ce qui reste de la facture.")
    freeze(uow, row, parties)
    if invoice is not None and invoice.frozen:
        # What is corrected was billed to this party, whatever its record says now.
        row.payer_id = invoice.payer_id
        kept = {name: invoice.frozen[name] for name in ("payer", "client", "operations") if name in invoice.frozen}
        row.frozen = (row.frozen or {}) | kept
    row.status = "issued"
    touch(uow, row)
    # Locked before the counter, so that nobody waits for the counter because a quote is being edited.
    quote = lock(uow.session, Quote, invoice.quote_id) if invoice is not None and invoice.quote_id else None
    number_credit_note(uow, row, invoice)
    if invoice is not None:
        _set_against(uow, row, invoice, quote)
    uow.emit(
        c.CreditNoteIssued(
            **document_facts(uow, row),
            invoice_id=row.invoice_id,
            invoice_number=invoice.number if invoice else None,
        )
    )


def _set_against(uow: UnitOfWork, row: CreditNote, invoice: Invoice, quote: Quote | None) -> None:
    """Sets the credit against what is still due on its invoice; the rest stays usable."""
    invoice.credited += row.total_incl_tax
    due = min(row.total_incl_tax, remaining(invoice))
    if due > Decimal(0):
        pay(uow, invoice, row, due, row.dated_on, CREDIT_MEANS)
    else:
        refresh_status(uow, invoice)
    if invoice.status == "cancelled":
        claim_works(uow, invoice)
        if quote is not None:
            refresh_invoiced(uow, quote)
