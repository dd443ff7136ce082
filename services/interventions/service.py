"""The Nameko class of `interventions`."""

from __future__ import annotations

from typing import Any

from chassis.service import on, rpc
from contracts import billing, maintenance
from contracts import interventions as c
from contracts.base import Envelope
from services.interventions import commands, queries
from services.interventions.model import KINDS, Base
from services.kit.follow import ClientRowsService


class InterventionsService(ClientRowsService):
    """Work at clients, its planning and reports, job sites."""

    name = "interventions"
    base = Base
    kinds = KINDS

    @rpc(c.CreateIntervention)
    def create(self, request: c.CreateIntervention) -> bytes:
        return commands.create_intervention(self.uow, request)

    @rpc(c.UpdateIntervention)
    def update(self, request: c.UpdateIntervention) -> bytes:
        return commands.update_intervention(self.uow, request)

    @rpc(c.ActOnIntervention)
    def act(self, request: c.ActOnIntervention) -> bytes:
        return commands.act(self.uow, request)

    @rpc(c.FillReport)
    def report(self, request: c.FillReport) -> bytes:
        return commands.fill_report(self.uow, request)

    @rpc(c.GetIntervention)
    def get(self, request: c.GetIntervention) -> bytes:
        return queries.get_intervention(self.uow.session, request.id)

    @rpc(c.ListInterventions)
    def list(self, request: c.ListInterventions) -> bytes:
        return queries.list_interventions(self.uow.session, request)

    @rpc(c.InterventionFiche)
    def fiche(self, request: c.InterventionFiche) -> bytes:
        return queries.fiche(self.uow.session, request)

    @rpc(c.CheckInterventions)
    def check(self, request: c.CheckInterventions) -> dict[str, Any]:
        return queries.check(self.uow.session, request)

    @rpc(c.CreateType)
    def create_type(self, request: c.CreateType) -> bytes:
        return commands.create_type(self.uow, request)

    @rpc(c.UpdateType)
    def update_type(self, request: c.UpdateType) -> bytes:
        return commands.update_type(self.uow, request)

    @rpc(c.GetType)
    def get_type(self, request: c.GetType) -> bytes:
        return queries.get_type(self.uow.session, request.id)

    @rpc(c.ListTypes)
    def list_types(self, request: c.ListTypes) -> bytes:
        return queries.TYPES.page(self.uow.session, [], {}, request)

    @rpc(c.ListTechnicians)
    def list_technicians(self, request: c.ListTechnicians) -> bytes:
        return queries.list_technicians(self.uow.session, request)

    @rpc(c.CreateJobSite)
    def create_job_site(self, request: c.CreateJobSite) -> bytes:
        return commands.create_job_site(self.uow, request)

    @rpc(c.UpdateJobSite)
    def update_job_site(self, request: c.UpdateJobSite) -> bytes:
        return commands.update_job_site(self.uow, request)

    @rpc(c.GetJobSite)
    def get_job_site(self, request: c.GetJobSite) -> bytes:
        return queries.get_job_site(self.uow.session, request.id)

    @rpc(c.ListJobSites)
    def list_job_sites(self, request: c.ListJobSites) -> bytes:
        return queries.list_job_sites(self.uow.session, request)

    # --- what others tell ---------------------------------------------------------------------------------------

    @on(maintenance.VisitScheduled)
    def visit_scheduled(self, event: maintenance.VisitScheduled, envelope: Envelope) -> None:
        commands.create_from_visit(self.uow, event)

    @on(billing.QuoteCreated)
    def quote_created(self, event: billing.QuoteCreated, envelope: Envelope) -> None:
        commands.link_document(self.uow, event.id, event.intervention_ids, "quote")

    @on(billing.QuoteUpdated)
    def quote_updated(self, event: billing.QuoteUpdated, envelope: Envelope) -> None:
        commands.link_document(self.uow, event.id, event.intervention_ids, "quote")

    @on(billing.QuoteDeleted)
    def quote_deleted(self, event: billing.QuoteDeleted, envelope: Envelope) -> None:
        commands.link_document(self.uow, event.id, [], "quote")

    @on(billing.InvoiceCreated)
    def invoice_created(self, event: billing.InvoiceCreated, envelope: Envelope) -> None:
        commands.link_document(self.uow, event.id, event.intervention_ids, "invoice")

    @on(billing.InvoiceUpdated)
    def invoice_updated(self, event: billing.InvoiceUpdated, envelope: Envelope) -> None:
        commands.link_document(self.uow, event.id, event.intervention_ids, "invoice")

    @on(billing.InvoiceIssued)
    def invoice_issued(self, event: billing.InvoiceIssued, envelope: Envelope) -> None:
        commands.link_document(self.uow, event.id, event.intervention_ids, "invoice")

    @on(billing.InvoiceDeleted)
    def invoice_deleted(self, event: billing.InvoiceDeleted, envelope: Envelope) -> None:
        commands.link_document(self.uow, event.id, [], "invoice")

    @on(billing.InvoiceCancelled)
    def invoice_cancelled(self, event: billing.InvoiceCancelled, envelope: Envelope) -> None:
        commands.link_document(self.uow, event.id, [], "invoice")
