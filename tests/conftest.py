"""Fixtures of the whole suite: real servers, one of each kind per run, started when first asked for."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from tests.support import servers

_RUN = os.getpid()


def pytest_configure() -> None:
    """A SIGTERM ends the run as Ctrl-C does, so that the servers are stopped."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)


def _terminate(number: int, frame: FrameType | None) -> None:
    if os.getpid() != _RUN:
        os._exit(128 + number)  # a forked child of a test
    pytest.exit("SIGTERM", returncode=128 + number)


@pytest.fixture(scope="session")
def run_folder() -> Iterator[Path]:
    """Where this run's servers keep their data; removed at the end."""
    folder = servers.run_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


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
