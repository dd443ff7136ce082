"""How clients are billed, quotes, invoices, credit notes, payments → billing, as the source has them."""

from __future__ import annotations

import uuid
from typing import Literal

from contracts import billing as c
from services.imports import records
from services.imports.targets.base import Order, Resolver

_LINE = 300


def details(record: records.Billing, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """How a client is billed; what the source does not say is not touched."""
    home = resolver.home(record.client_ref)
    said = {
        name: value
        for name in ("billing_name", "payment_terms", "payment_means", "iban", "accounting_account")
        if (value := getattr(record, name)) is not None
    }
    if (address := resolver.find(record.billing_address_ref)) is not None:
        said["billing_address_id"] = address
    request = c.UpdateDetails(
        home_client_id=home.home, written_client_id=home.written, changes=c.DetailsChanges(**said)
    )
    return Order("billing", "details", chosen, [request])


def quote(record: records.Quote, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """A quote."""
    document = _document(record, "quote", record.status, resolver).model_copy(
        update={"valid_until": record.valid_until, "decided_on": record.decided_on}
    )
    return _order(record, "quote", chosen, document, resolver)


def invoice(record: records.Invoice, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """An invoice, with the quote it was made of and the one it replaces."""
    document = _document(record, "invoice", record.status, resolver).model_copy(
        update={
            "due_on": record.due_on,
            "invoice_kind": record.kind,
            "quote_id": resolver.find(record.quote_ref),
            "replaces_id": resolver.find(record.replaces_ref),
            "close_reason": (record.close_reason or "")[:_LINE],
        }
    )
    return _order(record, "invoice", chosen, document, resolver)


def credit_note(record: records.CreditNote, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """A credit note; one that its source calls paid has been used."""
    status = "used" if record.status == "paid" else record.status
    document = _document(record, "credit_note", status, resolver).model_copy(
        update={"invoice_id": resolver.find(record.invoice_ref)}
    )
    return _order(record, "credit_note", chosen, document, resolver)


def _document(record: records.CommercialDocument, kind: c.Kind, status: str, resolver: Resolver) -> c.ImportedDocument:
    return c.ImportedDocument(
        kind=kind,
        number=record.number,
        status=status,
        title=record.title,
        issued_on=record.issued_on,
        created_at=record.created_at,
        lines=[_line(line) for line in record.lines],
        total_excl_tax=record.total_excl_tax,
        total_tax=record.total_tax,
        total_other_taxes=record.total_other_taxes,
        total_incl_tax=record.total_incl_tax,
        currency=record.currency,
        client_reference=record.client_reference or "",
        notes=record.notes,
        intervention_ids=resolver.many(record.intervention_refs),
        job_site_id=resolver.find(record.job_site_ref),
        address_id=resolver.find(record.address_ref),
    )


def _line(line: records.DocumentLine) -> c.ImportedLine:
    kind: Literal["line", "section"] = "section" if line.kind == "section" else "line"
    return c.ImportedLine(
        kind=kind,
        label=line.label,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount_percent=line.discount_percent,
        vat_rate=line.vat_rate,
        total_excl_tax=line.total_excl_tax,
        total_tax=line.total_tax,
        total_incl_tax=line.total_incl_tax,
    )


def _order(
    record: records.CommercialDocument,
    kind: c.Kind,
    chosen: uuid.UUID,
    document: c.ImportedDocument,
    resolver: Resolver,
) -> Order:
    home = resolver.home(record.client_ref)
    request = c.ImportDocument(id=chosen, home_client_id=home.home, written_client_id=home.written, document=document)
    return Order("billing", kind, chosen, [request])


def payment(record: records.Payment, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """What one payment put on one document."""
    request = c.ImportPayment(
        id=chosen,
        document_id=resolver.need(record.document_ref, "le document"),
        on_credit_note=record.on_credit_note,
        payment=c.ImportedPayment(
            id=chosen,
            amount=record.amount,
            paid_on=record.paid_on,
            means=record.means or "",
            reference=record.reference or "",
        ),
    )
    return Order("billing", "payment", chosen, [request])
