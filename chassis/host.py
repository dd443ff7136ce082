"""Runs services: Nameko containers over a wire, in this process."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import structlog
from nameko.containers import ServiceContainer

from chassis.runtime import Runtime
from chassis.service import EventsExtension, RpcServerExtension, Service

log = structlog.get_logger(__name__)


def service_class(name: str) -> type[Service]:
    """The Nameko class of a service: `services.<name>.service`."""
    module = importlib.import_module(f"services.{name}.service")
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Service) and getattr(value, "name", None) == name:
            return value
    raise LookupError(f"no service class called {name}")


class Host:
    """The services of this process. `start` returns when all take calls; `stop` when all work in hand is done."""

    def __init__(self, runtime: Runtime, services: Sequence[str]) -> None:
        self.runtime = runtime
        # Of what runs by itself: calls and batches of events live in threads of their own.
        pool = runtime.settings.max_workers
        self.containers = [
            ServiceContainer(service_class(name), {"runtime": runtime, "max_workers": pool}) for name in services
        ]

    def start(self) -> None:
        """Starts every container, in order."""
        for container in self.containers:
            container.start()
            log.info("service.started", service=container.service_name)

    def stop(self) -> None:
        """Stops every container: what is in hand is finished, the rest given back to the wire."""
        for container in reversed(self.containers):
            container.stop()
            log.info("service.stopped", service=container.service_name)
        for container in self.containers:
            for extension in container.subextensions:
                if isinstance(extension, RpcServerExtension) and extension.server is not None:
                    extension.server.close()

    def not_ready(self) -> list[str]:
        """Names of the services that do not take calls or events right now, whatever their process says."""
        away = []
        for container in self.containers:
            parts = [*container.subextensions, *container.entrypoints]
            extensions = [part for part in parts if isinstance(part, RpcServerExtension | EventsExtension)]
            if not all(extension.ready for extension in extensions):
                away.append(container.service_name)
        return away
