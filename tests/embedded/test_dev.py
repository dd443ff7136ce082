"""The whole product in one process, as `make run` starts it: `fiche dev`, with a database server of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.embedded_pg.machine import alive
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "cle-de-demarrage-du-produit-entier-012345"


@dataclass
class Running:
    """A product that printed its address."""

    process: subprocess.Popen[str]
    url: str
    link: str
    output: Path

    def client(self) -> httpx.Client:
        """Asks as an administrator's key."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=20, trust_env=False)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder that an account without rights can reach; no server is left in it."""
    with tempfile.TemporaryDirectory(prefix="fiche-dev-") as name:
        yield Path(name) / "var"


def command(data_dir: Path, output: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FICHE_")}
    environment |= {"FICHE_DATA_DIR": str(data_dir), "FICHE_PORT": "0", "COLUMNS": "200"}
    environment |= {"FICHE_DEADLINE_MS": "15000", **settings}
    with output.open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", "dev", *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


@contextmanager
def product(data_dir: Path, *arguments: str, **settings: str) -> Iterator[Running]:
    """Runs the product; at the end it is stopped as Ctrl-C does, and must end well and leave nothing behind."""
    output = data_dir.parent / f"out-{time.monotonic_ns()}.log"
    process = command(data_dir, output, *arguments, **settings)
    try:

        def printed() -> re.Match[str] | None:
            assert process.poll() is None, output.read_text()
            return re.search(r"Fiche est prête en\s\S+\ss\s?: (\S+)\nPour entrer[^\n]*", output.read_text())

        found = wait_until(printed, "the address is printed", 60)
        link = re.search(r"usage unique\)\s?: (\S+)", output.read_text())
        yield Running(process, found[1], link[1] if link else "", output)
        if process.poll() is None:
            pid = postmaster(data_dir)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0, output.read_text()
            assert not alive(pid)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0])


def make_client(http: httpx.Client, name: str) -> dict[str, Any]:
    answer = http.post("/clients", json={"kind": "company", "company_name": name})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_what_was_written_is_there_after_a_stop(data_dir: Path) -> None:
    with product(data_dir, FICHE_BOOTSTRAP_TOKEN=TOKEN) as first:
        with first.client() as http:
            client = make_client(http, "Syndic des Tilleuls")
            work = http.post("/interventions", json={"client_id": client["id"], "title": "Purge"})
            assert work.status_code == 201, work.text
        assert first.link == ""
    with product(data_dir) as second, second.client() as http:
        fiche = http.get(f"/clients/{client['id']}/fiche").json()
        assert fiche["client"]["display_name"] == "Syndic des Tilleuls"
        assert fiche["sections"]["interventions"]["count"] == 1


def enter(running: Running) -> bool:
    """Whether the printed link leads a new browser to the clients."""
    with httpx.Client(trust_env=False, follow_redirects=True, timeout=20) as browser:
        page = browser.get(running.link)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert token, page.text
        browser.post(running.link, data={"csrf_token": token[1]})
        return browser.get(f"{running.url}/clients").url.path == "/clients"


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """A product whose link nobody has used, for whoever does not break it."""
    with tempfile.TemporaryDirectory(prefix="fiche-dev-") as name, product(Path(name) / "var") as made:
        yield made


def test_a_second_product_on_the_folder_is_refused_in_a_line_and_the_first_goes_on(data_dir: Path) -> None:
    with product(data_dir, FICHE_BOOTSTRAP_TOKEN=TOKEN) as first:
        output = data_dir.parent / "second.log"
        assert command(data_dir, output).wait(60) == 1
        assert "Un autre Fiche utilise déjà" in output.read_text()
        assert "Traceback" not in output.read_text()
        with first.client() as http:
            make_client(http, "Toujours là")


def test_a_port_in_use_is_said_in_a_line(running: Running, data_dir: Path) -> None:
    output = data_dir.parent / "port.log"
    port = running.url.rpartition(":")[2]
    assert command(data_dir, output, FICHE_PORT=port).wait(60) == 1
    assert "Traceback" not in output.read_text(), output.read_text()
    assert port in output.read_text()
    assert not (data_dir / "postgres").exists(), "found before anything is made"


def test_the_link_signs_in_once(running: Running) -> None:
    assert running.link.startswith(f"{running.url}/")
    assert enter(running)
    assert not enter(running)


def test_a_killed_product_leaves_nothing_in_the_way_and_loses_nothing(data_dir: Path) -> None:
    with product(data_dir, FICHE_BOOTSTRAP_TOKEN=TOKEN) as first, first.client() as http:
        client = make_client(http, "Avant la panne")
        first.process.kill()
        first.process.wait()
        assert alive(postmaster(data_dir))
    with product(data_dir) as second, second.client() as http:
        assert http.get(f"/clients/{client['id']}").json()["display_name"] == "Avant la panne"


def test_a_database_server_that_dies_is_started_again(data_dir: Path) -> None:
    with product(data_dir, FICHE_BOOTSTRAP_TOKEN=TOKEN) as running, running.client() as http:
        client = make_client(http, "Avant la panne")
        os.kill(postmaster(data_dir), signal.SIGKILL)
        wait_until(lambda: http.get(f"/clients/{client['id']}").status_code == 200, "read again", 60)
        after = wait_until(lambda: tried(http), "written again", 30)
        assert http.get(f"/clients/{after['id']}").status_code == 200


def tried(http: httpx.Client) -> dict[str, Any] | None:
    """A new client, or None while the product says that it cannot."""
    answer = http.post("/clients", json={"kind": "company", "company_name": "Après la panne"})
    assert answer.status_code in (201, 503), answer.text
    return dict(answer.json()) if answer.status_code == 201 else None


def test_a_wrong_setting_ends_the_start_in_one_line(data_dir: Path) -> None:
    output = data_dir.parent / "wrong.log"
    assert command(data_dir, output, FICHE_DEADLINE_MS="soon").wait(60) == 1
    [line] = output.read_text().strip().splitlines()
    assert "FICHE_DEADLINE_MS" in line
