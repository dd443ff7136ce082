"""The bytes of one connection: py-amqp's frames, with fewer system calls than it makes.

It reads what has come rather than what it needs next (nine reads a message otherwise), and writes all that is to go in
one piece: the calls of a fan-out, an answer and its acknowledgement.
"""

from __future__ import annotations

import _socket
import os
import ssl
import threading
from typing import Any

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
        self._lock = threading.Lock()
        self._sending = False
        #: The same socket as the C library knows it, on which a send never waits, with green threads neither. TLS has
        #: a state that two threads must not touch: there the owner sends.
        self._direct: Any = None
        if not isinstance(transport.sock, ssl.SSLSocket):
            self._direct = _socket.socket(fileno=os.dup(transport.sock.fileno()))
            self._direct.setblocking(False)
        transport._quick_recv = self._read
        transport._write = self._write

    @property
    def free(self) -> bool:
        """Whether another thread than the owner may write: nothing waits that the socket did not take."""
        return self._direct is not None and len(self._out) < _CHUNK

    @property
    def has_read(self) -> bool:
        """Whether bytes have been read that no frame was made of; they never show on the socket again."""
        sock = self._transport.sock
        return bool(self._transport._read_buffer) or bool(isinstance(sock, ssl.SSLSocket) and sock.pending())

    def _read(self, wanted: int) -> bytes:
        self.flush()  # what is waited for may be the answer to it
        return bytes(self._recv(max(wanted, _CHUNK)))

    def _write(self, frames: Any) -> None:
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
            sent = self._direct.send(data)
        except OSError:
            pass  # full, or lost, which the owner will find by itself
        finally:
            with self._lock:
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
            return data

    def close(self) -> None:
        """Gives up the second handle of the socket, and what was not sent."""
        if self._direct is not None:
            self._direct.close()
