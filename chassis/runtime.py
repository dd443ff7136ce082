"""What the extensions of a service find in their container: settings, wire, database, bell."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field

from chassis.bell import Bell
from chassis.db import Database
from chassis.settings import Settings
from chassis.tracing import traced
from chassis.wire.base import RpcClient, Wire


@dataclass
class Runtime:
    """Made once per process; services of one process share the wire and the client."""

    settings: Settings
    wire: Wire
    #: Base address of the embedded server, when there is one.
    database_base: str | None = None
    databases: dict[str, Database] = field(default_factory=dict)
    bells: dict[str, Bell] = field(default_factory=dict)
    _client: RpcClient | None = None

    def database(self, service: str) -> Database:
        """The service's database, one engine per process."""
        if service not in self.databases:
            url = self.settings.service_database_url(service, self.database_base)
            self.databases[service] = Database(service, url, self.settings)
        return self.databases[service]

    def bell(self, service: str) -> Bell:
        """The bell of the service's own log, rung after each commit that told something."""
        return self.bells.setdefault(service, Bell())

    @property
    def client(self) -> RpcClient:
        """The process's RPC client."""
        if self._client is None:
            self._client = traced(self.wire.rpc_client())
        return self._client

    def close(self) -> None:
        """Closes client, wire and engines."""
        if self._client is not None:
            self._client.close()
        self.wire.close()
        for database in self.databases.values():
            database.dispose()


def settled() -> None:
    """The process is ready: what it is made of stays, and only what comes from now on is looked through for garbage."""
    gc.freeze()
    gc.enable()
