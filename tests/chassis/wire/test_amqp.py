"""What holds on RabbitMQ when something breaks."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest
from amqp import Message

from bench import raw
from chassis import metrics
from chassis.wire.amqp import AmqpWire
from chassis.wire.amqp_client import queue_of
from chassis.wire.amqp_events import PUBLIC, QUEUE_LENGTH, events_queue_of, exchange_of
from chassis.wire.amqp_link import connect
from chassis.wire.amqp_server import QUEUE_EXPIRES_MS, AmqpServer
from chassis.wire.base import OK, Answer, Call, Delivery, Incoming, LoggedEvent, PublishError, Wire
from tests.chassis.wire.wires import amqp_wire
from tests.support.proxy import Proxy
from tests.support.servers import RabbitServer
from tests.support.servers.machine import need
from tests.support.waiting import wait_until

pytestmark = pytest.mark.broker
LOG = str(uuid.uuid4())
THREADS = 64


@pytest.fixture
def name() -> str:
    return f"t{uuid.uuid4().hex[:8]}"


@pytest.fixture
def channel(amqp_url: str) -> Iterator[Any]:
    """A channel of the test's own, without a heartbeat, which nobody would send."""
    connection = raw.connect(amqp_url)
    yield connection.channel()
    connection.close()


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    """A broker to stop and to kill; a test leaves it running."""
    server = RabbitServer(Path(tmp_path_factory.mktemp("broker")))
    server.start()
    yield server
    server.close()


class Raw(Message):  # type: ignore[misc]
    """A message with properties that no honest writer makes."""

    def __init__(self, properties: bytes) -> None:
        super().__init__(b"x")
        self._raw = properties

    def _serialize_properties(self) -> bytes:
        return self._raw


#: A correlation id that is no UTF-8, and a header that is a moment out of range.
UNREADABLE = (
    struct.pack(">H", 0x0400) + b"\x01\xff",
    struct.pack(">HI", 0x2000, 11) + b"\x01aT" + b"\xff" * 8,
)


def hostile(chance: random.Random) -> bytes:
    """Properties that the broker lets pass (it looks at lengths and types), their values by chance."""

    def text(most: int) -> bytes:
        return chance.randbytes(chance.randrange(most))

    def value(kind: str) -> bytes:
        if kind in "Sx":
            return struct.pack(">I", len(long := text(40))) + long
        if kind == "A":
            return struct.pack(">I", len(inner := b"".join(b"S" + value("S") for _ in range(2)))) + inner
        if kind in "df":
            return struct.pack(f">{kind}", chance.uniform(-9, 9))
        return chance.randbytes({"T": 8, "l": 8, "I": 4, "D": 5, "b": 1, "t": 1, "V": 0}[kind])

    table = b""
    for name in (b"method", b"left_ms", b"context", b"tries", text(30)):
        kind = chance.choice("SSxATdlfIDbtV")
        table += bytes((len(name),)) + name + kind.encode() + value(kind)
    number, back = text(20), text(20)
    made = struct.pack(">HI", 0x2600, len(table)) + table
    return made + bytes((len(number),)) + number + bytes((len(back),)) + back


@pytest.fixture
def closing() -> Iterator[Callable[[Any], Any]]:
    """Stops and closes, at the end, what it is given."""
    made: list[Any] = []

    def keep(thing: Any) -> Any:
        made.append(thing)
        return thing

    yield keep
    for thing in made:
        for action in ("stop", "close"):
            getattr(thing, action, lambda: None)()


def echo(incoming: Incoming) -> None:
    incoming.reply(Answer(OK, incoming.body))


def code(answer: Answer) -> str:
    assert answer.from_wire
    return str(orjson.loads(answer.body)["code"])


def event(position: int, public: bool = False) -> LoggedEvent:
    return LoggedEvent(position, "fiche.t.thing.done.v1", "s", "s", public, orjson.dumps({"n": position}))


