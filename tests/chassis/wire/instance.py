"""An instance of a service as a process of its own, to be killed.

Calls of the method `echo` it answers. Of others it says that it took them, and never answers; `die` ends it, as a call
does that exhausts memory or crashes a library.
"""

from __future__ import annotations

import os
import sys
import threading

from chassis.wire.base import OK, Answer, Incoming
from tests.chassis.wire.wires import amqp_wire


def main(url: str, service: str) -> None:
    def handle(incoming: Incoming) -> None:
        if incoming.method == "echo":
            incoming.reply(Answer(OK, incoming.body))
            return
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
