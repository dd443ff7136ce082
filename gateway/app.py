"""The gateway: Flask application of the API and the pages."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from functools import cache
from typing import IO, Any
from uuid import UUID

import orjson
import structlog
from flask import Blueprint, Flask, Response, abort, g, render_template, request
from flask_compress import Compress
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.exceptions import HTTPException

from chassis import metrics, tracing
from chassis.errors import FicheError
from chassis.ids import new_id
from chassis.objects import staging_key
from chassis.settings import SERVICES, Settings
from chassis.wire.base import OK, RpcClient, Wire
from contracts.base import Request
from contracts.chassis import Health
from contracts.clients import FicheSettings, Identify
from contracts.clients.merges import PreviewMerge
from gateway import history, merging, problems, ties, undoing
from gateway.api import (
    client_settings,
    clients,
    erasures,
    exchanges,
    feed,
    files,
    merges,
    money,
    operations,
    people,
    planning,
    reassign,
    uploads,
    work,
)
from gateway.api.routes import Api
from gateway.auth import WITHOUT_ACCOUNTS, Door
from gateway.door import ClientDoor
from gateway.fiche import compose
from gateway.live import PATH, Live, LiveMiddleware
from gateway.openapi import document
from gateway.published import publish_events
from gateway.rpc import Rpc
from gateway.web import web_blueprint

log = structlog.get_logger("gateway.http")
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._:-]{1,100}$")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_CSP = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


class PageBackend:
    """What the pages ask, over the same client as the API (meets `gateway.web.backend.Backend`)."""

    def __init__(self, rpc: Rpc, door: Door, objects: Any, max_upload: int) -> None:
        self._rpc = rpc
        self._door = door
        self._objects = objects
        self._max_upload = max_upload

    def ask(self, request_: Request) -> Any:
        """The parsed answer of a service."""
        return self._rpc.ask_json(request_)

    def ask_all(self, requests: Sequence[Request]) -> list[Any]:
        """The parsed answers, None in place of one that is away. Raises what else a service refuses."""
        found: list[Any] = []
        answers = self._rpc.ask_all([self._rpc.call(asked) for asked in requests])
        for asked, answer in zip(requests, answers, strict=True):
            try:
                found.append(orjson.loads(self._rpc.seen(asked, answer)))
            except FicheError as error:
                if error.kind not in ("unavailable", "internal"):
                    raise
                found.append(None)
        return found

    def ask_of(self, service: str, request_: Request) -> Any:
        """The parsed answer of one service."""
        return self._rpc.ask_json(request_, service=service)

    def ask_each(self, request_: Request) -> dict[str, Any]:
        """Every service's parsed answer; None for one that is away."""
        answers = self._rpc.ask_all([self._rpc.call(request_, service=name) for name in SERVICES])
        pairs = zip(SERVICES, answers, strict=True)
        return {name: orjson.loads(answer.body) if answer.status == OK else None for name, answer in pairs}

    def fiche(self, client_id: UUID) -> dict[str, Any]:
        """The assembled fiche as pages need it, with its tree and the settings of all fiches."""
        found = compose(self._rpc, client_id, paged=True, also=[FicheSettings()])
        settings = orjson.loads(self._rpc.unwrap(found.also[0]))
        tree = [UUID(record) for record in found.tree]
        return {**orjson.loads(found.body), "tree": tree, "settings": settings}

    def tree(self, client_id: UUID) -> list[UUID]:
        """The ids under which a client's rows may stand."""
        return [UUID(record) for record in self._rpc.ask_json(Identify(ids=[client_id]))["clients"][0]["tree"]]

    def ties(self, client_id: UUID) -> dict[str, Any]:
        """What keeps a client from being deleted."""
        found = ties.ties_of(self._rpc, ClientDoor(self._rpc).home(client_id).tree)
        return {"count": sum(found.values()), "said": ties.said(found)}

    def history(self, client_id: UUID, cursor: str | None) -> dict[str, Any]:
        """A page of a client's history."""
        home = ClientDoor(self._rpc).home(client_id, follow=False)
        return history.history_page(self._rpc, home.root, home.tree, cursor=cursor)

    def merge_preview(self, survivor_id: UUID, duplicate_id: UUID) -> dict[str, Any]:
        """What a merge would change in every service."""
        return merging.preview(self._rpc, PreviewMerge(survivor_id=survivor_id, duplicate_id=duplicate_id))

    def undo_preview(self, merge_id: UUID) -> dict[str, Any]:
        """What undoing a merge would do in every service, as a page offers it."""
        return undoing.offered(self._rpc, merge_id, [])

    def erase_preview(self, client_id: UUID) -> dict[str, Any]:
        """What erasing a person would do in every service."""
        return erasures.preview(self._rpc, client_id)

    def begin_session(self, response: Response, token: str) -> None:
        """Puts the session's cookie on a response."""
        self._door.begin(response, token)

    def end_session(self, response: Response) -> None:
        """Ends the session."""
        self._door.end(response)

    def stage(self, stream: IO[bytes]) -> str:
        """Streams an upload into the object store."""
        key: str = staging_key("")
        self._objects.put(key, stream, limit=self._max_upload)
        return key


class _PageCompress(Compress):  # type: ignore[misc]
    """Compresses pages and what they are made of; not the API, whose ETags are versions, nor documents and ranges."""

    def after_request(self, response: Response) -> Response:
        """The response as it leaves."""
        return super().after_request(response) if request.blueprint == "web" else response


