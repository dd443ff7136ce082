"""An instance of a service as a process of its own, to be killed: it takes calls, says so, and never answers."""

from __future__ import annotations

import sys
import threading

from chassis.wire.amqp import AmqpWire
from chassis.wire.base import Incoming


def main(url: str, service: str) -> None:
    def handle(incoming: Incoming) -> None:
        sys.stdout.write(f"took {incoming.method}\n")
        sys.stdout.flush()

    server = AmqpWire(url).rpc_server(service, handle, 10)
    server.start()
    sys.stdout.write("ready\n" if server.ready else "not ready\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
