"""The base class of every service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase

from chassis.events import log as event_log
from chassis.events import parked
from chassis.runtime import Runtime
from chassis.service.calls import rpc
from chassis.service.extensions import EventsExtension, RuntimeProvider, UnitOfWorkProvider
from chassis.service.handlers import handlers_of
from chassis.uow import UnitOfWork
from contracts import chassis as chassis_language
from contracts.base import Event


class Service:
    """Base of every service: a unit of work per worker, and what the events protocol asks each to answer."""

    name: ClassVar[str]
    #: Declarative base of the service's tables.
    base: ClassVar[type[DeclarativeBase]]

    uow: UnitOfWork = UnitOfWorkProvider()
    runtime: Runtime = RuntimeProvider()

    @EventsExtension.decorator  # type: ignore[untyped-decorator]
    def apply_events(self, work: Callable[[Any], None]) -> BaseException | None:
        """Runs a batch of events in this worker; returns what it raised (Nameko would only log it)."""
        try:
            work(self)
        except Exception as error:
            return error
        return None

    def snapshot_events(self) -> list[Event]:
        """The present state as events, for consumers that begin or rebuild. A producer of names overrides it."""
        return []

    @rpc(chassis_language.LogHead)
    def log_head(self, request: chassis_language.LogHead) -> chassis_language.LogHeadAnswer:
        at = event_log.head(self.uow.session)
        published = at.position if self.runtime.wire.events_by_bell else at.published
        return chassis_language.LogHeadAnswer(log_id=at.log_id, position=at.position, published=published)

    @rpc(chassis_language.LogRead)
    def log_read(self, request: chassis_language.LogRead) -> bytes:
        if request.consumer and request.log_id:
            event_log.note_consumer(self.uow.session, request.consumer, request.log_id, request.after)
        return event_log.read_page(self.uow.session, request)

    @rpc(chassis_language.Snapshot)
    def snapshot(self, request: chassis_language.Snapshot) -> bytes:
        self.uow.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        return event_log.snapshot_page(self.uow.session, self.snapshot_events(), self.name)

    @rpc(chassis_language.ParkedList)
    def parked_list(self, request: chassis_language.ParkedList) -> dict[str, Any]:
        return {"items": parked.listing(self.uow.session, request.producer)}

    @rpc(chassis_language.ParkedShow)
    def parked_show(self, request: chassis_language.ParkedShow) -> dict[str, Any]:
        return parked.show(self.uow.session, request.producer, request.position)

    @rpc(chassis_language.ParkedAct)
    def parked_act(self, request: chassis_language.ParkedAct) -> dict[str, Any]:
        if request.action == "drop":
            return {"dropped": parked.drop(self, request.producer, request.position, request.reason)}
        handlers = handlers_of(type(self))
        return {"replayed": parked.replay(self, handlers, request.producer, request.position)}

    @rpc(chassis_language.Health)
    def health(self, request: chassis_language.Health) -> dict[str, Any]:
        session = self.uow.session
        at = event_log.head(session)
        places = [
            {"producer": row.producer, "position": row.position}
            for row in session.execute(text("SELECT producer, position FROM event_place ORDER BY producer"))
        ]
        return {
            "service": self.name,
            "position": at.position,
            "published": at.position if self.runtime.wire.events_by_bell else at.published,
            "parked": parked.parked_count(session),
            "places": places,
        }
