"""Questions and orders that billing answers."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from contracts.base import Command, Day, Id, Page, Query
from contracts.billing import parties as p
from contracts.billing import shapes as s
from contracts.uses import CountAddressUses


class GetCompany(Query):
    """The company's legal identity."""

    rpc: ClassVar[str] = "billing.get_company"


class UpdateCompany(Command):
    """Changes the company's legal identity."""

    rpc: ClassVar[str] = "billing.update_company"
    expected_version: int | None = None
    changes: p.CompanyChanges


class GetDetails(Query):
    """How a client is billed, with its balances over `tree` (the service's own aliases where None)."""

    rpc: ClassVar[str] = "billing.get_details"
    client_id: Id
    tree: list[Id] | None = None


class DetailsHistory(Page):
    """Who changed what of how a client is billed, newest first; only lines older than `before`, a line's `seq`."""

    rpc: ClassVar[str] = "billing.details_history"
    tree: list[Id]
    before: int | None = Field(default=None, ge=1)


class UpdateDetails(Command):
    """Changes how a client is billed. `forest` is the version that `clients.identify` gave with the home.

    The door has checked that the address, the payer and the contact are the client's or related to it.
    """

    rpc: ClassVar[str] = "billing.update_details"
    home_client_id: Id
    written_client_id: Id
    forest: int = 0
    expected_version: int | None = None
    changes: p.DetailsChanges


class CreateQuote(Command):
    """Begins a quote, a draft."""

    rpc: ClassVar[str] = "billing.create_quote"
    id: Id | None = None
    home_client_id: Id
    written_client_id: Id
    body: s.QuoteBody


class UpdateQuote(Command):
    """Changes a draft; a numbered one is refused (409)."""

    rpc: ClassVar[str] = "billing.update_quote"
    id: Id
    expected_version: int | None = None
    changes: s.QuoteChanges


class GetQuote(Query):
    """One quote with its lines."""

    rpc: ClassVar[str] = "billing.get_quote"
    id: Id


class DocumentPage(Page):
    """Filters of the three lists: `from_` and `to` are days, both included; `q` is a number, title or client."""

    tree: list[Id] | None = None
    from_: Day | None = None
    to: Day | None = None
    q: str = Field(default="", max_length=200)
    job_site_id: Id | None = None
    intervention_id: Id | None = None


class ListQuotes(DocumentPage):
    """Quotes, newest first."""

    rpc: ClassVar[str] = "billing.list_quotes"
    status: list[s.QuoteStatus] = Field(default_factory=list, max_length=10)


class FinaliseQuote(Command):
    """Numbers a draft."""

    rpc: ClassVar[str] = "billing.finalise_quote"
    id: Id


class SendQuote(Command):
    """Marks a finalised quote as sent."""

    rpc: ClassVar[str] = "billing.send_quote"
    id: Id


class AcceptQuote(Command):
    """The client said yes."""

    rpc: ClassVar[str] = "billing.accept_quote"
    id: Id


class RefuseQuote(Command):
    """The client said no."""

    rpc: ClassVar[str] = "billing.refuse_quote"
    id: Id


class CancelQuote(Command):
    """Withdraws a quote that was not invoiced."""

    rpc: ClassVar[str] = "billing.cancel_quote"
    id: Id


class ReopenQuote(Command):
    """Takes back an answer or a withdrawal: the quote waits again, as sent or as finalised."""

    rpc: ClassVar[str] = "billing.reopen_quote"
    id: Id


class InvoiceQuote(s.QuoteInvoiceBody, Command):
    """Makes a draft invoice of an accepted quote's lines, all that are left without `line_ids`, or of a part of it."""

    rpc: ClassVar[str] = "billing.invoice_quote"
    id: Id
    invoice_id: Id | None = None


class OpenJobSite(Command):
    """Asks for a job site of an accepted quote: its id is answered at once (`job_site_id`), `interventions` makes it
    exist by event. Asked again, the same id is answered.
    """

    rpc: ClassVar[str] = "billing.open_job_site"
    id: Id


class CreateInvoice(Command):
    """Begins an invoice, a draft."""

    rpc: ClassVar[str] = "billing.create_invoice"
    id: Id | None = None
    home_client_id: Id
    written_client_id: Id
    body: s.InvoiceBody


class UpdateInvoice(Command):
    """Changes a draft; an issued one is refused (409)."""

    rpc: ClassVar[str] = "billing.update_invoice"
    id: Id
    expected_version: int | None = None
    changes: s.InvoiceChanges


class GetInvoice(Query):
    """One invoice with its lines and payments."""

    rpc: ClassVar[str] = "billing.get_invoice"
    id: Id


class ListInvoices(DocumentPage):
    """Invoices, newest first."""

    rpc: ClassVar[str] = "billing.list_invoices"
    status: list[s.InvoiceStatus] = Field(default_factory=list, max_length=10)
    overdue: bool | None = None


