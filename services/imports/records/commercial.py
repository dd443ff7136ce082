"""Quotes, invoices, credit notes, payments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from services.imports.records.base import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """A line of a quote, invoice or credit note. Totals are those of the source, never computed again.

    `kind` is line, or section for a title without an amount. A unit price is never negative: the quantity is.
    """

    label: str
    kind: str = "line"
    quantity: Decimal = Decimal(1)
    unit_price: Decimal = Decimal(0)
    discount_percent: Decimal = Decimal(0)
    vat_rate: Decimal = Decimal(0)
    total_excl_tax: Decimal = Decimal(0)
    total_tax: Decimal = Decimal(0)
    total_incl_tax: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommercialDocument(Record):
    """What quotes, invoices and credit notes have in common. `number` is None on a draft that has none yet.

    `total_other_taxes` (local taxes, revenue stamp) is in `total_incl_tax` and not in `total_tax`.
    """

    client_ref: str
    number: str | None
    status: str
    issued_on: date | None
    lines: tuple[DocumentLine, ...]
    total_excl_tax: Decimal
    total_tax: Decimal
    total_incl_tax: Decimal
    total_other_taxes: Decimal = Decimal(0)
    currency: str = "EUR"
    client_reference: str | None = None
    job_site_ref: str | None = None
    intervention_refs: tuple[str, ...] = ()
    address_ref: str | None = None
    title: str = ""
    notes: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote(CommercialDocument):
    """A quote; `status` is draft, finalised, sent, accepted, refused, cancelled or invoiced."""

    valid_until: date | None = None
    decided_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice(CommercialDocument):
    """An invoice; `kind` is standard, replacement, deposit or progress.

    `status` is draft, issued, paid or cancelled (given up).
    """

    kind: str = "standard"
    due_on: date | None = None
    quote_ref: str | None = None
    replaces_ref: str | None = None
    close_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote(CommercialDocument):
    """A credit note, totals positive; `invoice_ref` is what it corrects."""

    invoice_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment(Record):
    """Money put on one invoice (or, `on_credit_note`, paid back on a credit note)."""

    document_ref: str
    amount: Decimal
    paid_on: date
    means: str | None = None
    reference: str | None = None
    on_credit_note: bool = False
