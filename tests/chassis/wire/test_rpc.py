"""What both wires promise of calls."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from chassis.wire.base import OK, Answer, Call, Incoming, LoggedEvent, RpcClient, RpcServer, Wire
from chassis.wire.local import LocalWire
from tests.chassis.wire.wires import amqp_wire
from tests.support.waiting import wait_until

Serve = Callable[..., RpcServer]


@pytest.fixture(params=["local", pytest.param("amqp", marks=pytest.mark.broker)])
def wire(request: pytest.FixtureRequest) -> Wire:
    return LocalWire() if request.param == "local" else amqp_wire(request.getfixturevalue("amqp_url"))


@pytest.fixture
def client(wire: Wire) -> Iterator[RpcClient]:
    made = wire.rpc_client()
    yield made
    made.close()


@pytest.fixture
def service() -> str:
    return f"echo_{uuid.uuid4().hex[:8]}"


@pytest.fixture
def serve(wire: Wire, service: str) -> Iterator[Serve]:
    made: list[RpcServer] = []

    def start(handle: Callable[[Incoming], None], max_workers: int = 10) -> RpcServer:
        server = wire.rpc_server(service, handle, max_workers)
        made.append(server)
        server.start()
        wait_until(lambda: server.ready, "the server takes calls")
        return server

    yield start
    for server in made:
        server.stop()
        server.close()


def echo(incoming: Incoming) -> None:
    incoming.reply(Answer(OK, incoming.method.encode() + b":" + incoming.body))


def code(answer: Answer) -> str:
    assert answer.status == "unavailable"
    assert answer.from_wire
    return str(orjson.loads(answer.body)["code"])


def test_a_call_carries_body_headers_and_time_left(client: RpcClient, serve: Serve, service: str) -> None:
    seen: list[Incoming] = []

    def handle(incoming: Incoming) -> None:
        seen.append(incoming)
        echo(incoming)

    serve(handle)
    before = time.monotonic()
    answer = client.call_many([Call(service, "say", '{"é": 1}'.encode(), {"actor": "Zoé", "n": "1"})], 20)[0]
    assert answer == Answer(OK, 'say:{"é": 1}'.encode())
    assert seen[0].headers == {"actor": "Zoé", "n": "1"}
    assert before < seen[0].deadline <= time.monotonic() + 20


def test_a_refusal_is_the_answer_of_the_service(client: RpcClient, serve: Serve, service: str) -> None:
    serve(lambda incoming: incoming.reply(Answer("not_found", b'{"code": "x"}')))
    assert client.call_many([Call(service, "m", b"{}")], 20) == [Answer("not_found", b'{"code": "x"}')]


def test_answers_come_in_the_order_of_the_calls(client: RpcClient, serve: Serve, service: str) -> None:
    held: list[Incoming] = []

    def backwards(incoming: Incoming) -> None:
        held.append(incoming)
        if len(held) == 20:
            for each in reversed(held):
                echo(each)

    serve(backwards, max_workers=20)
    answers = client.call_many([Call(service, "m", str(n).encode()) for n in range(20)], 10)
    assert [a.body for a in answers] == [f"m:{n}".encode() for n in range(20)]


def test_no_service_is_told_at_once(client: RpcClient, service: str) -> None:
    started = time.monotonic()
    assert code(client.call_many([Call(service, "m", b"")], 20)[0]) == "no_service"
    assert time.monotonic() - started < 10


def test_one_deadline_for_all(client: RpcClient, serve: Serve, service: str) -> None:
    kept: list[Incoming] = []

    def some(incoming: Incoming) -> None:
        kept.append(incoming)
        if incoming.method == "quick":
            echo(incoming)

    serve(some)
    client.call_many([Call(service, "quick", b"")], 20)
    started = time.monotonic()
    answers = client.call_many([Call(service, m, b"") for m in ("slow", "quick", "slow")], 3)
    assert 2.9 < time.monotonic() - started < 8
    assert [code(answers[0]), answers[1].status, code(answers[2])] == ["timeout", OK, "timeout"]
    for incoming in kept:
        echo(incoming)  # late answers, and second ones, disturb nobody
    assert client.call_many([Call(service, "quick", b"2")], 20)[0].body == b"quick:2"


def test_who_waits_long_keeps_nobody_from_an_answer(client: RpcClient, serve: Serve, service: str) -> None:
    """Whoever waits may be the one who reads what comes, for the others too."""
    held: list[Incoming] = []
    serve(lambda incoming: held.append(incoming) if incoming.method == "slow" else echo(incoming))
    with ThreadPoolExecutor(3) as pool:
        slow = pool.submit(client.call_many, [Call(service, "slow", b"")], 30)
        wait_until(lambda: held, "in hand")
        for n in range(50):
            started = time.monotonic()
            assert client.call_many([Call(service, "quick", b"%d" % n)], 20)[0].body == b"quick:%d" % n
            assert time.monotonic() - started < 5
        second = pool.submit(client.call_many, [Call(service, "slow", b"")], 30)
        wait_until(lambda: len(held) == 2, "in hand")
        echo(held[0])  # who read leaves; somebody else must go on
        assert slow.result(10)[0].status == OK
        echo(held[1])
        assert second.result(10)[0].status == OK


def test_at_most_max_workers_in_hand(client: RpcClient, serve: Serve, service: str) -> None:
    lock, held, most = threading.Lock(), [], 0

    def handle(incoming: Incoming) -> None:
        nonlocal most
        with lock:
            held.append(incoming)
            most = max(most, len(held))

    serve(handle, max_workers=3)
    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(client.call_many, [Call(service, "m", b"") for _ in range(12)], 20)
        for _ in range(4):
            wait_until(lambda: len(held) == 3, "three in hand")
            with lock:
                batch, held[:] = list(held), []
            for incoming in batch:
                echo(incoming)
        assert {a.status for a in answers.result(20)} == {OK}
    assert most == 3


def test_a_graceful_stop_answers_what_is_in_hand_and_gives_back_the_rest(
    client: RpcClient, serve: Serve, service: str
) -> None:
    held: list[Incoming] = []
    first = serve(held.append, max_workers=2)
    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(client.call_many, [Call(service, "m", str(n).encode()) for n in range(6)], 20)
        wait_until(lambda: len(held) == 2, "two in hand")
        serve(echo)
        first.stop()
        assert not first.ready
        for incoming in held:
            incoming.reply(Answer(OK, b"first"))
        got = answers.result(20)
    first.close()
    assert {a.status for a in got} == {OK}
    assert len(held) == 2
    assert [a.body for a in got].count(b"first") == 2


def test_close_gives_up_pending_calls(client: RpcClient, serve: Serve, service: str) -> None:
    held: list[Incoming] = []
    serve(held.append)
    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(client.call_many, [Call(service, "m", b"")], 60)
        wait_until(lambda: held, "in hand")
        client.close()
        assert code(answers.result(10)[0]) == "disconnected"
    assert code(client.call_many([Call(service, "m", b"")], 5)[0]) == "disconnected"


def test_many_threads_get_their_own_answers(client: RpcClient, serve: Serve, service: str) -> None:
    serve(echo)

    def calls(thread: int) -> bool:
        return all(
            client.call_many([Call(service, "m", f"{thread}.{n}".encode())], 20)[0].body == f"m:{thread}.{n}".encode()
            for n in range(50)
        )

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(calls, range(16)))


def test_a_stopped_service_is_told_at_once(client: RpcClient, serve: Serve, service: str) -> None:
    server = serve(echo)
    assert client.call_many([Call(service, "m", b"")], 10)[0].status == OK
    server.stop()
    started = time.monotonic()
    assert code(client.call_many([Call(service, "m", b"")], 20)[0]) == "no_service"
    assert time.monotonic() - started < 3
    serve(echo)
    assert client.call_many([Call(service, "m", b"")], 10)[0].status == OK


def test_a_handler_that_raises_is_an_internal_error(client: RpcClient, serve: Serve, service: str) -> None:
    def handle(incoming: Incoming) -> None:
        if incoming.method == "bad":
            raise LookupError("secret of the house")
        echo(incoming)

    serve(handle, max_workers=1)
    answers = client.call_many([Call(service, m, b"") for m in ("bad", "good", "bad", "good")], 10)
    assert [a.status for a in answers] == ["internal", OK, "internal", OK]
    assert b"secret" not in answers[0].body
    assert not answers[0].from_wire


def test_a_second_answer_frees_no_second_place(client: RpcClient, serve: Serve, service: str) -> None:
    lock, held, most = threading.Lock(), [], 0

    def handle(incoming: Incoming) -> None:
        nonlocal most
        with lock:
            held.append(incoming)
            most = max(most, len(held))

    serve(handle, max_workers=1)
    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(client.call_many, [Call(service, "m", b"") for _ in range(6)], 20)
        for _ in range(6):
            wait_until(lambda: len(held) == 1, "one in hand")
            with lock:
                incoming = held.pop()
            for _ in range(3):
                echo(incoming)
        assert {a.status for a in answers.result(20)} == {OK}
    assert most == 1


class _Counted(list[Call]):
    """Calls that tell when they have been walked through once."""

    def __init__(self, calls: Iterable[Call]) -> None:
        super().__init__(calls)
        self.walked = threading.Event()

    def __iter__(self) -> Iterator[Call]:
        yield from super().__iter__()
        self.walked.set()


def test_a_long_line_is_answered_and_a_longer_one_refused(client: RpcClient, serve: Serve, service: str) -> None:
    held: list[Incoming] = []
    serve(lambda incoming: echo(incoming) if held else held.append(incoming), max_workers=1)
    with ThreadPoolExecutor(1) as pool:
        line = _Counted(Call(service, "m", str(n).encode()) for n in range(1_500))
        first = pool.submit(client.call_many, line, 60)
        # Only when all have been handed over is it sure how many the line has room for.
        wait_until(lambda: held and line.walked.is_set(), "the first is in hand and the others wait")
        refused = [answer for answer in client.call_many([Call(service, "m", b"")] * 700, 1) if answer.from_wire]
        assert {code(answer) for answer in refused} <= {"overloaded", "timeout"}
        echo(held[0])
        answers = first.result(60)
    told = [code(answer) for answer in answers if answer.from_wire]
    assert set(told) == {"overloaded"}
    assert 300 <= len(told) <= 700
    answered = [(n, answer.body) for n, answer in enumerate(answers) if not answer.from_wire]
    assert answered == [(n, f"m:{n}".encode()) for n, _ in answered]


def test_a_call_that_is_late_is_never_handled(client: RpcClient, serve: Serve, service: str) -> None:
    taken: list[bytes] = []
    held: list[Incoming] = []

    def handle(incoming: Incoming) -> None:
        taken.append(incoming.body)
        if incoming.body == b"hold":
            held.append(incoming)
        else:
            echo(incoming)

    serve(handle, max_workers=1)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.call_many, [Call(service, "m", b"hold")], 30)
        wait_until(lambda: held, "in hand")
        late = client.call_many([Call(service, "m", b"late")] * 5, 0.2)
        assert {code(answer) for answer in late} == {"timeout"}
        # The broker counts from when it got them, which is before what it answers next on the same channel.
        assert code(client.call_many([Call(f"{service}_none", "m", b"")], 20)[0]) == "no_service"
        moment = time.monotonic() + 0.3
        wait_until(lambda: time.monotonic() > moment, "they are late for the broker too")
        echo(held[0])
        assert first.result(10)[0].status == OK
    assert client.call_many([Call(service, "m", b"next")], 10)[0].body == b"m:next"
    assert taken == [b"hold", b"next"]


@pytest.mark.parametrize("size", [0, 200_000, 5_000_000])
def test_bodies_of_any_size_pass_untouched(client: RpcClient, serve: Serve, service: str, size: int) -> None:
    serve(lambda incoming: incoming.reply(Answer(OK, incoming.body)))
    body = bytes(range(256)) * (size // 256)
    assert client.call_many([Call(service, "m", body)] * 3, 20) == [Answer(OK, body)] * 3


def test_a_consumer_is_told_at_its_start_and_when_the_log_grows(wire: Wire, service: str) -> None:
    told: list[object] = []
    subscription = wire.event_subscription(
        "reader", service, receive=told.append, rung=lambda: told.append("rung"), undecodable=lambda *bad: None
    )
    subscription.start()
    publisher = wire.event_publisher(service)
    try:
        wait_until(lambda: subscription.ready and told, "told at its start")
        told.clear()
        publisher.publish("log", [LoggedEvent(1, "fiche.t.thing.done.v1", "s", "s", False, b'{"id":"1"}')])
        wait_until(lambda: told, "told of the event")
        subscription.ack_up_to(1)
    finally:
        subscription.stop()
        publisher.close()
    assert not subscription.ready


def test_instances_replaced_one_after_the_other_lose_no_call(client: RpcClient, serve: Serve, service: str) -> None:
    over = threading.Event()
    counts = [0] * 16

    def calls(thread: int) -> list[Answer]:
        failed: list[Answer] = []
        while not over.is_set():
            sent = [Call(service, "m", f"{thread}.{counts[thread]}.{n}".encode()) for n in range(3)]
            answers = client.call_many(sent, 20)
            failed += [a for a, call in zip(answers, sent, strict=True) if a != Answer(OK, b"m:" + call.body)]
            counts[thread] += 1
            over.wait(0.001)  # green threads give way only where they wait
        return failed

    def served() -> None:
        before = sum(counts)
        wait_until(lambda: sum(counts) > before + 50, "calls are answered")

    current = serve(echo)
    with ThreadPoolExecutor(16) as pool:
        futures = [pool.submit(calls, thread) for thread in range(16)]
        try:
            for _ in range(12):
                served()
                following = serve(echo)
                served()
                current.stop()
                current.close()
                current = following
        finally:
            over.set()
        assert [future.result(20) for future in futures] == [[]] * 16
