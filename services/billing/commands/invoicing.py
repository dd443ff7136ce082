"""From a quote to its invoices: deposits, progress, some lines, the balance; to the cent, nothing twice nor lost."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from chassis.errors import Conflict, Invalid
from chassis.stamp import lock, touch
from chassis.uow import UnitOfWork
from contracts import billing as c
from services.billing import queries
from services.billing.commands.drafts import following_document, line_rows, lines_of, store
from services.billing.commands.facts import ABSENT, document_facts, refuse_existing
from services.billing.commands.quotes import forbidden
from services.billing.commands.works import PARTS, claim_works
from services.billing.model import CreditNote, CreditNoteLine, Invoice, InvoiceLine, Quote
from services.billing.model.money import ZERO, cents

Rates = dict[Decimal, Decimal]


@dataclass(frozen=True)
class Drawn:
    """A line that no person typed: a part of a quote, or a deposit taken off."""

    label: str
    quantity: Decimal
    unit_price: Decimal
    vat_rate: Decimal
    kind: str = "line"
    discount_percent: Decimal = ZERO
    deducts_id: uuid.UUID | None = None


def invoice_quote(uow: UnitOfWork, request: c.InvoiceQuote) -> bytes:
    """A draft invoice of the quote's lines that stand on none yet, of those named, or of a part of the whole.

    The invoice of the last lines takes the deposits off. Raises `Conflict` when the quote is not accepted or nothing
    is left, `Invalid` for a line that is not to be had, or for more than is left.
    """
    quote = lock(uow.session, Quote, request.id, ABSENT[Quote])
    if quote.status != "accepted":
        raise forbidden(quote, "facturé" if quote.status != "invoiced" else "facturé deux fois")
    refuse_existing(uow.session, Invoice, request.invoice_id)
    row = following_document(
        uow,
        Invoice,
        quote,
        request.invoice_id,
        kind=request.kind or "standard",
        quote_id=quote.id,
        title=quote.title,
        notes=quote.notes,
    )
    if request.kind is None:
        _of_lines(uow, quote, row, request)
    else:
        drawn = _part(uow, quote, request)
        store(uow, row, line_rows(Invoice, row.id, drawn))
    claim_works(uow, row)
    refresh_invoiced(uow, quote)
    uow.emit(c.InvoiceCreated(**document_facts(uow, row)))
    return queries.get_invoice(uow.session, row.id)


def _of_lines(uow: UnitOfWork, quote: Quote, row: Invoice, request: c.InvoiceQuote) -> None:
    """The quote's own lines; with the last of them what was invoiced beforehand is taken off."""
    if request.percent is not None or request.amount is not None:
        raise Invalid.field("kind", "Un pourcentage ou un montant se facture en acompte ou en situation.")
    taken = billed_lines(uow, quote)
    free = [line for line in lines_of(uow, quote) if line.id not in taken]
    chosen = free
    if request.line_ids is not None:
        wanted = set(request.line_ids)
        if not wanted or not wanted <= {line.id for line in free}:
            raise Invalid.field("line_ids", "Ces lignes ne viennent pas de ce devis, ou sont déjà facturées.")
        chosen = [line for line in free if line.id in wanted]
    if not chosen:
        raise Conflict("Il ne reste rien à facturer de ce devis.", code="nothing_left")
    whole = len(chosen) == len(free)
    parts = _parts(uow, quote)
    if not whole and parts:
        left = sum(_left(uow, quote).values(), ZERO)
        if sum((line.total_excl_tax for line in chosen), ZERO) > left:
            raise Invalid.field(
                "line_ids", "Avec les acomptes, ces lignes dépassent le devis\u202f: facturez tout ce qui reste."
            )
    off = _taken_off(uow, parts) if whole else []
    if off:
        row.kind = "balance"
    lines = line_rows(
        Invoice,
        row.id,
        [*chosen, *off],
        quote_line_id=[*(line.id for line in chosen), *(None for _ in off)],
        deducts_id=[*(None for _ in chosen), *(line.deducts_id for line in off)],
    )
    store(uow, row, lines, _tax_left(uow, quote) if whole and not quote.imported else None)


