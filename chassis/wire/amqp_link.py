"""One connection to the broker and the one thread that owns it.

py-amqp's connections are not thread-safe: every frame is read by the owner, other threads queue what they want done and
wake it by a pair of sockets. What only writes may be written by any thread (`Flow`): a switch of threads less for each
call and each answer. Plain and green threads alike.
"""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from amqp import Connection
from amqp.method_framing import frame_handler
from amqp.serialization import decode_properties_basic

from chassis import metrics
from chassis.wire.amqp_flow import Flow

log = structlog.get_logger(__name__)

HEARTBEAT_S = 10
#: Longest silence in the middle of a frame, of a declaration's answer, or of a write.
STALL_S = 10.0
CONNECT_S = 5.0
#: Seconds between tries to connect: from the first to the last, both with jitter.
RETRY_S = (0.1, 3.0)

Work = Callable[[Any], None]


def _tolerant_frames(connection: Any, callback: Any) -> Callable[[Any], Any]:
    """py-amqp's reader of frames; a message whose properties cannot be read has none.

    py-amqp raises in the middle of the frame: the connection would be lost, the broker would bring the message again,
    and so on for ever. Without properties it is malformed, and the callback drops or parks it.
    """
    read = frame_handler(connection, callback)

    def on_frame(frame: Any) -> Any:
        kind, channel, payload = frame
        if kind == 2:
            try:
                decode_properties_basic(payload, 12)
            except Exception as error:  # bad UTF-8, times out of range, tables nested without end…
                log.warning("amqp.unreadable_properties", error=repr(error))
                frame = (kind, channel, bytes(payload[:12]) + b"\0\0")
        return read(frame)

    return on_frame


class _Connection(Connection):  # type: ignore[misc]
    # With `connection.blocked`, py-amqp reads the socket before each publish, in the middle of our own reading.
    negotiate_capabilities = {"consumer_cancel_notify": True, "authentication_failure_close": True}  # noqa: RUF012


def connect(url: str) -> Any:
    """An open connection to `amqp://` or `amqps://user:password@host:port/vhost`. Raises what py-amqp raises."""
    parts = urlsplit(url)
    secure = parts.scheme == "amqps"
    connection = _Connection(
        host=f"{parts.hostname or 'localhost'}:{parts.port or (5671 if secure else 5672)}",
        userid=unquote(parts.username or "guest"),
        password=unquote(parts.password or "guest"),
        virtual_host=unquote(parts.path[1:]) or "/",
        # Verified against the machine's authorities (or SSL_CERT_FILE) and this name.
        ssl={"server_hostname": parts.hostname} if secure else False,
        connect_timeout=CONNECT_S,
        heartbeat=HEARTBEAT_S,
        frame_handler=_tolerant_frames,
    )
    try:
        connection.connect()
        connection.transport.sock.settimeout(STALL_S)
    except BaseException:
        # py-amqp's clean-up fails by itself after a refused certificate, and would hide the refusal.
        with contextlib.suppress(Exception):
            connection.collect()
        raise
    return connection


def body_of(message: Any) -> bytes:
    """The bytes of a message; py-amqp gives a text for an empty one."""
    return message.body.encode() if isinstance(message.body, str) else bytes(message.body)


