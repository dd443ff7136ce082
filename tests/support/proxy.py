"""A way to a server that can be frozen (half-open, as when a cable is pulled), and that can speak TLS in its stead."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import subprocess
import sys
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

    def close(self) -> None:
        """Cuts every connection."""
        self._process.kill()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(1 << 16):
            sink.write(data)
            await sink.drain()
    except OSError:
        pass
    finally:
        sink.close()


async def _main(host: str, port: int, certificate: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            behind, ahead = await asyncio.open_connection(host, port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, ahead), _pump(behind, writer))

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