def _part(uow: UnitOfWork, quote: Quote, request: c.InvoiceQuote) -> list[Drawn]:
    """A part of a quote, spread over the rates of what is left of it."""
    if request.line_ids is not None or (request.percent is None) == (request.amount is None):
        raise Invalid.field("percent", "Indiquez un pourcentage du devis, ou un montant hors taxes.")
    left = _left(uow, quote)
    sum_left = sum(left.values(), ZERO)
    percent = request.percent
    field = "amount" if percent is None else "percent"
    wanted = request.amount if percent is None else cents(quote.total_excl_tax * percent / 100)
    if sum_left <= 0 or wanted is None or wanted > sum_left:
        raise Invalid.field(field, f"Il ne reste que {_euros(max(sum_left, ZERO))} hors taxes à facturer de ce devis.")
    if wanted <= 0:
        raise Invalid.field(field, "Cette part est inférieure à un centime.")
    shares: Rates = {}
    rates = [rate for rate in sorted(left, reverse=True) if left[rate]]
    for rate in rates[:-1]:
        shares[rate] = cents(wanted * left[rate] / sum_left)
    shares[rates[-1]] = wanted - sum(shares.values(), ZERO)
    what = "Acompte" if request.kind == "deposit" else f"Situation n°\u00a0{_count(uow, quote) + 1}"
    much = f" de {_percent(percent)}" if percent is not None else ""
    several = len([rate for rate, share in shares.items() if share]) > 1
    return [
        Drawn(
            f"{what}{much} sur le devis {quote.number}" + (f", part à {_percent(rate)} de TVA" if several else ""),
            Decimal(1 if share >= 0 else -1),
            abs(share),
            rate,
        )
        for rate, share in shares.items()
        if share
    ]


def _parts(uow: UnitOfWork, quote: Quote) -> list[Invoice]:
    """What was invoiced beforehand and is taken off nowhere yet, oldest first. Raises `Conflict` for a draft of it."""
    deducted = (
        select(InvoiceLine.deducts_id)
        .join(Invoice, Invoice.id == InvoiceLine.document_id)
        .where(InvoiceLine.deducts_id.is_not(None), Invoice.quote_id == quote.id, Invoice.status != "cancelled")
    )
    parts = list(
        uow.session.scalars(
            select(Invoice)
            .where(Invoice.quote_id == quote.id, Invoice.kind.in_(PARTS), Invoice.status != "cancelled")
            .where(Invoice.id.not_in(deducted))
            .order_by(Invoice.dated_on, Invoice.number)
        )
    )
    if any(part.status == "draft" for part in parts):
        raise Conflict(
            "Un acompte de ce devis est en brouillon\u202f: émettez-le ou supprimez-le, puis facturez le reste.",
            code="deposit_draft",
        )
    return parts


def _taken_off(uow: UnitOfWork, parts: Sequence[Invoice]) -> list[Drawn]:
    """Lines that take off what deposits asked for, less what credit notes gave back of them."""
    found = []
    for part in parts:
        bases = _less(_bases(lines_of(uow, part)), _bases(_credited_lines(uow, [part.id])))
        what = "Acompte" if part.kind == "deposit" else "Situation"
        day = f" du {part.issued_on:%d/%m/%Y}" if part.issued_on else ""
        for rate, base in sorted(bases.items(), reverse=True):
            if base:
                found.append(
                    Drawn(
                        f"{what} déjà facturé{'e' if what == 'Situation' else ''}, facture {part.number}{day}",
                        Decimal(-1 if base > 0 else 1),
                        abs(base),
                        rate,
                        deducts_id=part.id,
                    )
                )
    return found


