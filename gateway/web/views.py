"""Views of the pages. Each asks the services and renders; fragments for htmx come from the same templates."""

from __future__ import annotations

import hashlib
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request, send_from_directory, url_for
from flask import g as flask_g

from chassis.errors import FicheError, Moved, Unauthenticated
from gateway.rights import may
from gateway.web import formatting, labels
from gateway.web.backend import Backend
from gateway.web.company import follow_company
from gateway.web.pages import billing as billing_pages
from gateway.web.pages import (
    client_forms,
    client_settings,
    clients,
    documents,
    duplicates,
    equipment,
    erasures,
    exchanges,
    fiche,
    gallery,
    imports,
    interventions,
    job_sites,
    maintenance,
    merges,
    operations,
    planning,
    session,
    settings,
)
from gateway.web.visits import visits_grid

_STATIC = Path(__file__).parent / "static"


def groupby_day(rows: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Activities by day, newest first, as they come."""
    found = groupby(rows, key=lambda row: formatting.parse_day(row["occurred_at"]))
    return [(formatting.heading_day(day), list(group)) for day, group in found]


def _version() -> str:
    """Short digest of all static files: it stands in their addresses, so that they may be kept for ever."""
    digest = hashlib.sha256()
    for path in sorted(path for path in _STATIC.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(_STATIC)).encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _moved(old: str, root: str) -> str:
    """The same page of the record that an id means now; it says there which one was asked for."""
    path = request.path.replace(old, root) if old else f"/clients/{root}"
    asked = [(name, value) for name, value in request.args.items(multi=True) if name != "ancienne"]
    return f"{path}?{urlencode([*asked, ('ancienne', old)] if old else asked)}".rstrip("?")


def web_blueprint(backend: Backend, undo_days: int) -> Blueprint:
    """All pages. `csrf_token` must be a template global of the application.

    `undo_days`: how long a merge can be undone and a deleted client restored.
    """
    web = Blueprint("web", __name__, template_folder="templates")
    version = _version()
    follow_company(web, backend)

    @web.app_context_processor
    def _words() -> dict[str, Any]:
        user = getattr(flask_g, "user", None)
        return {
            "labels": labels,
            "visits_grid": visits_grid,
            "this_year": lambda: formatting.today().year,
            # Scripts import one another by relative address: the version is a folder, not a query.
            "asset": lambda name: url_for("web.static", version=version, filename=name),
            "panel": "kit/panel.html" if request.headers.get("X-Panel") else "kit/page.html",
            "may": lambda what: bool(user) and may(user, what),
            "user_id": str(user.id or "") if user else "",
            "part": "/" + request.path.strip("/").split("/")[0],
            "user_name": lambda: user.name if user else "",
            "user_role": lambda: labels.ROLE.get(user.roles[0], "") if user and user.roles else "",
            "company_name": lambda: flask_g.company.name if "company" in flask_g else "Fiche",
            "zone": lambda: formatting.zone().key,
            "undo_days": undo_days,
            "undo_time": f"{undo_days} jour{'s' if undo_days > 1 else ''}",
        }

    @web.get("/static/<version>/<path:filename>", endpoint="static")
    def static(version: str, filename: str) -> Response:
        return send_from_directory(_STATIC, filename, max_age=365 * 24 * 3600)

    @web.record
    def _filters(state: Any) -> None:
        state.app.jinja_env.filters.update(formatting.FILTERS, groupby_day=groupby_day)
        # `map("extract", sections)`: the sections named.
        state.app.jinja_env.filters["extract"] = lambda key, table: table[key]

    @web.errorhandler(FicheError)
    def _problem(error: FicheError) -> Any:
        if isinstance(error, Moved):
            return redirect(
                _moved(str((request.view_args or {}).get("client_id", "")), str(error.data["client_id"])), 308
            )
        if isinstance(error, Unauthenticated):
            return redirect("/connexion?" + urlencode({"suite": request.full_path.rstrip("?")}), 303)
        statuses = {
            "not_found": 404,
            "gone": 410,
            "forbidden": 403,
            "unavailable": 503,
            "conflict": 409,
            "invalid": 422,
            "too_large": 413,
        }
        status = statuses.get(error.kind, 500)
        titles = {404: "Introuvable", 410: "Fiche supprimée", 403: "Accès refusé", 503: "Service indisponible"}
        erased = error.code == "client_erased"
        page = render_template(
            "problem.html",
            title="Données effacées" if erased else titles.get(status, "Demande refusée"),
            detail=error.detail,
            retry=request.full_path.rstrip("?") if status == 503 else None,
            erased=(request.view_args or {}).get("client_id") if erased else None,
            restore=(request.view_args or {}).get("client_id") if status == 410 and not erased else None,
        )
        answer = make_response(page, status)
        if status == 503:
            answer.headers["Retry-After"] = "5"
        return answer

    areas = (
        session,
        clients,
        planning,
        interventions,
        job_sites,
        fiche,
        documents,
        equipment,
        maintenance,
        billing_pages,
    )
    for area in (
        *areas,
        merges,
        client_forms,
        client_settings,
        duplicates,
        erasures,
        exchanges,
        imports,
        operations,
        settings,
        gallery,
    ):
        area.register(web, backend)
    return web
