"""What an operator asks a process over HTTP: `/healthz`, `/readyz`, `/metrics`. No authentication, no secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import orjson
from prometheus_client import CONTENT_TYPE_LATEST

from chassis import metrics


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Probes every few seconds are no news."""


def ops_app(not_ready: Callable[[], list[str]]) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """A WSGI application; `not_ready` names what does not work right now."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO")
        if path == "/metrics":
            start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
            return [metrics.exposition()]
        if path == "/healthz":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [b'{"status":"ok"}']
        if path == "/readyz":
            away = not_ready()
            start_response("503 Service Unavailable" if away else "200 OK", [("Content-Type", "application/json")])
            return [orjson.dumps({"status": "unavailable" if away else "ok", "not_ready": away})]
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b""]

    return app


def serve_ops(host: str, port: int, not_ready: Callable[[], list[str]]) -> Any:
    """Serves `ops_app` on a thread (green in a service). Returns the server, whose `shutdown` ends it."""
    import threading

    server = make_server(host, port, ops_app(not_ready), handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, name="ops", daemon=True).start()
    return server