class Received:
    """A consumer's side: keeps what the wire brings."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.rings = 0
        self.bad: list[tuple[bytes, dict[str, str], str]] = []

    def subscribe(self, wire: Wire, consumer: str, producer: str) -> Any:
        subscription = wire.event_subscription(
            consumer,
            producer,
            receive=self.deliveries.append,
            rung=self.ring,
            undecodable=self.park,
        )
        subscription.start()
        wait_until(lambda: subscription.ready, "subscribed")
        return subscription

    def ring(self) -> None:
        self.rings += 1

    def park(self, body: bytes, headers: dict[str, str], reason: str, done: Callable[[], None]) -> None:
        self.bad.append((body, headers, reason))
        done()

    @property
    def positions(self) -> list[int]:
        return [delivery.position for delivery in self.deliveries]


def depth(channel: Any, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).message_count)


def test_threads_through_restarts_of_the_broker(
    own_broker: RabbitServer, name: str, closing: Callable[[Any], Any]
) -> None:
    wire = amqp_wire(own_broker.url)
    server = closing(wire.rpc_server(name, echo, 10))
    server.start()
    client = closing(wire.rpc_client())
    over = threading.Event()
    right, failed, wrong = [0] * THREADS, [0] * THREADS, []

    def calls(thread: int) -> None:
        n = 0
        while not over.is_set():
            n += 1
            body = f"{thread}.{n}".encode()
            answer = client.call_many([Call(name, "m", body)], 5)[0]
            if answer.from_wire:
                failed[thread] += 1
                over.wait(0.01)
            elif answer != Answer(OK, body):
                wrong.append((body, answer))
            else:
                right[thread] += 1

    def all_answered() -> bool:
        now = list(right)
        wait_until(lambda: all(b > a for a, b in zip(now, right, strict=True)), "every thread is answered", 60)
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(calls, thread) for thread in range(THREADS)]
        try:
            all_answered()
            for kill in (False, True):
                own_broker.stop(kill=kill)
                before = sum(failed)
                wait_until(lambda before=before: sum(failed) > before, "calls fail while the broker is away")
                own_broker.start()
                all_answered()
        finally:
            over.set()
        for future in futures:
            future.result(15)
    assert wrong == []
    assert server.ready


def test_pending_calls_fail_at_once_when_the_broker_goes(
    own_broker: RabbitServer, name: str, closing: Callable[[Any], Any]
) -> None:
    wire, held = amqp_wire(own_broker.url), []
    closing(wire.rpc_server(name, held.append, 10)).start()
    client = closing(wire.rpc_client())
    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(client.call_many, [Call(name, "m", b"")] * 3, 100)
        wait_until(lambda: len(held) == 3, "in hand")
        own_broker.stop(kill=True)
        assert {code(a) for a in answers.result(20)} == {"disconnected"}
    for incoming in held:
        echo(incoming)  # never raises
    own_broker.start()


def test_what_a_killed_instance_had_is_done_by_another(amqp_url: str, name: str, closing: Callable[[Any], Any]) -> None:
    instance = subprocess.Popen(
        [sys.executable, "-m", "tests.chassis.wire.instance", amqp_url, name], stdout=subprocess.PIPE, text=True
    )
    wire = amqp_wire(amqp_url)
    client = closing(wire.rpc_client())
    try:
        assert instance.stdout is not None
        assert instance.stdout.readline() == "ready\n"
        with ThreadPoolExecutor(1) as pool:
            answers = pool.submit(client.call_many, [Call(name, "m", str(n).encode()) for n in range(5)], 30)
            for _ in range(5):
                assert instance.stdout.readline() == "took m\n"
            closing(wire.rpc_server(name, echo, 10)).start()
            instance.kill()
            assert [a.body for a in answers.result(30)] == [b"0", b"1", b"2", b"3", b"4"]
    finally:
        instance.kill()
        instance.wait(10)
        if instance.stdout is not None:
            instance.stdout.close()


def test_a_forked_process_has_a_connection_of_its_own(amqp_url: str, name: str, closing: Callable[[Any], Any]) -> None:
    wire = amqp_wire(amqp_url)
    closing(wire.rpc_server(name, echo, 10)).start()
    client = closing(wire.rpc_client())
    assert client.call_many([Call(name, "m", b"before")], 10) == [Answer(OK, b"before")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python 3.12 warns of forks beside threads, which is what is tested
        child = os.fork()
    if child == 0:
        try:
            right = client.call_many([Call(name, "m", b"child")], 10) == [Answer(OK, b"child")]
            os._exit(0 if right else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert client.call_many([Call(name, "m", b"after")], 10) == [Answer(OK, b"after")]


def test_hostile_messages_are_dropped(amqp_url: str, name: str, channel: Any, closing: Callable[[Any], Any]) -> None:
    wire = amqp_wire(amqp_url)
    server = closing(wire.rpc_server(name, echo, 2))
    server.start()
    good = {"method": "m", "left_ms": 5000, "context": "{}"}
    for properties in (
        {},
        {"reply_to": "nobody"},
        {"reply_to": "nobody", "correlation_id": "1", "application_headers": {"method": 3}},
        {"reply_to": "nobody", "correlation_id": "1", "application_headers": {**good, "left_ms": "soon"}},
        {"reply_to": "nobody", "correlation_id": "1", "application_headers": {**good, "context": '{"a": 1}'}},
        {"reply_to": "nobody", "correlation_id": "1", "application_headers": {**good, "context": {}}},
        {"reply_to": "nobody", "correlation_id": "1", "application_headers": {**good, "context": "[" * 5000}},
        {"reply_to": "nobody", "correlation_id": "1", "application_headers": good},
    ):
        channel.basic_publish(Message(b"\xff\x00\xfe", **properties), routing_key=queue_of(name))
    chance = random.Random(1)
    for unreadable in (*UNREADABLE, *(hostile(chance) for _ in range(200))):
        channel.basic_publish(Raw(unreadable), routing_key=queue_of(name))
    client = closing(wire.rpc_client())
    assert client.call_many([Call(name, "m", b"\xff\x00")], 10)[0] == Answer(OK, b"\xff\x00")
    assert server.ready


def test_a_deleted_queue_is_consumed_again(
    amqp_url: str, name: str, channel: Any, closing: Callable[[Any], Any]
) -> None:
    wire, held = amqp_wire(amqp_url), []
    server = closing(wire.rpc_server(name, lambda i: held.append(i) if i.body == b"hold" else echo(i), 10))
    server.start()
    client = closing(wire.rpc_client())
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.call_many, [Call(name, "m", b"hold")], 30)
        wait_until(lambda: held, "in hand")
        channel.queue_delete(queue_of(name))
        wait_until(lambda: client.call_many([Call(name, "m", b"x")], 5)[0] == Answer(OK, b"x"), "consumed again")
        echo(held[0])
        assert answer.result(10)[0] == Answer(OK, b"hold")
    assert server.ready


def test_events_in_order_acknowledged_and_brought_again(
    amqp_url: str, name: str, channel: Any, closing: Callable[[Any], Any]
) -> None:
    wire, first = amqp_wire(amqp_url), Received()
    subscription = closing(first.subscribe(wire, "reader", name))
    publisher = closing(wire.event_publisher(name))
    publisher.publish(LOG, [event(n) for n in range(1, 301)])
    publisher.publish(LOG, [event(n) for n in range(301, 501)])
    wait_until(lambda: len(first.deliveries) == 500, "all delivered")
    assert first.positions == list(range(1, 501))
    assert first.deliveries[41] == Delivery(LOG, 42, b'{"n":42,"sequence":42}')
    subscription.ack_up_to(400)
    subscription.stop()
    second = Received()
    again = closing(second.subscribe(wire, "reader", name))
    wait_until(lambda: len(second.deliveries) == 100, "the rest is brought again")
    assert second.positions == list(range(401, 501))
    again.ack_up_to(500)
    again.stop()
    assert depth(channel, events_queue_of("reader", name)) == 0


def test_acknowledging_never_takes_what_lies_ahead(
    amqp_url: str, name: str, channel: Any, closing: Callable[[Any], Any]
) -> None:
    wire, received = amqp_wire(amqp_url), Received()
    subscription = closing(received.subscribe(wire, "reader", name))
    publisher = closing(wire.event_publisher(name))
    publisher.publish(LOG, [event(n) for n in (1, 9, 2, 3, 3, 1)])
    wait_until(lambda: len(received.deliveries) == 6, "delivered")
    subscription.ack_up_to(3)
    publisher.publish(LOG, [event(2)])
    wait_until(lambda: len(received.deliveries) == 7, "delivered")
    subscription.stop()
    assert depth(channel, events_queue_of("reader", name)) == 1


def test_bytes_that_are_no_event_are_handed_over(
    amqp_url: str, name: str, channel: Any, closing: Callable[[Any], Any]
) -> None:
    wire, received = amqp_wire(amqp_url), Received()
    subscription = closing(received.subscribe(wire, "reader", name))
    good = {"position": 1, "log_id": LOG}
    far = {"position": -1, "log_id": LOG}
    other = b'{"sequence":2}'  # the event of another position would pass for this one's
    for body, headers in ((b"\xff\x00", good), (b"{}", {}), (b"{}", far), (b"[1]", good), (other, good)):
        channel.basic_publish(Message(body, application_headers=headers), exchange_of(name), "x")
    for unreadable in UNREADABLE:
        channel.basic_publish(Raw(unreadable), exchange_of(name), "x")
    wait_until(lambda: len(received.bad) == 7, "handed over")
    assert received.bad[5:] == [(b"x", {}, "no position")] * 2
    assert received.bad[0][:2] == (b"\xff\x00", {"position": "1", "log_id": LOG})
    assert received.deliveries == []
    subscription.stop()
    assert depth(channel, events_queue_of("reader", name)) == 0


def test_a_deleted_event_queue_is_declared_again_and_rings(
    amqp_url: str, name: str, channel: Any, closing: Callable[[Any], Any]
) -> None:
    wire, received = amqp_wire(amqp_url), Received()
    closing(received.subscribe(wire, "reader", name))
    publisher = closing(wire.event_publisher(name))
    rings = received.rings
    channel.queue_delete(events_queue_of("reader", name))
    wait_until(lambda: received.rings > rings, "rung once connected again")
    publisher.publish(LOG, [event(7)])
    wait_until(lambda: 7 in received.positions, "delivered again")


def test_partners_get_public_events_only(amqp_url: str, name: str, channel: Any, closing: Callable[[Any], Any]) -> None:
    publisher = closing(amqp_wire(amqp_url).event_publisher(name))
    told = [LoggedEvent(n, f"fiche.{name}.done.v1", "s", "s", n == 3, b'{"n":%d}' % n) for n in (1, 2, 3)]
    publisher.publish(LOG, told[:1])
    queue = channel.queue_declare("", exclusive=True).queue
    channel.queue_bind(queue, "fiche.public", f"fiche.{name}.#")
    publisher.publish(LOG, told[1:])
    message = channel.basic_get(queue, no_ack=True)
    assert message.headers["position"] == 3
    assert orjson.loads(message.body) == {"n": 3, "sequence": 3}
    assert channel.basic_get(queue, no_ack=True) is None


def test_events_through_a_restart(own_broker: RabbitServer, name: str, closing: Callable[[Any], Any]) -> None:
    wire, received = amqp_wire(own_broker.url), Received()
    closing(received.subscribe(wire, "reader", name))
    publisher = closing(wire.event_publisher(name))
    publisher.publish(LOG, [event(1)])
    with connect(own_broker.url) as connection:
        partner, queue = connection.channel(), f"partner.{name}"
        partner.queue_declare(queue, durable=True, auto_delete=False)
        partner.queue_bind(queue, "fiche.public", "#")
    publisher.publish(LOG, [event(2, public=True)])
    wait_until(lambda: received.positions == [1, 2], "delivered")
    rings = received.rings
    own_broker.stop(kill=True)

    def refused() -> bool:
        try:
            publisher.publish(LOG, [event(3)])
        except PublishError:
            return True
        return False

    assert refused()
    own_broker.start()
    wait_until(lambda: not refused(), "published again")
    wait_until(lambda: received.positions[-1] == 3, "brought")
    # What a service had not read yet is in the log, which it is told to read; a partner's queue has kept its own.
    assert received.rings > rings
    with connect(own_broker.url) as connection:
        kept = connection.channel().basic_get(queue, no_ack=True)
    assert kept.headers["position"] == 2


def test_a_call_that_ends_its_instance_does_not_end_them_all(
    amqp_url: str, name: str, closing: Callable[[Any], Any]
) -> None:
    instances = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.chassis.wire.instance", amqp_url, name], stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    try:
        for instance in instances:
            assert instance.stdout is not None
            assert instance.stdout.readline() == "ready\n"
        client = closing(amqp_wire(amqp_url).rpc_client())
        answer = client.call_many([Call(name, "die", b"")], 60)[0]
        assert answer.status == "internal"
        assert orjson.loads(answer.body)["code"] == "deadly_call"
        # The broker notices a lost connection before the system has ended its process.
        wait_until(
            lambda: sorted(instance.poll() is None for instance in instances) == [False, False, False, True],
            "three of the four have ended",
        )
        assert sorted(instance.poll() is None for instance in instances) == [False, False, False, True]
    finally:
        for instance in instances:
            instance.kill()
            instance.wait(10)
            if instance.stdout is not None:
                instance.stdout.close()


def test_a_frozen_way_costs_the_deadline_and_no_more(amqp_url: str, name: str, closing: Callable[[Any], Any]) -> None:
    closing(amqp_wire(amqp_url).rpc_server(name, echo, 10)).start()
    proxy = Proxy(amqp_url)
    client = amqp_wire(proxy.url).rpc_client()
    try:
        assert client.call_many([Call(name, "m", b"1")], 10) == [Answer(OK, b"1")]
        big = b"x" * 20_000_000  # more than the socket's buffers hold: the owner of the connection waits to write
        started = time.monotonic()
        client.call_many([Call(f"{name}_none", "m", big)] * 2, 20)
        unfrozen = time.monotonic() - started
        proxy.freeze()
        started = time.monotonic()
        assert {code(a) for a in client.call_many([Call(name, "m", big)] * 2, 0.5)} == {"timeout"}
        assert {code(a) for a in client.call_many([Call(name, "m", b"2")] * 2, 0.5)} == {"timeout"}
        assert time.monotonic() - started < unfrozen + 5, "as late as a link that is given up"
        proxy.thaw()
        wait_until(lambda: client.call_many([Call(name, "m", b"3")], 2) == [Answer(OK, b"3")], "whole again", 60)
    finally:
        proxy.close()
        client.close()


def test_over_tls_with_a_certificate_that_is_trusted_and_not_without(
    amqp_url: str, name: str, closing: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate = tmp_path / "certificate.pem"
    subprocess.run(
        [
            need("openssl", "openssl", "apt install openssl"),
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", str(certificate), "-out", str(tmp_path / "public.pem"),
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    certificate.write_text(certificate.read_text() + (tmp_path / "public.pem").read_text())
    proxy = Proxy(amqp_url, certificate)
    try:
        wire = amqp_wire(proxy.url)
        stranger = wire.rpc_client()
        assert code(stranger.call_many([Call(name, "m", b"")], 10)[0]) == "disconnected"
        stranger.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "public.pem"))
        closing(wire.rpc_server(name, echo, 10)).start()
        client, received = closing(wire.rpc_client()), Received()
        for size in (0, 10, 1_000_000):
            calls = [Call(name, "m", bytes([n]) * size) for n in range(12)]
            assert client.call_many(calls, 20) == [Answer(OK, call.body) for call in calls]
        subscription = closing(received.subscribe(wire, "reader", name))
        closing(wire.event_publisher(name)).publish(LOG, [event(n) for n in range(1, 501)])
        wait_until(lambda: received.positions == list(range(1, 501)), "delivered")
        subscription.ack_up_to(500)
    finally:
        proxy.close()


def test_an_answer_that_is_none_is_told(amqp_url: str, name: str, channel: Any, closing: Callable[[Any], Any]) -> None:
    client = closing(amqp_wire(amqp_url).rpc_client())
    channel.queue_declare(queue_of(name), auto_delete=True)
    for body, headers in ((b"ok", {}), (b"\xff", {"status": "not_found"}), (b"", {"status": 7})):
        with ThreadPoolExecutor(1) as pool:
            answers = pool.submit(client.call_many, [Call(name, "m", b"")], 20)
            message = wait_until(lambda: channel.basic_get(queue_of(name), no_ack=True), "asked")
            reply = Message(body, correlation_id=message.correlation_id, application_headers=headers)
            channel.basic_publish(Message(b"{}", correlation_id="unknown"), routing_key=message.reply_to)
            channel.basic_publish(reply, routing_key=message.reply_to)
            assert code(answers.result(20)[0]) == "bad_answer"


def test_an_event_that_no_queue_wants_is_published_and_counted(amqp_url: str, name: str, closing: Any) -> None:
    publisher = closing(amqp_wire(amqp_url).event_publisher(name))
    publisher.publish(LOG, [event(n) for n in range(1, 4)])
    assert metrics.EVENTS_UNROUTABLE.labels(name)._value.get() == 3
    assert metrics.EVENTS_PUBLISHED.labels(name)._value.get() == 3


def test_a_partners_queue_that_refuses_holds_nobody_up_and_is_told(
    amqp_url: str, name: str, channel: Any, closing: Callable[[Any], Any]
) -> None:
    wire, received = amqp_wire(amqp_url), Received()
    closing(received.subscribe(wire, "reader", name))
    publisher = closing(wire.event_publisher(name))
    told = [LoggedEvent(n, f"fiche.{name}.done.v1", "s", "s", True, b'{"n":%d}' % n) for n in range(1, 9)]
    publisher.publish(LOG, told[:1])  # the exchanges are there now
    full, good = f"partner.{name}.full", f"partner.{name}.good"
    refusing = {"x-max-length": 1, "x-overflow": "reject-publish"}
    for queue, arguments in ((full, refusing), (good, {})):
        channel.queue_declare(queue, durable=False, exclusive=True, arguments=arguments)
        channel.queue_bind(queue, PUBLIC, told[0].type)

    def heard() -> list[int]:
        messages = iter(lambda: channel.basic_get(good, no_ack=True), None)
        return [message.headers["position"] for message in messages]

    def refused() -> float:
        return float(metrics.EVENTS_REFUSED.labels(name)._value.get())

    publisher.publish(LOG, told[1:4])
    # Once more at most, and in order.
    assert (heard(), refused()) == ([2, 3, 4, 3, 4], 2)
    publisher.publish(LOG, told[4:6])
    assert (heard(), refused()) == ([5, 6], 4)
    channel.queue_delete(full)
    publisher.publish(LOG, told[6:])
    assert (heard(), refused()) == ([7, 8], 4)
    wait_until(lambda: received.positions == list(range(1, 9)), "services hear each once")


@pytest.mark.parametrize("quorum", [False, True])
def test_a_queue_is_a_read_ahead_that_keeps_the_newest(
    amqp_url: str, name: str, channel: Any, closing: Callable[[Any], Any], quorum: bool
) -> None:
    wire, received = amqp_wire(amqp_url, quorum=quorum), Received()
    closing(received.subscribe(wire, "reader", name)).stop()
    publisher = closing(wire.event_publisher(name))
    for start in range(1, 10_401, 400):
        publisher.publish(LOG, [event(n) for n in range(start, start + 400)])
    assert depth(channel, events_queue_of("reader", name)) == QUEUE_LENGTH
    again = closing(received.subscribe(wire, "reader", name))

    def all_read() -> bool:
        again.ack_up_to(max(received.positions, default=0))
        return bool(received.positions) and received.positions[-1] == 10_400

    wait_until(all_read, "read to the end", 90)
    assert received.positions == list(range(401, 10_401))


def test_one_consumer_at_a_time_and_the_next_stands_by(amqp_url: str, name: str, closing: Callable[[Any], Any]) -> None:
    wire, first, second = amqp_wire(amqp_url), Received(), Received()
    active = closing(first.subscribe(wire, "reader", name))
    closing(second.subscribe(wire, "reader", name))
    publisher = closing(wire.event_publisher(name))
    publisher.publish(LOG, [event(n) for n in range(1, 21)])
    wait_until(lambda: len(first.deliveries) == 20, "all to the first")
    assert second.deliveries == []
    active.ack_up_to(15)
    active.stop()
    wait_until(lambda: second.positions == [16, 17, 18, 19, 20], "the rest to the next")


def test_calls_that_waited_for_an_instance_are_answered_as_soon_as_it_comes(
    amqp_url: str, name: str, channel: Any, closing: Callable[[Any], Any]
) -> None:
    """They come in one piece with the broker's word that they will: nothing more then shows on the socket."""
    wire = amqp_wire(amqp_url)
    client = closing(wire.rpc_client())
    for service in [f"{name}{n}" for n in range(10)]:
        channel.queue_declare(queue_of(service), auto_delete=False, arguments={"x-expires": QUEUE_EXPIRES_MS})
        with ThreadPoolExecutor(1) as pool:
            answers = pool.submit(client.call_many, [Call(service, "m", str(n).encode()) for n in range(10)], 30)
            wait_until(lambda service=service: depth(channel, queue_of(service)) == 10, "waiting")
            closing(wire.rpc_server(service, echo, 10)).start()
            started = time.monotonic()
            assert [answer.status for answer in answers.result(40)] == [OK] * 10
            assert time.monotonic() - started < 3, "as late as the broker's next heartbeat"


