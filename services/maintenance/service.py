"""The Nameko class of `maintenance`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chassis.service import every, on, rpc
from contracts import billing, interventions
from contracts import maintenance as c
from contracts.base import Envelope
from contracts.uses import AddressUses
from services.kit.follow import ClientRowsService, know_company
from services.kit.uses import address_uses
from services.maintenance import commands, queries
from services.maintenance.model import ADDRESS_USES, KINDS, MOVABLE, Base


class MaintenanceService(ClientRowsService):
    """Plans and their visits."""

    name = "maintenance"
    base = Base
    kinds = KINDS
    movable = MOVABLE

    @every(3600)
    def extend_plans(self) -> None:
        # Some plans a transaction, until none is left.
        while self.uow.run(None, lambda: commands.extend_some(self.uow)):
            pass

    def rehomed(self, kind: str, row: Any, former: UUID) -> None:
        commands.rehomed(self.uow, row, former)

    @rpc(c.CreatePlan)
    def create_plan(self, request: c.CreatePlan) -> bytes:
        return commands.create_plan(self.uow, request)

    @rpc(c.UpdatePlan)
    def update_plan(self, request: c.UpdatePlan) -> bytes:
        return commands.update_plan(self.uow, request)

    @rpc(c.GetPlan)
    def get_plan(self, request: c.GetPlan) -> bytes:
        return queries.get_plan(self.uow.session, request.id)

    @rpc(c.ListPlans)
    def list_plans(self, request: c.ListPlans) -> bytes:
        return queries.list_plans(self.uow.session, request)

    @rpc(c.GetVisit)
    def get_visit(self, request: c.GetVisit) -> bytes:
        return queries.get_visit(self.uow.session, request.id)

    @rpc(c.ListVisits)
    def list_visits(self, request: c.ListVisits) -> bytes:
        return queries.list_visits(self.uow.session, request)

    @rpc(c.EquipmentVisits)
    def of_equipment(self, request: c.EquipmentVisits) -> bytes:
        return queries.of_equipment(self.uow.session, request)

    @rpc(c.UpdateVisit)
    def update_visit(self, request: c.UpdateVisit) -> bytes:
        return commands.update_visit(self.uow, request)

    @rpc(c.RecordVisit)
    def record_visit(self, request: c.RecordVisit) -> bytes:
        return commands.record_visit(self.uow, request)

    @rpc(c.ScheduleVisit)
    def schedule_visit(self, request: c.ScheduleVisit) -> bytes:
        return commands.schedule_visit(self.uow, request)

    @rpc(c.UnscheduleVisit)
    def unschedule_visit(self, request: c.UnscheduleVisit) -> bytes:
        return commands.unschedule_visit(self.uow, request)

    @rpc(c.AddressUses)
    def address_uses(self, request: c.AddressUses) -> AddressUses:
        return address_uses(self.uow.session, request, *ADDRESS_USES)

    @rpc(c.MaintenanceFiche)
    def fiche(self, request: c.MaintenanceFiche) -> bytes:
        return queries.fiche(self.uow.session, request)

    @on(billing.CompanyUpdated, since="snapshot")
    def company_updated(self, event: billing.CompanyUpdated, envelope: Envelope) -> None:
        know_company(self.uow.session, event)

    # --- what interventions tell --------------------------------------------------------------------------------

    @on(interventions.InterventionPlanned)
    def intervention_planned(self, event: interventions.InterventionPlanned, envelope: Envelope) -> None:
        commands.intervention_moved(self.uow, event.visit_id, event.id, event.starts_at)

    @on(interventions.InterventionUpdated)
    def intervention_updated(self, event: interventions.InterventionUpdated, envelope: Envelope) -> None:
        commands.intervention_moved(self.uow, event.visit_id, event.id, event.starts_at)

    @on(interventions.InterventionDone)
    def intervention_done(self, event: interventions.InterventionDone, envelope: Envelope) -> None:
        commands.intervention_done(self.uow, event.visit_id, event.id, event.finished_at)

    @on(interventions.InterventionCancelled)
    def intervention_cancelled(self, event: interventions.InterventionCancelled, envelope: Envelope) -> None:
        commands.intervention_cancelled(self.uow, event.visit_id, event.id)
