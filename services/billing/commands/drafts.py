"""Drafts of the three kinds: begun, changed, thrown away."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select

from chassis.errors import Conflict
from chassis.ids import new_id
from chassis.stamp import apply_changes, check_version, lock, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts import billing as c
from services.billing import queries
from services.billing.commands.facts import ABSENT, Row, document_facts, refuse_existing, today
from services.billing.commands.works import claim_works, give_back_works
from services.billing.model import CreditNote, CreditNoteLine, Invoice, InvoiceLine, Quote, QuoteLine
from services.billing.model.money import set_totals, totals

LINES: dict[type[Any], type[Any]] = {Quote: QuoteLine, Invoice: InvoiceLine, CreditNote: CreditNoteLine}
FROZEN = "Ce document est numéroté\u202f: il ne change plus. Corrigez-le par un avoir ou un nouveau document."
_OWN = frozenset({"lines", "intervention_id", "intervention_ids"})


def new_document(uow: UnitOfWork, kind: type[Row], home: uuid.UUID, written: uuid.UUID, /, **values: Any) -> Row:
    """A draft's row with what every document begins with; `values` come over it."""
    begun: dict[str, Any] = {
        "id": new_id(),
        "status": "draft",
        "dated_on": today(uow),
        "currency": "EUR",
        "total_other_taxes": 0,
        "imported": False,
        "intervention_ids": [],
    }
    own: dict[type[Any], dict[str, Any]] = {
        Quote: {"invoiced": 0},
        Invoice: {"paid": 0, "credited": 0, "close_reason": ""},
        CreditNote: {"used": 0},
    }
    return kind(home_client_id=home, written_client_id=written, **stamp_new(uow), **begun | own[kind] | values)


#: What a document that follows from another takes over as it stands there.
_TAKEN_OVER = ("client_reference", "vat_mention", "operations", "job_site_id", "address_id", "currency")


def following_document(
    uow: UnitOfWork, kind: type[Row], source: Quote | Invoice, identifier: uuid.UUID | None, /, **values: Any
) -> Row:
    """A draft's row that follows from another document of the same client; `values` come over what it takes over."""
    taken = {name: getattr(source, name) for name in _TAKEN_OVER}
    taken["intervention_ids"] = list(source.intervention_ids or [])
    own = {"id": identifier} if identifier else {}
    return new_document(uow, kind, source.home_client_id, source.home_client_id, **taken | own | values)


def line_rows(kind: type[Any], document_id: uuid.UUID, lines: Sequence[Any], **extra: Sequence[Any]) -> list[Any]:
    """Rows of lines in order; `extra` gives further columns, one value a line."""
    return [
        LINES[kind](
            id=new_id(),
            document_id=document_id,
            position=position,
            kind=line.kind,
            label=line.label,
            quantity=line.quantity,
            unit_price=line.unit_price,
            discount_percent=line.discount_percent,
            vat_rate=line.vat_rate,
            **{name: values[position] for name, values in extra.items()},
        )
        for position, line in enumerate(lines)
    ]


def store(uow: UnitOfWork, row: Any, lines: Sequence[Any], taxes: Mapping[Decimal, Decimal] | None = None) -> None:
    """Computes totals (`taxes`: the VAT of rates that it is known of) and writes a new document with its lines."""
    set_totals(row, lines, totals(lines, taxes))
    uow.session.add(row)
    uow.session.flush()
    uow.session.add_all(lines)
    uow.session.flush()


def lines_of(uow: UnitOfWork, row: Quote | Invoice | CreditNote) -> list[Any]:
    """A document's lines in order."""
    line = LINES[type(row)]
    return list(uow.session.scalars(select(line).where(line.document_id == row.id).order_by(line.position)))


def _works(body: Any) -> list[str]:
    """Interventions that a body names, once each, the single one first."""
    named = [body.intervention_id] if body.intervention_id else []
    return list(dict.fromkeys(str(identifier) for identifier in [*named, *getattr(body, "intervention_ids", [])]))


def _create(uow: UnitOfWork, kind: type[Row], request: Any, **values: Any) -> Row:
    body = request.body
    refuse_existing(uow.session, kind, request.id)
    row = new_document(
        uow,
        kind,
        request.home_client_id,
        request.written_client_id,
        **body.model_dump(exclude=set(_OWN)),
        **({"id": request.id} if request.id else {}),
        intervention_ids=_works(body),
        **values,
    )
    store(uow, row, line_rows(kind, row.id, body.lines))
    return row


def create_quote(uow: UnitOfWork, request: c.CreateQuote) -> bytes:
    """Begins a quote."""
    row = _create(uow, Quote, request)
    uow.emit(c.QuoteCreated(**document_facts(uow, row)))
    return queries.get_quote(uow.session, row.id)