def test_what_comes_while_an_instance_takes_its_leave_is_done_by_it(
    amqp_url: str, name: str, closing: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given back instead, a call would have had a try for nothing, and after three of them an error for an answer."""
    wire = amqp_wire(amqp_url)
    client, leaving, staying = closing(wire.rpc_client()), *(closing(wire.rpc_server(name, echo, 4)) for _ in "ab")
    leaving.start()
    staying.start()
    again: list[Any] = []
    monkeypatch.setattr(AmqpServer, "_again", lambda self, lane, message: again.append(message.headers))
    channel = leaving._link.lane.channel
    cancel, asked = channel.basic_cancel, threading.Event()

    def late(tag: str) -> None:
        asked.set()
        time.sleep(0.3)  # the broker has much else to do
        cancel(tag)

    monkeypatch.setattr(channel, "basic_cancel", late)
    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(leaving.stop)
        wait_until(asked.is_set, "it takes its leave")
        answers = client.call_many([Call(name, "m", str(n).encode()) for n in range(40)], 20)
        stopped.result(30)
    answers += client.call_many([Call(name, "m", str(n).encode()) for n in range(40, 80)], 20)
    assert answers == [Answer(OK, b"%d" % n) for n in range(80)]
    assert again == []


def test_killed_instances_lose_no_call(amqp_url: str, name: str, closing: Callable[[Any], Any]) -> None:
    def started() -> subprocess.Popen[str]:
        instance = subprocess.Popen(
            [sys.executable, "-m", "tests.chassis.wire.instance", amqp_url, name], stdout=subprocess.PIPE, text=True
        )
        instances.append(instance)
        assert instance.stdout is not None
        assert instance.stdout.readline() == "ready\n"
        return instance

    instances: list[subprocess.Popen[str]] = []
    client = closing(amqp_wire(amqp_url).rpc_client())
    over, counts = threading.Event(), [0] * 8

    def calls(thread: int) -> list[Answer]:
        failed = []
        while not over.is_set():
            sent = [Call(name, "echo", f"{thread}.{counts[thread]}.{n}".encode()) for n in range(4)]
            answers = client.call_many(sent, 20)
            failed += [a for a, call in zip(answers, sent, strict=True) if a != Answer(OK, call.body)]
            counts[thread] += 1
            over.wait(0.001)  # green threads give way only where they wait
        return failed

    try:
        current = started()
        with ThreadPoolExecutor(8) as pool:
            futures = [pool.submit(calls, thread) for thread in range(8)]
            try:
                for _ in range(3):
                    following, before = started(), sum(counts)
                    wait_until(lambda before=before: sum(counts) > before + 40, "calls are answered")
                    current.kill()
                    current = following
                before = sum(counts)
                wait_until(lambda: sum(counts) > before + 40, "calls are answered still")
            finally:
                over.set()
            assert [future.result(30) for future in futures] == [[]] * 8
    finally:
        for instance in instances:
            instance.kill()
            instance.wait(10)
            if instance.stdout is not None:
                instance.stdout.close()


def test_a_broker_out_of_memory_costs_the_deadline_and_no_more(
    own_broker: RabbitServer, name: str, closing: Callable[[Any], Any]
) -> None:
    """It stops reading from whoever publishes: nothing comes back, and what is written waits in the socket."""
    wire = amqp_wire(own_broker.url)
    closing(wire.rpc_server(name, echo, 10)).start()
    client = closing(wire.rpc_client())
    wait_until(lambda: client.call_many([Call(name, "m", b"1")], 10) == [Answer(OK, b"1")], "answered", 30)
    began = time.monotonic()
    client.call_many([Call(f"{name}_none", "m", b"x" * 20_000_000)] * 2, 20)
    without = time.monotonic() - began
    own_broker.alarm(True)
    try:
        wait_until(
            lambda: client.call_many([Call(name, "m", b"2")], 0.5)[0].from_wire, "the alarm holds calls back", 30
        )
        started = time.monotonic()
        big = client.call_many([Call(name, "m", b"x" * 20_000_000)] * 2, 1)
        assert {code(answer) for answer in big} <= {"timeout", "disconnected"}
        assert time.monotonic() - started < without + 6, "as late as a link that is given up"
    finally:
        own_broker.alarm(False)
    wait_until(lambda: client.call_many([Call(name, "m", b"3")], 2) == [Answer(OK, b"3")], "whole again", 60)


def test_the_end_of_a_connection_is_noticed_while_nobody_calls(
    amqp_url: str, name: str, closing: Callable[[Any], Any]
) -> None:
    closing(amqp_wire(amqp_url).rpc_server(name, echo, 10)).start()
    proxy = Proxy(amqp_url)
    client = amqp_wire(proxy.url).rpc_client()
    try:
        assert client.call_many([Call(name, "m", b"1")], 10) == [Answer(OK, b"1")]
        lost = metrics.WIRE_LOST.labels("rpc-client")._value.get()
    finally:
        proxy.close()
    try:
        wait_until(lambda: metrics.WIRE_LOST.labels("rpc-client")._value.get() > lost, "noticed")
    finally:
        client.close()


def test_frames_by_hand_and_by_py_amqp_are_asked_and_answer_alike(
    amqp_url: str, name: str, closing: Callable[[Any], Any]
) -> None:
    wires = {plain: AmqpWire(amqp_url, plain=plain) for plain in (False, True)}
    seen: dict[str, list[tuple[str, bytes, dict[str, str]]]] = {f"{name}.{plain}": [] for plain in wires}

    def handle(service: str, incoming: Incoming) -> None:
        seen[service].append((incoming.method, incoming.body, incoming.headers))
        incoming.reply(Answer(incoming.method, incoming.body))

    for plain, wire in wires.items():
        service = f"{name}.{plain}"
        closing(wire.rpc_server(service, lambda incoming, service=service: handle(service, incoming), 10)).start()
    clients = [closing(wire.rpc_client()) for wire in wires.values()]
    asked = [
        (method, body, headers)
        for method in (OK, "not_found", "é" * 50)
        for body in (b"", b"{}", b"{" + b"\xce\x00" * 300, b"{" + b"y" * 400_000)
        for headers in ({}, {"actor": '{"name":"Zoé"}', "n": ""}, {"x" * 300: "y" * 70_000})
    ]
    for client in clients:
        for service, taken in seen.items():
            taken.clear()
            answers = client.call_many([Call(service, *each) for each in asked], 30)
            expected = [Answer(method, body) for method, body, _ in asked]
            # An error without a body that is an object is no answer, by either way.
            for answer, right in zip(answers, expected, strict=True):
                assert answer == right or (right.status != OK and not right.body and code(answer) == "bad_answer")
            assert sorted(taken, key=repr) == sorted(asked, key=repr)
