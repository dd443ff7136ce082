"""One connection to the broker and the one thread that owns it.

py-amqp's connections are not thread-safe: every frame is read by the owner, other threads queue what they want done and
wake it by a pair of sockets. What only writes may be written by any thread (`Flow`): a switch of threads less for each
call and each answer. Plain and green threads alike.

py-amqp makes the connection and all that is rare. The frequent frames are made and read by hand (`frames`), unless the
link is `plain` or goes over TLS: then py-amqp has them all.
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
from chassis.wire.amqp_lane import FramesLane, Lane
from chassis.wire.amqp_wait import Waiter, quiet, waiter
from chassis.wire.frames import HEARTBEAT

log = structlog.get_logger(__name__)

HEARTBEAT_S = 10
#: Longest silence in the middle of a frame, of a declaration's answer, or of a write.
STALL_S = 10.0
CONNECT_S = 5.0
#: Longest time for which an answer waits for those of calls that came with its own.
GATHER_S = 0.0005
#: Seconds between tries to connect: from the first to the last, both with jitter.
RETRY_S = (0.1, 3.0)

Work = Callable[[Lane], None]


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


class Link:
    """Keeps one channel open; `opened(lane)` declares and consumes on each new one, in the owner's thread.

    `lost(reason)` is called, in the same thread, when the channel is gone for any reason, and before the next one.
    What `opened` has consumed is heard where nothing may wait: with green threads, in the hub itself.
    With `busy` (whether an answer is awaited) those who wait may read (`read_until`); what the owner is then given
    to do must only write.
    """

    def __init__(
        self,
        url: str,
        name: str,
        opened: Work,
        lost: Callable[[str], None],
        *,
        plain: bool = False,
        busy: Callable[[], bool] | None = None,
    ) -> None:
        self._urls = [each.strip() for each in url.split(";")]
        self._name = name
        self._opened = opened
        self._lost = lost
        self._plain = plain
        self._busy = busy
        self._waiter: Waiter | None = None
        self._works: deque[tuple[Lane, Work]] = deque()
        self._stopping = threading.Event()
        #: Set once the first try to connect has ended, well or not.
        self.tried = threading.Event()
        #: The open channel, set up; None while there is none.
        self.lane: Lane | None = None
        self._flow: Flow | None = None
        self._owner = 0
        #: While what has come is being told, and no longer than `GATHER_S`; 0 at other times.
        self._hearing_until = 0.0
        self._bell_in, self._bell_out = socket.socketpair()
        for end in (self._bell_in, self._bell_out):
            end.setblocking(False)
        self._thread = threading.Thread(target=self._run, name=f"amqp-{name}", daemon=True)

    @property
    def up(self) -> bool:
        """Whether a channel is open and set up."""
        return self.lane is not None

    def start(self) -> None:
        """Starts the owner; does not wait for the connection."""
        self._thread.start()

    def do(self, lane: Lane, work: Work) -> None:
        """Has the owner do `work(lane)`, unless that channel is gone by then. Never blocks, never raises."""
        self._works.append((lane, work))
        self._wake()

    def send(self, lane: Lane, work: Work) -> None:
        """The same for work that only writes: at once and in this thread where the connection is free."""
        flow = self._flow
        if flow is None or lane is not self.lane or not flow.free:
            self.do(lane, work)
            return
        try:
            work(lane)
        except Exception as error:  # the channel goes while it is written to: its owner tells
            log.debug("amqp.not_sent", link=self._name, error=repr(error))
        # The owner sends what it wrote itself before it waits again, and what is written while it hears: answers to
        # calls that came in one piece leave in one piece.
        if threading.get_ident() == self._owner or time.monotonic() < self._hearing_until:
            return
        if not flow.send_now():
            self._wake()

    def read_until(self, done: Callable[[], bool], deadline: float) -> None:
        """Reads in this thread until `done` or the deadline, where it may and nobody else does."""
        waiter = self._waiter
        if waiter is not None and waiter.read_until(done, deadline):
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
            self._bell_in.send(b"x")

    # --- the owner ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        self._owner = threading.get_ident()
        delay, turn = RETRY_S[0], random.randrange(len(self._urls))
        while not self._stopping.is_set():
            started = time.monotonic()
            connection = None
            try:
                connection = connect(self._urls[turn % len(self._urls)])
                reason = self._use(connection)
            except Exception as error:
                turn += 1
                reason = f"{type(error).__name__}: {error}".strip()
                metrics.WIRE_LOST.labels(self._name).inc()
                log.warning("amqp.lost", link=self._name, reason=reason)
            self.lane = None
            self._tell_lost(reason)
            self._works.clear()
            self.tried.set()
            self._drop(connection)
            if time.monotonic() - started > RETRY_S[1]:
                delay = RETRY_S[0]
            self._stopping.wait(0 if self._stopping.is_set() else delay * (0.5 + random.random()))
            delay = min(delay * 2, RETRY_S[1])
        self._bell_in.close()
        self._bell_out.close()

    def _use(self, connection: Any) -> str:
        """Sets a channel up and serves it until it is to be closed; raises when it is lost."""
        flow = self._flow = Flow(connection.transport)
        channel = connection.channel()
        channel.auto_decode = False  # a body is bytes, whatever its sender says of it
        lane = Lane(channel) if self._plain or flow.direct is None else FramesLane(channel, flow)
        self._opened(lane)
        self.lane = lane
        self.tried.set()
        if isinstance(lane, FramesLane):
            self._serve_frames(connection, lane, flow)
        else:
            self._serve_plain(connection, lane, flow)
        return "stopped"

    def _tell_lost(self, reason: str) -> None:
        try:
            self._lost(reason)
        except Exception:
            log.exception("amqp.lost_failed", link=self._name)

    def _serve_frames(self, connection: Any, lane: FramesLane, flow: Flow) -> None:
        """Reads and writes until the connection is lost (raises) or closed."""
        heard_at = time.monotonic()

        def pump() -> None:
            nonlocal heard_at
            if (data := flow.recv_now()) is None:
                return
            heard_at = time.monotonic()
            self._hearing_until = heard_at + GATHER_S
            try:
                lane.inbound.feed(data)
            finally:
                self._hearing_until = 0.0  # first: what is written from now on is its writer's to send
            if flow.waiting and not flow.send_now():
                self._wake()

        wait = waiter(flow.direct, self._bell_out, pump, self._busy or (lambda: True))
        try:
            # What came with an answer that `_opened` waited for is in py-amqp's hands, not on the socket.
            lane.inbound.feed(flow.take_read())
            if self._busy is not None:
                self._waiter = wait
            while True:
                if self._works and self._busy is not None:
                    self._work(lane)
                elif self._works:
                    wait.pause()
                    flow.give_back(lane.inbound.take_back())
                    self._work(lane)
                    lane.inbound.feed(flow.take_read())
                flow.flush()
                if self._stopping.is_set() and not self._works:
                    wait.close()
                    flow.give_back(lane.inbound.take_back())
                    return
                wait.wait(1.0)
                if not lane.channel.is_open:
                    raise ConnectionError("channel closed")
                now = time.monotonic()
                if now - heard_at > 2 * HEARTBEAT_S:
                    raise ConnectionError("nothing heard, not even a heartbeat")
                if now - flow.sent_at > HEARTBEAT_S / 2:
                    flow.write(HEARTBEAT)
        finally:
            self._waiter = None
            wait.close()

    def _serve_plain(self, connection: Any, lane: Lane, flow: Flow) -> None:
        """The same with py-amqp alone."""
        transport = connection.transport
        with selectors.DefaultSelector() as selector:
            selector.register(transport.sock, selectors.EVENT_READ)
            selector.register(self._bell_out, selectors.EVENT_READ)
            while True:
                self._work(lane)
                flow.flush()
                if self._stopping.is_set() and not self._works:
                    return
                ready = {key.fileobj for key, _ in selector.select(0 if flow.has_read else 1.0)}
                if self._bell_out in ready:
                    quiet(self._bell_out)
                if transport.sock in ready or flow.has_read:
                    connection.blocking_read(STALL_S)
                    while flow.has_read:
                        connection.blocking_read(STALL_S)
                if not lane.channel.is_open:
                    raise ConnectionError("channel closed")
                connection.heartbeat_tick()

    def _work(self, lane: Lane) -> None:
        # A bounded run, so that a flood of writers cannot keep the owner from reading.
        for _ in range(min(len(self._works), 1_000)):
            of, work = self._works.popleft()
            if of is lane:
                work(lane)
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
