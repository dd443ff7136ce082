"""Servers and processes of the stack, once for its module of tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.stack import Stack, made_secrets, make_logins

_SHOWN = ("broker_rights", "backups", "commands", "replicas", "traces", "watching")
pytest.register_assert_rewrite(*(f"tests.stack.{name}" for name in _SHOWN))


@pytest.fixture(scope="module")
def secrets(s3: dict[str, str]) -> dict[str, str]:
    return made_secrets(s3)


@pytest.fixture(scope="module")
def rabbit(run_folder: Path, secrets: dict[str, str]) -> Iterator[servers.RabbitServer]:
    """A broker of this module's own, since it is restarted, with a login for each process."""
    server = servers.RabbitServer(run_folder / "stack", passwords=secrets)
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def postgres(run_folder: Path, secrets: dict[str, str]) -> Iterator[servers.PostgresServer]:
    """A database server of this module's own, with a login for each service."""
    server = servers.PostgresServer(run_folder / "stack")
    server.start()
    make_logins(server, secrets)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def stack(
    run_folder: Path,
    postgres: servers.PostgresServer,
    s3: dict[str, str],
    rabbit: servers.RabbitServer,
    secrets: dict[str, str],
) -> Iterator[Stack]:
    made = Stack(run_folder / "stack-logs", database_url=postgres.url, amqp_url=rabbit.url, s3=s3, given=secrets)
    try:
        made.start()
        yield made
    finally:
        made.stop()
