"""`@on`: a method that handles an event; which events a service class handles, and whose logs it follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from contracts.base import Event

if TYPE_CHECKING:
    from chassis.service.base import Service

F = TypeVar("F", bound=Callable[..., Any])

#: What becomes of the past that a handler added to an old consumer has missed.
Since = Literal["now", "log", "snapshot"]

_ON = "fiche_on"


def on(event_type: type[Event], since: Since | None = None) -> Callable[[F], F]:
    """Makes a method handle an event, within the consumer's transaction (`chassis.events`).

    A handler added to a service that has already read the producer's log says what becomes of the events it missed:
    `now`, they stay missed; `log`, they are replayed, in order, before anything new is read; `snapshot`, the
    producer's present state stands for them. Without `since` the service does not start to read. Replicas of the
    former release may run on meanwhile: what they pass by is told to the new handler before it reads on, in the order
    of the log.
    """

    def decorate(function: F) -> F:
        setattr(function, _ON, (*getattr(function, _ON, ()), (event_type, since)))
        return function

    return decorate


def handlers_of(service_class: type[Service]) -> dict[str, str]:
    """Event type → name of the method that handles it."""
    found: dict[str, str] = {}
    for method, function in _functions(service_class):
        for event_type, _ in getattr(function, _ON, ()):
            if event_type.event_type() in found:
                raise TypeError(f"{service_class.name} handles {event_type.event_type()} twice")
            found[event_type.event_type()] = method
    return found


def since_of(service_class: type[Service]) -> dict[str, Since | None]:
    """Event type → what its handler declares of the past it may have missed."""
    return {
        event_type.event_type(): since
        for _, function in _functions(service_class)
        for event_type, since in getattr(function, _ON, ())
    }


def _functions(service_class: type) -> Iterator[tuple[str, Any]]:
    for name in dir(service_class):
        function = getattr(service_class, name, None)
        if callable(function):
            yield name, function


def followed_producers(service_class: type[Service]) -> list[str]:
    """Producers whose logs the service reads, sorted."""
    return sorted({Event.registry[type_name].event_owner for type_name in handlers_of(service_class)})
