"""Documents and payments of another system, taken in to the digit."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from contracts.base import Command, Day, DecimalText, Id, Line, Model, Moment, Name, Text
from contracts.billing.parties import Party
from contracts.billing.shapes import InvoiceKind, Kind


class ImportedLine(Model):
    """A line with the source's own totals, never computed again."""

    kind: Literal["line", "section"] = "line"
    label: str = Field(max_length=100_000)
    quantity: DecimalText = Decimal(1)
    unit_price: DecimalText = Decimal(0)
    discount_percent: DecimalText = Decimal(0)
    vat_rate: DecimalText = Decimal(0)
    total_excl_tax: DecimalText = Decimal(0)
    total_tax: DecimalText = Decimal(0)
    total_incl_tax: DecimalText = Decimal(0)


class ImportedPayment(Model):
    """A payment of the source, with its own date and amount."""

    id: Id | None = None
    amount: DecimalText
    paid_on: Day
    means: Line = ""
    reference: Line = ""


class ImportedDocument(Model):
    """A document as another system has it: number, dates and totals are kept to the digit."""

    kind: Kind
    number: Name | None = None
    status: Line
    title: Line = ""
    issued_on: Day | None = None
    valid_until: Day | None = None
    decided_on: Day | None = None
    due_on: Day | None = None
    created_at: Moment | None = None
    lines: list[ImportedLine] = Field(default_factory=list, max_length=10_000)
    total_excl_tax: DecimalText
    total_tax: DecimalText
    total_incl_tax: DecimalText
    total_other_taxes: DecimalText = Decimal(0)
    currency: str = Field(default="EUR", min_length=3, max_length=3)
    client_reference: Line = ""
    notes: Text = ""
    intervention_ids: list[Id] = Field(default_factory=list, max_length=200)
    job_site_id: Id | None = None
    address_id: Id | None = None
    invoice_kind: InvoiceKind = "standard"
    quote_id: Id | None = None
    invoice_id: Id | None = None
    replaces_id: Id | None = None
    close_reason: Line = ""
    payer: Party | None = None
    payments: list[ImportedPayment] = Field(default_factory=list, max_length=1000)


class ImportDocument(Command):
    """Takes a document of another system in as it is. It takes no number of ours and enters no chain.

    Repeated with the same id it changes nothing.
    """

    rpc: ClassVar[str] = "billing.import_document"
    id: Id
    home_client_id: Id
    written_client_id: Id
    document: ImportedDocument


class ImportPayment(Command):
    """Takes a payment of another system in. Repeated with the same id it changes nothing."""

    rpc: ClassVar[str] = "billing.import_payment"
    id: Id
    document_id: Id
    on_credit_note: bool = False
    payment: ImportedPayment
