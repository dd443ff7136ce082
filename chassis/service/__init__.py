"""What a service class is made of: `Service`, `@rpc`, `@on`. Nameko's containers and workers run it.

class EquipmentService(Service):
    name = "equipment"
    base = Base

    @rpc(CreateEquipment)
    def create(self, request: CreateEquipment) -> bytes:
        return commands.create_equipment(self.uow, request)

    @on(InterventionDone)
    def intervention_done(self, event: InterventionDone, envelope: Envelope) -> None:
        commands.note_work(self.uow, event)
"""

from chassis.service.base import Service
from chassis.service.calls import every, rpc, whenever_told
from chassis.service.extensions import EventsExtension, RpcEntrypoint, RpcServerExtension
from chassis.service.handlers import followed_producers, handlers_of, on
from chassis.service.refusals import invalid_from

__all__ = [
    "EventsExtension",
    "RpcEntrypoint",
    "RpcServerExtension",
    "Service",
    "every",
    "followed_producers",
    "handlers_of",
    "invalid_from",
    "on",
    "rpc",
    "whenever_told",
]
