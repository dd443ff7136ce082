"""The answering side of the product's wire, as a program: `bare` handles calls by itself, `nameko` in workers.

Green threads and Nameko's container, as a service has them; no database.
"""

from __future__ import annotations

import eventlet

eventlet.monkey_patch()

import sys  # noqa: E402
import threading  # noqa: E402

import structlog  # noqa: E402
from nameko.containers import ServiceContainer  # noqa: E402

from bench.raw import end_with_parent  # noqa: E402
from chassis.runtime import Runtime, settled  # noqa: E402
from chassis.service import RpcEntrypoint  # noqa: E402
from chassis.settings import Settings  # noqa: E402
from chassis.wire.amqp import AmqpWire  # noqa: E402
from chassis.wire.base import OK, Answer, RpcServer  # noqa: E402


def container(wire: AmqpWire, name: str) -> ServiceContainer:
    """A container of one service whose only method gives back what it gets."""

    def echo(_self: object, body: bytes) -> Answer:
        return Answer(OK, body)

    service = type("Echo", (), {"name": name, "echo": RpcEntrypoint.decorator("echo")(echo)})
    settings = Settings(amqp_url="")
    return ServiceContainer(service, {"runtime": Runtime(settings, wire), "max_workers": settings.max_workers})


def main(kind: str, url: str, name: str) -> None:
    """Answers until it is killed."""
    # What is not read must not fill the pipe that says "ready".
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    wire = AmqpWire(url)
    if kind == "nameko":
        answering: ServiceContainer | RpcServer = container(wire, name)
    else:
        answering = wire.rpc_server(name, lambda incoming: incoming.reply(Answer(OK, incoming.body)), 10)
    answering.start()
    settled()
    end_with_parent()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3])
