"""What `clients` follows of the others: names, the company's zone, and all that shows among the activities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from chassis.service import Service, on
from contracts import accounts, billing, documents, equipment, forest, interventions, maintenance
from contracts.base import Envelope
from services.clients.commands import erasing, merges, records, told
from services.kit.follow import know_company, know_user

F = TypeVar("F", bound=Callable[..., Any])


def _on_each(events: Mapping[str, type[forest.E]]) -> Callable[[F], F]:
    """Handles the event of each service that tells it."""

    def decorate(function: F) -> F:
        for event in events.values():
            function = on(event, since="log")(function)
        return function

    return decorate


class Listener(Service):
    """Handlers of other services' events; each is one call of a command."""

    @on(accounts.UserCreated)
    @on(accounts.UserUpdated)
    def user_told(self, event: accounts.UserState, envelope: Envelope) -> None:
        know_user(self.uow.session, event)

    @on(billing.CompanyUpdated, since="snapshot")
    def company_updated(self, event: billing.CompanyUpdated, envelope: Envelope) -> None:
        know_company(self.uow.session, event)

    # --- merges -----------------------------------------------------------------------------------------------

    @_on_each(forest.REPOINTED)
    def client_repointed(self, event: forest.Repointed, envelope: Envelope) -> None:
        counts = event.counts if event.direction == "merge" else None
        merges.reported(self.uow, event.event_owner, event.merge_id, event.forest, counts)

    @_on_each(forest.REPOINT_FAILED)
    def client_repoint_failed(self, event: forest.RepointFailed, envelope: Envelope) -> None:
        merges.report_failed(self.uow, event.event_owner, event.merge_id, event.error)

    @_on_each(forest.FOREST_REACHED)
    def forest_reached(self, event: forest.ForestReached, envelope: Envelope) -> None:
        merges.reached(self.uow, event.event_owner, event.forest)
        if event.erased is not None:
            erasing.reached(self.uow, event.event_owner, event.erased)

    # --- interventions ----------------------------------------------------------------------------------------

    @on(interventions.InterventionPlanned)
    def intervention_planned(self, event: interventions.InterventionPlanned, envelope: Envelope) -> None:
        told.work(self.uow, event, envelope, "planned")

    @on(interventions.InterventionDone)
    def intervention_done(self, event: interventions.InterventionDone, envelope: Envelope) -> None:
        told.work(self.uow, event, envelope, "done", event.finished_at)

    @on(interventions.InterventionCancelled)
    def intervention_cancelled(self, event: interventions.InterventionCancelled, envelope: Envelope) -> None:
        told.work(self.uow, event, envelope, "cancelled")

    @on(interventions.JobSiteCreated, since="log")
    def job_site_created(self, event: interventions.JobSiteCreated, envelope: Envelope) -> None:
        if not event.imported:
            told.job_site(self.uow, event, envelope, "ouvert")

    @on(interventions.JobSiteUpdated, since="log")
    def job_site_updated(self, event: interventions.JobSiteUpdated, envelope: Envelope) -> None:
        if "status" in event.changed:
            told.job_site(self.uow, event, envelope)

    @on(interventions.InterventionReassigned, since="log")
    def intervention_reassigned(self, event: interventions.InterventionReassigned, envelope: Envelope) -> None:
        told.reassigned(self.uow, event, envelope, "intervention")

    @on(interventions.JobSiteReassigned, since="log")
    def job_site_reassigned(self, event: interventions.JobSiteReassigned, envelope: Envelope) -> None:
        told.reassigned(self.uow, event, envelope, "job_site")

    # --- billing ----------------------------------------------------------------------------------------------

    @on(billing.QuoteSent)
    def quote_sent(self, event: billing.QuoteSent, envelope: Envelope) -> None:
        told.document(self.uow, event, envelope, "quote", "Devis {} envoyé, {}")

    @on(billing.QuoteAccepted)
    def quote_accepted(self, event: billing.QuoteAccepted, envelope: Envelope) -> None:
        if not event.imported:
            records.promote_prospect(self.uow, event.home_client_id)
        told.document(self.uow, event, envelope, "quote", "Devis {} accepté, {}")

    @on(billing.QuoteRefused)
    def quote_refused(self, event: billing.QuoteRefused, envelope: Envelope) -> None:
        told.document(self.uow, event, envelope, "quote", "Devis {} refusé")

    @on(billing.QuoteCancelled, since="log")
    def quote_cancelled(self, event: billing.QuoteCancelled, envelope: Envelope) -> None:
        told.document(self.uow, event, envelope, "quote", "Devis {} annulé")

    @on(billing.InvoiceIssued)
    def invoice_issued(self, event: billing.InvoiceIssued, envelope: Envelope) -> None:
        told.document(self.uow, event, envelope, "invoice", "Facture {} émise, {}")

    @on(billing.InvoiceSent, since="log")
    def invoice_sent(self, event: billing.InvoiceSent, envelope: Envelope) -> None:
        told.document(self.uow, event, envelope, "invoice", "Facture {} envoyée")

    @on(billing.InvoicePaid)
    def invoice_paid(self, event: billing.InvoicePaid, envelope: Envelope) -> None:
        told.document(self.uow, event, envelope, "invoice", "Facture {} réglée, {}")

    @on(billing.InvoiceCancelled, since="log")
    def invoice_cancelled(self, event: billing.InvoiceCancelled, envelope: Envelope) -> None:
        told.document(self.uow, event, envelope, "invoice", "Facture {} annulée par avoir")

    @on(billing.CreditNoteIssued)
    def credit_note_issued(self, event: billing.CreditNoteIssued, envelope: Envelope) -> None:
        told.document(self.uow, event, envelope, "credit_note", "Avoir {} émis, {}")

    @on(billing.PaymentRecorded, since="log")
    def payment_recorded(self, event: billing.PaymentRecorded, envelope: Envelope) -> None:
        told.payment(self.uow, event, envelope)

    @on(billing.QuoteReassigned, since="log")
    def quote_reassigned(self, event: billing.QuoteReassigned, envelope: Envelope) -> None:
        told.reassigned(self.uow, event, envelope, "quote")

    @on(billing.InvoiceReassigned, since="log")
    def invoice_reassigned(self, event: billing.InvoiceReassigned, envelope: Envelope) -> None:
        told.reassigned(self.uow, event, envelope, "invoice")

    @on(billing.CreditNoteReassigned, since="log")
    def credit_note_reassigned(self, event: billing.CreditNoteReassigned, envelope: Envelope) -> None:
        told.reassigned(self.uow, event, envelope, "credit_note")

    # --- what stands there, and its care ----------------------------------------------------------------------

    @on(equipment.EquipmentCreated, since="log")
    def equipment_created(self, event: equipment.EquipmentCreated, envelope: Envelope) -> None:
        if not event.imported:
            told.apparatus(self.uow, event, envelope, "Équipement ajouté\u202f: {}")

    @on(equipment.EquipmentReassigned, since="log")
    def equipment_reassigned(self, event: equipment.EquipmentReassigned, envelope: Envelope) -> None:
        told.reassigned(self.uow, event, envelope, "equipment")

    @on(equipment.EquipmentDeleted, since="log")
    def equipment_deleted(self, event: equipment.EquipmentDeleted, envelope: Envelope) -> None:
        told.apparatus(self.uow, event, envelope, "Équipement retiré\u202f: {}")

    @on(maintenance.PlanCreated, since="log")
    def plan_created(self, event: maintenance.PlanCreated, envelope: Envelope) -> None:
        told.plan_opened(self.uow, event, envelope)

    @on(maintenance.VisitDone, since="log")
    def visit_done(self, event: maintenance.VisitDone, envelope: Envelope) -> None:
        told.visit_done(self.uow, event, envelope)

    @on(maintenance.PlanReassigned, since="log")
    def plan_reassigned(self, event: maintenance.PlanReassigned, envelope: Envelope) -> None:
        told.reassigned(self.uow, event, envelope, "maintenance_plan")

    # --- documents --------------------------------------------------------------------------------------------

    @on(documents.DocumentAdded, since="log")
    def document_added(self, event: documents.DocumentAdded, envelope: Envelope) -> None:
        if not event.imported:
            told.file(self.uow, event, envelope, "Document ajouté\u202f: {}")

    @on(documents.DocumentReplaced, since="log")
    def document_replaced(self, event: documents.DocumentReplaced, envelope: Envelope) -> None:
        told.file(self.uow, event, envelope, f"Version {event.number} du document\u202f: {{}}")

    @on(documents.DocumentDeleted, since="log")
    def document_deleted(self, event: documents.DocumentDeleted, envelope: Envelope) -> None:
        told.file(self.uow, event, envelope, "Document mis à la corbeille\u202f: {}")

    @on(documents.DocumentRestored, since="log")
    def document_restored(self, event: documents.DocumentRestored, envelope: Envelope) -> None:
        told.file(self.uow, event, envelope, "Document restauré\u202f: {}")

    @on(documents.DocumentReassigned, since="log")
    def document_reassigned(self, event: documents.DocumentReassigned, envelope: Envelope) -> None:
        told.reassigned(self.uow, event, envelope, "document")
