"""Documents and payments of another system, taken in to the digit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import select

from chassis.errors import Conflict, Invalid
from chassis.stamp import lock
from chassis.uow import UnitOfWork
from contracts import billing as c
from services.billing import queries
from services.billing.commands.drafts import line_rows, new_document
from services.billing.commands.facts import ABSENT, document_facts, today
from services.billing.commands.payments import pay
from services.billing.commands.works import claim_works
from services.billing.model import CreditNote, Invoice, Payment, Quote
from services.billing.model.money import tidy

_KINDS: dict[str, type[Any]] = {"quote": Quote, "invoice": Invoice, "credit_note": CreditNote}
_STATUS = {
    "quote": ("draft", "finalised", "sent", "accepted", "refused", "cancelled", "invoiced"),
    "invoice": ("draft", "issued", "sent", "partly_paid", "paid", "cancelled"),
    "credit_note": ("draft", "issued", "used", "cancelled"),
}
_READ = {
    "quote": queries.get_quote,
    "invoice": queries.get_invoice,
    "credit_note": queries.get_credit_note,
}


def import_document(uow: UnitOfWork, request: c.ImportDocument) -> bytes:
    """Takes a document in with the source's number, dates and totals, also where its lines add up to other ones.

    It takes no number of ours and enters no chain. One that is there already stays as it is. Raises `Conflict` when
    another document of the kind bears the number.
    """
    document = request.document
    kind = _KINDS[document.kind]
    if uow.session.get(kind, request.id) is None:
        row = _row(uow, request, kind)
        uow.session.add(row)
        uow.session.flush()
        lines = line_rows(kind, row.id, document.lines)
        for line, given in zip(lines, document.lines, strict=True):
            for name in ("total_excl_tax", "total_tax", "total_incl_tax"):
                setattr(line, name, tidy(getattr(given, name)))
        uow.session.add_all(lines)
        uow.session.flush()
        if isinstance(row, Invoice):
            claim_works(uow, row, past=True)
        _tell(uow, row)
        for payment in document.payments:
            _pay(uow, row, payment)
    return _READ[document.kind](uow.session, request.id)


def _row(uow: UnitOfWork, request: c.ImportDocument, kind: type[Any]) -> Any:
    document = request.document
    status = "used" if document.kind == "credit_note" and document.status == "paid" else document.status
    if status not in _STATUS[document.kind]:
        raise Invalid.field("status", f"Valeurs possibles\u202f: {', '.join(_STATUS[document.kind])}.")
    if document.number is not None:
        same = uow.session.scalar(select(kind.id).where(kind.number == document.number))
        if same is not None:
            raise Conflict(f"Le numéro {document.number} est déjà pris.", code="number_taken", data={"id": str(same)})
    own: dict[str, dict[str, Any]] = {
        "quote": {"valid_until": document.valid_until, "decided_on": document.decided_on},
        "invoice": {
            "kind": document.invoice_kind,
            "due_on": document.due_on,
            "quote_id": _existing(uow, Quote, document.quote_id),
            "replaces_id": document.replaces_id,
            "close_reason": document.close_reason,
        },
        "credit_note": {
            "invoice_id": _existing(uow, Invoice, document.invoice_id),
            "reason": document.close_reason,
            "used": tidy(document.total_incl_tax) if status == "used" else Decimal(0),
        },
    }
    created = {"created_at": document.created_at} if document.created_at else {}
    row = new_document(uow, kind, request.home_client_id, request.written_client_id)
    values: dict[str, Any] = {
        "id": request.id,
        "number": document.number,
        "status": status,
        "title": document.title,
        "issued_on": document.issued_on if status != "draft" else None,
        "dated_on": document.issued_on or (document.created_at.date() if document.created_at else today(uow)),
        "client_reference": document.client_reference,
        "notes": document.notes,
        "intervention_ids": [str(identifier) for identifier in document.intervention_ids],
        "job_site_id": document.job_site_id,
        "address_id": document.address_id,
        "currency": document.currency,
        "total_excl_tax": tidy(document.total_excl_tax),
        "total_tax": tidy(document.total_tax),
        "total_other_taxes": tidy(document.total_other_taxes),
        "total_incl_tax": tidy(document.total_incl_tax),
        "taxes": _taxes(document),
        "imported": status != "draft",
        "payer_id": document.payer.id if document.payer else None,
        "frozen": _frozen(document),
        **own[document.kind],
        **created,
    }
    for name, value in values.items():
        setattr(row, name, value)
    if isinstance(row, Quote) and status == "invoiced":
        row.invoiced = row.total_excl_tax
    return row


def _frozen(document: c.ImportedDocument) -> dict[str, Any] | None:
    if document.status == "draft" or document.payer is None:
        return None
    payer = document.payer.model_dump(exclude={"id"})
    return {"payer": payer, "client": {"name": payer["name"]}}


def _existing(uow: UnitOfWork, kind: type[Any], identifier: Any) -> Any:
    """The id if the document is here: what it points to may have been refused by the import."""
    return identifier if identifier is not None and uow.session.get(kind, identifier) is not None else None


def _taxes(document: c.ImportedDocument) -> list[dict[str, str]]:
    """VAT by rate as the lines say; nothing where they do not add up to the header, which counts."""
    rates: dict[Decimal, tuple[Decimal, Decimal]] = {}
    for line in document.lines:
        base, tax = rates.get(line.vat_rate.normalize(), (Decimal(0), Decimal(0)))
        rates[line.vat_rate.normalize()] = (base + line.total_excl_tax, tax + line.total_tax)
    if sum((tax for _, tax in rates.values()), Decimal(0)) != document.total_tax:
        return []
    return [
        {"rate": f"{rate:f}", "base": f"{tidy(base):f}", "tax": f"{tidy(tax):f}"}
        for rate, (base, tax) in sorted(rates.items(), reverse=True)
        if base or tax
    ]


def _tell(uow: UnitOfWork, row: Any) -> None:
    """What others keep of it: as news of the state it came in with, marked as imported."""
    facts = document_facts(uow, row) | {"imported": True}
    if isinstance(row, Quote):
        uow.emit(c.QuoteCreated(**facts))
    elif isinstance(row, Invoice):
        uow.emit(c.InvoiceCreated(**facts) if row.status == "draft" else c.InvoiceIssued(**facts))
    elif row.status != "draft":
        uow.emit(c.CreditNoteIssued(**facts, invoice_id=row.invoice_id, invoice_number=None))


def import_payment(uow: UnitOfWork, request: c.ImportPayment) -> bytes:
    """Takes a payment in; one that is there already stays as it is. Raises `NotFound` without its document."""
    kind: type[Any] = CreditNote if request.on_credit_note else Invoice
    row = lock(uow.session, kind, request.document_id, ABSENT[kind])
    _pay(uow, row, request.payment.model_copy(update={"id": request.id}))
    return _READ["credit_note" if request.on_credit_note else "invoice"](uow.session, row.id)


def _pay(uow: UnitOfWork, row: Any, payment: c.ImportedPayment) -> None:
    if payment.id is not None and uow.session.get(Payment, payment.id) is not None:
        return
    if isinstance(row, Quote):
        raise Invalid.field("payments", "Un devis ne reçoit pas de règlement.")
    note = row if isinstance(row, CreditNote) else None
    if note is not None and note.status == "used":
        # Its source had closed it: it was counted as used up when it came in, this says how.
        note.used = max(note.used - payment.amount, Decimal(0))
    pay(
        uow,
        None if note is not None else row,
        note,
        tidy(payment.amount),
        payment.paid_on,
        payment.means,
        payment.reference,
        payment.id,
        imported=True,
    )
