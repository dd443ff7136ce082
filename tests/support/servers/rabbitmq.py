"""RabbitMQ for the tests."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from chassis.embedded_pg import free_port
from tests.support.servers.docker import Container
from tests.support.servers.machine import IMAGES, docker_answers, ended, forget, need, stop_at_exit

#: What a container of the broker is given, and a node of ours too.
_DEPLOY = Path(__file__).resolve().parents[3] / "deploy" / "rabbitmq"
_ADVICE = "apt install rabbitmq-server, ou Docker, ou FICHE_TEST_AMQP_URL"


class RabbitServer:
    """RabbitMQ on one port over all restarts: a container, or a node with folders and an Erlang daemon of its own.

    With `passwords` (the variables of docker-compose.yml) it has the logins and rights of deploy/rabbitmq, loaded at
    each start, and management; without, it knows `guest` alone.
    """

    def __init__(self, folder: Path, passwords: dict[str, str] | None = None) -> None:
        self.folder = folder / "rabbitmq"
        self.port = free_port()
        self.management_port = free_port()
        self._passwords = passwords
        self._address = f"127.0.0.1:{self.port}"
        self._container: Container | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._environment: dict[str, str] = {}

    @property
    def url(self) -> str:
        """Address for clients, as administrator."""
        return f"amqp://{self._login}@{self._address}/"

    @property
    def management_url(self) -> str:
        """Address of the management API, as administrator; only with `passwords`."""
        return f"http://{self._login}@127.0.0.1:{self.management_port}"

    @property
    def _login(self) -> str:
        return f"fiche:{self._passwords['FICHE_BROKER_PASSWORD']}" if self._passwords else "guest:guest"

    def start(self) -> None:
        """Starts the broker and waits until it takes connections."""
        stop_at_exit(self, self.close)
        if docker_answers():
            self._container = self._container or self._contained()
            self._container.start()
            self._address = self._container.address
        else:
            self._launch(need("rabbitmq-server", "rabbitmq-server", _ADVICE))
        deadline = time.monotonic() + 90
        while not self._listens():
            gone = self._process is not None and self._process.poll() is not None
            if gone or time.monotonic() > deadline:
                ended("RabbitMQ", self.folder / "out.log")
            time.sleep(0.1)

    def _contained(self) -> Container:
        if self._passwords is None:
            return Container(IMAGES["rabbitmq"], 5672, self.port)
        return Container(
            IMAGES["rabbitmq"],
            5672,
            self.port,
            environment=self._passwords,
            command="rabbitmq-server",
            also={15672: self.management_port},
            entrypoint=["sh", "/fiche/start.sh", "docker-entrypoint.sh"],
            volumes={str(_DEPLOY): "/fiche", str(_DEPLOY / "fiche.conf"): "/etc/rabbitmq/conf.d/20-fiche.conf"},
        )

    def _launch(self, program: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "rabbitmq.conf"
        lines = [
            f"listeners.tcp.1 = 127.0.0.1:{self.port}",
            "vm_memory_high_watermark.absolute = 1GB",
            "disk_free_limit.absolute = 50MB",
        ]
        if self._passwords is not None:
            definitions = self.folder / "definitions.json"
            start = ["sh", str(_DEPLOY / "start.sh"), "true"]
            subprocess.run(
                start, env={**os.environ, **self._passwords, "FICHE_DEFINITIONS": str(definitions)}, check=True
            )
            lines += [
                "management.tcp.ip = 127.0.0.1",
                f"management.tcp.port = {self.management_port}",
                f"load_definitions = {definitions}",
            ]
        config.write_text("\n".join(lines) + "\n")
        plugins = "rabbitmq_management" if self._passwords is not None else ""
        (self.folder / "enabled_plugins").write_text(f"[{plugins}].\n")
        if not self._environment:
            self._environment = {
                "PATH": f"{Path(program).parent}:{os.environ.get('PATH', '')}",
                "HOME": str(self.folder),
                "LC_ALL": "C.UTF-8",
                "RABBITMQ_NODENAME": f"fiche-{secrets.token_hex(4)}@localhost",
                # Nothing of the machine's own configuration.
                "RABBITMQ_CONF_ENV_FILE": str(self.folder / "no-env.conf"),
                "RABBITMQ_CONFIG_FILE": str(config.with_suffix("")),
                "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced"),
                "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
                "RABBITMQ_LOG_BASE": str(self.folder / "log"),
                "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
                "RABBITMQ_DIST_PORT": str(free_port()),
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2",
                "ERL_EPMD_PORT": str(free_port()),
                "ERL_EPMD_ADDRESS": "127.0.0.1",
            }
        with (self.folder / "out.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program],
                env=self._environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def _listens(self) -> bool:
        host, _, port = self._address.partition(":")
        try:
            with socket.create_connection((host, int(port)), 1) as connection:
                connection.settimeout(2)
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return bool(connection.recv(8))
        except OSError:
            return False

    def stop(self, *, kill: bool = False) -> None:
        """Stops the broker, by `kill -9` where asked; its data stay."""
        if self._container is not None:
            self._container.stop(kill=kill)
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, signal.SIGKILL if kill else signal.SIGTERM)
            self._process.wait(30)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
        self._process = None

    def kill(self) -> None:
        """`kill -9`."""
        self.stop(kill=True)

    def restart(self) -> None:
        """Stops and starts the broker on the same port with its data."""
        self.stop()
        self.start()

    def alarm(self, on: bool) -> None:
        """Sounds the memory alarm, under which the broker reads nothing from whoever publishes; or ends it."""
        self._control("set_vm_memory_high_watermark", *(["0"] if on else ["absolute", "1GB"]))

    def messages(self) -> dict[str, int]:
        """Queue → messages that wait in it, and that were delivered and are not acknowledged: AMQP tells the first."""
        told = self._control("--silent", "--formatter", "json", "list_queues", "name", "messages")
        return {row["name"]: row["messages"] for row in json.loads(told)}

    def _control(self, *command: str) -> bytes:
        if self._container is not None:
            return self._container.run("rabbitmqctl", *command)
        program = need("rabbitmqctl", "rabbitmq-server", _ADVICE)
        return subprocess.run([program, *command], env=self._environment, capture_output=True, check=True).stdout

    def wipe(self) -> None:
        """Loses all the broker had, between a stop and a start."""
        if self._container is not None:
            self._container.remove()
        shutil.rmtree(self.folder / "data", ignore_errors=True)

    def close(self) -> None:
        """Stops the broker and its Erlang daemon for good."""
        self.stop()
        if self._container is not None:
            self._container.remove()
        if self._environment:
            # Absent where the server could not even start.
            with contextlib.suppress(FileNotFoundError):
                subprocess.run(["epmd", "-kill"], env=self._environment, capture_output=True, check=False)
        forget(self)
