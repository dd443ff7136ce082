"""What the clients of both wires share: answers that the wire makes itself, and the answers of one fan-out."""

from __future__ import annotations

import threading

from chassis.errors import Unavailable
from chassis.wire.base import Answer


def unavailable(code: str, detail: str) -> Answer:
    """An answer that the wire makes itself."""
    error = Unavailable(detail, code=code)
    return Answer(error.kind, error.to_json(), from_wire=True)


class Pending:
    """One fan-out: the answers so far, and one wake-up when the last is in."""

    def __init__(self, count: int) -> None:
        self.answers: list[Answer | None] = [None] * count
        self._missing = count
        self._lock = threading.Lock()
        self.done = threading.Event()
        if not count:
            self.done.set()

    def set(self, index: int, answer: Answer) -> None:
        """Keeps the first answer to a call; later ones are ignored."""
        with self._lock:
            if self.answers[index] is not None:
                return
            self.answers[index] = answer
            self._missing -= 1
            if self._missing == 0:
                self.done.set()
