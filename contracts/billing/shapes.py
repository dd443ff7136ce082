"""Bodies and answers of billing. Amounts are exact decimals in euros, strings on the wire; dates are calendar days."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, PlainSerializer

from contracts.base import DecimalText, Id, Line, Model, Moment, Name, Resource, Text
from contracts.fields import Iban, Siren, Siret, VatNumber

OWNER = "billing"

QuoteStatus = Literal["draft", "finalised", "sent", "accepted", "refused", "cancelled", "invoiced"]
InvoiceStatus = Literal["draft", "issued", "sent", "partly_paid", "paid", "cancelled"]
CreditNoteStatus = Literal["draft", "issued", "used", "cancelled"]
InvoiceKind = Literal["standard", "deposit", "progress", "balance", "replacement"]
Kind = Literal["quote", "invoice", "credit_note"]

#: VAT rates of metropolitan France, Corsica and the overseas departments (CGI, articles 278 to 281 nonies, 296, 297).
VAT_RATES = tuple(Decimal(rate) for rate in ("0", "0.9", "1.05", "1.75", "2.1", "5.5", "8.5", "10", "13", "20"))

_text = PlainSerializer(lambda value: format(value, "f"), return_type=str)


def _known_rate(value: Decimal) -> Decimal:
    if value not in VAT_RATES:
        rates = ", ".join(format(rate, "f").replace(".", ",") for rate in VAT_RATES)
        raise ValueError(f"Taux de TVA inconnu. Taux possibles\u202f: {rates}.")
    return value


def _known_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("Ce fuseau horaire n’existe pas (exemple\u202f: Europe/Paris).")
    return value


Quantity = Annotated[Decimal, Field(ge=-1_000_000, le=1_000_000, decimal_places=6), _text]
#: Never negative: a reduction is a negative quantity (EN 16931, BR-27).
UnitPrice = Annotated[Decimal, Field(ge=0, le=100_000_000, decimal_places=6), _text]
Percent = Annotated[Decimal, Field(ge=0, le=100, decimal_places=4), _text]
VatRate = Annotated[Decimal, AfterValidator(_known_rate), _text]
Payable = Annotated[Decimal, Field(gt=0, le=1_000_000_000, decimal_places=2), _text]
TimeZone = Annotated[str, Field(max_length=64), AfterValidator(_known_zone)]


class LineBody(Model):
    """A line of a document: `section` is a title without amounts. The price is without tax, before the discount."""

    kind: Literal["line", "section"] = "line"
    label: Annotated[str, Field(min_length=1, max_length=4000, pattern=r"^[^\x00]*$")]
    quantity: Quantity = Decimal(1)
    unit_price: UnitPrice = Decimal(0)
    discount_percent: Percent = Decimal(0)
    vat_rate: VatRate = Decimal(20)


Lines = Annotated[list[LineBody], Field(max_length=1000)]


class DocumentBody(Model):
    """What a person says of a quote, an invoice or a credit note."""

    lines: Lines = Field(default_factory=list)
    title: Line = ""
    client_reference: Line = ""
    notes: Text = ""
    intervention_id: Id | None = None
    job_site_id: Id | None = None
    address_id: Id | None = None


class QuoteBody(DocumentBody):
    """A quote. `valid_until` is set when it is finalised where absent: 30 days."""

    valid_until: date | None = None


class InvoiceBody(DocumentBody):
    """An invoice. `due_on` follows from the payment terms at issue where absent."""

    kind: InvoiceKind = "standard"
    due_on: date | None = None
    intervention_ids: list[Id] = Field(default_factory=list, max_length=200)


class CreditNoteBody(DocumentBody):
    """A credit note, amounts positive; `invoice_id` is what it corrects."""

    invoice_id: Id | None = None
    reason: Line = ""


class DocumentChanges(Model):
    """JSON merge patch of a draft. `lines`, where given, replace all lines."""

    lines: Lines = Field(default_factory=list)
    title: Line = ""
    client_reference: Line = ""
    notes: Text = ""
    intervention_id: Id | None = None
    job_site_id: Id | None = None
    address_id: Id | None = None


class QuoteChanges(DocumentChanges):
    """Merge patch of a quote."""

    valid_until: date | None = None


class InvoiceChanges(DocumentChanges):
    """Merge patch of an invoice."""

    kind: InvoiceKind = "standard"
    due_on: date | None = None
    intervention_ids: list[Id] = Field(default_factory=list, max_length=200)


class CreditNoteChanges(DocumentChanges):
    """Merge patch of a credit note."""

    reason: Line = ""


class PaymentBody(Model):
    """Money received. With `credit_note_id` no money moves: so much of that credit note is used."""

    amount: Payable
    paid_on: date | None = None
    means: Line = ""
    reference: Line = ""
    credit_note_id: Id | None = None


class CreditBody(Model):
    """What of an invoice is credited: all of it without `lines`."""

    lines: Lines | None = None
    reason: Line = ""


class Party(Model):
    """A client as the door knows it; frozen at issue. What is empty comes from what events told.

    `street` to `city` are those of its billing address.
    """

    id: Id
    name: Line = ""
    siret: Line = ""
    vat_number: Line = ""
    street: Line = ""
    postal_code: Line = ""
    city: Line = ""


class CompanyChanges(Model):
    """Merge patch of the company's legal identity."""

    legal_name: Line = ""
    legal_form: Line = ""
    siren: Siren = ""
    siret: Siret = ""
    rcs: Line = ""
    vat_number: VatNumber = ""
    street: Line = ""
    postal_code: Line = ""
    city: Line = ""
    iban: Iban = ""
    timezone: TimeZone = "Europe/Paris"