class Link:
    """Keeps one channel open; `opened(channel)` declares and consumes on each new one, in the owner's thread.

    `lost(reason)` is called, in the same thread, when the channel is gone for any reason, and before the next one.
    """

    def __init__(self, url: str, name: str, opened: Work, lost: Callable[[str], None]) -> None:
        self._urls = [each.strip() for each in url.split(";")]
        self._name = name
        self._opened = opened
        self._lost = lost
        self._works: deque[tuple[Any, Work]] = deque()
        self._stopping = threading.Event()
        #: Set once the first try to connect has ended, well or not.
        self.tried = threading.Event()
        self.channel: Any = None
        self._flow: Flow | None = None
        self._owner = 0
        self._wake_in, self._wake_out = socket.socketpair()
        for end in (self._wake_in, self._wake_out):
            end.setblocking(False)
        self._thread = threading.Thread(target=self._run, name=f"amqp-{name}", daemon=True)

    @property
    def up(self) -> bool:
        """Whether a channel is open and set up."""
        return self.channel is not None

    def start(self) -> None:
        """Starts the owner; does not wait for the connection."""
        self._thread.start()

    def do(self, channel: Any, work: Work) -> None:
        """Has the owner do `work(channel)`, unless that channel is gone by then. Never blocks, never raises."""
        self._works.append((channel, work))
        self._wake()

    def send(self, channel: Any, work: Work) -> None:
        """The same for work that only writes: at once and in this thread where the connection is free."""
        flow = self._flow
        if flow is None or channel is not self.channel or not flow.free:
            self.do(channel, work)
            return
        try:
            work(channel)
        except Exception as error:  # the channel goes while it is written to: its owner tells
            log.debug("amqp.not_sent", link=self._name, error=repr(error))
        # The owner sends what it wrote itself before it waits again.
        if threading.get_ident() != self._owner and not flow.send_now():
            self._wake()

    def close(self) -> None:
        """Does what is queued, then closes."""
        self._stopping.set()
        self._wake()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(STALL_S)

    def _wake(self) -> None:
        # Full: the owner is being woken already; closed: there is no owner any more.
        with contextlib.suppress(OSError):
            self._wake_in.send(b"x")

    # --- the owner ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        self._owner = threading.get_ident()
        delay, turn = RETRY_S[0], random.randrange(len(self._urls))
        while not self._stopping.is_set():
            started = time.monotonic()
            connection = None
            try:
                connection = connect(self._urls[turn % len(self._urls)])
                flow = self._flow = Flow(connection.transport)
                channel = connection.channel()
                channel.auto_decode = False  # a body is bytes, whatever its sender says of it
                self._opened(channel)
                self.channel = channel
                self.tried.set()
                self._serve(connection, channel, flow)
                reason = "stopped"
            except Exception as error:
                turn += 1
                reason = f"{type(error).__name__}: {error}".strip()
                metrics.WIRE_LOST.labels(self._name).inc()
                log.warning("amqp.lost", link=self._name, reason=reason)
            self.channel = None
            self._tell_lost(reason)
            self._works.clear()
            self.tried.set()
            self._drop(connection)
            if time.monotonic() - started > RETRY_S[1]:
                delay = RETRY_S[0]
            self._stopping.wait(0 if self._stopping.is_set() else delay * (0.5 + random.random()))
            delay = min(delay * 2, RETRY_S[1])
        self._wake_in.close()
        self._wake_out.close()

    def _tell_lost(self, reason: str) -> None:
        try:
            self._lost(reason)
        except Exception:
            log.exception("amqp.lost_failed", link=self._name)

    def _serve(self, connection: Any, channel: Any, flow: Flow) -> None:
        """Reads and writes until the connection is lost (raises) or closed."""
        transport = connection.transport
        with selectors.DefaultSelector() as selector:
            selector.register(transport.sock, selectors.EVENT_READ)
            selector.register(self._wake_out, selectors.EVENT_READ)
            while True:
                self._work(channel)
                flow.flush()
                if self._stopping.is_set() and not self._works:
                    return
                # What came with an answer that `_opened` or a work waited for is in the buffer, not on the socket.
                ready = {key.fileobj for key, _ in selector.select(0 if flow.has_read else 1.0)}
                if self._wake_out in ready:
                    self._quiet_wake()
                if transport.sock in ready or flow.has_read:
                    connection.blocking_read(STALL_S)
                    while flow.has_read:
                        connection.blocking_read(STALL_S)
                if not channel.is_open:
                    raise ConnectionError("channel closed")
                connection.heartbeat_tick()

    def _quiet_wake(self) -> None:
        try:
            while self._wake_out.recv(4096):
                pass
        except BlockingIOError:
            pass

    def _work(self, channel: Any) -> None:
        # A bounded run, so that a flood of writers cannot keep the owner from reading.
        for _ in range(min(len(self._works), 1_000)):
            of, work = self._works.popleft()
            if of is channel:
                work(channel)
        if self._works:
            self._wake()

    def _drop(self, connection: Any) -> None:
        if connection is None:
            return
        try:
            if self._stopping.is_set() and connection.connected:
                connection.transport.sock.settimeout(2.0)
                connection.close()
            connection.collect()
        except Exception as error:  # clean-up never raises
            log.debug("amqp.close_failed", link=self._name, error=str(error))
        if self._flow is not None:
            self._flow.close()
            self._flow = None
