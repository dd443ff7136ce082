"""The Nameko class of `equipment`: each message becomes one call of commands or queries."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chassis.service import rpc
from contracts import equipment as c
from contracts.uses import AddressUses
from services.equipment import commands, queries
from services.equipment.model import ADDRESS_USES, KINDS, MOVABLE, Base
from services.kit.follow import ClientRowsService
from services.kit.uses import address_uses


class EquipmentService(ClientRowsService):
    """What is installed at clients."""

    name = "equipment"
    base = Base
    kinds = KINDS
    movable = MOVABLE

    def rehomed(self, kind: str, row: Any, former: UUID) -> None:
        commands.moved_with_undo(self.uow, row, former)

    @rpc(c.CreateEquipment)
    def create(self, request: c.CreateEquipment) -> bytes:
        return commands.create_equipment(self.uow, request)

    @rpc(c.UpdateEquipment)
    def update(self, request: c.UpdateEquipment) -> bytes:
        return commands.update_equipment(self.uow, request)

    @rpc(c.ReassignEquipment)
    def reassign(self, request: c.ReassignEquipment) -> bytes:
        return commands.reassign_equipment(self.uow, request)

    @rpc(c.DeleteEquipment)
    def delete(self, request: c.DeleteEquipment) -> bytes:
        return commands.delete_equipment(self.uow, request)

    @rpc(c.RestoreEquipment)
    def restore(self, request: c.RestoreEquipment) -> bytes:
        return commands.restore_equipment(self.uow, request)

    @rpc(c.GetEquipment)
    def get(self, request: c.GetEquipment) -> bytes:
        return queries.get_equipment(self.uow.session, request.id)

    @rpc(c.ListEquipment)
    def list(self, request: c.ListEquipment) -> bytes:
        return queries.list_equipment(self.uow.session, request)

    @rpc(c.EquipmentChoices)
    def choices(self, request: c.EquipmentChoices) -> bytes:
        return queries.choices(self.uow.session, request)

    @rpc(c.ListEquipmentHistory)
    def history(self, request: c.ListEquipmentHistory) -> bytes:
        return queries.equipment_history(self.uow.session, request)

    @rpc(c.CheckEquipment)
    def check(self, request: c.CheckEquipment) -> dict[str, Any]:
        return queries.check(self.uow.session, request)

    @rpc(c.AddressUses)
    def address_uses(self, request: c.AddressUses) -> AddressUses:
        return address_uses(self.uow.session, request, *ADDRESS_USES)

    @rpc(c.EquipmentFiche)
    def fiche(self, request: c.EquipmentFiche) -> bytes:
        return queries.fiche(self.uow.session, request)