class Company(Resource):
    """The company itself. `missing` names what issuing an invoice still asks for."""

    legal_name: str
    legal_form: str
    siren: str
    siret: str
    rcs: str
    vat_number: str
    street: str
    postal_code: str
    city: str
    iban: str
    timezone: str
    complete: bool
    missing: list[str]


class DetailsChanges(Model):
    """Merge patch of how a client is billed; null empties a field."""

    billing_name: Line | None = None
    billing_address_id: Id | None = None
    payer_id: Id | None = None
    payment_terms: Line | None = None
    payment_means: Line | None = None
    iban: Iban | None = None
    accounting_account: Line | None = None
    invoice_contact_id: Id | None = None


class Details(Model):
    """How a client is billed. `id` is the client's; version 0 where nothing was ever written."""

    id: Id
    client_id: Id
    version: int
    created_at: Moment | None
    created_by: dict[str, Any] | None
    updated_at: Moment | None
    updated_by: dict[str, Any] | None
    billing_name: str | None
    billing_address_id: Id | None
    billing_address: dict[str, Any] | None
    payer_id: Id
    payer: dict[str, Any]
    pays_for: list[dict[str, Any]]
    payment_terms: str | None
    payment_means: str | None
    iban: str | None
    accounting_account: str | None
    invoice_contact_id: Id | None
    balance_due: DecimalText
    balance_overdue: DecimalText
    #: Paid above totals, and what is left of credit notes.
    credit_available: DecimalText


class LineAnswer(Model):
    """A line with its totals; those of all lines add up to the document's."""

    id: Id
    kind: str
    label: str
    quantity: DecimalText
    unit_price: DecimalText
    discount_percent: DecimalText
    vat_rate: DecimalText
    total_excl_tax: DecimalText
    total_tax: DecimalText
    total_incl_tax: DecimalText
    quote_line_id: Id | None = None


class TaxAnswer(Model):
    """VAT of one rate on the sum of its lines."""

    rate: DecimalText
    base: DecimalText
    tax: DecimalText


class PaymentAnswer(Model):
    """Money received on an invoice, paid back on a credit note, or a credit used."""

    id: Id
    amount: DecimalText
    paid_on: date
    means: str
    reference: str
    credit_note_id: Id | None
    invoice_id: Id | None
    created_at: Moment
    created_by: dict[str, Any]


class Document(Resource):
    """What quotes, invoices and credit notes have in common. `lines` are absent in lists."""

    client_id: Id
    client: dict[str, Any]
    written_client_id: Id | None
    number: str | None
    title: str
    payer_id: Id
    payer: dict[str, Any]
    issued_on: date | None
    date: date
    client_reference: str
    notes: str
    intervention_id: Id | None
    job_site_id: Id | None
    address_id: Id | None
    address: dict[str, Any] | None
    currency: str
    total_excl_tax: DecimalText
    total_tax: DecimalText
    total_other_taxes: DecimalText
    total_incl_tax: DecimalText
    taxes: list[TaxAnswer]
    imported: bool
    sent_at: Moment | None
    lines: list[LineAnswer] | None = None


class Quote(Document):
    """A quote as answered."""

    status: QuoteStatus
    valid_until: date | None
    decided_on: date | None
    left_to_invoice: DecimalText


class Invoice(Document):
    """An invoice as answered. `overdue_days` is 0 while nothing is overdue."""

    status: InvoiceStatus
    kind: InvoiceKind
    due_on: date | None
    quote_id: Id | None
    intervention_ids: list[Id]
    replaces_id: Id | None
    paid: DecimalText
    remaining: DecimalText
    credit: DecimalText
    overdue_days: int
    hash: str | None
    close_reason: str
    payments: list[PaymentAnswer] | None = None
    credit_notes: list[dict[str, Any]] | None = None


class CreditNote(Document):
    """A credit note as answered; `remaining` may still be used or paid back."""

    status: CreditNoteStatus
    invoice_id: Id | None
    reason: str
    used: DecimalText
    remaining: DecimalText
    hash: str | None
    payments: list[PaymentAnswer] | None = None


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
    paid_on: date
    means: Line = ""
    reference: Line = ""


class ImportedDocument(Model):
    """A document as another system has it: number, dates and totals are kept to the digit."""

    kind: Kind
    number: Name | None = None
    status: Line
    title: Line = ""
    issued_on: date | None = None
    valid_until: date | None = None
    decided_on: date | None = None
    due_on: date | None = None
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
