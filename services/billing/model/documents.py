"""Quotes, invoices, credit notes, their lines and payments.

Amounts are `numeric` without a fixed scale: ours are always to the cent, those of another system keep every digit.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, Numeric, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from chassis.tables import StampedMixin
from services.billing.model.parties import Base
from services.kit.erased import Erased, Nobodys, texts
from services.kit.model import HomeMixin
from services.kit.uses import Source


def _amount() -> Any:
    return mapped_column(Numeric(), server_default=text("0"))


_KEPT = (
    "number", "status", "vat_mention", "operations", "intervention_ids", "currency", "taxes", "hash", "previous_hash",
)  # fmt: skip
#: Issued documents and their vouchers are kept for ten years (code de commerce, L123-22; LPF, L102 B).
_NUMBERED = "{x}.number IS NOT NULL OR ({x}.imported AND {x}.status <> 'draft')"
_INVOICED = f"SELECT 1 FROM invoice i WHERE i.quote_id = {{x}}.id AND ({_NUMBERED.format(x='i')})"


class DocumentMixin(StampedMixin, HomeMixin):
    """What the three kinds have in common. `dated_on` is the day it was begun, then the day of its number."""

    number: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default="draft")
    title: Mapped[str] = mapped_column(server_default="")
    #: A client's id, frozen with the document; null while a draft.
    payer_id: Mapped[uuid.UUID | None]
    dated_on: Mapped[date]
    issued_on: Mapped[date | None]
    client_reference: Mapped[str] = mapped_column(server_default="")
    notes: Mapped[str] = mapped_column(server_default="")
    #: Why lines at 0 % bear no VAT, where it is not the company's usual reason (CGI, ann. II, 242 nonies A, I, 12°).
    vat_mention: Mapped[str] = mapped_column(server_default="")
    #: What is sold, where it is not what the company usually sells (CGI, ann. II, 242 nonies A, I, 6° bis).
    operations: Mapped[str | None]
    intervention_ids: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    job_site_id: Mapped[uuid.UUID | None]
    address_id: Mapped[uuid.UUID | None]
    currency: Mapped[str] = mapped_column(server_default="EUR")
    total_excl_tax: Mapped[Decimal] = _amount()
    total_tax: Mapped[Decimal] = _amount()
    total_other_taxes: Mapped[Decimal] = _amount()
    total_incl_tax: Mapped[Decimal] = _amount()
    #: `[{"rate", "base", "tax"}]`, decimals as strings.
    taxes: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    imported: Mapped[bool] = mapped_column(server_default=text("false"))
    sent_at: Mapped[datetime | None]
    #: What was billed, to whom, by whom, as it was when the number was given.
    frozen: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    hash: Mapped[str | None]
    previous_hash: Mapped[str | None]

    @classmethod
    def indexes(cls, name: str) -> tuple[Any, ...]:
        """Indexes and checks of each of the three tables."""
        return (
            Index(f"uq_{name}_number", "number", unique=True),
            Index(f"ix_{name}_home", "home_client_id", "dated_on", "id"),
            Index(f"ix_{name}_dated", "dated_on", "id"),
            Index(f"ix_{name}_job_site", "job_site_id", postgresql_where=text("job_site_id IS NOT NULL")),
            CheckConstraint(
                "number IS NOT NULL OR imported OR status IN ('draft', 'cancelled')",
                name="numbered",
            ),
            CheckConstraint("operations IN ('goods', 'services', 'mixed')", name="operations"),
        )


class Quote(DocumentMixin, Base):  # type: ignore[valid-type,misc]
    """A quote (*devis*). `invoiced` is what of it, without tax, stands on invoices."""

    __tablename__ = "quote"
    __erased__ = Erased(
        texts("title", "client_reference", "notes", frozen="NULL"), kept=_KEPT, unless=f"EXISTS ({_INVOICED})"
    )
    valid_until: Mapped[date | None]
    decided_on: Mapped[date | None]
    invoiced: Mapped[Decimal] = _amount()

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return (
            *cls.indexes("quote"),
            CheckConstraint(
                "status IN ('draft', 'finalised', 'sent', 'accepted', 'refused', 'cancelled', 'invoiced')",
                name="status",
            ),
        )


class Invoice(DocumentMixin, Base):  # type: ignore[valid-type,misc]
    """An invoice. `paid` is money received and credits used on it, `credited` what credit notes correct of it."""

    __tablename__ = "invoice"
    __erased__ = Erased(
        texts("title", "client_reference", "notes", "close_reason", frozen="NULL"),
        kept=(*_KEPT, "kind"),
        unless=_NUMBERED,
    )
    kind: Mapped[str] = mapped_column(server_default="standard")
    due_on: Mapped[date | None]
    #: When it was delivered or done, or the deposit paid (CGI, ann. II, 242 nonies A, I, 10°).
    supplied_on: Mapped[date | None]
    quote_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("quote.id"), index=True)
    replaces_id: Mapped[uuid.UUID | None]
    paid: Mapped[Decimal] = _amount()
    credited: Mapped[Decimal] = _amount()
    close_reason: Mapped[str] = mapped_column(server_default="")

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return (
            *cls.indexes("invoice"),
            Index(
                "ix_invoice_open",
                "due_on",
                "home_client_id",
                postgresql_where=text("status IN ('issued', 'sent', 'partly_paid')"),
            ),
            CheckConstraint("status IN ('draft', 'issued', 'sent', 'partly_paid', 'paid', 'cancelled')", name="status"),
            CheckConstraint("imported OR status = 'draft' OR credited <= total_incl_tax", name="credited_within_total"),
        )


class CreditNote(DocumentMixin, Base):  # type: ignore[valid-type,misc]
    """A credit note (*avoir*), amounts positive. `used` is what was set against invoices or paid back."""

    __tablename__ = "credit_note"
    __erased__ = Erased(
        texts("title", "client_reference", "notes", "reason", frozen="NULL"), kept=_KEPT, unless=_NUMBERED
    )
    invoice_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("invoice.id"), index=True)
    reason: Mapped[str] = mapped_column(server_default="")
    used: Mapped[Decimal] = _amount()

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return (
            *cls.indexes("credit_note"),
            CheckConstraint("status IN ('draft', 'issued', 'used', 'cancelled')", name="status"),
            CheckConstraint("imported OR status = 'draft' OR used <= total_incl_tax", name="used_within_total"),
        )


class LineMixin:
    """A line. Its totals add up to the document's; the last line of a VAT rate bears what rounding leaves."""

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(server_default="line")
    label: Mapped[str]
    quantity: Mapped[Decimal] = _amount()
    unit_price: Mapped[Decimal] = _amount()
    discount_percent: Mapped[Decimal] = _amount()
    vat_rate: Mapped[Decimal] = _amount()
    total_excl_tax: Mapped[Decimal] = _amount()
    total_tax: Mapped[Decimal] = _amount()
    total_incl_tax: Mapped[Decimal] = _amount()