def create_app(settings: Settings, client: RpcClient, objects: Any, wire: Wire) -> Flask:
    """The application over an RPC client, an object store and the wire whose events the open pages hear."""
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False
    rpc = Rpc(client, settings.deadline_ms)
    app.before_request(_begin)
    door = Door(app, rpc, secure_cookies=settings.secure_cookies or settings.url.startswith("https:"))
    api = Api(rpc, Blueprint("api", __name__, url_prefix="/api/v1"), objects, door.end, settings.max_upload_bytes)
    for module in (
        clients,
        client_settings,
        exchanges,
        erasures,
        merges,
        reassign,
        planning,
        work,
        money,
        files,
        uploads,
        people,
        operations,
        feed,
    ):
        module.register(api)
    app.register_blueprint(api.blueprint)
    app.register_blueprint(
        web_blueprint(PageBackend(rpc, door, objects, settings.max_upload_bytes), settings.undo_days)
    )
    app.extensions["fiche_api"] = api
    _errors(app)
    _operations(app, rpc, api)
    publish_events(app)
    app.after_request(_finish)
    types = ["text/html", "text/css", "text/javascript", "image/svg+xml"]
    app.config |= {"COMPRESS_MIMETYPES": types, "COMPRESS_EVALUATE_CONDITIONAL_REQUEST": False}
    _PageCompress(app)
    live = Live(wire)
    app.extensions["fiche_live"] = live

    @app.get(PATH, endpoint="live")
    def stream() -> Response:
        # The middleware streams behind these headers, once the door has let the request through.
        return Response(headers={"X-Accel-Buffering": "no"}, content_type="text/event-stream; charset=utf-8")

    app.wsgi_app = LiveMiddleware(app.wsgi_app, live)  # type: ignore[method-assign]
    return app


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.match(given) else str(new_id())
    g.started = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    if tracing.on() and request.endpoint not in WITHOUT_ACCOUNTS:
        method, route = request.method, str(request.url_rule)
        told = {"http.request.method": method, "http.route": route, "url.path": request.path}
        g.span = tracing.Opened(f"{method} {route}", "server", request.headers.get("traceparent"), told)


def _finish(answer: Response) -> Response:
    answer.headers["X-Request-Id"] = g.get("request_id", "")
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    answer.headers.setdefault("Content-Security-Policy", _CSP)
    answer.headers.setdefault("Referrer-Policy", "same-origin")
    answer.headers.setdefault("X-Frame-Options", "DENY")
    if request.endpoint == "web.static" and answer.status_code == 200:
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        answer.headers.setdefault("Cache-Control", "no-store")
    if "span" in g:
        told = {"http.response.status_code": answer.status_code, "fiche.request_id": g.get("request_id", "")}
        g.pop("span").end(told, failed=answer.status_code >= 500)
    seconds = time.perf_counter() - g.get("started", time.perf_counter())
    method = request.method if request.method in _METHODS else "other"
    metrics.HTTP_SECONDS.labels(method, request.endpoint or "none", answer.status_code).observe(seconds)
    log.info("http", method=request.method, path=request.path, status=answer.status_code, ms=round(seconds * 1000, 1))
    return answer


def _errors(app: Flask) -> None:
    @app.errorhandler(FicheError)
    def refused(error: FicheError) -> Any:
        return problems.from_error(error)

    @app.errorhandler(problems.HttpProblem)
    def told(error: problems.HttpProblem) -> Response:
        return problems.problem(error.status, error.detail, code=error.code)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Any:
        if (error.code or 500) in range(300, 400):
            return error
        if not request.path.startswith("/api/") and request.accept_mimetypes.accept_html and request.endpoint is None:
            page = render_template("problem.html", title="Introuvable", detail="Cette page n’existe pas.", retry=None)
            return Response(page, error.code or 500)
        if error.code == 404 and not request.path.startswith("/api/") and request.accept_mimetypes.accept_html:
            detail = "Cette page n’existe pas, ou n’existe plus."
            return render_template("problem.html", title="Introuvable", detail=detail), 404
        return problems.from_http(error)

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        log.exception("http.fault")
        return problems.problem(500, "Une erreur inattendue s’est produite. Rien n’a été enregistré.", code="internal")


def _operations(app: Flask, rpc: Rpc, api: Api) -> None:
    @cache
    def described() -> bytes:
        return orjson.dumps(document(api.routes))

    @app.get("/api/openapi.json", endpoint="openapi")
    def openapi() -> Response:
        return Response(described(), content_type="application/json")

    @app.get("/api/docs", endpoint="docs")
    def docs() -> Response:
        answer = Response(render_template("api_docs.html"), content_type="text/html; charset=utf-8")
        # The viewer sets styles of its own; it runs no other script than ours and asks nobody else.
        answer.headers["Content-Security-Policy"] = _CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
        return answer

    @app.get("/healthz", endpoint="healthz")
    def healthz() -> Response:
        return Response(b'{"status":"ok"}', content_type="application/json")

    def refuse_the_world() -> None:
        """What a proxy hands on comes from the world; whoever watches the gateway asks it directly."""
        if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
            abort(404)

    @app.get("/readyz", endpoint="readyz")
    def readyz() -> Response:
        refuse_the_world()
        answers = rpc.ask_all([rpc.call(Health(), service=name) for name in SERVICES])
        away = [name for name, answer in zip(SERVICES, answers, strict=True) if answer.status != OK]
        # The gateway serves what it can: it is ready as long as clients and accounts answer.
        ready = not {"clients", "accounts"} & set(away)
        status = "ok" if not away else "degraded" if ready else "unavailable"
        return Response(
            orjson.dumps({"status": status, "away": away}), 200 if ready else 503, content_type="application/json"
        )

    @app.get("/metrics", endpoint="metrics")
    def prometheus() -> Response:
        refuse_the_world()
        return Response(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)
