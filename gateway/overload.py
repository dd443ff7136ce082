"""gunicorn's worker with threads, and what it refuses when more is asked than it can answer.

A request waits for a thread for `QUEUE_WAIT_S` at most: one that has waited longer is told so at once, for next to
nothing, so that the queue never grows beyond what can be answered in time. Connections that say nothing hold no thread,
and those that stop in the middle of a request hold one for `STALL_S` at most.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import orjson
from gunicorn.http.errors import LimitRequestLine
from gunicorn.workers.gthread import TConn, ThreadWorker
from prometheus_client import Counter

from gateway.problems import RETRY_AFTER, TITLES

#: Seconds that a request waits for a thread at most.
QUEUE_WAIT_S = 1.0
#: Seconds of silence after which a connection in the middle of a request, or of its answer, is given up.
STALL_S = 20
#: Asked by those who watch the gateway: one that is busy is not one that is broken.
ALWAYS = frozenset({"/healthz", "/readyz", "/metrics"})

#: Not in `chassis.metrics`, where every process would tell it: the alert FicheGatewayMissing takes it for a gateway's.
REFUSED = Counter("fiche_http_overloaded_total", "Requests refused for having waited too long for a thread")

_DETAIL = "Fiche est très sollicitée en ce moment. Réessayez dans quelques secondes."
_PROBLEM = orjson.dumps(
    {
        "type": "urn:fiche:problem:overloaded",
        "title": TITLES[503],
        "status": 503,
        "detail": _DETAIL,
        "code": "overloaded",
    }
)
_PAGE = (
    f'<!doctype html><html lang="fr"><meta charset="utf-8"><title>{TITLES[503]}</title>'
    f"<h1>{TITLES[503]}</h1><p>{_DETAIL}</p></html>"
).encode()
_TOO_LONG = orjson.dumps(
    {
        "type": "urn:fiche:problem:uri_too_long",
        "title": TITLES[414],
        "status": 414,
        "detail": "Cette adresse est trop longue\u202f: demandez moins de filtres à la fois.",
        "code": "uri_too_long",
    }
)
_TIMEOUT = struct.pack("ll", STALL_S, 0)
_here = threading.local()


class Worker(ThreadWorker):  # type: ignore[misc]
    """See the module."""

    def accept(self, listener: socket.socket) -> None:
        """Takes a connection; it waits for its first bytes without a thread."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                return
            raise
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            client.setsockopt(socket.SOL_SOCKET, option, _TIMEOUT)
        self.nr_conns += 1
        conn = TConn(self.cfg, client, address, listener.getsockname())
        conn.set_timeout()
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, functools.partial(self.on_pending_socket_readable, conn))

    def enqueue_req(self, conn: TConn) -> None:
        """Has a thread answer, and notes since when the request waits for one."""
        conn.waits_since = time.monotonic()
        super().enqueue_req(conn)

    def handle(self, conn: TConn) -> Any:
        """In a thread: the request, knowing how long it has waited."""
        _here.waited = time.monotonic() - conn.waits_since
        return super().handle(conn)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """What is no HTTP is refused by gunicorn itself; an address too long as the API refuses."""
        if not isinstance(exc, LimitRequestLine):
            super().handle_error(req, client, addr, exc)
            return
        head = (
            f"HTTP/1.1 414 URI Too Long\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
            f"Content-Length: {len(_TOO_LONG)}\r\nX-Content-Type-Options: nosniff\r\n\r\n"
        )
        with contextlib.suppress(OSError):
            client.sendall(head.encode() + _TOO_LONG)

    def _cap_keepalive(self, deadline: float) -> None:
        # At the end: connections that have said nothing yet are waited for no longer than kept ones.
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)


class Overload:
    """WSGI: refuses a request that has waited too long for its thread, before anything is done for it."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if getattr(_here, "waited", 0.0) <= QUEUE_WAIT_S or path in ALWAYS:
            return self._app(environ, start_response)
        REFUSED.inc()
        page = not path.startswith("/api/")
        body = _PAGE if page else _PROBLEM
        start_response(
            "503 Service Unavailable",
            [
                ("Content-Type", "text/html; charset=utf-8" if page else "application/problem+json"),
                ("Content-Length", str(len(body))),
                ("Retry-After", RETRY_AFTER),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )
        return [body]
