"""A way to a server that can be frozen (half-open, as when a cable is pulled), cut in the middle of what passes, and
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
from typing import Literal
from urllib.parse import urlsplit

#: How much of what passes when the connection is cut the server still gets: nothing, a part of it, or all, its answer
#: being lost.
Cut = Literal["unheard", "half", "unanswered"]


class Proxy:
    """A process between the tests and the server at `url`; with a `certificate` (and key, one file) it speaks TLS."""

    def __init__(self, url: str, certificate: Path | None = None) -> None:
        parts = urlsplit(url)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.proxy", str(parts.hostname), str(parts.port), str(certificate or "")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        port = int(self._line())
        scheme = parts.scheme + ("s" if certificate else "")
        self.url = parts._replace(scheme=scheme, netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{port}").geturl()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def _tell(self, *words: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(words) + "\n")
        return self._line().strip()

    def freeze(self) -> None:
        """Passes nothing any more, and says nothing."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Goes on."""
        os.kill(self._process.pid, signal.SIGCONT)

    def cut(self, at: bytes, how: Cut) -> None:
        """Cuts, once, the connection on which a client next sends bytes that hold `at`."""
        assert self._tell("cut", how, at.hex()) == "armed"

    def cut_at_commit(self, *, heard: bool) -> None:
        """Cuts the connection on which the next COMMIT passes: once the server has done it, or before it hears it."""
        self.cut(b"COMMIT", "unanswered" if heard else "unheard")

    def cuts(self) -> int:
        """How many connections were cut so far."""
        return int(self._tell("cuts"))

    def close(self) -> None:
        """Cuts every connection."""
        self._process.kill()
        self._process.wait(10)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


class _Cutter:
    """What the next bytes that hold a pattern meet."""

    def __init__(self) -> None:
        self.armed: tuple[bytes, str] | None = None
        self.done = 0

    def met(self, data: bytes) -> str | None:
        """How the connection is to be cut, once, where `data` holds the pattern."""
        if self.armed is None or self.armed[0] not in data:
            return None
        how, self.armed = self.armed[1], None
        self.done += 1
        return how

    def obey(self, line: str) -> str:
        """One line of whoever started this process."""
        command, *words = line.split()
        if command == "cuts":
            return str(self.done)
        self.armed = bytes.fromhex(words[1]), words[0]
        return "armed"


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, passes: Callable[[bytes], bytes]) -> None:
    """Passes on what `passes` leaves of each piece, until it leaves nothing."""
    try:
        while data := await source.read(1 << 16):
            left = passes(data)
            sink.write(left)
            await sink.drain()
            if len(left) < len(data):
                break
    except OSError:
        pass
    finally:
        sink.close()


async def _obey(cutter: _Cutter) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        sys.stdout.write(cutter.obey(line.decode()) + "\n")
        sys.stdout.flush()


async def _main(host: str, port: int, certificate: str) -> None:
    cutter = _Cutter()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            behind, ahead = await asyncio.open_connection(host, port)
        except OSError:
            writer.close()
            return
        answered = True

        def asked(data: bytes) -> bytes:
            nonlocal answered
            how = cutter.met(data)
            answered = answered and how is None
            return {"unheard": b"", "half": data[: len(data) // 2]}.get(how or "", data)

        def told(data: bytes) -> bytes:
            return data if answered else b""

        await asyncio.gather(_pump(reader, ahead, asked), _pump(behind, writer, told))

    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await asyncio.gather(server.serve_forever(), _obey(cutter))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
