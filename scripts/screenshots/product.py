"""The whole product in one process, whose services can be taken away: what a page says then is a state like another.

Prints its address, then obeys one command a line (`stop billing`, `start billing`), each answered by `ok`. Ends when
its input closes.
"""

from __future__ import annotations

import eventlet

eventlet.monkey_patch()

import sys  # noqa: E402

from eventlet.hubs import trampoline  # noqa: E402

from chassis import logs  # noqa: E402
from chassis.host import Host  # noqa: E402
from chassis.settings import load_settings  # noqa: E402
from cli.embedded import EmbeddedProduct  # noqa: E402
from cli.sign_in import first_sign_in  # noqa: E402


def say(text: str) -> None:
    """One line to who asks."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def stop(product: EmbeddedProduct, name: str) -> None:
    """Takes one service out of the process; what it has in hand is finished."""
    assert product.runtime is not None
    assert product.host is not None
    [container] = [one for one in product.host.containers if one.service_name == name]
    product.host.containers.remove(container)
    alone = Host(product.runtime, [])
    alone.containers = [container]
    alone.stop()


def start(product: EmbeddedProduct, name: str) -> None:
    """Brings a service back."""
    assert product.runtime is not None
    assert product.host is not None
    alone = Host(product.runtime, [name])
    alone.start()
    product.host.containers += alone.containers


def main() -> None:
    """Runs until standard input closes."""
    settings = load_settings()
    logs.configure(settings, "fiche")
    product = EmbeddedProduct(settings)
    product.start()
    try:
        assert product.runtime is not None
        first_sign_in(product.runtime.client, settings)
        say(product.url)
        while True:
            # Waits for the pipe as a green thread does; a plain read would stop all of them.
            trampoline(sys.stdin.fileno(), read=True)
            line = sys.stdin.readline()
            if not line:
                break
            action, name = line.split()
            {"stop": stop, "start": start}[action](product, name)
            say("ok")
    finally:
        product.stop()


if __name__ == "__main__":
    main()
