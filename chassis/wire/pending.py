"""What the clients of both wires share: answers that the wire makes itself, and the answers of one fan-out."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from chassis import metrics
from chassis.errors import Unavailable
from chassis.wire.amqp_wait import short_lock
from chassis.wire.base import Answer, Call


def unavailable(code: str, detail: str) -> Answer:
    """An answer that the wire makes itself; its status is `unavailable`."""
    error = Unavailable(detail, code=code)
    return Answer(error.kind, error.to_json(), from_wire=True)


class Pending:
    """One fan-out: the answers so far, one deadline for all, and one wake-up when the last is in."""

    def __init__(self, calls: Sequence[Call], timeout: float) -> None:
        self._calls = calls
        self._began = time.monotonic()
        #: On this process's monotonic clock.
        self.deadline = self._began + timeout
        self._answers: list[Answer | None] = [None] * len(calls)
        self._missing = len(calls)
        self._lock = short_lock()
        #: Held until the last answer is in; a lock wakes its waiter with less ado than an event.
        self._waiting = threading.Lock()
        if calls:
            self._waiting.acquire()

    def set(self, index: int, answer: Answer) -> bool:
        """Keeps the first answer to a call; False for later ones, which are ignored."""
        with self._lock:
            if self._answers[index] is not None:
                return False
            self._answers[index] = answer
            self._missing -= 1
            last = self._missing == 0
        if not answer.from_wire:
            metrics.rpc_called(self._calls[index].service, answer.status, self._began)
        if last:
            self._waiting.release()
        return True

    def fail(self, index: int, code: str, detail: str) -> None:
        """Answers a call in the service's place."""
        if self.set(index, unavailable(code, detail)):
            metrics.RPC_CALLED.labels(self._calls[index].service, code).inc()

    def fail_all(self, code: str, detail: str) -> None:
        """Answers every call that has no answer yet."""
        for index in range(len(self._calls)):
            self.fail(index, code, detail)

    def complete(self) -> bool:
        """Whether every call has its answer."""
        return not self._missing

    def wait(self) -> list[Answer]:
        """The answers, in the order of the calls; those that did not come before the deadline are `timeout`."""
        left = self.deadline - time.monotonic()
        if left > 0:
            self._waiting.acquire(timeout=left)
        for index, call in enumerate(self._calls):
            if self._answers[index] is None:
                self.fail(index, "timeout", f"Le service {call.service} n’a pas répondu à temps.")
        return [answer for answer in self._answers if answer is not None]
