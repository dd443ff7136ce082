"""Bodies and answers of billing. Amounts are exact decimals in euros, strings on the wire; dates are calendar days."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainSerializer

from contracts.base import Day, DecimalText, Id, Line, Model, Moment, Resource, Text

OWNER = "billing"

QuoteStatus = Literal["draft", "finalised", "sent", "accepted", "refused", "cancelled", "invoiced"]
InvoiceStatus = Literal["draft", "issued", "sent", "partly_paid", "paid", "cancelled"]
CreditNoteStatus = Literal["draft", "issued", "used", "cancelled"]
#: What is sold: goods, services or both (CGI, ann. II, 242 nonies A, I, 6° bis).
Operations = Literal["goods", "services", "mixed"]
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


Quantity = Annotated[Decimal, Field(ge=-1_000_000, le=1_000_000, decimal_places=6), _text]
#: Never negative: a reduction is a negative quantity (EN 16931, BR-27).
UnitPrice = Annotated[Decimal, Field(ge=0, le=100_000_000, decimal_places=6), _text]
Percent = Annotated[Decimal, Field(ge=0, le=100, decimal_places=4), _text]
VatRate = Annotated[Decimal, AfterValidator(_known_rate), _text]
Payable = Annotated[Decimal, Field(gt=0, le=1_000_000_000, decimal_places=2), _text]


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
    #: Why lines at 0 % bear no VAT, where it is not the company's usual reason.
    vat_mention: Line = ""
    #: What is sold, where it is not what the company usually sells.
    operations: Operations | None = None
    intervention_id: Id | None = None
    job_site_id: Id | None = None
    address_id: Id | None = None


class QuoteBody(DocumentBody):
    """A quote. `valid_until` is set when it is finalised where absent: 30 days."""

    valid_until: Day | None = None


class InvoiceBody(DocumentBody):
    """An invoice. `due_on` follows from the payment terms at issue where absent.

    `supplied_on` is the day of the delivery or the end of the work, of a deposit the day it was paid.
    """

    kind: InvoiceKind = "standard"
    due_on: Day | None = None
    supplied_on: Day | None = None
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
    #: Why lines at 0 % bear no VAT, where it is not the company's usual reason.
    vat_mention: Line = ""
    operations: Operations | None = None
    intervention_id: Id | None = None
    job_site_id: Id | None = None
    address_id: Id | None = None


class QuoteChanges(DocumentChanges):
    """Merge patch of a quote."""

    valid_until: Day | None = None


class InvoiceChanges(DocumentChanges):
    """Merge patch of an invoice."""

    kind: InvoiceKind = "standard"
    due_on: Day | None = None
    supplied_on: Day | None = None
    intervention_ids: list[Id] = Field(default_factory=list, max_length=200)


class CreditNoteChanges(DocumentChanges):
    """Merge patch of a credit note."""

    reason: Line = ""


class QuoteInvoiceBody(Model):
    """What of an accepted quote is invoiced: all that is left, the lines named, or a part of the whole.

    A part is a deposit (`kind=deposit`) or a progress invoice (`kind=progress`): a `percent` of the quote, or an
    `amount` without tax. It is taken off again by the invoice of the last lines, the balance.
    """

    line_ids: list[Id] | None = Field(default=None, max_length=1000)
    kind: Literal["deposit", "progress"] | None = None
    percent: Annotated[Decimal, Field(gt=0, le=100, decimal_places=4), _text] | None = None
    amount: Payable | None = None


class PaymentBody(Model):
    """Money received. With `credit_note_id` no money moves: so much of that credit note is used."""

    amount: Payable
    paid_on: Day | None = None
    means: Line = ""
    reference: Line = ""
    credit_note_id: Id | None = None


class CreditBody(Model):
    """What of an invoice is credited: all of it without `lines`."""

    lines: Lines | None = None
    reason: Line = ""


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
    #: The deposit that the line takes off.
    deducts_id: Id | None = None


class TaxAnswer(Model):
    """VAT of one rate on the sum of its lines."""

    rate: DecimalText
    base: DecimalText
    tax: DecimalText


class TotalsBody(Model):
    """Lines whose totals are asked for."""

    lines: Lines = Field(default_factory=list)


class LineTotals(Model):
    """Amounts of one line; those of all lines add up to the document's."""

    total_excl_tax: DecimalText
    total_tax: DecimalText
    total_incl_tax: DecimalText


class Totals(Model):
    """What a document of these lines would come to; nothing is kept."""

    lines: list[LineTotals]
    taxes: list[TaxAnswer]
    total_excl_tax: DecimalText
    total_tax: DecimalText
    total_incl_tax: DecimalText


class KindFigures(Model):
    """How many documents of a kind, and what they come to; drafts count, what was cancelled too."""

    count: int
    total_excl_tax: DecimalText
    total_incl_tax: DecimalText


class FiguresAnswer(Model):
    """Sums over documents: `waiting` quotes are finalised or sent, `due` and `overdue` what is left of invoices.

    `billed` is without tax: invoices of the company's current year less its credit notes (`credited`).
    """

    quotes: KindFigures
    invoices: KindFigures
    credit_notes: KindFigures
    waiting: KindFigures
    due: DecimalText
    due_count: int
    overdue: DecimalText
    overdue_count: int
    overdue_days: int
    year: int
    billed: DecimalText
    credited: DecimalText


class ChainAnswer(Model):
    """How many issued documents were checked, and the numbers of those whose data, file or place was tampered with."""

    checked: int
    broken: list[str]


class FileAnswer(Model):
    """Where the PDF of a document lies in the object store. `frozen`: its bytes are those made at issue, for ever."""

    key: str
    sha256: str
    size: int
    name: str
    frozen: bool


class PaymentAnswer(Model):
    """Money received on an invoice, paid back on a credit note, or a credit used."""

    id: Id
    amount: DecimalText
    paid_on: Day
    means: str
    reference: str
    credit_note_id: Id | None
    invoice_id: Id | None
    created_at: Moment
    created_by: dict[str, Any]
    #: When it was taken back as a mistake; it counts no more.
    cancelled_at: Moment | None


class Document(Resource):
    """What quotes, invoices and credit notes have in common. `lines` are absent in lists."""

    client_id: Id
    client: dict[str, Any]
    written_client_id: Id | None
    number: str | None
    title: str
    payer_id: Id
    payer: dict[str, Any]
    issued_on: Day | None
    date: Day
    client_reference: str
    notes: str
    vat_mention: str
    operations: Operations | None
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
    """A quote as answered. `invoices` made of it are absent in lists."""

    status: QuoteStatus
    valid_until: Day | None
    decided_on: Day | None
    left_to_invoice: DecimalText
    invoices: list[dict[str, Any]] | None = None


class Invoice(Document):
    """An invoice as answered. `overdue_days` is 0 while nothing is overdue."""

    status: InvoiceStatus
    kind: InvoiceKind
    due_on: Day | None
    supplied_on: Day | None
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