def create_invoice(uow: UnitOfWork, request: c.CreateInvoice) -> bytes:
    """Begins an invoice. Raises `Conflict` for work that is billed already."""
    row = _create(uow, Invoice, request)
    claim_works(uow, row)
    uow.emit(c.InvoiceCreated(**document_facts(uow, row)))
    return queries.get_invoice(uow.session, row.id)


def create_credit_note(uow: UnitOfWork, request: c.CreateCreditNote) -> bytes:
    """Begins a credit note. Raises `Invalid` where its invoice is not the client's own and issued."""
    from services.billing.commands.credit_notes import check_invoice

    check_invoice(uow, request.body.invoice_id, request.home_client_id)
    row = _create(uow, CreditNote, request)
    return queries.get_credit_note(uow.session, row.id)


def _update(uow: UnitOfWork, kind: type[Row], request: Any) -> Row | None:
    """The changed row, None where nothing differs."""
    row = lock(uow.session, kind, request.id, ABSENT[kind])
    check_version(row, request.expected_version)
    if row.status != "draft":
        raise Conflict(FROZEN, code="issued")
    changes = request.changes
    named = changes.model_fields_set
    changed = apply_changes(row, changes, skip=_OWN)
    if named & {"intervention_id", "intervention_ids"}:
        works = _works(changes)
        if works != row.intervention_ids:
            row.intervention_ids = works
            changed.add("intervention_ids")
    if "lines" in named:
        _replace_lines(uow, row, changes.lines)
        changed.add("lines")
    if not changed:
        return None
    touch(uow, row)
    uow.session.flush()
    return row


def _replace_lines(uow: UnitOfWork, row: Any, bodies: Sequence[Any]) -> None:
    kind = type(row)
    if isinstance(row, Invoice) and row.quote_id is not None:
        raise Conflict(
            "Cette facture est faite d’un devis\u202f: ses lignes sont celles du devis. Supprimez le brouillon "
            "et facturez d’autres lignes.",
            code="made_of_quote",
        )
    lines = line_rows(kind, row.id, bodies)
    set_totals(row, lines, totals(lines))
    uow.session.execute(delete(LINES[kind]).where(LINES[kind].document_id == row.id))
    uow.session.add_all(lines)


def update_quote(uow: UnitOfWork, request: c.UpdateQuote) -> bytes:
    """Changes a draft. Raises `Stale`, `Conflict` when it is numbered."""
    row = _update(uow, Quote, request)
    if row is not None:
        uow.emit(c.QuoteUpdated(**document_facts(uow, row)))
    return queries.get_quote(uow.session, request.id)


def update_invoice(uow: UnitOfWork, request: c.UpdateInvoice) -> bytes:
    """Changes a draft. Raises `Stale`, `Conflict` when it is issued."""
    row = _update(uow, Invoice, request)
    if row is not None:
        claim_works(uow, row)
        uow.emit(c.InvoiceUpdated(**document_facts(uow, row)))
    return queries.get_invoice(uow.session, request.id)


def update_credit_note(uow: UnitOfWork, request: c.UpdateCreditNote) -> bytes:
    """Changes a draft. Raises `Stale`, `Conflict` when it is issued."""
    _update(uow, CreditNote, request)
    return queries.get_credit_note(uow.session, request.id)


def delete_draft(uow: UnitOfWork, request: c.DeleteDraft) -> bytes:
    """Throws a draft away; lines of a quote that it billed can be invoiced again. Raises `Conflict` otherwise."""
    from services.billing.commands.invoicing import refresh_invoiced

    kinds: dict[str, type[Any]] = {"quote": Quote, "invoice": Invoice, "credit_note": CreditNote}
    kind = kinds[request.kind]
    row = lock(uow.session, kind, request.id, ABSENT[kind])
    check_version(row, request.expected_version)
    if row.status != "draft" or row.number is not None:
        raise Conflict("Seul un brouillon peut être supprimé.", code="issued")
    facts = document_facts(uow, row)
    quote_id = getattr(row, "quote_id", None)
    uow.session.delete(row)
    uow.session.flush()
    # The quote before the works: in the order in which an invoice of it takes them.
    quote = lock(uow.session, Quote, quote_id) if quote_id is not None else None
    if isinstance(row, Invoice):
        give_back_works(uow, row)
    if quote is not None:
        refresh_invoiced(uow, quote)
    if kind is Quote:
        uow.emit(c.QuoteDeleted(**facts))
    elif kind is Invoice:
        uow.emit(c.InvoiceDeleted(**facts))
    return b"{}"
