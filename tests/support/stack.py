"""The product as separate processes on real servers: what docker-compose.yml runs, without containers. `make stack`.

Commands and environments are read from docker-compose.yml itself; only addresses are replaced (`Stack.environment_of`).
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from chassis.embedded_pg import free_port
from chassis.settings import SERVICES
from tests.support import compose, servers
from tests.support.patience import Patient
from tests.support.s3 import running_s3

ROOT = Path(__file__).resolve().parents[2]


def made_secrets(s3: dict[str, str]) -> dict[str, str]:
    """What `scripts/secrets` writes, with the keys of an S3 server that is there."""
    made = {name: secrets.token_hex(24) for name in compose.wanted()}
    return made | {"FICHE_S3_ACCESS_KEY": s3["s3_access_key"], "FICHE_S3_SECRET_KEY": s3["s3_secret_key"]}


class Stack:
    """The processes of docker-compose.yml, on a broker, a database server and an S3 server given by address.

    With `given` (secrets, `made_secrets`) each process comes in with the login that it has in containers; the servers
    must know these (`RabbitServer(passwords=…)`, `make_logins`). Without, all use the login of the addresses, and
    databases of their own: several such stacks share one server.
    """

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str,
        amqp_url: str,
        s3: dict[str, str],
        given: dict[str, str] | None = None,
        extra: dict[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.secrets = given or made_secrets(s3)
        self.token = self.secrets["FICHE_BOOTSTRAP_TOKEN"]
        #: Port of `/metrics` and `/readyz` of each process.
        self.ops_ports: dict[str, int] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._logins = given is not None
        self._s3_url = s3["s3_url"]
        self._amqp_url = amqp_url
        self._extra = extra or {}
        base = database_url.rsplit("/", 1)[0]
        database = "fiche_{service}" if self._logins else f"stack{secrets.token_hex(3)}_{{service}}"
        #: Settings that reach the databases as an administrator.
        self.environment = {"FICHE_DATABASE_URL": f"{base}/{database}"}

    # --- what runs ------------------------------------------------------------------------------------------------

    def environment_of(self, name: str, process: str = "") -> dict[str, str]:
        """The environment of a container, its addresses replaced by those that are here."""
        found = compose.environment(name, self.secrets)
        here = {"FICHE_HOST": "127.0.0.1", "FICHE_S3_URL": self._s3_url, "FICHE_PORT": str(self.port)}
        made = {key: here.get(key, value) for key, value in found.items()}
        made["FICHE_OPS_PORT"] = str(self.ops_ports.get(process or name, 0))
        for key, real in (
            ("FICHE_DATABASE_URL", self.environment["FICHE_DATABASE_URL"]),
            ("FICHE_AMQP_URL", self._amqp_url),
        ):
            if key in made:
                login = urlsplit(made[key]).netloc.rpartition("@")[0]
                host = urlsplit(real).netloc.rpartition("@")[2]
                made[key] = made[key].replace(urlsplit(made[key]).netloc, f"{login}@{host}") if self._logins else real
        return made | self._extra

    def start(self) -> None:
        """Each service behind its migration, and the gateway; returns when the gateway says that all is well."""
        self.folder.mkdir(parents=True, exist_ok=True)
        migrations = {name: self._command(name) for name in self.migrations()}
        for name, migration in migrations.items():
            if migration.wait(120) != 0:
                raise RuntimeError((self.folder / f"{name}.log").read_text())
        for name in SERVICES:
            self.start_service(name)
        self.start_service("gateway")
        self.wait_whole()

    def migrations(self) -> list[str]:
        """The processes that bring the databases to their schemas."""
        return [f"migrate-{name}" for name in SERVICES]

    def _command(self, name: str, process: str = "") -> subprocess.Popen[bytes]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("FICHE_")}
        with (self.folder / f"{process or name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *self.program(name)],
                cwd=ROOT,
                env=inherited | self.environment_of(name, process),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def program(self, name: str) -> list[str]:
        """What Python runs in a container."""
        return ["-m", "cli.main", *compose.command(name)]

    def start_service(self, name: str, replica: int = 1) -> str:
        """Starts one process of a service (or the gateway); returns its name, by which it is stopped."""
        process = name if replica == 1 else f"{name}-{replica}"
        self.ops_ports.setdefault(process, free_port())
        self._processes[process] = self._command(name, process)
        return process

    def stop_service(self, name: str, *, kill: bool = False) -> int:
        """Ends one process; returns its exit code."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        return process.wait(30)

    @property
    def running(self) -> list[str]:
        """Names of the processes that were started and not stopped."""
        return list(self._processes)

    # --- how it is ------------------------------------------------------------------------------------------------

    def pids(self) -> dict[str, int]:
        """Process ids by name."""
        return {name: process.pid for name, process in self._processes.items()}

    def client(self, *, patient: bool = True) -> httpx.Client:
        """An HTTP client with the administrator's key; `patient` comes back when it is told to."""
        way = {"transport": Patient()} if patient else {}
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=15, **way)

    def metrics(self, process: str) -> str:
        """What Prometheus reads of a process."""
        url = self.url if process == "gateway" else f"http://127.0.0.1:{self.ops_ports[process]}"
        return httpx.get(f"{url}/metrics", timeout=30).raise_for_status().text

    def ready(self, process: str) -> bool:
        """Whether a service's process takes calls and events, as its container's health check asks."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.ops_ports[process]}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def away(self) -> list[str] | None:
        """Services that do not answer; None while the gateway itself does not."""
        try:
            answer = httpx.get(f"{self.url}/readyz", timeout=5)
            return list(answer.json()["away"])
        except (httpx.HTTPError, ValueError, KeyError):
            return None

    def lets_in(self) -> bool:
        """Whether the administrator's key is known: `accounts` answers a moment before it has made its first one."""
        try:
            with self.client(patient=False) as http:
                return http.get("/api/v1/me").status_code == 200
        except httpx.HTTPError:
            return False

    def wait_whole(self, seconds: float = 180) -> None:
        """Waits until every service answers, whichever of the gateway's workers is asked: several times in a row."""
        deadline = time.monotonic() + seconds
        whole = 0
        while whole < 6:
            whole = whole + 1 if self.away() == [] and (whole or self.lets_in()) else 0
            if time.monotonic() > deadline:
                raise TimeoutError(f"not whole: {self.away()}\n{self.last_words()}")
            if not whole:
                time.sleep(0.1)

    def last_words(self) -> str:
        """How each process stands that does not answer, with the end of its log: its folder goes with the run."""
        silent = set(self.away() or self._processes)
        return "\n".join(
            f"--- {name}: exit code {process.poll()}\n"
            + "\n".join((self.folder / f"{name}.log").read_text(errors="replace").splitlines()[-15:])
            for name, process in self._processes.items()
            if name.partition("-")[0] in silent
        )

    def stop(self) -> None:
        """Ends every process."""
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        self._processes.clear()


