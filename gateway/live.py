"""What changes is told to the open pages as it happens: Server-Sent Events (WHATWG HTML, section 9.2).

A message is a hint, `{"kind", "id", "client_id"}`, never data: the page asks again for what it shows, with its own
rights. A hint may be lost; the next one, or a reload, makes it good. Streams hold no worker: under gunicorn the socket
is taken over from the request's thread and served, with all others, by one thread of the process; under the embedded
server a stream is a green thread.
"""

from __future__ import annotations

import contextlib
import queue
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson
import structlog

from chassis.settings import SERVICES
from chassis.wire.base import EventTap, Wire

log = structlog.get_logger(__name__)

PATH = "/live"
#: Seconds between comments that keep proxies from closing a quiet stream.
BEAT_S = 20.0
#: Seconds after which a stream ends; the browser comes again and shows who it is again.
LIFE_S = 600.0
#: Bytes (sockets) or hints (green) that may wait for a slow reader before its stream is ended.
WAITING_BYTES = 64 * 1024
WAITING_HINTS = 500
_HELLO = b"retry: 3000\n\n"
_BEAT = b": \n\n"


def hint_of(body: bytes) -> bytes | None:
    """The message for a CloudEvent; None for what cannot be read."""
    try:
        event = orjson.loads(body)
        data = event["data"]
        kind = str(event["type"]).removeprefix("fiche.").rsplit(".", 1)[0]
        told = {"kind": kind, "id": event["subject"], "client_id": data.get("client_id") or data.get("home_client_id")}
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None
    if kind.startswith("clients.client."):
        told["client_id"] = event["subject"]
    return b"data: " + orjson.dumps(told) + b"\n\n"


class _Taken:
    """A socket taken over from the server."""

    def __init__(self, sock: socket.socket, head: bytes) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.waiting = bytearray(head)
        self.until = time.monotonic() + LIFE_S


