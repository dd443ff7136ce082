"""`@on`: a method that handles an event; which events a service class handles, and whose logs it follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from contracts.base import Event

if TYPE_CHECKING:
    from chassis.service.base import Service

F = TypeVar("F", bound=Callable[..., Any])

_ON = "fiche_on"


def on(event_type: type[Event]) -> Callable[[F], F]:
    """Makes a method handle an event, within the consumer's transaction (`chassis.events`)."""

    def decorate(function: F) -> F:
        setattr(function, _ON, (*getattr(function, _ON, ()), event_type))
        return function

    return decorate


def handlers_of(service_class: type[Service]) -> dict[str, str]:
    """Event type → name of the method that handles it."""
    found: dict[str, str] = {}
    for method, function in _functions(service_class):
        for event_type in getattr(function, _ON, ()):
            if event_type.event_type() in found:
                raise TypeError(f"{service_class.name} handles {event_type.event_type()} twice")
            found[event_type.event_type()] = method
    return found


def _functions(service_class: type) -> Iterator[tuple[str, Any]]:
    for name in dir(service_class):
        function = getattr(service_class, name, None)
        if callable(function):
            yield name, function


def followed_producers(service_class: type[Service]) -> list[str]:
    """Producers whose logs the service reads, sorted."""
    return sorted({Event.registry[type_name].event_owner for type_name in handlers_of(service_class)})