def make_logins(postgres: servers.PostgresServer, given: dict[str, str]) -> None:
    """Databases and logins as deploy/postgres/init.sh makes them in the container; then passwords are asked for."""
    server = postgres.server
    done = subprocess.run(
        ["sh", str(ROOT / "deploy" / "postgres" / "init.sh")],
        env={
            "PATH": f"{server.bin_dir}:{os.environ['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(server.port),
            "PGDATABASE": "postgres",
            "POSTGRES_USER": "fiche",
            **given,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    rules = server.data_dir / "pg_hba.conf"
    rules.write_text(
        "local all all trust\nhost all fiche 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    )
    postgres.sql("SELECT pg_reload_conf()")


def main() -> None:
    """Runs the stack on private servers until Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    folder = servers.run_folder()
    postgres = servers.PostgresServer(folder)
    try:
        postgres.start()
        with running_s3(folder) as s3:
            given = made_secrets(s3)
            make_logins(postgres, given)
            rabbit = servers.RabbitServer(folder, passwords=given)
            rabbit.start()
            stack = Stack(folder / "logs", database_url=postgres.url, amqp_url=rabbit.url, s3=s3, given=given)
            try:
                stack.start()
                for name, value in (
                    ("FICHE_URL", stack.url),
                    ("FICHE_TOKEN", stack.token),
                    ("FICHE_BROKER_ADMIN_URL", rabbit.management_url),
                ):
                    print(f"{name}={value}", flush=True)  # noqa: T201
                signal.pause()
            except KeyboardInterrupt:
                pass
            finally:
                stack.stop()
                rabbit.close()
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
