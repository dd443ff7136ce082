"""What commits of this process told, on its way to the relay without a look at the log."""

from __future__ import annotations

import threading

from chassis.bell import Told
from chassis.wire.base import LoggedEvent

#: Events that wait at most; more are read from the log.
KEPT = 2_000
#: Events given at a time.
BATCH = 500


class Fresh:
    """Events that commits of this process told, until they are published."""

    def __init__(self) -> None:
        self._events: dict[int, LoggedEvent] = {}
        self._log_id = ""
        self._lock = threading.Lock()

    def put(self, told: Told) -> bool:
        """Keeps what a commit told. False when too much waits: it is forgotten, and must be read from the log."""
        log_id, events = told
        with self._lock:
            if log_id != self._log_id:
                self._events, self._log_id = {}, log_id
            self._events.update((event.position, event) for event in events)
            if kept := len(self._events) <= KEPT:
                return kept
            self._events = {}
            return False

    def after(self, log_id: str, position: int) -> tuple[list[LoggedEvent], bool]:
        """The run of events that follows a position; and whether others lie ahead, which do not follow it."""
        with self._lock:
            if log_id != self._log_id:
                others, self._events = bool(self._events), {}
                return [], others
            run: list[LoggedEvent] = []
            while len(run) < BATCH and (event := self._events.pop(position + 1, None)) is not None:
                run.append(event)
                position += 1
            if not run and self._events:
                self._events = {at: event for at, event in self._events.items() if at > position}
            return run, bool(self._events)
