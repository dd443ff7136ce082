"""Child process of the gateway's tests: the real services over the local wire behind the real gateway.

Prints the port as its first line, then obeys one command a line: `stop <service>` and `start <service>`, each answered
by `ok`. Ends when its input closes.
"""

from __future__ import annotations

import eventlet

eventlet.monkey_patch()

import importlib.util  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402

import eventlet.wsgi  # noqa: E402
from eventlet.hubs import trampoline  # noqa: E402

from chassis import logs  # noqa: E402
from chassis.host import Host  # noqa: E402
from chassis.migrations import upgrade  # noqa: E402
from chassis.objects import object_store  # noqa: E402
from chassis.runtime import Runtime  # noqa: E402
from chassis.settings import SERVICES, load_settings  # noqa: E402
from chassis.wire.local import LocalWire  # noqa: E402
from cli.sign_in import first_sign_in  # noqa: E402
from gateway.app import create_app  # noqa: E402


class _Discard:
    def write(self, text: str) -> None:
        """Requests are logged by the gateway itself."""

    def flush(self) -> None:
        """Nothing is kept."""


def main() -> None:
    """Runs until standard input closes."""
    settings = load_settings()
    logs.configure(settings, "product")
    names = [name for name in SERVICES if importlib.util.find_spec(f"services.{name}.service")]
    for name in names:
        upgrade(name, settings.service_database_url(name))
    runtime = Runtime(settings, LocalWire())
    hosts = {name: Host(runtime, [name]) for name in names}
    for host in hosts.values():
        host.start()
    app = create_app(settings, runtime.client, object_store(settings), runtime.wire)
    link = first_sign_in(runtime.client, settings.model_copy(update={"bootstrap_token": ""})) or ""
    first_sign_in(runtime.client, settings)
    socket = eventlet.listen(("127.0.0.1", 0))
    serving = threading.Thread(
        target=eventlet.wsgi.server, args=(socket, app), kwargs={"log": _Discard(), "log_output": False}, daemon=True
    )
    serving.start()
    sys.stdout.write(f"{socket.getsockname()[1]} {link}\n")
    sys.stdout.flush()
    while True:
        # Waits for the pipe as a green thread does; a plain read would stop all of them.
        trampoline(sys.stdin.fileno(), read=True)
        line = sys.stdin.readline()
        if not line:
            break
        action, name = line.split()
        if action == "stop":
            hosts.pop(name).stop()
        else:
            hosts[name] = Host(runtime, [name])
            hosts[name].start()
        sys.stdout.write("ok\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
