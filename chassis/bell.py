"""A bell: rings from any thread, wakes whoever waits, and remembers that it rang."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from chassis.wire.base import LoggedEvent

#: Events that a commit of this process told: the identity of their log, and they with their positions, in order.
Told = tuple[str, Sequence[LoggedEvent]]


class Bell:
    """Coalesces rings: any number of them before a wait are one. The sweep is the guarantee, the bell only speed."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._listeners: list[Callable[[Told | None], None]] = []

    def ring(self, told: Told | None = None) -> None:
        """Wakes the waiter and calls the listeners (which must be quick and not raise) with what is told, if known."""
        self._event.set()
        for listener in tuple(self._listeners):
            listener(told)

    def listen(self, listener: Callable[[Told | None], None]) -> None:
        """Calls `listener` at each ring from now on."""
        self._listeners.append(listener)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until it has rung since the last wait. False after `timeout` seconds without a ring."""
        rung = self._event.wait(timeout)
        self._event.clear()
        return rung
