"""How the owner of a connection waits for what comes: by polling, or with its socket known to eventlet's hub.

Green threads that wait for a socket register it anew each time, at four system calls and two timers a message; here it
stays registered, and what comes is read and handled in the hub itself.
"""

from __future__ import annotations

import contextlib
import select
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

Pump = Callable[[], None]


class Waiter(Protocol):
    """`pump` reads what has come without waiting; it is called whenever something has, from the first `wait` on."""

    def wait(self, seconds: float) -> None:
        """Returns after a wake-up, after `seconds`, or earlier. Raises what `pump` raises."""
        ...

    def read_until(self, done: Callable[[], bool], deadline: float) -> bool:
        """Where threads are the system's, reads in the caller's; whether the owner must be woken after it."""
        ...

    def pause(self) -> None:
        """Leaves what comes to others until the next `wait`."""
        ...

    def close(self) -> None:
        """Lets go of the sockets, which stay open."""
        ...


class ThreadWaiter:
    """For threads of the system. `bell` is the socket on which the owner is woken.

    Whoever waits for an answer may read it himself (`read_until`): a switch of threads less. The owner reads while
    something is awaited (`busy`) and nobody else does; at other times it only listens for the end of the connection
    and looks once a second for what nobody awaits.
    """

    def __init__(self, sock: Any, bell: socket.socket, pump: Pump, busy: Callable[[], bool]) -> None:
        self._sock, self._bell, self._pump, self._busy = sock.fileno(), bell, pump, busy
        self._either, self._quiet, self._data = select.poll(), select.poll(), select.poll()
        self._either.register(sock, select.POLLIN)
        self._either.register(bell, select.POLLIN)
        self._quiet.register(sock, getattr(select, "POLLRDHUP", 0))
        self._quiet.register(bell, select.POLLIN)
        self._data.register(sock, select.POLLIN)
        self._reading = threading.Lock()
        self._error: Exception | None = None
        self._closed = False

    def wait(self, seconds: float) -> None:
        """See `Waiter`."""
        until = time.monotonic() + seconds
        while self._busy() and self._reading.acquire(blocking=False):
            try:
                rung = self._read_or_rung(until - time.monotonic())
            finally:
                self._reading.release()
            if rung or time.monotonic() > until:
                return
        if self._error is None:
            for ready, _ in self._quiet.poll(max(0.0, until - time.monotonic()) * 1000):
                if ready == self._bell.fileno():
                    quiet(self._bell)
        if self._reading.acquire(blocking=False):
            try:
                self._pump()
            finally:
                self._reading.release()
        if self._error is not None:
            raise self._error

    def _read_or_rung(self, seconds: float) -> bool:
        rung = False
        for ready, _ in self._either.poll(max(0.0, seconds) * 1000):
            if ready == self._sock:
                self._pump()
            else:
                quiet(self._bell)
                rung = True
        return rung

    def read_until(self, done: Callable[[], bool], deadline: float) -> bool:
        """Reads in this thread until `done`, or the deadline, unless another does; whether the owner must be woken."""
        if self._closed or not self._reading.acquire(blocking=False):
            return False
        try:
            while not done() and not self._closed and (left := deadline - time.monotonic()) > 0:
                # Not for long at a time: somebody else may have ended the wait.
                if self._data.poll(min(left, 0.1) * 1000):
                    self._pump()
        except Exception as error:
            self._error = error
        finally:
            self._reading.release()
        return self._error is not None or self._busy()

    def pause(self) -> None:
        """See `Waiter`."""

    def close(self) -> None:
        """See `Waiter`. Whoever reads is done before the socket is closed."""
        self._closed = True
        if self._reading.acquire(timeout=1.0):
            self._reading.release()


class GreenWaiter:
    """For a green thread: `pump` runs in the hub as soon as something has come, so it must never wait for anything."""

    def __init__(self, sock: Any, bell: socket.socket, pump: Pump, _busy: Callable[[], bool]) -> None:
        from eventlet import getcurrent
        from eventlet.hubs import get_hub

        self._hub = get_hub()
        self._current = getcurrent
        self._pump = pump
        self._bell = bell
        self._fds = {sock.fileno(): self._readable, bell.fileno(): self._rung}
        self._listeners: dict[int, Any] = {}
        self._waiting: Any = None
        self._woken = False
        self._error: Exception | None = None

    def wait(self, seconds: float) -> None:
        """See `Waiter`."""
        for fd, callback in self._fds.items():
            if fd not in self._listeners:
                self._listeners[fd] = self._hub.add(self._hub.READ, fd, callback, self._wake, None)
        if not self._woken:
            self._waiting = self._current()
            timer = self._hub.schedule_call_global(seconds, self._wake)
            try:
                self._hub.switch()
            finally:
                self._waiting = None
                timer.cancel()
        self._woken = False
        if self._error is not None:
            self._unlisten()
            raise self._error

    def read_until(self, _done: Callable[[], bool], _deadline: float) -> bool:
        """See `Waiter`: the hub reads."""
        return False

    def pause(self) -> None:
        """See `Waiter`."""
        self._unlisten()

    def _readable(self, _fd: int) -> None:
        if not self._listeners:  # paused since the hub looked: what has come is whoever's who reads now
            return
        try:
            self._pump()
        except Exception as error:
            self._error = error
            self._unlisten()
            self._wake()

    def _rung(self, _fd: int) -> None:
        quiet(self._bell)
        self._wake()

    def _wake(self, *_closed: object) -> None:
        self._woken = True
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.switch()

    def _unlisten(self) -> None:
        while self._listeners:
            self._hub.remove(self._listeners.popitem()[1])

    def close(self) -> None:
        """See `Waiter`."""
        self._unlisten()


def quiet(bell: socket.socket) -> None:
    """Takes what was sent to wake the owner."""
    with contextlib.suppress(BlockingIOError):
        while bell.recv(4096):
            pass


def green() -> bool:
    """Whether the threads of this process are eventlet's."""
    eventlet = sys.modules.get("eventlet.patcher")
    return eventlet is not None and bool(eventlet.is_monkey_patched("thread"))


def short_lock() -> Any:
    """A lock for sections that never wait: the system's, which green threads take without eventlet's ado."""
    if not green():
        return threading.Lock()
    from eventlet.patcher import original

    return original("_thread").allocate_lock()


def waiter(sock: Any, bell: socket.socket, pump: Pump, busy: Callable[[], bool]) -> Waiter:
    """The one that fits this process's threads. `busy`: whether anything is awaited."""
    return (GreenWaiter if green() else ThreadWaiter)(sock, bell, pump, busy)
