"""What both wires promise of a tap: hints of what is published, as it happens."""

from __future__ import annotations

import queue
import uuid
from typing import Any

import orjson
import pytest

from chassis.wire import local_tap
from chassis.wire.base import OK, Answer, Incoming, LoggedEvent, Wire
from chassis.wire.local import LocalWire
from tests.chassis.wire.wires import amqp_wire
from tests.support.waiting import wait_until

LOG = str(uuid.uuid4())


@pytest.fixture(params=["local", pytest.param("amqp", marks=pytest.mark.broker)])
def wire(request: pytest.FixtureRequest) -> Wire:
    return LocalWire() if request.param == "local" else amqp_wire(request.getfixturevalue("amqp_url"))


class Producer:
    """Tells events as a service does: by its log and bell in one process, by its relay over a broker."""

    def __init__(self, wire: Wire, name: str) -> None:
        self.name = name
        self._wire = wire
        self._events: list[dict[str, Any]] = []
        self.away = False
        self.asked = 0
        self._publisher = None if wire.events_by_bell else wire.event_publisher(name)
        self._server = wire.rpc_server(name, self._handle, 2)
        self._server.start()

    def tell(self, subject: str) -> None:
        event = {"subject": subject}
        self._events.append(event)
        if self._publisher is None:
            self._wire.ring(self.name)
        else:
            at = len(self._events)
            logged = LoggedEvent(at, f"fiche.{self.name}.x.v1", subject, subject, True, orjson.dumps(event))
            self._publisher.publish(LOG, [logged])

    def _handle(self, incoming: Incoming) -> None:
        self.asked += 1
        if self.away:
            incoming.reply(Answer("unavailable", b'{"code": "timeout"}'))
            return
        if incoming.method == "log_head":
            answer: Any = {"log_id": LOG, "position": len(self._events), "published": len(self._events)}
        else:
            asked = orjson.loads(incoming.body)
            rows = list(enumerate(self._events, 1))[asked["after"] : asked["after"] + asked["limit"]]
            events = [{"position": at, "event": event} for at, event in rows]
            answer = {"log_id": LOG, "upto": asked["after"] + len(rows), "events": events}
        incoming.reply(Answer(OK, orjson.dumps(answer)))

    def close(self) -> None:
        self._server.stop()
        self._server.close()
        if self._publisher is not None:
            self._publisher.close()


def test_a_tap_hears_what_is_told_from_now_on_by_the_producers_it_named(wire: Wire) -> None:
    mine, other = (Producer(wire, f"t{uuid.uuid4().hex[:8]}") for _ in range(2))
    heard: queue.Queue[str] = queue.Queue()

    def tell(body: bytes) -> None:
        subject = orjson.loads(body)["subject"]
        if subject == "bad":
            raise ValueError(subject)
        heard.put(subject)

    tap = wire.event_tap([mine.name], tell)
    try:
        mine.tell("before")
        tap.start()

        def hears() -> bool:
            # Over a broker its queue is declared in its own time: what came before that is not told.
            mine.tell("first")
            try:
                return heard.get(timeout=0.2) == "first"
            except queue.Empty:
                return False

        wait_until(hears, "the tap hears")
        other.tell("not mine")
        mine.tell("bad")
        mine.tell("last")
        subjects = set()
        while (subject := heard.get(timeout=10)) != "last":
            subjects.add(subject)
        assert subjects <= {"first"}
    finally:
        tap.close()
        mine.close()
        other.close()


def test_what_is_told_while_a_log_does_not_answer_is_hinted_once_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a broker nobody asks; in one process a log that is late must not cost the hint."""
    monkeypatch.setattr(local_tap, "AGAIN_S", 0.05)
    wire = LocalWire()
    mine = Producer(wire, f"t{uuid.uuid4().hex[:8]}")
    heard: queue.Queue[str] = queue.Queue()
    tap = wire.event_tap([mine.name], lambda body: heard.put(orjson.loads(body)["subject"]))
    try:
        tap.start()
        mine.away = True
        asked = mine.asked
        mine.tell("meanwhile")
        wait_until(lambda: mine.asked >= asked + 3, "it is asked again without another ring")
        mine.away = False
        assert heard.get(timeout=20) == "meanwhile"
        mine.tell("afterwards")
        assert heard.get(timeout=20) == "afterwards"
        assert heard.empty()
    finally:
        tap.close()
        mine.close()