class Live:
    """The streams of this process."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._lock = threading.Lock()
        self._tap: EventTap | None = None
        self._queues: set[queue.Queue[bytes | None]] = set()
        self._taken: list[_Taken] = []
        self._wake_in: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def count(self) -> int:
        """Streams that are open."""
        return len(self._queues) + len(self._taken)

    def _listen(self) -> None:
        """Taps the logs from the first stream on: a gateway without pages open needs no queue."""
        with self._lock:
            if self._tap is None:
                self._tap = self._wire.event_tap(SERVICES, self.tell)
                self._tap.start()

    def tell(self, body: bytes) -> None:
        """Passes an event on to every stream, as a hint. Never blocks."""
        message = hint_of(body)
        if message is None:
            return
        for waiting in tuple(self._queues):
            try:
                waiting.put_nowait(message)
            except queue.Full:
                self._queues.discard(waiting)
        self._push(message)

    def close(self) -> None:
        """Ends every stream."""
        self._closed = True
        if self._tap is not None:
            self._tap.close()
        for waiting in tuple(self._queues):
            with contextlib.suppress(queue.Full):
                waiting.put_nowait(None)
        self._wake()

    # --- green streams --------------------------------------------------------------------------------------------

    def stream(self) -> Iterator[bytes]:
        """A stream's bytes until its reader goes, is too slow, or its time is over."""
        self._listen()
        waiting: queue.Queue[bytes | None] = queue.Queue(WAITING_HINTS)
        self._queues.add(waiting)
        until = time.monotonic() + LIFE_S
        try:
            yield _HELLO
            while time.monotonic() < until and waiting in self._queues and not self._closed:
                try:
                    message = waiting.get(timeout=BEAT_S)
                except queue.Empty:
                    message = _BEAT
                if message is None:
                    return
                yield message
        finally:
            self._queues.discard(waiting)

    # --- taken sockets ----------------------------------------------------------------------------------------------

    def take(self, sock: socket.socket, status: str, headers: Iterable[tuple[str, str]]) -> None:
        """Takes a connection over from the server, whose own object is left closed, and streams to it."""
        self._listen()
        own = socket.socket(fileno=sock.detach())
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers if name != "Content-Length")]
        head = "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + _HELLO
        with self._lock:
            self._taken.append(_Taken(own, head))
            if self._thread is None:
                self._wake_in, wake_out = socket.socketpair()
                self._wake_in.setblocking(False)
                wake_out.setblocking(False)
                self._thread = threading.Thread(target=self._serve, args=(wake_out,), name="live", daemon=True)
                self._thread.start()
        self._wake()

    def _push(self, message: bytes) -> None:
        if self._taken:
            with self._lock:
                for taken in self._taken:
                    taken.waiting += message
            self._wake()

    def _wake(self) -> None:
        if self._wake_in is not None:
            with contextlib.suppress(OSError):
                self._wake_in.send(b"x")

    def _serve(self, wake_out: socket.socket) -> None:
        beat = time.monotonic() + BEAT_S
        with selectors.DefaultSelector() as selector:
            selector.register(wake_out, selectors.EVENT_READ)
            known: dict[socket.socket, _Taken] = {}
            while not self._closed:
                gone: set[socket.socket] = set()
                for key, _ in selector.select(max(0.0, beat - time.monotonic())):
                    if key.fileobj is wake_out:
                        with contextlib.suppress(BlockingIOError):
                            while wake_out.recv(4096):
                                pass
                    elif _hung_up(key.fileobj):  # type: ignore[arg-type]
                        gone.add(key.fileobj)  # type: ignore[arg-type]
                with self._lock:
                    fresh = [taken for taken in self._taken if taken.sock not in known]
                for taken in fresh:
                    known[taken.sock] = taken
                    selector.register(taken.sock, selectors.EVENT_READ)
                if time.monotonic() >= beat:
                    beat = time.monotonic() + BEAT_S
                    self._push(_BEAT)
                gone.update(sock for sock, taken in known.items() if not self._write(taken))
                for sock in gone:
                    selector.unregister(sock)
                    with self._lock:
                        self._taken.remove(known.pop(sock))
                    sock.close()
            for sock in known:
                sock.close()

    def _write(self, taken: _Taken) -> bool:
        """Writes what fits now. False when the stream is over. What does not fit waits for the next turn."""
        if time.monotonic() > taken.until:
            return False
        with self._lock:
            if not taken.waiting:
                return True
            try:
                sent = taken.sock.send(taken.waiting)
            except BlockingIOError:
                sent = 0
            except OSError:
                return False
            del taken.waiting[:sent]
            return len(taken.waiting) <= WAITING_BYTES


def _hung_up(sock: socket.socket) -> bool:
    """Whether the reader has gone; what else it sends is not for us."""
    try:
        return not sock.recv(4096)
    except BlockingIOError:
        return False
    except OSError:
        return True


class LiveMiddleware:
    """Gives a signed-in request of `PATH` its stream; the application has checked who it is by answering 200."""

    def __init__(self, app: Callable[..., Iterable[bytes]], live: Live) -> None:
        self._app = app
        self._live = live

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH or environ.get("REQUEST_METHOD") != "GET":
            return self._app(environ, start_response)
        told: list[Any] = []

        def keep(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
            told[:] = [status, headers]
            return lambda _: None

        body = self._app(environ, keep)
        status, headers = told
        if not status.startswith("200"):
            start_response(status, headers)
            return body
        if hasattr(body, "close"):
            body.close()
        sock = environ.get("gunicorn.socket")
        if sock is not None:
            self._live.take(sock, status, headers)
            # How a gthread worker is told that the connection is no longer its own: it answers nothing.
            raise StopIteration
        # The embedded server keeps small chunks back otherwise.
        environ["eventlet.minimum_write_chunk_size"] = 1
        start_response(status, [(name, value) for name, value in headers if name != "Content-Length"])
        return self._live.stream()
