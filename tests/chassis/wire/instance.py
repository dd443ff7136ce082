"""An instance of a service as a process of its own, to be killed: it says which calls it takes, and never answers.

A call of the method `die` ends it, as a call does that exhausts memory or crashes a library.
"""

from __future__ import annotations

import os
import sys
import threading

from chassis.wire.base import Incoming
from tests.chassis.wire.wires import amqp_wire


def main(url: str, service: str) -> None:
    def handle(incoming: Incoming) -> None:
        sys.stdout.write(f"took {incoming.method}\n")
        sys.stdout.flush()
        if incoming.method == "die":
            os._exit(1)

    server = amqp_wire(url).rpc_server(service, handle, 10)
    server.start()
    sys.stdout.write("ready\n" if server.ready else "not ready\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
