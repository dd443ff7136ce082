"""The bytes of one connection, with fewer system calls than py-amqp makes.

It reads what has come rather than what is needed next (py-amqp: nine reads a message), and writes all that is to go in
one piece: the calls of a fan-out, an answer and its acknowledgement.
"""

from __future__ import annotations

import _socket
import os
import ssl
import time
from typing import Any

from chassis.wire.amqp_wait import short_lock

_CHUNK = 1 << 16


class Flow:
    """Stands between an open connection's transport and its socket.

    Any thread may write frames, which are only kept; `flush` (the owner's) and `send_now` (anyone's) send them.
    """

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._recv = transport._quick_recv
        self._send_all = transport._write
        self._out = bytearray()
        self._lock = short_lock()
        self._sending = False
        #: When bytes were last given to the socket; of this process's monotonic clock.
        self.sent_at = time.monotonic()
        #: The same socket as the C library knows it, on which nothing ever waits, with green threads neither. TLS has
        #: a state that two threads must not touch: there the owner reads and sends, by py-amqp's way.
        self.direct: Any = None
        if not isinstance(transport.sock, ssl.SSLSocket):
            self.direct = _socket.socket(fileno=os.dup(transport.sock.fileno()))
            self.direct.setblocking(False)
        transport._quick_recv = self._read
        transport._write = self.write

    @property
    def free(self) -> bool:
        """Whether another thread than the owner may write: nothing waits that the socket did not take."""
        return self.direct is not None and len(self._out) < _CHUNK

    @property
    def waiting(self) -> bool:
        """Whether something was written that is not sent."""
        return bool(self._out)

    @property
    def has_read(self) -> bool:
        """Whether bytes have been read that no frame was made of; they never show on the socket again."""
        sock = self._transport.sock
        return bool(self._transport._read_buffer) or bool(isinstance(sock, ssl.SSLSocket) and sock.pending())

    def take_read(self) -> bytes:
        """Bytes that py-amqp has read and made no frame of; they are its no more."""
        data, self._transport._read_buffer = bytes(self._transport._read_buffer), b""
        return data

    def give_back(self, data: bytes) -> None:
        """Bytes from which py-amqp goes on reading."""
        self._transport._read_buffer = data

    def recv_now(self) -> bytes | None:
        """What has come, without waiting; None when nothing has. Raises `ConnectionError` at the end."""
        try:
            data: bytes = self.direct.recv(_CHUNK)
        except BlockingIOError:
            return None
        if not data:
            raise ConnectionError("closed by the other side")
        return data

    def _read(self, wanted: int) -> bytes:
        self.flush()  # what is waited for may be the answer to it
        return bytes(self._recv(max(wanted, _CHUNK)))

    def write(self, frames: Any) -> None:
        """Keeps frames to be sent."""
        with self._lock:
            self._out += frames

    def flush(self) -> None:
        """Sends what was written; waits for the socket. Raises what the socket raises."""
        while data := self._take():
            try:
                self._send_all(data)
            finally:
                self._sending = False

    def send_now(self) -> bool:
        """Sends what the socket takes without waiting; False when something is left for the owner."""
        data = self._take()
        if not data:
            return not self._out
        sent = 0
        try:
            sent = self.direct.send(data)
        except OSError:
            pass  # full, or lost, which the owner will find by itself
        finally:
            with self._lock:
                if sent < len(data):
                    self._out[:0] = memoryview(data)[sent:]
                self._sending = False
                left = bool(self._out)
        return not left

    def _take(self) -> bytearray | None:
        """What is to be sent, for one sender at a time; None when there is nothing, or somebody is at it."""
        with self._lock:
            if self._sending or not self._out:
                return None
            data, self._out = self._out, bytearray()
            self._sending = True
            self.sent_at = time.monotonic()
            return data

    def close(self) -> None:
        """Gives up the second handle of the socket, and what was not sent."""
        if self.direct is not None:
            self.direct.close()
