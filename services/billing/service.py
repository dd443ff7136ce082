"""The Nameko class of `billing`: each message becomes one call of commands or queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chassis.objects import ObjectStore, object_store
from chassis.service import every, rpc, whenever_told
from contracts import billing as c
from contracts.base import Event
from contracts.clients import ClientCreated, ClientUpdated
from contracts.uses import AddressUses
from services.billing import queries
from services.billing.commands import (
    company,
    credit_notes,
    details,
    drafts,
    erasing,
    files,
    imported,
    invoicing,
    issuing,
    merged,
    parties,
    payments,
    quotes,
    reassigned,
)
from services.billing.commands.facts import company_of
from services.billing.model import ADDRESS_USES, KINDS, MOVABLE, Base
from services.kit.erasure import Taken
from services.kit.follow import ClientRowsService
from services.kit.uses import address_uses


class BillingService(ClientRowsService):
    """Quotes, invoices, credit notes, payments; the company; how clients are billed."""

    name = "billing"
    base = Base
    kinds = KINDS
    movable = MOVABLE
    facts = frozenset({"billing_details", "billing_field_write"})

    @property
    def store(self) -> ObjectStore:
        """Where the PDFs lie."""
        return object_store(self.runtime.settings)

    def _know_client(self, event: ClientCreated | ClientUpdated) -> None:
        super()._know_client(event)
        parties.know_party(self.uow, event)

    def forget_copies(self, producer: str) -> None:
        """What invoices say of a client is a copy too."""
        super().forget_copies(producer)
        if producer == "clients":
            parties.forget_parties(self.uow)

    def chosen(self, merge_id: UUID, at: int, survivor: UUID, duplicate: UUID, choices: dict[str, str]) -> None:
        """What stands of how the two are billed."""
        merged.choose(self.uow, merge_id, at, survivor, duplicate, choices)

    def unchosen(self, records: Sequence[UUID]) -> None:
        merged.materialise(self.uow, records)

    def check_reassignable(self, kind: str, row: Any) -> None:
        reassigned.check_reassignable(row)

    def rehomed(self, kind: str, row: Any, former: UUID) -> None:
        reassigned.rehomed(self.uow, row, former)

    snapshot_covers = (c.CompanyUpdated,)

    def snapshot_events(self) -> list[Event]:
        """The company, whose time zone others follow."""
        row = company_of(self.uow.session)
        return [] if row is None else [c.CompanyUpdated(id=row.id, legal_name=row.legal_name, timezone=row.timezone)]

    @rpc(c.GetCompany)
    def get_company(self, request: c.GetCompany) -> bytes:
        return queries.get_company(self.uow.session)

    @rpc(c.UpdateCompany)
    def update_company(self, request: c.UpdateCompany) -> bytes:
        return company.update_company(self.uow, request)

    @rpc(c.GetDetails)
    def get_details(self, request: c.GetDetails) -> bytes:
        return queries.get_details(self.uow.session, request.client_id, request.tree)

    @rpc(c.DetailsHistory)
    def details_history(self, request: c.DetailsHistory) -> bytes:
        return queries.details_history(self.uow.session, request)

    @rpc(c.UpdateDetails)
    def update_details(self, request: c.UpdateDetails) -> bytes:
        return details.update_details(self.uow, request)

    @rpc(c.CreateQuote)
    def create_quote(self, request: c.CreateQuote) -> bytes:
        return drafts.create_quote(self.uow, request)

    @rpc(c.UpdateQuote)
    def update_quote(self, request: c.UpdateQuote) -> bytes:
        return drafts.update_quote(self.uow, request)

    @rpc(c.GetQuote)
    def get_quote(self, request: c.GetQuote) -> bytes:
        return queries.get_quote(self.uow.session, request.id)

    @rpc(c.ListQuotes)
    def list_quotes(self, request: c.ListQuotes) -> bytes:
        return queries.list_quotes(self.uow.session, request)

    @rpc(c.FinaliseQuote)
    def finalise_quote(self, request: c.FinaliseQuote) -> bytes:
        return quotes.finalise_quote(self.uow, request)

    @rpc(c.SendQuote)
    def send_quote(self, request: c.SendQuote) -> bytes:
        return quotes.move_quote(self.uow, request.id, "sent")

    @rpc(c.AcceptQuote)
    def accept_quote(self, request: c.AcceptQuote) -> bytes:
        return quotes.move_quote(self.uow, request.id, "accepted")

    @rpc(c.RefuseQuote)
    def refuse_quote(self, request: c.RefuseQuote) -> bytes:
        return quotes.move_quote(self.uow, request.id, "refused")

    @rpc(c.CancelQuote)
    def cancel_quote(self, request: c.CancelQuote) -> bytes:
        return quotes.move_quote(self.uow, request.id, "cancelled")

    @rpc(c.ReopenQuote)
    def reopen_quote(self, request: c.ReopenQuote) -> bytes:
        return quotes.reopen_quote(self.uow, request)

    @rpc(c.InvoiceQuote)
    def invoice_quote(self, request: c.InvoiceQuote) -> bytes:
        return invoicing.invoice_quote(self.uow, request)

    @rpc(c.OpenJobSite)
    def open_job_site(self, request: c.OpenJobSite) -> bytes:
        return quotes.open_job_site(self.uow, request)

    @rpc(c.CreateInvoice)
    def create_invoice(self, request: c.CreateInvoice) -> bytes:
        return drafts.create_invoice(self.uow, request)

    @rpc(c.UpdateInvoice)
    def update_invoice(self, request: c.UpdateInvoice) -> bytes:
        return drafts.update_invoice(self.uow, request)

    @rpc(c.GetInvoice)
    def get_invoice(self, request: c.GetInvoice) -> bytes:
        return queries.get_invoice(self.uow.session, request.id)

    @rpc(c.ListInvoices)
    def list_invoices(self, request: c.ListInvoices) -> bytes:
        return queries.list_invoices(self.uow.session, request)

    @rpc(c.IssueInvoice)
    def issue_invoice(self, request: c.IssueInvoice) -> bytes:
        return issuing.issue_invoice(self.uow, request)

    @rpc(c.SendInvoice)
    def send_invoice(self, request: c.SendInvoice) -> bytes:
        return payments.send_invoice(self.uow, request)

    @rpc(c.RecordPayment)
    def record_payment(self, request: c.RecordPayment) -> bytes:
        return payments.record_payment(self.uow, request)

    @rpc(c.CancelPayment)
    def cancel_payment(self, request: c.CancelPayment) -> bytes:
        return payments.cancel_payment(self.uow, request)

    @rpc(c.CreditInvoice)
    def credit_invoice(self, request: c.CreditInvoice) -> bytes:
        return credit_notes.credit_invoice(self.uow, request)

    @rpc(c.CreateCreditNote)
    def create_credit_note(self, request: c.CreateCreditNote) -> bytes:
        return drafts.create_credit_note(self.uow, request)

    @rpc(c.UpdateCreditNote)
    def update_credit_note(self, request: c.UpdateCreditNote) -> bytes:
        return drafts.update_credit_note(self.uow, request)

    @rpc(c.GetCreditNote)
    def get_credit_note(self, request: c.GetCreditNote) -> bytes:
        return queries.get_credit_note(self.uow.session, request.id)

    @rpc(c.ListCreditNotes)
    def list_credit_notes(self, request: c.ListCreditNotes) -> bytes:
        return queries.list_credit_notes(self.uow.session, request)

    @rpc(c.IssueCreditNote)
    def issue_credit_note(self, request: c.IssueCreditNote) -> bytes:
        return credit_notes.issue_credit_note(self.uow, request)

    @rpc(c.RefundCreditNote)
    def refund_credit_note(self, request: c.RefundCreditNote) -> bytes:
        return payments.refund_credit_note(self.uow, request)

    @rpc(c.ComputeTotals)
    def compute_totals(self, request: c.ComputeTotals) -> dict[str, Any]:
        return queries.compute_totals(request)

    @rpc(c.Figures)
    def figures(self, request: c.Figures) -> bytes:
        return queries.figures(self.uow.session, request.tree)

    @rpc(c.GetFile)
    def get_file(self, request: c.GetFile) -> bytes:
        return files.get_file(self.uow, self.store, request)

    @whenever_told(30)
    def make_files(self) -> None:
        while self.uow.run(None, lambda: files.make_one(self.uow, self.store)):
            pass

    def taken_over(self, erased: Sequence[UUID]) -> Sequence[Taken]:
        return merged.taken_over(self.uow.session, erased)

    def erase_files(self) -> None:
        while self.uow.run(None, lambda: erasing.remove_one(self.uow, self.store)):
            pass
        if self.someone_to_see_to():
            erasing.remove_drafts(self.store)

    @every(3600)
    def sweep_drafts(self) -> None:
        files.sweep_drafts(self.uow, self.store)

    @rpc(c.DeleteDraft)
    def delete_draft(self, request: c.DeleteDraft) -> bytes:
        return drafts.delete_draft(self.uow, request)

    @rpc(c.AddressUses)
    def address_uses(self, request: c.AddressUses) -> AddressUses:
        return address_uses(self.uow.session, request, *ADDRESS_USES)

    @rpc(c.BillingFiche)
    def fiche(self, request: c.BillingFiche) -> bytes:
        return queries.fiche(self.uow.session, request)

    @rpc(c.ImportDocument)
    def import_document(self, request: c.ImportDocument) -> bytes:
        return imported.import_document(self.uow, request)

    @rpc(c.ImportPayment)
    def import_payment(self, request: c.ImportPayment) -> bytes:
        return imported.import_payment(self.uow, request)

    @rpc(c.CheckBilling)
    def check(self, request: c.CheckBilling) -> dict[str, Any]:
        return queries.check(self.uow.session, request)

    @rpc(c.ClientTies)
    def ties(self, request: c.ClientTies) -> dict[str, Any]:
        return queries.ties(self.uow.session, request)

    @rpc(c.UndoBilling)
    def undo_billing(self, request: c.UndoBilling) -> c.UndoneBilling:
        return queries.undo_billing(self.uow.session, request)

    @rpc(c.VerifyChain)
    def verify_chain(self, request: c.VerifyChain) -> dict[str, Any]:
        return queries.verify_chain(self.uow.session)
