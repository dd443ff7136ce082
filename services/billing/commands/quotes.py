"""A quote's life: draft → finalised → sent → accepted | refused | cancelled → invoiced."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import func, select

from chassis.errors import Conflict, Invalid
from chassis.ids import new_id
from chassis.stamp import lock, touch
from chassis.uow import UnitOfWork
from contracts import billing as c
from services.billing import queries
from services.billing.commands.content import buyer_of, content, name_of, own_content
from services.billing.commands.drafts import line_rows, lines_of, new_document, store
from services.billing.commands.facts import ABSENT, document_facts, payer_of, refuse_existing, today
from services.billing.commands.files import ask_file
from services.billing.commands.numbering import give_number, refuse_unfit
from services.billing.model import Invoice, InvoiceLine, Quote
from services.kit.homes import root_of

#: Days during which an offer stands where its author says nothing.
VALID_DAYS = 30
_FROM = {
    "sent": ("finalised",),
    "accepted": ("finalised", "sent"),
    "refused": ("finalised", "sent"),
    "cancelled": ("draft", "finalised", "sent", "accepted"),
}
_WORDS = {
    "draft": "en brouillon",
    "finalised": "finalisé",
    "sent": "envoyé",
    "accepted": "accepté",
    "refused": "refusé",
    "cancelled": "annulé",
    "invoiced": "facturé",
}


def finalise_quote(uow: UnitOfWork, request: c.FinaliseQuote) -> bytes:
    """Numbers a draft. Raises `Conflict` when it is none, `Invalid` when it has no lines or a negative total."""
    row = lock(uow.session, Quote, request.id, ABSENT[Quote])
    if row.status != "draft":
        raise _forbidden(row, "finalisé")
    refuse_unfit(row, lines_of(uow, row))
    row.issued_on = row.dated_on = today(uow)
    row.valid_until = row.valid_until or row.issued_on + timedelta(days=VALID_DAYS)
    session, client = uow.session, root_of(uow.session, row.home_client_id)
    row.payer_id = payer_of(session, client)
    buyer = buyer_of(session, client, row.payer_id, None, lenient=True)
    frozen = content(session, row, lines_of(uow, row), buyer, name_of(session, client))
    row.status = "finalised"
    touch(uow, row)
    row.number, _ = give_number(uow, "D", row.issued_on.year)
    row.frozen = frozen | own_content(row, number=row.number)
    ask_file(uow, row)
    return _told(uow, row)


def move_quote(uow: UnitOfWork, identifier: uuid.UUID, to: str) -> bytes:
    """Brings a quote to the state `to`. Raises `Conflict` where its present state forbids it."""
    row = lock(uow.session, Quote, identifier, ABSENT[Quote])
    if to == "sent" and row.status == "sent":
        return queries.get_quote(uow.session, row.id)
    if row.status not in _FROM[to] or (to == "cancelled" and row.invoiced):
        raise _forbidden(row, _WORDS[to])
    row.status = to
    if to == "sent":
        row.sent_at = uow.now
    else:
        row.decided_on = today(uow)
    touch(uow, row)
    return _told(uow, row)


def open_job_site(uow: UnitOfWork, request: c.OpenJobSite) -> bytes:
    """Makes the id of the job site of an accepted quote and tells that it is wanted; a quote has one.

    Raises `Conflict` when the quote is not accepted.
    """
    row = lock(uow.session, Quote, request.id, ABSENT[Quote])
    if row.status not in ("accepted", "invoiced"):
        raise Conflict(
            f"Ce devis est {_WORDS[row.status]}\u202f: un chantier se crée à partir d’un devis accepté.",
            code="wrong_status",
            data={"status": row.status},
        )
    if row.job_site_id is None:
        row.job_site_id = new_id()
        touch(uow, row)
        uow.session.flush()
        uow.emit(c.QuoteJobSiteRequested(**document_facts(uow, row)))
    return queries.get_quote(uow.session, row.id)


def reopen_quote(uow: UnitOfWork, request: c.ReopenQuote) -> bytes:
    """Has a numbered quote wait for its answer again. Raises `Conflict` where it waits, or where some is invoiced."""
    row = lock(uow.session, Quote, request.id, ABSENT[Quote])
    if row.status not in ("accepted", "refused", "cancelled") or row.number is None or row.imported:
        raise _forbidden(row, "remis en attente")
    if _billed(uow, row):
        raise Conflict("Une partie de ce devis est déjà facturée.", code="invoiced", data={"status": row.status})
    row.status = "sent" if row.sent_at else "finalised"
    row.decided_on = None
    touch(uow, row)
    uow.session.flush()
    uow.emit(c.QuoteReopened(**document_facts(uow, row)))
    return queries.get_quote(uow.session, row.id)


def _told(uow: UnitOfWork, row: Quote) -> bytes:
    uow.session.flush()
    uow.emit(c.QUOTE_EVENTS[row.status](**document_facts(uow, row)))
    return queries.get_quote(uow.session, row.id)


def _forbidden(row: Quote, what: str) -> Conflict:
    return Conflict(
        f"Ce devis est {_WORDS[row.status]}\u202f: il ne peut pas être {what}.",
        code="wrong_status",
        data={"status": row.status},
    )


def invoice_quote(uow: UnitOfWork, request: c.InvoiceQuote) -> bytes:
    """A draft invoice of the quote's lines that stand on none yet, or of those named.

    Raises `Conflict` when the quote is not accepted or nothing is left, `Invalid` for a line that is not to be had.
    """
    quote = lock(uow.session, Quote, request.id, ABSENT[Quote])
    if quote.status != "accepted":
        raise _forbidden(quote, "facturé" if quote.status != "invoiced" else "facturé deux fois")
    refuse_existing(uow.session, Invoice, request.invoice_id)
    taken = _billed(uow, quote)
    free = [line for line in lines_of(uow, quote) if line.id not in taken]
    if request.line_ids is not None:
        wanted = set(request.line_ids)
        if not wanted or not wanted <= {line.id for line in free}:
            raise Invalid.field("line_ids", "Ces lignes ne sont pas du devis, ou sont déjà facturées.")
        free = [line for line in free if line.id in wanted]
    if not free:
        raise Conflict("Il ne reste rien à facturer de ce devis.", code="nothing_left")
    row = new_document(
        uow,
        Invoice,
        quote.home_client_id,
        quote.home_client_id,
        **({"id": request.invoice_id} if request.invoice_id else {}),
        kind="standard",
        quote_id=quote.id,
        title=quote.title,
        client_reference=quote.client_reference,
        notes=quote.notes,
        job_site_id=quote.job_site_id,
        address_id=quote.address_id,
        currency=quote.currency,
        intervention_ids=list(quote.intervention_ids or []),
    )
    store(uow, row, line_rows(Invoice, row.id, free, quote_line_id=[line.id for line in free]))
    refresh_invoiced(uow, quote)
    uow.emit(c.InvoiceCreated(**document_facts(uow, row)))
    return queries.get_invoice(uow.session, row.id)


def _billed(uow: UnitOfWork, quote: Quote) -> set[uuid.UUID]:
    """Lines of a quote that stand on an invoice which is not cancelled."""
    rows = uow.session.scalars(
        select(InvoiceLine.quote_line_id)
        .join(Invoice, Invoice.id == InvoiceLine.document_id)
        .where(Invoice.quote_id == quote.id, Invoice.status != "cancelled", InvoiceLine.quote_line_id.is_not(None))
    )
    return {identifier for identifier in rows if identifier is not None}


def refresh_invoiced(uow: UnitOfWork, quote: Quote) -> None:
    """Works out again what of a locked quote stands on invoices, and whether that is all of it."""
    if quote.imported:
        return
    uow.session.flush()
    quote.invoiced = uow.session.scalar(
        select(func.coalesce(func.sum(Invoice.total_excl_tax), Decimal("0.00"))).where(
            Invoice.quote_id == quote.id, Invoice.status != "cancelled"
        )
    ) or Decimal("0.00")
    whole = {line.id for line in lines_of(uow, quote)} <= _billed(uow, quote)
    status = "invoiced" if whole else "accepted"
    if quote.status in ("accepted", "invoiced"):
        quote.status = status
    touch(uow, quote)
    uow.session.flush()
