"""How the owner of a connection waits for what comes: by polling, or with its socket known to eventlet's hub.

Green threads that wait for a socket register it anew each time, at four system calls and two timers a message; here it
stays registered, and what comes is read and handled in the hub itself.
"""

from __future__ import annotations

import contextlib
import select
import socket
import sys
from collections.abc import Callable
from typing import Any, Protocol

Pump = Callable[[], None]


class Waiter(Protocol):
    """`pump` reads what has come without waiting; it is called whenever something has, from the first `wait` on."""

    def wait(self, seconds: float) -> None:
        """Returns after a wake-up, after `seconds`, or earlier. Raises what `pump` raises."""
        ...

    def pause(self) -> None:
        """Leaves what comes to others until the next `wait`."""
        ...

    def close(self) -> None:
        """Lets go of the sockets, which stay open."""
        ...


class ThreadWaiter:
    """For a thread of the system. `bell` is the socket on which it is woken."""

    def __init__(self, sock: Any, bell: socket.socket, pump: Pump) -> None:
        self._sock, self._bell, self._pump = sock.fileno(), bell, pump
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._poll.register(bell, select.POLLIN)

    def wait(self, seconds: float) -> None:
        """See `Waiter`."""
        for ready, _ in self._poll.poll(seconds * 1000):
            if ready == self._sock:
                self._pump()
            else:
                quiet(self._bell)

    def pause(self) -> None:
        """See `Waiter`."""

    def close(self) -> None:
        """See `Waiter`."""


class GreenWaiter:
    """For a green thread: `pump` runs in the hub as soon as something has come, so it must never wait for anything."""

    def __init__(self, sock: Any, bell: socket.socket, pump: Pump) -> None:
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

    def pause(self) -> None:
        """See `Waiter`."""
        self._unlisten()

    def _readable(self, _fd: int) -> None:
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


def waiter(sock: Any, bell: socket.socket, pump: Pump) -> Waiter:
    """The one that fits this process's threads."""
    return (GreenWaiter if green() else ThreadWaiter)(sock, bell, pump)
