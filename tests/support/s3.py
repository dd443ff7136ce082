"""A real S3 server for a module of tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import S3Server


@contextmanager
def running_s3(folder: Path) -> Iterator[dict[str, str]]:
    """Runs a server of the caller's own; yields the settings that reach it."""
    server = S3Server(folder)
    server.start()
    try:
        yield server.settings
    finally:
        server.stop()


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