class IssueInvoice(Command):
    """Numbers and freezes a draft. `parties`: what the door knows of payer and client (SIRET, VAT number)."""

    rpc: ClassVar[str] = "billing.issue_invoice"
    id: Id
    expected_version: int | None = None
    parties: list[p.Party] = Field(default_factory=list, max_length=10)


class SendInvoice(Command):
    """Marks an issued invoice as sent."""

    rpc: ClassVar[str] = "billing.send_invoice"
    id: Id


class RecordPayment(Command):
    """Puts money, or a credit note's rest, on an issued invoice."""

    rpc: ClassVar[str] = "billing.record_payment"
    id: Id | None = None
    invoice_id: Id
    body: s.PaymentBody


class CancelPayment(Command):
    """Takes back a payment that was entered by mistake; it stays in sight and counts no more."""

    rpc: ClassVar[str] = "billing.cancel_payment"
    id: Id
    invoice_id: Id


class CreditInvoice(Command):
    """Issues a credit note on an invoice, and answers with it."""

    rpc: ClassVar[str] = "billing.credit_invoice"
    id: Id
    credit_note_id: Id | None = None
    body: s.CreditBody = Field(default_factory=s.CreditBody)
    parties: list[p.Party] = Field(default_factory=list, max_length=10)


class CreateCreditNote(Command):
    """Begins a credit note, a draft."""

    rpc: ClassVar[str] = "billing.create_credit_note"
    id: Id | None = None
    home_client_id: Id
    written_client_id: Id
    body: s.CreditNoteBody


class UpdateCreditNote(Command):
    """Changes a draft; an issued one is refused (409)."""

    rpc: ClassVar[str] = "billing.update_credit_note"
    id: Id
    expected_version: int | None = None
    changes: s.CreditNoteChanges


class GetCreditNote(Query):
    """One credit note with its lines and uses."""

    rpc: ClassVar[str] = "billing.get_credit_note"
    id: Id


class ListCreditNotes(DocumentPage):
    """Credit notes, newest first."""

    rpc: ClassVar[str] = "billing.list_credit_notes"
    status: list[s.CreditNoteStatus] = Field(default_factory=list, max_length=10)


class IssueCreditNote(Command):
    """Numbers and freezes a draft."""

    rpc: ClassVar[str] = "billing.issue_credit_note"
    id: Id
    expected_version: int | None = None
    parties: list[p.Party] = Field(default_factory=list, max_length=10)


class RefundCreditNote(Command):
    """Pays back money on a credit note, at most what is left of it."""

    rpc: ClassVar[str] = "billing.refund_credit_note"
    id: Id | None = None
    credit_note_id: Id
    body: s.PaymentBody


class DeleteDraft(Command):
    """Throws a draft away; anything numbered stays (409)."""

    rpc: ClassVar[str] = "billing.delete_draft"
    kind: s.Kind
    id: Id
    expected_version: int | None = None


class ComputeTotals(Query):
    """What a document of these lines would come to, to the cent. Keeps nothing."""

    rpc: ClassVar[str] = "billing.compute_totals"
    body: s.TotalsBody


class GetFile(Command):
    """The PDF of a document in the object store: made now where it is not there yet.

    It keeps nothing but what the number already asked for, so a repeat simply acts again.
    """

    rpc: ClassVar[str] = "billing.get_file"
    #: A PDF takes about a second to make; the first to ask may wait behind others.
    patience: ClassVar[float] = 15.0
    remembered: ClassVar[bool] = False
    kind: s.Kind
    id: Id


class BillingFiche(Query):
    """Sections `quotes`, `invoices`, `credit_notes` and `billing` of a fiche."""

    rpc: ClassVar[str] = "billing.fiche"
    client_id: Id
    tree: list[Id] | None = None
    limit: int = Field(default=50, ge=1, le=200)


class CheckBilling(Query):
    """Which of these documents belong to the tree; the door refuses the others (422)."""

    rpc: ClassVar[str] = "billing.check"
    ids: list[Id] = Field(max_length=200)
    tree: list[Id]


class ClientTies(Query):
    """How many numbered documents forbid deleting a client, by kind, and for how many others it pays."""

    rpc: ClassVar[str] = "billing.ties"
    tree: list[Id]


class AddressUses(CountAddressUses):
    """Quotes, invoices, credit notes and billing details that name each of these addresses."""

    rpc: ClassVar[str] = "billing.address_uses"


class VerifyChain(Query):
    """Whether anything issued was tampered with: `{"checked": n, "broken": [numbers]}`."""

    rpc: ClassVar[str] = "billing.verify_chain"
    #: Every issued document is read again.
    patience: ClassVar[float] = 60.0


class Figures(Query):
    """What documents of a tree (of all clients where None) come to: see `contracts.billing.shapes.FiguresAnswer`."""

    rpc: ClassVar[str] = "billing.figures"
    tree: list[Id] | None = None