def refuse_deducted(uow: UnitOfWork, invoice: Invoice) -> None:
    """Raises `Conflict` for a deposit that another invoice takes off: crediting it too would count it twice."""
    if invoice.kind not in PARTS:
        return
    balance = uow.session.scalar(
        select(Invoice)
        .join(InvoiceLine, InvoiceLine.document_id == Invoice.id)
        .where(InvoiceLine.deducts_id == invoice.id, Invoice.status != "cancelled")
        .limit(1)
    )
    if balance is not None:
        which = f"de la facture {balance.number}" if balance.number else "d’une facture en brouillon"
        raise Conflict(
            f"Cet acompte est déduit {which}\u202f: annulez-la d’abord.",
            code="deducted",
            data={"invoice_id": str(balance.id)},
        )


def billed_lines(uow: UnitOfWork, quote: Quote) -> set[uuid.UUID]:
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
        select(func.coalesce(func.sum(Invoice.total_excl_tax), ZERO)).where(
            Invoice.quote_id == quote.id, Invoice.status != "cancelled"
        )
    ) or Decimal("0.00")
    whole = {line.id for line in lines_of(uow, quote)} <= billed_lines(uow, quote)
    status = "invoiced" if whole else "accepted"
    if quote.status in ("accepted", "invoiced"):
        quote.status = status
    touch(uow, quote)
    uow.session.flush()


# --- sums by rate ---------------------------------------------------------------------------------------------------


def _bases(lines: Iterable[Any], amount: str = "total_excl_tax") -> Rates:
    found: Rates = defaultdict(lambda: ZERO)
    for line in lines:
        if line.kind == "line":
            found[line.vat_rate.normalize()] += getattr(line, amount)
    return dict(found)


def _less(whole: Rates, part: Rates) -> Rates:
    return {rate: whole.get(rate, ZERO) - part.get(rate, ZERO) for rate in {*whole, *part}}


def _lines_of_invoices(uow: UnitOfWork, quote: Quote) -> list[InvoiceLine]:
    return list(
        uow.session.scalars(
            select(InvoiceLine)
            .join(Invoice, Invoice.id == InvoiceLine.document_id)
            .where(Invoice.quote_id == quote.id, Invoice.status != "cancelled")
        )
    )


def _left(uow: UnitOfWork, quote: Quote) -> Rates:
    """What of a quote, without tax, stands on no invoice yet."""
    return _less(_bases(lines_of(uow, quote)), _bases(_lines_of_invoices(uow, quote)))


def _credited_lines(uow: UnitOfWork, invoices: Sequence[uuid.UUID]) -> list[CreditNoteLine]:
    return list(
        uow.session.scalars(
            select(CreditNoteLine)
            .join(CreditNote, CreditNote.id == CreditNoteLine.document_id)
            .where(CreditNote.invoice_id.in_(invoices), CreditNote.status.in_(("issued", "used")))
        )
    )


def _tax_left(uow: UnitOfWork, quote: Quote) -> Rates:
    """The VAT of the quote less that of its other invoices, without what was given back of deposits."""
    left = _less(_bases(lines_of(uow, quote), "total_tax"), _bases(_lines_of_invoices(uow, quote), "total_tax"))
    parts = uow.session.scalars(
        select(Invoice.id).where(Invoice.quote_id == quote.id, Invoice.status != "cancelled", Invoice.kind.in_(PARTS))
    ).all()
    given_back = _bases(_credited_lines(uow, parts), "total_tax") if parts else {}
    return {rate: left.get(rate, ZERO) + given_back.get(rate, ZERO) for rate in {*left, *given_back}}


def _count(uow: UnitOfWork, quote: Quote) -> int:
    return (
        uow.session.scalar(
            select(func.count())
            .select_from(Invoice)
            .where(Invoice.quote_id == quote.id, Invoice.kind == "progress", Invoice.status != "cancelled")
        )
        or 0
    )


def _percent(value: Decimal) -> str:
    return f"{value.normalize():f}".replace(".", ",") + "\u202f%"


def _euros(amount: Decimal) -> str:
    return f"{amount:,.2f}\u202f€".replace(",", "\u202f").replace(".", ",")
