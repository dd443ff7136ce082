"""What lies ahead of a consumer's place, from the broker or read in advance of the log."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

#: How many events are kept; more are read from the log.
KEPT = 5_000


@dataclass(frozen=True, slots=True)
class Entry:
    """An event at its position in a log."""

    log_id: str
    position: int
    event: dict[str, Any]

    @property
    def id(self) -> str | None:
        """Its identifier; None where it has none."""
        identifier = self.event.get("id")
        return None if identifier is None else str(identifier)

    @property
    def told_at(self) -> float | None:
        """When it was told, as `time.time()` counts; None where it does not say so."""
        try:
            return datetime.fromisoformat(str(self.event.get("time"))).timestamp()
        except ValueError:
            return None

    @property
    def type(self) -> str:
        """Its type."""
        return str(self.event.get("type", ""))

    @property
    def key(self) -> str:
        """Its ordering key."""
        return str(self.event.get("partitionkey", ""))


class Ahead:
    """A small map by position, filled from any thread: nothing in it is trusted to be next, or the only copy."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._behind = 0
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._entries)

    def put(self, entries: Iterable[Entry]) -> None:
        """Keeps what lies ahead, as long as there is room."""
        with self._lock:
            for entry in entries:
                if len(self._entries) < KEPT and entry.position > self._behind:
                    self._entries[entry.position] = entry

    def run(self, log_id: str | None, after: int, limit: int) -> list[Entry]:
        """Events of a log that follow a position without a gap. One of another log empties the map."""
        batch: list[Entry] = []
        with self._lock:
            while len(batch) < limit and (entry := self._entries.get(after + 1)) is not None:
                if entry.log_id != log_id:
                    self._entries = {}
                    return []
                batch.append(entry)
                after += 1
        return batch

    def pass_(self, position: int) -> None:
        """Forgets what the place has passed, and takes no more of it."""
        with self._lock:
            self._behind = position
            self._entries = {at: entry for at, entry in self._entries.items() if at > position}

    def positions(self) -> list[int]:
        """Where there is something at this moment."""
        with self._lock:
            return list(self._entries)

    def forget(self, positions: Iterable[int]) -> None:
        """Forgets what lies there."""
        with self._lock:
            for position in positions:
                self._entries.pop(position, None)
