"""A way to a server that can be frozen (half-open, as when a cable is pulled), cut while a transaction commits, and
that can speak TLS in its stead.
"""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit


class Proxy:
    """A process between the tests and the server at `url`; with a `certificate` (and key, one file) it speaks TLS."""

    def __init__(self, url: str, certificate: Path | None = None) -> None:
        parts = urlsplit(url)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.proxy", str(parts.hostname), str(parts.port), str(certificate or "")],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        port = int(self._process.stdout.readline())
        scheme = parts.scheme + ("s" if certificate else "")
        self.url = parts._replace(scheme=scheme, netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{port}").geturl()

    def freeze(self) -> None:
        """Passes nothing any more, and says nothing."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Goes on."""
        os.kill(self._process.pid, signal.SIGCONT)

    def cut_at_commit(self, *, heard: bool) -> None:
        """Cuts the connection on which the next COMMIT passes: once the server has done it, or before it hears it."""
        os.kill(self._process.pid, signal.SIGUSR1 if heard else signal.SIGUSR2)

    def close(self) -> None:
        """Cuts every connection."""
        self._process.kill()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()


class _Cut:
    """What the next COMMIT meets: nothing, its answer lost, or itself lost."""

    def __init__(self) -> None:
        self.armed: int | None = None
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            asyncio.get_running_loop().add_signal_handler(number, self._arm, number)

    def _arm(self, number: int) -> None:
        self.armed = number

    def met(self, data: bytes) -> int | None:
        """The signal that asked for the cut, once, where `data` holds a COMMIT."""
        if self.armed is None or b"COMMIT" not in data:
            return None
        number, self.armed = self.armed, None
        return number


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, passes: Callable[[bytes], bool]) -> None:
    try:
        while (data := await source.read(1 << 16)) and passes(data):
            sink.write(data)
            await sink.drain()
    except OSError:
        pass
    finally:
        sink.close()


async def _main(host: str, port: int, certificate: str) -> None:
    cut = _Cut()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            behind, ahead = await asyncio.open_connection(host, port)
        except OSError:
            writer.close()
            return
        answered = True

        def asked(data: bytes) -> bool:
            nonlocal answered
            met = cut.met(data)
            answered = answered and met is None
            return met != signal.SIGUSR2

        def told(_data: bytes) -> bool:
            return answered

        await asyncio.gather(_pump(reader, ahead, asked), _pump(behind, writer, told))

    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
