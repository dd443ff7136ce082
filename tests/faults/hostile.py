"""Random and hostile messages for every RPC queue and every event queue."""

from __future__ import annotations

import collections
import contextlib
import datetime
import random
from collections.abc import Callable
from typing import Any

from amqp import Message

from chassis.settings import SERVICES
from chassis.wire.amqp_client import queue_of
from chassis.wire.amqp_events import events_queue_of
from chassis.wire.amqp_link import connect
from tests.faults.databases import EVENT_QUEUES

_NESTED = b"[" * 5_000 + b"]" * 5_000
_TEXTS = (
    "",
    "\x00",
    "é" * 5_000,
    "../../etc/passwd",
    "'; DROP TABLE client; --",
    "__class__",
    "health",
    "\ud7ff\U0010ffff",
)


def _any_value(dice: random.Random, depth: int = 0) -> Any:
    """A value that an AMQP table can hold."""
    makers: list[Callable[[], Any]] = [
        lambda: dice.choice(_TEXTS),
        lambda: dice.randrange(-(2**62), 2**62),
        lambda: dice.random() * 1e300,
        lambda: dice.choice((True, False, None)),
        lambda: datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=dice.randrange(2**31)),
    ]
    if depth < 3:
        makers.append(lambda: [_any_value(dice, depth + 1) for _ in range(dice.randrange(4))])
        makers.append(lambda: {dice.choice("abc"): _any_value(dice, depth + 1) for _ in range(dice.randrange(4))})
    return dice.choice(makers)()


def _any_body(dice: random.Random) -> bytes:
    return dice.choice(
        (
            dice.randbytes(dice.randrange(0, 300)),
            dice.randbytes(200_000),
            b"",
            b"null",
            b'{"id": "' + b"9" * 100_000 + b'"}',
            _NESTED,
            b'{"a":' * 3_000 + b"1" + b"}" * 3_000,
            b'{"\\ud800": 1e999}',
            b'{"limit": NaN}',
        )
    )


def _any_properties(dice: random.Random) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for name in ("content_type", "content_encoding", "correlation_id", "reply_to", "message_id", "type", "app_id"):
        if dice.random() < 0.4:
            properties[name] = dice.choice(_TEXTS[:2] + _TEXTS[3:])[:200]
    if dice.random() < 0.3:
        properties["expiration"] = str(dice.randrange(1, 10**6))
    return properties


def _call(dice: random.Random) -> tuple[bytes, dict[str, Any], dict[str, Any]]:
    """Something between noise and a call: each header may be what it should be, another, or absent."""
    headers = {dice.choice(_TEXTS[3:7])[:100]: _any_value(dice) for _ in range(dice.randrange(3))}
    for name, good in (
        ("method", ["health", "log_read", "identify", "create_client", "parked_act", "snapshot", "nothing"]),
        ("left_ms", [1, 2_000, 2**31, -5]),
        ("context", [{}, {"actor": "x"}, {"actor": "{" * 1_000}, {"idempotency-key": "k", "actor": "{}"}]),
    ):
        chance = dice.random()
        if chance < 0.75:
            headers[name] = dice.choice(good)
        elif chance < 0.9:
            headers[name] = _any_value(dice)
    properties = _any_properties(dice)
    if dice.random() < 0.6:
        properties |= {"reply_to": dice.choice(("nowhere", "amq.rabbitmq.reply-to.x", "")), "correlation_id": "1"}
    return _any_body(dice), properties, headers


def _no_event(dice: random.Random) -> tuple[bytes, dict[str, Any], dict[str, Any]]:
    """Never a delivery: a header or the body is not what it must be."""
    headers = {"position": dice.randrange(1, 2**40), "log_id": "0193f000-0000-7000-8000-000000000001"}
    body = b'{"id": "x"}'
    spoiled = dice.choice(("position", "log_id", "both", "body"))
    if spoiled in ("position", "both"):
        headers["position"] = dice.choice((0, -1, True, "7", None, 1.5, [], {}))
    if spoiled in ("log_id", "both"):
        headers["log_id"] = dice.choice(("", 5, None, [], {}, False))
    if spoiled == "body":
        body = dice.choice((b"\xff\x00", b"", b"[]", b"null", b"7", _NESTED, dice.randbytes(1_000), b'{"id": "x"}'))
    if dice.random() < 0.3:
        headers[dice.choice(_TEXTS[3:7])] = _any_value(dice)
    return body, _any_properties(dice), headers


def send_impossible(amqp_url: str, heads: dict[str, tuple[str, int]], each: int) -> int:
    """Sends well-formed events of positions that no log has, twice `each` to each queue: of a log that there never was,
    and far beyond the end of the producer's own (`heads`). Returns how many.
    """
    with contextlib.closing(connect(amqp_url)) as connection:
        channel = connection.channel()
        for consumer, producer in EVENT_QUEUES:
            log_id, end = heads[producer]
            for number in range(each):
                for log, position in (("nobody", 2**40 + number), (log_id, end + 10**6 + number)):
                    headers = {"position": position, "log_id": log}
                    message = Message(f'{{"sequence": {position}}}', application_headers=headers)
                    channel.basic_publish(message, exchange="", routing_key=events_queue_of(consumer, producer))
        channel.queue_declare(queue_of("clients"), passive=True)  # the broker has them all once it answers
    return 2 * each * len(EVENT_QUEUES)


def send(amqp_url: str, dice: random.Random, each: int) -> tuple[int, dict[tuple[str, str], int]]:
    """Sends `each` messages to each queue; how many calls, and how many to each (consumer, producer) of events."""
    connection = connect(amqp_url)
    events: dict[tuple[str, str], int] = collections.Counter()
    calls = 0
    try:
        channel = connection.channel()

        def publish(queue: str, made: tuple[bytes, dict[str, Any], dict[str, Any]]) -> None:
            body, properties, headers = made
            channel.basic_publish(
                Message(body, application_headers=headers, **properties), exchange="", routing_key=queue
            )

        for consumer in SERVICES:
            for _ in range(each):
                publish(queue_of(consumer), _call(dice))
                calls += 1
        for consumer, producer in EVENT_QUEUES:
            for _ in range(each):
                body, properties, headers = _no_event(dice)
                properties.pop("expiration", None)  # each is to arrive
                publish(events_queue_of(consumer, producer), (body, properties, headers))
                events[consumer, producer] += 1
        channel.queue_declare(queue_of("clients"), passive=True)  # the broker has them all once it answers
    finally:
        connection.close()
    return calls, dict(events)
