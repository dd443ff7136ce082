"""Hints without a broker: the logs are read from their present end on, when their bells ring."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import structlog

from chassis.context import SYSTEM, Context
from chassis.wire.base import OK, Answer, Call, EventSubscription, Wire

log = structlog.get_logger(__name__)

#: Events read at a time, seconds that a log may take to answer, and seconds until one that did not is asked again.
BATCH = 200
TIMEOUT_S = 5.0
AGAIN_S = 1.0


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
        late: set[str] = set()
        while not self._stop.is_set():
            self._bell.wait(AGAIN_S if late else None)
            self._bell.clear()
            self._rung |= late
            late = set()
            while self._rung and not self._stop.is_set():
                producer = self._rung.pop()
                if not self._read(producer):
                    late.add(producer)

    def _ask(self, producer: str, method: str, body: dict[str, Any]) -> Answer:
        call = Call(producer, method, orjson.dumps(body), Context(actor=SYSTEM).headers())
        [answer] = self._client.call_many([call], TIMEOUT_S)
        return answer

    def _head(self, producer: str) -> bool:
        """Listens from the log's end on. False: it was not told."""
        answer = self._ask(producer, "log_head", {})
        if answer.status == OK:
            head = orjson.loads(answer.body)
            self._places[producer] = (head["log_id"], head["position"])
        return answer.status == OK

    def _read(self, producer: str) -> bool:
        """Tells what the log has behind the place. False: it did not answer, and is to be asked again."""
        while (place := self._places[producer]) is not None:
            answer = self._ask(producer, "log_read", {"log_id": place[0], "after": place[1], "limit": BATCH})
            if answer.status == "unavailable":
                return False
            if answer.status != OK:  # restored from a backup: from its end on
                break
            page = orjson.loads(answer.body)
            for row in page["events"]:
                try:
                    self._tell(orjson.dumps(row["event"]))
                except Exception:
                    log.exception("tap.failed", producer=producer)
            self._places[producer] = (page["log_id"], page["upto"])
            if len(page["events"]) < BATCH:
                return True
        return self._head(producer)
