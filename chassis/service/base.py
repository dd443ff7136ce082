"""The base class of every service."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from sqlalchemy.orm import DeclarativeBase

from chassis.errors import NotFound
from chassis.events import log as event_log
from chassis.events import parked, place, snapshot
from chassis.runtime import Runtime
from chassis.service.calls import every, rpc
from chassis.service.extensions import EventsExtension, RuntimeProvider, UnitOfWorkProvider, places_bell
from chassis.service.handlers import handlers_of
from chassis.uow import UnitOfWork, forget_answers
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

    @every(3600)
    def forget_the_old(self) -> None:
        """Answers that nobody asks for again, pages of snapshots; in batches, so that no call waits for it."""
        while self.uow.run(None, lambda: forget_answers(self.uow)):
            pass
        self.uow.run(None, lambda: snapshot.sweep(self.uow))

    #: Types of events whose effect the snapshot replaces; their handlers keep states: one told again is harmless.
    snapshot_covers: ClassVar[tuple[type[Event], ...]] = ()

    def snapshot_events(self) -> Iterable[Event]:
        """The present state as events, for consumers that begin or rebuild. A producer of names overrides it."""
        return ()

    def forget_copies(self, producer: str) -> None:
        """Empties the copies kept of a producer's facts, in the transaction that fills them from a snapshot."""

    def event_parked(self, raw: dict[str, Any], error: str) -> None:
        """Told in the transaction that puts an event aside, for what others should know of it."""

    @rpc(chassis_language.LogHead)
    def log_head(self, request: chassis_language.LogHead) -> chassis_language.LogHeadAnswer:
        at = event_log.head(self.uow.session)
        published = at.position if self.runtime.wire.events_by_bell else at.published
        return chassis_language.LogHeadAnswer(log_id=at.log_id, position=at.position, published=published)

    @rpc(chassis_language.LogRead)
    def log_read(self, request: chassis_language.LogRead) -> bytes:
        page = event_log.read_page(self.uow.session, request)
        if request.consumer:
            event_log.note_consumer(self.uow.session, request.consumer, request.after)
        return page

    @rpc(chassis_language.Snapshot)
    def snapshot(self, request: chassis_language.Snapshot) -> bytes:
        if request.id is not None:
            return snapshot.page(self.uow, request.id, request.page)
        self.uow.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        return snapshot.make(self.uow, self.snapshot_events(), self.snapshot_covers)

    @rpc(chassis_language.Rebuild)
    def rebuild(self, request: chassis_language.Rebuild) -> dict[str, Any]:
        if not place.ask_rebuild(self.uow.session, request.producer):
            raise NotFound(f"{self.name} ne lit pas le journal de {request.producer}.", code="not_followed")
        self.uow.after_commit(self.runtime.bell(places_bell(self.name)).ring)
        return {"service": self.name, "producer": request.producer, "asked_at": self.uow.now.isoformat()}

    @rpc(chassis_language.LogPrune)
    def log_prune(self, request: chassis_language.LogPrune) -> chassis_language.LogPruneAnswer:
        publishes = not self.runtime.settings.embedded
        return event_log.prune(self.uow.session, request, publishes=publishes)

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
        return {
            "service": self.name,
            "position": at.position,
            "published": at.position if self.runtime.wire.events_by_bell else at.published,
            "parked": parked.parked_count(session),
            "places": place.listing(session),
            "followers": event_log.followers(session),
        }
