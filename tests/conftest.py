"""Fixtures of the whole suite: real servers, one of each kind per run, started when first asked for."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support import servers

_RUN = os.getpid()

# How long an example takes says how busy the machine is, and nothing of what is tested.
settings.register_profile("suite", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_configure() -> None:
    """A SIGTERM ends the run as Ctrl-C does, so that the servers are stopped."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)


def _terminate(number: int, frame: FrameType | None) -> None:
    if os.getpid() != _RUN:
        os._exit(128 + number)  # a forked child of a test
    pytest.exit("SIGTERM", returncode=128 + number)


#: Modules that take longest, longest first: workers begin with them, so that none ends the run alone.
LONG = (
    "stack/test_stack.py",
    "faults/",
    "chassis/wire/test_again.py",
    "browser/",
    "embedded/",
    "bench/",
    "chassis/wire/test_amqp.py",
    "imports/",
)
#: Fixtures that stand for a real server; whatever asks for none is a unit test.
_SERVERS = {"postgres_url", "amqp_url", "s3"}


def _rank(item: pytest.Item) -> int:
    path = item.path.relative_to(Path(__file__).parent).as_posix()
    return next((n for n, name in enumerate(LONG) if path.startswith(name)), len(LONG))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what asks for a server; puts the long ones first, else in the order found."""
    for item in items:
        if _SERVERS & set(getattr(item, "fixturenames", ())):
            item.add_marker("server")
    items.sort(key=_rank)


_told: list[str] = []
#: Process ids of the suite's workers, known to who leads them.
_workers: dict[str, int] = {}


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Workers that are told to end get the time to stop their servers."""
    type(node.nodemanager).EXIT_TIMEOUT = 60


@pytest.hookimpl(optionalhook=True)
def pytest_testnodeready(node: Any) -> None:
    """A worker is there."""
    _workers[node.gateway.id] = node.gateway._io.popen.pid


def pytest_keyboard_interrupt() -> None:
    """Ctrl-C or SIGTERM: the workers end what they are at, as they would not by themselves, and stop their servers."""
    for pid in _workers.values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands the names of its servers to who prints."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["used"] = list(servers.USED)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker handed over."""
    _workers.pop(node.gateway.id, None)
    _told.extend(getattr(node, "workeroutput", {}).get("used", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which servers were used, and which companies the import was tried on."""
    from tests.imports.conftest import folders

    for line in sorted(set(_told)):
        terminalreporter.write_line(line)
    terminalreporter.write_line("Dolibarr folders: " + ", ".join(str(folder) for folder in folders()))


@pytest.fixture(scope="session")
def run_folder() -> Iterator[Path]:
    """Where this run's servers keep their data; removed at the end."""
    folder = servers.run_folder()
    yield folder
    # Some hundred databases of some hundred files each: Python takes a quarter of a minute for them.
    subprocess.run(["rm", "-rf", str(folder)], check=False)


@pytest.fixture(scope="session")
def postgres_url(run_folder: Path) -> Iterator[str]:
    """Address of a real PostgreSQL whose login may create databases."""
    with servers.postgres(run_folder) as url:
        yield url


@pytest.fixture(scope="session")
def amqp_url(run_folder: Path) -> Iterator[str]:
    """Address of a real RabbitMQ."""
    with servers.amqp(run_folder) as url:
        yield url


@pytest.fixture(scope="session")
def s3(run_folder: Path) -> Iterator[dict[str, str]]:
    """A real S3 server, as the settings that reach it."""
    with servers.s3(run_folder) as settings:
        yield settings
