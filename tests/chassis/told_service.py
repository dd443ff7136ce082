"""A service of one method that runs whenever something was told, as a program: a line for each run.

It rings its own bell after the first run, twice at once; and ends by itself after the second.
"""

from __future__ import annotations

import eventlet

eventlet.monkey_patch()

import sys  # noqa: E402
import threading  # noqa: E402

from nameko.containers import ServiceContainer  # noqa: E402

from chassis.runtime import Runtime  # noqa: E402
from chassis.service import whenever_told  # noqa: E402
from chassis.settings import Settings  # noqa: E402
from chassis.wire.local import LocalWire  # noqa: E402

ran = threading.Semaphore(0)


class Told:
    """Counts."""

    name = "told"

    @whenever_told(3600)
    def run(self) -> None:
        ran.release()


def main() -> None:
    """Says each run, then whether there was one too many."""
    runtime = Runtime(Settings(), LocalWire())
    container = ServiceContainer(Told, {"runtime": runtime, "max_workers": 2})
    container.start()
    ran.acquire()
    for _ in range(2):
        runtime.bell("told").ring()
    sys.stdout.write(f"{ran.acquire(timeout=20)}\n")
    sys.stdout.write(f"{ran.acquire(timeout=0.3)}\n")
    container.stop()


if __name__ == "__main__":
    main()
