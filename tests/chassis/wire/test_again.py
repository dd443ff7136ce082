"""The suite of the wires again: with green threads, and with py-amqp alone, each in a process of its own.

Both at once: what they do most is to wait for brokers that start again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chassis.wire.wires import PLAIN

HERE = Path(__file__).parent
FILES = [str(HERE / name) for name in ("test_rpc.py", "test_amqp.py")]
pytestmark = [pytest.mark.broker, pytest.mark.timeout(1000)]


class Run:
    """A run of the suite in a process, its words kept in a file."""

    def __init__(self, told: Path, amqp_url: str, module: str, *arguments: str, **environment: str) -> None:
        self.told = told
        with told.open("wb") as words:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", module, "-q", "-p", "no:cacheprovider", *arguments, *FILES],
                cwd=HERE.parents[2],
                env={**os.environ, "FICHE_TEST_AMQP_URL": amqp_url, **environment},
                stdout=words,
                stderr=subprocess.STDOUT,
            )

    def holds(self) -> None:
        """Waits for its end, which is a good one."""
        assert self.process.wait(900) == 0, self.told.read_text()[-5000:]

    def end(self) -> None:
        """Ends it, where it has not; it stops the servers that it started."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(40)


@pytest.fixture(scope="module")
def runs(amqp_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    folder = tmp_path_factory.mktemp("again")
    made = {
        "green": Run(folder / "green", amqp_url, "tests.chassis.wire.patched"),
        # Connecting anew is the same code: of the broker's restarts one is enough.
        "plain": Run(
            folder / "plain",
            amqp_url,
            "pytest",
            "-k",
            "not local and not threads_through_restarts and not pending_calls_fail",
            **{PLAIN: "1"},
        ),
    }
    yield made
    for each in made.values():
        each.end()


def test_the_suite_of_the_wires_holds_with_green_threads(runs: dict[str, Run]) -> None:
    runs["green"].holds()


def test_the_suite_of_the_wires_holds_with_py_amqp_alone(runs: dict[str, Run]) -> None:
    runs["plain"].holds()
