"""Hints without a broker: the logs are read from their present end on, when their bells ring."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import structlog

from chassis.context import SYSTEM, Context
from chassis.wire.base import OK, Call, EventSubscription, Wire

log = structlog.get_logger(__name__)

#: Events read at a time, and seconds that a log may take to answer.
BATCH = 200
TIMEOUT_S = 5.0


class LocalTap:
    """Meets `chassis.wire.base.EventTap`."""

    def __init__(self, wire: Wire, producers: Sequence[str], tell: Callable[[bytes], None]) -> None:
        self._tell = tell
        self._client = wire.rpc_client()
        self._rung: set[str] = set()
        #: Producer → (log id, place); None until its end was first asked.
        self._places: dict[str, tuple[str, int] | None] = dict.fromkeys(producers)
        self._bell = threading.Event()
        self._stop = threading.Event()
        self._subscriptions: list[EventSubscription] = [
            wire.event_subscription(
                "tap",
                producer,
                receive=lambda delivery: None,
                rung=lambda name=producer: self._ring(name),  # type: ignore[misc]
                undecodable=lambda body, headers, reason, done: done(),
            )
            for producer in producers
        ]
        self._thread = threading.Thread(target=self._run, name="tap", daemon=True)

    def start(self) -> None:
        """Asks where the logs end, then listens to their bells."""
        for producer in self._places:
            self._head(producer)
        for subscription in self._subscriptions:
            subscription.start()
        self._thread.start()

    def close(self) -> None:
        """Listens no more."""
        self._stop.set()
        self._bell.set()
        for subscription in self._subscriptions:
            subscription.stop()
        self._client.close()

    def _ring(self, producer: str) -> None:
        self._rung.add(producer)
        self._bell.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._bell.wait()
            self._bell.clear()
            while self._rung and not self._stop.is_set():
                producer = self._rung.pop()
                self._read(producer)

    def _ask(self, producer: str, method: str, body: dict[str, Any]) -> Any:
        call = Call(producer, method, orjson.dumps(body), Context(actor=SYSTEM).headers())
        [answer] = self._client.call_many([call], TIMEOUT_S)
        return orjson.loads(answer.body) if answer.status == OK else None

    def _head(self, producer: str) -> None:
        head = self._ask(producer, "log_head", {})
        if head is not None:
            self._places[producer] = (head["log_id"], head["position"])

    def _read(self, producer: str) -> None:
        place = self._places[producer]
        if place is None:
            self._head(producer)
            return
        while True:
            page = self._ask(producer, "log_read", {"log_id": place[0], "after": place[1], "limit": BATCH})
            if page is None:
                # Away, or restored from a backup: from its end on again, at the next ring.
                self._places[producer] = None
                return
            for row in page["events"]:
                try:
                    self._tell(orjson.dumps(row["event"]))
                except Exception:
                    log.exception("tap.failed", producer=producer)
            place = self._places[producer] = (page["log_id"], page["upto"])
            if len(page["events"]) < BATCH:
                return
