"""The product as separate processes on real servers: what docker-compose.yml runs, without containers. `make stack`."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from chassis.embedded_pg import free_port
from chassis.settings import SERVICES
from tests.support import servers
from tests.support.s3 import running_s3

ROOT = Path(__file__).resolve().parents[2]


class Stack:
    """A process a service and the gateway, on a broker, a database server and an S3 server given by address."""

    def __init__(self, folder: Path, *, database_url: str, amqp_url: str, s3: dict[str, str]) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = secrets.token_hex(24)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        base = database_url.rsplit("/", 1)[0]
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FICHE_")},
            "FICHE_HOST": "127.0.0.1",
            "FICHE_PORT": str(self.port),
            "FICHE_DATABASE_URL": f"{base}/stack{secrets.token_hex(3)}_{{service}}",
            "FICHE_DATABASE_POOL_SIZE": "5",
            "FICHE_AMQP_URL": amqp_url,
            "FICHE_S3_URL": s3["s3_url"],
            "FICHE_S3_ACCESS_KEY": s3["s3_access_key"],
            "FICHE_S3_SECRET_KEY": s3["s3_secret_key"],
            "FICHE_BOOTSTRAP_TOKEN": self.token,
        }

    def start(self) -> None:
        """Migrations first, then everything; returns when the gateway says that all is well."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._command("migrate").wait(120)
        for name in SERVICES:
            self.start_service(name)
        self._processes["gateway"] = self._command("gateway", "--workers=1")
        self.wait_whole()

    def _command(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{'-'.join(arguments[:2])}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "cli.main", *arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def start_service(self, name: str) -> None:
        """Starts one service's process."""
        self._processes[name] = self._command("run", name)

    def stop_service(self, name: str, *, kill: bool = False) -> int:
        """Ends one process; returns its exit code."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        return process.wait(30)

    def client(self) -> httpx.Client:
        """An HTTP client with the administrator's key."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=15)

    def away(self) -> list[str] | None:
        """Services that do not answer; None while the gateway itself does not."""
        try:
            answer = httpx.get(f"{self.url}/readyz", timeout=5)
            return list(answer.json()["away"])
        except (httpx.HTTPError, ValueError, KeyError):
            return None

    def wait_whole(self, seconds: float = 60) -> None:
        """Waits until every service answers."""
        deadline = time.monotonic() + seconds
        while self.away() != []:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not whole: {self.away()}; logs in {self.folder}")
            time.sleep(0.1)

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


def main() -> None:
    """Runs the stack on private servers until Ctrl-C."""
    folder = servers.run_folder()
    postgres, rabbit = servers.PostgresServer(folder), servers.RabbitServer(folder)
    postgres.start()
    rabbit.start()
    try:
        with running_s3(folder / "s3") as s3:
            stack = Stack(folder / "logs", database_url=postgres.url, amqp_url=rabbit.url, s3=s3)
            try:
                stack.start()
                print(f"FICHE_URL={stack.url}\nFICHE_TOKEN={stack.token}", flush=True)  # noqa: T201
                signal.pause()
            except KeyboardInterrupt:
                pass
            finally:
                stack.stop()
    finally:
        rabbit.close()
        postgres.stop()


if __name__ == "__main__":
    main()
