"""Facts that billing tells. Drafts of invoices and credit notes are not for partners."""

from __future__ import annotations

from typing import ClassVar

from contracts.base import Day, DecimalText, Event, Id, RowEvent
from contracts.billing.shapes import OWNER


class CompanyUpdated(Event):
    """The company's legal identity changed; others follow its time zone."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "company.updated"
    id: Id
    legal_name: str
    timezone: str


class DetailsUpdated(RowEvent):
    """How a client is billed changed; `changed` names the fields. The subject is the client."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "billing_details.updated"
    public: ClassVar[bool] = True
    subject_field: ClassVar[str] = "home_client_id"
    billing_name: str | None
    billing_address_id: Id | None
    payer_id: Id | None
    invoice_contact_id: Id | None
    changed: list[str]


class DocumentEvent(RowEvent):
    """What each event of a document tells. `payer_id` is null until it is frozen."""

    id: Id
    number: str | None
    status: str
    title: str
    payer_id: Id | None
    address_id: Id | None
    job_site_id: Id | None
    intervention_ids: list[Id]
    issued_on: Day | None
    currency: str
    total_excl_tax: DecimalText
    total_tax: DecimalText
    total_incl_tax: DecimalText
    #: Came in from another system: a fact of the past that nobody has to be told of as news.
    imported: bool = False


class QuoteCreated(DocumentEvent):
    """A quote was begun."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "quote.created"
    public: ClassVar[bool] = True


class QuoteUpdated(DocumentEvent):
    """Something of a draft quote changed (its lines, what work it is for)."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "quote.updated"
    public: ClassVar[bool] = True


class QuoteDeleted(DocumentEvent):
    """A draft quote was thrown away."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "quote.deleted"
    public: ClassVar[bool] = True


class QuoteFinalised(DocumentEvent):
    """A quote got its number."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "quote.finalised"
    public: ClassVar[bool] = True


class QuoteSent(DocumentEvent):
    """A quote was marked as sent."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "quote.sent"
    public: ClassVar[bool] = True


class QuoteAccepted(DocumentEvent):
    """The client accepted a quote."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "quote.accepted"
    public: ClassVar[bool] = True


class QuoteRefused(DocumentEvent):
    """The client refused a quote."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "quote.refused"
    public: ClassVar[bool] = True


class QuoteCancelled(DocumentEvent):
    """A quote was withdrawn."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "quote.cancelled"
    public: ClassVar[bool] = True


class QuoteReopened(DocumentEvent):
    """An answer or a withdrawal was taken back: the quote waits again, nothing of it being invoiced."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "quote.reopened"
    public: ClassVar[bool] = True


class QuoteJobSiteRequested(DocumentEvent):
    """A job site is to be made of an accepted quote; `interventions` makes it, with the id that `job_site_id` gives."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "quote.job_site_requested"
    public: ClassVar[bool] = True


class InvoiceEvent(DocumentEvent):
    """What each event of an invoice tells."""

    kind: str
    quote_id: Id | None
    due_on: Day | None
    remaining: DecimalText


class InvoiceCreated(InvoiceEvent):
    """An invoice was begun (draft)."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "invoice.created"


class InvoiceUpdated(InvoiceEvent):
    """Something of a draft invoice changed (its lines, what work it bills)."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "invoice.updated"


class InvoiceDeleted(InvoiceEvent):
    """A draft invoice was thrown away; what it was made of is to be invoiced again."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "invoice.deleted"


class InvoiceIssued(InvoiceEvent):
    """An invoice got its number and is frozen."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "invoice.issued"
    public: ClassVar[bool] = True


class InvoiceSent(InvoiceEvent):
    """An invoice was marked as sent."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "invoice.sent"
    public: ClassVar[bool] = True


class InvoicePaid(InvoiceEvent):
    """Nothing is left to pay on an invoice."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "invoice.paid"
    public: ClassVar[bool] = True


class InvoiceCancelled(InvoiceEvent):
    """Credit notes cover the whole of an invoice."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "invoice.cancelled"
    public: ClassVar[bool] = True


class CreditNoteIssued(DocumentEvent):
    """A credit note got its number and is frozen."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "credit_note.issued"
    public: ClassVar[bool] = True
    invoice_id: Id | None
    invoice_number: str | None


class PaymentRecorded(RowEvent):
    """Money came in on an invoice, went back on a credit note, or a credit was used. Ordered by the document."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "payment.recorded"
    public: ClassVar[bool] = True
    subject_field: ClassVar[str] = "document_id"
    id: Id
    document_id: Id
    document_number: str | None
    invoice_id: Id | None
    credit_note_id: Id | None
    amount: DecimalText
    paid_on: Day
    means: str
    remaining: DecimalText
    imported: bool = False


class PaymentCancelled(RowEvent):
    """A payment of an invoice was entered by mistake and taken back; `remaining` is what the invoice still asks for."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "payment.cancelled"
    public: ClassVar[bool] = True
    subject_field: ClassVar[str] = "document_id"
    id: Id
    document_id: Id
    document_number: str | None
    invoice_id: Id
    credit_note_id: Id | None
    amount: DecimalText
    remaining: DecimalText


#: Events of a quote by the state it comes to.
QUOTE_EVENTS: dict[str, type[DocumentEvent]] = {
    "finalised": QuoteFinalised,
    "sent": QuoteSent,
    "accepted": QuoteAccepted,
    "refused": QuoteRefused,
    "cancelled": QuoteCancelled,
}


class QuoteReassigned(DocumentEvent):
    """A quote is another client's now, with the drafts made from it."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "quote.reassigned"
    public: ClassVar[bool] = True
    former_home_client_id: Id


class InvoiceReassigned(InvoiceEvent):
    """An invoice is another client's now; what it says stays as it was issued."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "invoice.reassigned"
    public: ClassVar[bool] = True
    former_home_client_id: Id


class CreditNoteReassigned(DocumentEvent):
    """A credit note is another client's now; what it says stays as it was issued."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "credit_note.reassigned"
    public: ClassVar[bool] = True
    former_home_client_id: Id
