"""The servers and processes of one run, each started when a group of measures first asks for it."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.peers import FAN_OUT, Peers
from chassis.embedded_pg import EmbeddedPostgres, free_port
from chassis.settings import Settings
from tests.support import servers
from tests.support.s3 import running_s3
from tests.support.stack import Stack


class Ground:
    """A context manager: what was started ends with it."""

    def __init__(self, fan_out: int = FAN_OUT, amqp_url: str = "") -> None:
        self.fan_out = fan_out
        self._given = amqp_url or os.environ.get("FICHE_BENCH_AMQP_URL", "")
        #: What a group wants to be ended after the run.
        self.stack = ExitStack()
        #: What a group tells of what it measured: kept as JSON.
        self.facts: dict[str, Any] = {}
        #: Sentences printed under the table.
        self.notes: list[str] = []

    @cached_property
    def folder(self) -> Path:
        """Data and logs of this run; removed after it."""
        folder = servers.run_folder()
        self.stack.callback(shutil.rmtree, folder, ignore_errors=True)
        return folder

    @cached_property
    def amqp_url(self) -> str:
        """The broker: a private one, unless `FICHE_BENCH_AMQP_URL` names another."""
        if self._given:
            return self._given
        broker = servers.RabbitServer(self.folder)
        broker.start()
        self.stack.callback(broker.close)
        return broker.url

    @cached_property
    def postgres_url(self) -> str:
        """A private database server, whose login may create databases."""
        database = servers.PostgresServer(self.folder)
        database.start()
        self.stack.callback(database.stop)
        return database.url

    @cached_property
    def durable_postgres_url(self) -> str:
        """One that keeps what it acknowledges on the disk, as in production: what the suite's own servers do not."""
        database = EmbeddedPostgres(self.folder / "durable", port=free_port())
        database.start()
        self.stack.callback(database.stop)
        return database.database_url("postgres")

    @cached_property
    def product(self) -> Stack:
        """The product as `make stack` runs it, a process a service, on the servers of this run."""
        s3 = self.stack.enter_context(running_s3(self.folder / "s3"))
        product = Stack(self.folder / "logs", database_url=self.postgres_url, amqp_url=self.amqp_url, s3=s3)
        self.stack.callback(product.stop)
        product.start()
        return product

    def database_of(self, service: str) -> str:
        """Address of a service's database in `product`, for SQLAlchemy."""
        settings = Settings(database_url=self.product.environment["FICHE_DATABASE_URL"])
        return settings.service_database_url(service)

    def peers(self, kind: str, count: int | None = None) -> list[str]:
        """Names under which so many processes of a kind answer until the end; see `bench.peers`."""
        peers = Peers(kind, self.amqp_url, count or self.fan_out)
        self.stack.callback(peers.close)
        return peers.names

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.close()
