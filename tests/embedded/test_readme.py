"""The README's commands as its reader types them: the demo, the command line beside it, a second start."""

from __future__ import annotations

import json
import os
import re
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
#: The environment that `make` uses; another Python's runs what make would.
MADE = Path(sys.prefix) == ROOT / ".venv"
CLIENTS = 25


@dataclass
class Reader:
    """Someone with two terminals: one where the product runs, one to type in."""

    folder: Path
    url: str = ""
    output: Path = Path()
    process: subprocess.Popen[str] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Another data folder, any port, a small company; nothing that tells who comes, as on a first day."""
        own = {"FICHE_DATA_DIR": str(self.folder), "FICHE_PORT": "0", "FICHE_DEMO_CLIENTS": str(CLIENTS)}
        own |= {"COLUMNS": "200", "TERM": "dumb", "FICHE_DEADLINE_MS": "15000"}
        return {name: value for name, value in os.environ.items() if not name.startswith("FICHE_")} | own

    def start(self, target: str) -> None:
        """`make run` or `make demo`; returns once the address is printed."""
        options = ["--demo"] if target == "demo" else []
        words = ["make", target] if MADE else [sys.executable, "-m", "cli.main", "dev", *options]
        self.output = self.folder.with_name(f"{target}.log")
        with self.output.open("w") as log:
            process = self.process = subprocess.Popen(
                words, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                text=True, start_new_session=True,
            )  # fmt: skip

        def printed() -> str:
            assert process.poll() is None, self.output.read_text()
            found = re.search(r"Fiche est prête en\s\S+\ss\s?: (\S+)\nPour entrer[^\n]+\n", self.output.read_text())
            return found[1] if found else ""

        self.url = wait_until(printed, "the address is printed", 90)

    def stop(self) -> None:
        """Ctrl-C, which reaches make and the product alike."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGINT)
            self.process.wait(40)
            self.process = None

    def types(self, command: str) -> str:
        """What a command prints; it must end well."""
        words = shlex.split(command)
        assert words.pop(0).endswith("fiche")
        done = subprocess.run(
            [str(Path(sys.executable).with_name("fiche")), *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def http(self, key: str) -> httpx.Client:
        return httpx.Client(
            base_url=f"{self.url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=20, trust_env=False
        )


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with tempfile.TemporaryDirectory(prefix="fiche-readme-") as name:
        reader = Reader(Path(name) / "var")
        try:
            yield reader
        finally:
            reader.stop()


@pytest.fixture(scope="module")
def demo(reader: Reader) -> Reader:
    """`make demo`, running."""
    reader.start("demo")
    return reader


@pytest.fixture(scope="module")
def key(demo: Reader) -> str:
    """A key as the README makes one."""
    return demo.types('.venv/bin/fiche api-keys add "My program" --scope read --scope write').strip()


def test_the_demo_company_comes_in_by_itself_and_is_read(demo: Reader, key: str) -> None:
    told = f"Entreprise de démonstration\u202f: {CLIENTS} clients"
    wait_until(lambda: told in demo.output.read_text(), "all came", 150)
    with demo.http(key) as http:
        page = http.get("/clients", params={"limit": 200}).json()
        assert len(page["items"]) == CLIENTS
        fiches = (http.get(f"/clients/{client['id']}/fiche").json() for client in page["items"])
        # Some client of the company has something in every section that the generator fills.
        full: set[str] = set()
        for fiche in fiches:
            assert {section["status"] for section in fiche["sections"].values()} == {"ok"}
            full |= {name for name, section in fiche["sections"].items() if section.get("count")}
        assert {"addresses", "contacts", "interventions", "quotes", "invoices", "equipment", "maintenance"} <= full


def processor_seconds() -> float:
    """What this process's children that have ended used, and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


COMMANDS: dict[str, tuple[str, Callable[[str], bool]]] = {
    ".venv/bin/fiche import dolibarr FOLDER": (
        f".venv/bin/fiche import dolibarr {ROOT / 'tests' / 'data' / 'dolibarr-small'}",
        lambda shown: bool(re.search(r"societe\W+8\W+6\W", shown)),
    ),
    ".venv/bin/fiche generate --clients 200 --seed 7": (
        ".venv/bin/fiche generate --clients 12 --seed 7",
        lambda shown: bool(re.search(r"client\W+12\W+12\W", shown)),
    ),
    '.venv/bin/fiche api-keys add "My program" --scope read --scope write': (
        '.venv/bin/fiche api-keys add "My program" --scope read --scope write',
        lambda shown: bool(re.fullmatch(r"\S{32,}\n", shown)),
    ),
    "fiche log status": ("fiche log status", lambda shown: all(name in shown for name in ("clients", "billing"))),
    "fiche dead-letters list": ("fiche dead-letters list", lambda shown: "Attendent" in shown),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_does_it(command: str, demo: Reader) -> None:
    assert command in (ROOT / "README.md").read_text()
    typed, shown = COMMANDS[command]
    output = demo.types(typed)
    assert shown(output), output


def _read_to_its_end(demo: Reader) -> dict[str, int] | None:
    """How far each log goes, once every service has read all the others'; None while one has not."""
    services = json.loads(demo.types("fiche log status --json"))
    ends = {each["service"]: each["position"] for each in services if each["status"] == "ok"}
    places = [place for each in services for place in each.get("places", [])]
    whole = len(ends) == len(services) and all(place["position"] >= ends[place["producer"]] for place in places)
    return ends if whole else None


def _at_rest(demo: Reader) -> bool:
    """Whether what earlier commands set in motion (activities told by events) is over: an effect may tell more."""
    ends = _read_to_its_end(demo)
    return ends is not None and _read_to_its_end(demo) == ends


def test_the_second_start_takes_little_time_and_all_is_there(demo: Reader, key: str) -> None:
    """The last of the module, since it ends the demo."""
    wait_until(lambda: _at_rest(demo), "all is told and read", 120)
    with demo.http(key) as http:
        before = http.get("/clients", params={"limit": 200}).json()["items"]
    demo.stop()
    spent = processor_seconds()
    demo.start("run")
    with demo.http(key) as http:
        assert http.get("/clients", params={"limit": 200}).json()["items"] == before
    demo.stop()
    # Two seconds on a machine with nothing else to do. The suite's has: what counts is the work, the stop included.
    assert processor_seconds() - spent < 4