class QuoteLine(LineMixin, Base):  # type: ignore[valid-type,misc]
    """A line of a quote."""

    __tablename__ = "quote_line"
    __erased__ = Erased(texts("label"), kept=("kind",), homes=(), parents=(("quote", "document_id"),))
    document_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("quote.id", ondelete="CASCADE"))
    __table_args__ = (Index("ix_quote_line_document", "document_id", "position"),)


class InvoiceLine(LineMixin, Base):  # type: ignore[valid-type,misc]
    """A line of an invoice; `quote_line_id` is the quote's line it bills, `deducts_id` the deposit it takes off."""

    __tablename__ = "invoice_line"
    __erased__ = Erased(texts("label"), kept=("kind",), homes=(), parents=(("invoice", "document_id"),))
    document_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("invoice.id", ondelete="CASCADE"))
    quote_line_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    deducts_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    __table_args__ = (Index("ix_invoice_line_document", "document_id", "position"),)


class BilledWork(Base):  # type: ignore[valid-type,misc]
    """An intervention that is billed: its key is what keeps two invoices from billing the same work.

    `holder_id` is the quote, of which several invoices may bill a part each, or else the invoice itself.
    """

    __tablename__ = "billed_work"
    __erased__ = Nobodys("ids")
    intervention_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    holder_id: Mapped[uuid.UUID] = mapped_column(index=True)


class CreditNoteLine(LineMixin, Base):  # type: ignore[valid-type,misc]
    """A line of a credit note."""

    __tablename__ = "credit_note_line"
    __erased__ = Erased(texts("label"), kept=("kind",), homes=(), parents=(("credit_note", "document_id"),))
    document_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("credit_note.id", ondelete="CASCADE"))
    __table_args__ = (Index("ix_credit_note_line_document", "document_id", "position"),)


class Payment(StampedMixin, Base):  # type: ignore[valid-type,misc]
    """Money in on an invoice; back out on a credit note; or, with both, a credit note's rest used on an invoice."""

    __tablename__ = "payment"
    __erased__ = Nobodys("of issued invoices and credit notes: kept with them")
    invoice_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("invoice.id"), index=True)
    credit_note_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("credit_note.id"), index=True)
    amount: Mapped[Decimal] = mapped_column(Numeric())
    paid_on: Mapped[date]
    means: Mapped[str] = mapped_column(server_default="")
    reference: Mapped[str] = mapped_column(server_default="")
    imported: Mapped[bool] = mapped_column(server_default=text("false"))
    #: A payment entered by mistake: kept, told, and counted no more.
    cancelled_at: Mapped[datetime | None]
    cancelled_by_name: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("invoice_id IS NOT NULL OR credit_note_id IS NOT NULL", name="on_something"),
        CheckConstraint("imported OR amount > 0", name="positive"),
    )


#: Rows that name an address of a client.
ADDRESS_USES = (
    Source("quotes", "quote"),
    Source("invoices", "invoice"),
    Source("credit_notes", "credit_note"),
    Source("billing", "billing_details", column="billing_address_id"),
)
