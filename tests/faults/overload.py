"""Requests at a given pace, each on a connection of its own, whatever becomes of those before."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Told:
    """What a caller got: status (0: nothing), seconds from its first try to connect, and the answer's head."""

    status: int
    seconds: float
    head: bytes


class Caller:
    """Asks one address of the gateway."""

    def __init__(self, port: int, token: str, path: str) -> None:
        self._port = port
        lines = (f"GET {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", "Connection: close")
        self._request = "\r\n".join([*lines, "", ""]).encode()

    async def ask(self) -> Told:
        """One request."""
        began = time.monotonic()
        head = b""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                writer.write(self._request)
                head = (await reader.read(-1)).partition(b"\r\n\r\n")[0]
            finally:
                writer.close()
        except OSError:
            pass
        status = int(head[9:12]) if head.startswith(b"HTTP/1.1 ") else 0
        return Told(status, time.monotonic() - began, head)

    async def busy(self, callers: int, seconds: float) -> list[Told]:
        """So many callers who each ask again as soon as they are answered."""
        until, told = time.monotonic() + seconds, []

        async def one() -> None:
            while time.monotonic() < until:
                told.append(await self.ask())

        await asyncio.gather(*(one() for _ in range(callers)))
        return told

    async def pace(self, each_second: float, seconds: float) -> list[Told]:
        """So many requests a second, each sent in its time."""
        asked, began = [], time.monotonic()
        while (now := time.monotonic()) - began < seconds:
            due = int((now - began) * each_second) + 1
            asked += [asyncio.create_task(self.ask()) for _ in range(due - len(asked))]
            await asyncio.sleep(0.005)
        return list(await asyncio.gather(*asked))
