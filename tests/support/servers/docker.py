"""A server in a container, on a port of the host that stays the same over restarts."""

from __future__ import annotations

from typing import Any


class Container:
    """One container, through testcontainers (whose reaper removes it, should this process be killed)."""

    def __init__(
        self,
        image: str,
        inner_port: int,
        host_port: int,
        *,
        environment: dict[str, str] | None = None,
        command: str | None = None,
        also: dict[int, int] | None = None,
        entrypoint: list[str] | None = None,
        volumes: dict[str, str] | None = None,
    ) -> None:
        self._make = (image, inner_port, host_port, environment or {}, command)
        self._also, self._entrypoint, self._volumes = also or {}, entrypoint, volumes or {}
        self._container: Any = None

    @property
    def address(self) -> str:
        """`host:port` by which the server is reached."""
        return f"{self._container.get_container_host_ip()}:{self._make[2]}"

    def start(self) -> None:
        """Starts it; the first time it is made. Does not wait for the server inside."""
        if self._container is not None:
            self._container.get_wrapped_container().start()
            return
        from testcontainers.core.container import DockerContainer

        image, inner, outer, environment, command = self._make
        made = DockerContainer(image).with_bind_ports(inner, outer)
        for more, host in self._also.items():
            made = made.with_bind_ports(more, host)
        for path, inside in self._volumes.items():
            made = made.with_volume_mapping(path, inside, "ro")
        if self._entrypoint:
            made = made.with_kwargs(entrypoint=self._entrypoint)
        for name, value in environment.items():
            made = made.with_env(name, value)
        if command:
            made = made.with_command(command)
        self._container = made.start()

    def stop(self, *, kill: bool = False) -> None:
        """Stops the server; its data stay."""
        if self._container is not None:
            wrapped = self._container.get_wrapped_container()
            if kill:
                wrapped.kill()
                wrapped.wait()
            else:
                wrapped.stop(timeout=20)

    def run(self, *command: str) -> bytes:
        """Runs a command inside; returns what it wrote."""
        code, output = self._container.get_wrapped_container().exec_run(list(command))
        assert code == 0, output
        return bytes(output)

    def remove(self) -> None:
        """Removes the container and its data."""
        if self._container is not None:
            self._container.stop()
            self._container = None
