"""What a consumer of one producer's log is made of, shared by its loop, its beginning and its rebuilding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeVar

from chassis.events.source import LogSource
from chassis.uow import UnitOfWork
from contracts.base import Event

T = TypeVar("T")


class Applier(Protocol):
    """Runs work inside a Nameko worker, so that handlers have what the service declares."""

    def __call__(self, work: Callable[[Any], None]) -> None:
        """Calls `work(service instance)`; raises what it raises."""
        ...


@dataclass(frozen=True)
class Following:
    """`handlers` are event types → methods of the service, `since` what each declares of a past it has missed."""

    consumer: str
    producer: str
    handlers: dict[str, str]
    since: Mapping[str, str | None]
    source: LogSource
    apply: Applier

    @property
    def types(self) -> list[str]:
        """Types of this producer that have a handler."""
        return sorted(name for name in self.handlers if Event.registry[name].event_owner == self.producer)

    @cached_property
    def in_turns(self) -> frozenset[str]:
        """Types that the services do not all apply at one moment."""
        return frozenset(name for name in self.types if Event.registry[name].in_turns)

    def transact(self, work: Callable[[Any], T]) -> T:
        """What `work(service)` gives, run in one transaction of a worker."""
        results: list[T] = []

        def run(service: Any) -> None:
            uow: UnitOfWork = service.uow
            uow.run(None, lambda: results.append(work(service)))

        self.apply(run)
        return results[-1]
