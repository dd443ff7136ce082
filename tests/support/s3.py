"""A real S3 server for the tests: SeaweedFS from its wheel, on free ports, in a folder of its own."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3

ACCESS, SECRET = "fiche-tests", "fiche-tests-secret"


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


@contextmanager
def running_s3(folder: Path) -> Iterator[dict[str, str]]:
    """Runs a server; yields the settings that reach it (`s3_url`, `s3_access_key`, `s3_secret_key`)."""
    weed = Path(sys.executable).parent / "weed"
    master, volume, filer, s3 = _free_ports(4)
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": ACCESS, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}))
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(
            [
                str(weed if weed.exists() else shutil.which("weed") or "weed"),
                "server",
                f"-dir={folder}",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                f"-master.port={master}",
                f"-volume.port={volume}",
                f"-filer.port={filer}",
                f"-filer.localSocket={folder}/filer.sock",
                f"-s3.port={s3}",
                # Listeners that nobody asks, on fixed ports: two suites on one machine would stop each other.
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                "-s3",
                "-filer",
                f"-s3.config={config}",
                # A bucket is a collection of several volumes of its own; none takes room before it holds something.
                "-volume.max=1000",
                "-volume.preStopSeconds=0",
                "-master.volumeSizeLimitMB=100",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        _wait(process, f"http://127.0.0.1:{s3}/", folder / "weed.log")
        yield {"s3_url": f"http://127.0.0.1:{s3}", "s3_access_key": ACCESS, "s3_secret_key": SECRET}
    finally:
        # Its own orderly stop takes ten seconds, for data that is thrown away anyway.
        process.kill()
        process.wait(10)


@contextmanager
def shared_or_own_s3(request: pytest.FixtureRequest, factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Settings of the run's S3 server where the suite keeps one (fixture `s3`), else of one for the caller."""
    try:
        shared: Any = request.getfixturevalue("s3")
    except pytest.FixtureLookupError:
        with running_s3(factory.mktemp("s3")) as settings:
            yield settings
    else:
        yield dict(shared)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Waits until the server answers; a request without a signature is refused by one that is ready."""
    deadline = time.monotonic() + 60
    http = urllib3.PoolManager(timeout=2, retries=False)
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the S3 server ended: {log.read_text(errors='replace')[-2000:]}")
        try:
            if http.request("GET", url).status in (200, 403):
                return
        except urllib3.exceptions.HTTPError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"no S3 server within a minute: {log.read_text(errors='replace')[-2000:]}")
