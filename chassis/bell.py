"""A bell: rings from any thread, wakes whoever waits, and remembers that it rang."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Bell:
    """Coalesces rings: any number of them before a wait are one. The sweep is the guarantee, the bell only speed."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._listeners: list[Callable[[], None]] = []

    def ring(self) -> None:
        """Wakes the waiter and calls the listeners (which must be quick and not raise)."""
        self._event.set()
        for listener in tuple(self._listeners):
            listener()

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls `listener` at each ring from now on."""
        self._listeners.append(listener)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until it has rung since the last wait. False after `timeout` seconds without a ring."""
        rung = self._event.wait(timeout)
        self._event.clear()
        return rung
