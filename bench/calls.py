"""RPC: the product's wire by itself, and into Nameko's workers as a service has them."""

from __future__ import annotations

from bench.floors import PIPELINED, RAW, RAW_FAN, RAW_PIPELINED
from bench.ground import Ground
from bench.measure import Measure, Target, rate
from bench.raw import BODY
from chassis.context import Actor, Context
from chassis.wire.amqp import AmqpWire
from chassis.wire.base import OK, Answer, Call, RpcClient

#: What each call of the gateway bears: who asks, in which request.
HEADERS = Context(actor=Actor("0193f000-0000-7000-8000-000000000001", "Camille Roux", roles=("office",))).headers()


def ask(client: RpcClient, services: list[str]) -> int:
    """Asks all at once; returns how many. Raises `AssertionError` when an answer is wrong."""
    answers = client.call_many([Call(service, "echo", BODY, HEADERS) for service in services], 10)
    assert answers == [Answer(OK, BODY)] * len(services), answers
    return len(services)


def measures(ground: Ground) -> list[Measure]:
    """Round trip, fan-out and pipelined calls."""
    client = AmqpWire(ground.amqp_url).rpc_client()
    ground.stack.callback(client.close)
    bare, nameko = ground.peers("bare"), ground.peers("nameko")

    def once(services: list[str]) -> None:
        ask(client, services)

    return [
        Measure("wire alone", lambda: once(bare[:1]), 100, RAW),
        Measure("RPC round trip", lambda: once(nameko[:1]), 100, RAW, targets=[Target(1.0)]),
        Measure("wire alone, fan-out", lambda: once(bare), 50, RAW_FAN),
        Measure("RPC fan-out", lambda: once(nameko), 50, RAW_FAN, targets=[Target(0.8)]),
        Measure(
            "RPC calls, pipelined",
            rate(lambda: ask(client, nameko[:1] * PIPELINED)),
            3,
            RAW_PIPELINED,
            "/s",
            [Target(1.5, at_least=True)],
        ),
    ]
