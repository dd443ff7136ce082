"""The Nameko class of `interventions`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chassis.service import on, rpc
from contracts import billing, maintenance
from contracts import interventions as c
from contracts.base import Envelope
from contracts.uses import AddressUses
from services.interventions import commands, queries
from services.interventions.commands import reassigned
from services.interventions.model import ADDRESS_USES, KINDS, MOVABLE, Base
from services.interventions.queries.sight import Sight, seen_by
from services.kit.follow import ClientRowsService, know_company
from services.kit.uses import address_uses


class InterventionsService(ClientRowsService):
    """Work at clients, its planning and reports, job sites."""

    name = "interventions"
    base = Base
    kinds = KINDS
    movable = MOVABLE

    @property
    def sight(self) -> Sight | None:
        """How far the one who asks sees; None for everything."""
        return seen_by(self.uow.context.actor)

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
        return queries.get_intervention(self.uow.session, request.id, self.sight)

    @rpc(c.ListReportVersions)
    def report_versions(self, request: c.ListReportVersions) -> bytes:
        return queries.report_versions(self.uow.session, request.id, self.sight)

    @rpc(c.ListWorkHistory)
    def history(self, request: c.ListWorkHistory) -> bytes:
        return queries.work_history(self.uow.session, request, self.sight)

    @rpc(c.ListInterventions)
    def list(self, request: c.ListInterventions) -> bytes:
        return queries.list_interventions(self.uow.session, request, self.sight)

    @rpc(c.CountInterventions)
    def counts(self, request: c.CountInterventions) -> bytes:
        return queries.count_interventions(self.uow.session, request, self.sight)

    @rpc(c.ListOverlaps)
    def overlaps(self, request: c.ListOverlaps) -> bytes:
        return queries.list_overlaps(self.uow.session, request)

    @rpc(c.InterventionFiche)
    def fiche(self, request: c.InterventionFiche) -> bytes:
        return queries.fiche(self.uow.session, request, self.sight)

    @rpc(c.CheckInterventions)
    def check(self, request: c.CheckInterventions) -> dict[str, Any]:
        return queries.check(self.uow.session, request)

    @rpc(c.WorkTies)
    def ties(self, request: c.WorkTies) -> dict[str, Any]:
        return queries.ties(self.uow.session, request)

    @rpc(c.AddressUses)
    def address_uses(self, request: c.AddressUses) -> AddressUses:
        return address_uses(self.uow.session, request, *ADDRESS_USES)

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
        return queries.list_types(self.uow.session, request)

    @rpc(c.ListTechnicians)
    def list_technicians(self, request: c.ListTechnicians) -> bytes:
        return queries.list_technicians(self.uow.session, request)

    @rpc(c.CreateCalendarFeed)
    def create_feed(self, request: c.CreateCalendarFeed) -> bytes:
        return commands.create_feed(self.uow, request)

    @rpc(c.WithdrawCalendarFeed)
    def withdraw_feed(self, request: c.WithdrawCalendarFeed) -> bytes:
        return commands.withdraw_feed(self.uow, request)

    @rpc(c.ListCalendarFeeds)
    def feeds(self, request: c.ListCalendarFeeds) -> bytes:
        return queries.list_feeds(self.uow.session, request, self.uow.context.actor)

    @rpc(c.ReadCalendarFeed)
    def read_feed(self, request: c.ReadCalendarFeed) -> bytes:
        return queries.read_feed(self.uow.session, request)

    @rpc(c.CreateJobSite)
    def create_job_site(self, request: c.CreateJobSite) -> bytes:
        return commands.create_job_site(self.uow, request)

    @rpc(c.UpdateJobSite)
    def update_job_site(self, request: c.UpdateJobSite) -> bytes:
        return commands.update_job_site(self.uow, request)

    @rpc(c.GetJobSite)
    def get_job_site(self, request: c.GetJobSite) -> bytes:
        return queries.get_job_site(self.uow.session, request.id, self.sight)

    @rpc(c.ListJobSiteHistory)
    def job_site_history(self, request: c.ListJobSiteHistory) -> bytes:
        return queries.job_site_history(self.uow.session, request, self.sight)

    @rpc(c.ListJobSites)
    def list_job_sites(self, request: c.ListJobSites) -> bytes:
        return queries.list_job_sites(self.uow.session, request, self.sight)

    @rpc(c.CountJobSites)
    def count_job_sites(self, request: c.CountJobSites) -> bytes:
        return queries.count_job_sites(self.uow.session, request, self.sight)

    def check_reassignable(self, kind: str, row: Any) -> None:
        reassigned.check_reassignable(self.uow, row)

    def rehomed(self, kind: str, row: Any, former: UUID) -> None:
        reassigned.rehomed(self.uow, row, former)

    # --- what others tell ---------------------------------------------------------------------------------------

    @on(maintenance.VisitScheduled)
    def visit_scheduled(self, event: maintenance.VisitScheduled, envelope: Envelope) -> None:
        commands.create_from_visit(self.uow, event)

    @on(maintenance.VisitRescheduled)
    def visit_rescheduled(self, event: maintenance.VisitRescheduled, envelope: Envelope) -> None:
        commands.move_with_visit(self.uow, event)

    @on(maintenance.VisitUnscheduled)
    def visit_unscheduled(self, event: maintenance.VisitUnscheduled, envelope: Envelope) -> None:
        commands.withdraw_with_visit(self.uow, event)

    @on(maintenance.PlanReassigned, since="log")
    def plan_reassigned(self, event: maintenance.PlanReassigned, envelope: Envelope) -> None:
        reassigned.follow_plan(self.uow, event)

    @on(billing.QuoteReassigned, since="log")
    def quote_reassigned(self, event: billing.QuoteReassigned, envelope: Envelope) -> None:
        reassigned.follow_quote(self.uow, event)

    @on(billing.CompanyUpdated, since="snapshot")
    def company_updated(self, event: billing.CompanyUpdated, envelope: Envelope) -> None:
        know_company(self.uow.session, event)

    @on(billing.QuoteCreated)
    def quote_created(self, event: billing.QuoteCreated, envelope: Envelope) -> None:
        commands.follow_document(self.uow, event, "quote")

    @on(billing.QuoteUpdated)
    def quote_updated(self, event: billing.QuoteUpdated, envelope: Envelope) -> None:
        commands.follow_document(self.uow, event, "quote")

    @on(billing.QuoteDeleted)
    def quote_deleted(self, event: billing.QuoteDeleted, envelope: Envelope) -> None:
        commands.forget_document(self.uow, event)

    @on(billing.QuoteJobSiteRequested)
    def quote_job_site_requested(self, event: billing.QuoteJobSiteRequested, envelope: Envelope) -> None:
        commands.create_from_quote(self.uow, event)

    @on(billing.InvoiceCreated)
    def invoice_created(self, event: billing.InvoiceCreated, envelope: Envelope) -> None:
        commands.follow_document(self.uow, event, "invoice")

    @on(billing.InvoiceUpdated)
    def invoice_updated(self, event: billing.InvoiceUpdated, envelope: Envelope) -> None:
        commands.follow_document(self.uow, event, "invoice")

    @on(billing.InvoiceIssued)
    def invoice_issued(self, event: billing.InvoiceIssued, envelope: Envelope) -> None:
        commands.follow_document(self.uow, event, "invoice", issued=True)

    @on(billing.InvoiceDeleted)
    def invoice_deleted(self, event: billing.InvoiceDeleted, envelope: Envelope) -> None:
        commands.forget_document(self.uow, event)

    @on(billing.InvoiceCancelled)
    def invoice_cancelled(self, event: billing.InvoiceCancelled, envelope: Envelope) -> None:
        commands.forget_document(self.uow, event)
