"""Views of the pages. Each asks the services and renders; fragments for htmx come from the same templates."""

from __future__ import annotations

import hashlib
import time
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask import g as flask_g

from chassis.errors import FicheError, Moved, NotFound, TooMany, Unauthenticated, Unavailable
from contracts import accounts, billing, clients, documents, equipment, imports, interventions, maintenance
from gateway.web import formatting, labels
from gateway.web.backend import Backend
from gateway.web.visits import visits_grid

_HERE = Path(__file__).parent
_CLIENT_FILTERS = ("q", "kind", "stage", "status", "sales_rep_id", "tag", "sort", "cursor")

#: Path → title, blocks of (name of the cursor in the address, heading, macro, request).
_LISTINGS: dict[str, tuple[str, tuple[tuple[str, str, str, Any], ...]]] = {
    "/interventions": ("Interventions", (("cursor", "", "interventions", interventions.ListInterventions),)),
    "/devis-factures": (
        "Devis et factures",
        (
            ("devis", "Devis", "quotes", billing.ListQuotes),
            ("factures", "Factures", "invoices", billing.ListInvoices),
            ("avoirs", "Avoirs", "credit_notes", billing.ListCreditNotes),
        ),
    ),
    "/equipements": ("Équipements", (("cursor", "", "equipment", equipment.ListEquipment),)),
    "/chantiers": ("Chantiers", (("cursor", "", "job_sites", interventions.ListJobSites),)),
    "/maintenances": ("Maintenances", (("cursor", "", "visits", maintenance.ListVisits),)),
}


#: What follows the first page of a section: word of the address → (title, macro, request by tree).
_SECTIONS: dict[str, tuple[str, str, Any]] = {
    "documents": ("Documents", "documents", documents.ListDocuments),
    "interventions": ("Interventions", "interventions", interventions.ListInterventions),
    "devis": ("Devis", "quotes", billing.ListQuotes),
    "factures": ("Factures", "invoices", billing.ListInvoices),
    "avoirs": ("Avoirs", "credit_notes", billing.ListCreditNotes),
    "equipements": ("Équipements", "equipment", equipment.ListEquipment),
    "chantiers": ("Chantiers", "job_sites", interventions.ListJobSites),
    "maintenances": ("Visites d’entretien", "visits", maintenance.ListVisits),
}


def groupby_day(rows: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Activities by day, newest first, as they come."""
    found = groupby(rows, key=lambda row: formatting.parse_day(row["occurred_at"]))
    return [(formatting.heading_day(day), list(group)) for day, group in found]


def _versions() -> dict[str, str]:
    files = [path for path in (_HERE / "static").rglob("*") if path.is_file()]
    return {
        str(path.relative_to(_HERE / "static")): hashlib.sha256(path.read_bytes()).hexdigest()[:10] for path in files
    }


class CompanyName:
    """The company's name for the frame, asked once a minute: the frame must not wait for `billing` on each page."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._kept = ("Fiche", 0.0)

    def name(self) -> str:
        """The name last known; « Fiche » for a company without one."""
        known, until = self._kept
        if time.monotonic() >= until:
            try:
                known = self._backend.ask(billing.GetCompany()).get("legal_name") or "Fiche"
            except FicheError:
                known = known or "Fiche"
            self._kept = (known, time.monotonic() + 60)
        return known


def web_blueprint(backend: Backend) -> Blueprint:
    """All pages. `csrf_token` must be a template global of the application."""
    web = Blueprint("web", __name__, template_folder="templates", static_folder="static", static_url_path="/static")
    versions = _versions()
    company = CompanyName(backend)

    @web.app_context_processor
    def _words() -> dict[str, Any]:
        user = getattr(flask_g, "user", None)
        return {
            "labels": labels,
            "visits_grid": visits_grid,
            "this_year": lambda: formatting.today().year,
            "asset": lambda name: url_for("web.static", filename=name, v=versions.get(name, "0")),
            "part": "/" + request.path.strip("/").split("/")[0],
            "user_name": lambda: user.name if user else "",
            "user_role": lambda: labels.ROLE.get(user.roles[0], "") if user and user.roles else "",
            "company_name": lambda: company.name() if user else "Fiche",
        }

    @web.record
    def _filters(state: Any) -> None:
        state.app.jinja_env.filters.update(formatting.FILTERS, groupby_day=groupby_day)
        # `map("extract", sections)`: the sections named.
        state.app.jinja_env.filters["extract"] = lambda key, table: table[key]

    @web.errorhandler(FicheError)
    def _problem(error: FicheError) -> Any:
        if isinstance(error, Moved):
            old = str(request.view_args.get("client_id", "")) if request.view_args else ""
            return redirect(request.full_path.replace(old, str(error.data["client_id"])).rstrip("?"), 308)
        if isinstance(error, Unauthenticated):
            return redirect("/connexion?" + urlencode({"suite": request.full_path.rstrip("?")}), 303)
        statuses = {
            "not_found": 404,
            "gone": 410,
            "forbidden": 403,
            "unavailable": 503,
            "conflict": 409,
            "invalid": 422,
        }
        status = statuses.get(error.kind, 500)
        titles = {404: "Introuvable", 410: "Fiche supprimée", 403: "Accès refusé", 503: "Service indisponible"}
        page = render_template(
            "problem.html",
            title=titles.get(status, "Demande refusée"),
            detail=error.detail,
            retry=request.full_path.rstrip("?") if status == 503 else None,
        )
        answer = make_response(page, status)
        if status == 503:
            answer.headers["Retry-After"] = "5"
        return answer

    # --- coming and going -------------------------------------------------------------------------------------

    def _enter(session: dict[str, Any], target: str) -> Response:
        safe = target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/clients"
        answer = make_response(redirect(safe, 303))
        backend.begin_session(answer, session["token"])
        return answer

    @web.get("/connexion")
    def sign_in_page() -> str:
        return render_template("sign_in.html")

    @web.post("/connexion")
    def sign_in() -> Any:
        email, password = request.form.get("email", ""), request.form.get("password", "")
        try:
            session = backend.ask(accounts.SignIn(email=email[:254], password=password[:200]))
        except Unauthenticated as error:
            return render_template("sign_in.html", problem=error.detail, email=email), 401
        except TooMany as error:
            return render_template("sign_in.html", problem=error.detail, email=email), 429
        return _enter(session, request.args.get("suite", "/clients"))

    @web.get("/connexion/<token>")
    def link_page(token: str) -> str:
        return render_template("sign_in.html", token=token)

    @web.post("/connexion/<token>")
    def sign_in_by_link(token: str) -> Any:
        try:
            session = backend.ask(accounts.SignInByLink(token=token[:200]))
        except Unauthenticated as error:
            return render_template("sign_in.html", problem=error.detail), 401
        return _enter(session, "/clients")

    @web.post("/deconnexion")
    def sign_out() -> Any:
        answer = make_response(redirect("/connexion", 303))
        backend.end_session(answer)
        return answer

    @web.get("/")
    def home() -> Any:
        return redirect("/clients", 302)

    # --- clients ----------------------------------------------------------------------------------------------

    @web.get("/clients")
    def client_list() -> Any:
        args = {name: request.args[name] for name in _CLIENT_FILTERS if request.args.get(name)}
        args.setdefault("status", "active")
        asked = {name: value for name, value in args.items() if (name, value) != ("status", "all")}
        page = backend.ask(clients.ListClients.model_validate(asked))
        shown = {name: value for name, value in args.items() if name != "cursor"}
        next_url = "/clients?" + urlencode({**shown, "cursor": page["next"]}) if page["next"] else ""
        filtered = any(args.get(name) for name in ("q", "kind", "stage", "sales_rep_id", "tag", "cursor"))
        filtered = filtered or args["status"] != "active"
        values = {
            "page": page,
            "args": args | {"recherche": request.args.get("recherche")},
            "first_url": "/clients?" + urlencode(shown),
        }
        if request.headers.get("HX-Request"):
            return render_template("_client_rows.html", filtered=filtered, next_url=next_url, **values)
        counts = backend.ask(clients.CountClients())
        try:
            reps = backend.ask(accounts.ListUsers(role="salesperson", limit=200))["items"]
        except (Unavailable, FicheError):
            reps = []
        return render_template("clients.html", filtered=filtered, next_url=next_url, counts=counts, reps=reps, **values)

    def _fiche(client_id: UUID, tab: str) -> str:
        fiche = backend.fiche(client_id)
        fields = backend.ask(clients.ListCustomFields(limit=200))["items"]
        return render_template(
            "fiche.html", fiche=fiche, tab=tab, custom_labels={field["key"]: field["label"] for field in fields}
        )

    for key, _word, path, _parts in labels.TABS:

        def show(client_id: UUID, tab: str = key) -> str:
            return _fiche(client_id, tab)

        web.add_url_rule(f"/clients/<uuid:client_id>{path}", f"fiche_{key}", show)

    @web.get("/clients/<uuid:client_id>/activites")
    def activities(client_id: UUID) -> str:
        page = backend.ask(
            clients.ListSub(kind="activities", client_id=client_id, cursor=request.args.get("cursor") or None)
        )
        client = backend.ask(clients.GetClient(id=client_id))
        return render_template("activities.html", client=client, page=page)

    @web.get("/clients/<uuid:client_id>/suite/<section>")
    def section_rest(client_id: UUID, section: str) -> str:
        if section not in _SECTIONS:
            raise NotFound("Cette page n’existe pas.")
        title, macro, kind = _SECTIONS[section]
        client = backend.ask(clients.GetClient(id=client_id))
        tree = backend.ask(clients.Identify(ids=[client_id]))["clients"][0]["tree"]
        page = backend.ask(kind(tree=tree, cursor=request.args.get("cursor") or None))
        return render_template("section.html", client=client, title=title, macro=macro, page=page)

    # --- lists over all clients -------------------------------------------------------------------------------

    def listing() -> str:
        title, parts = _LISTINGS[request.path]
        blocks = []
        for name, heading, macro, kind in parts:
            block: dict[str, Any] = {"name": name, "title": heading, "macro": macro, "away": False}
            try:
                block["page"] = backend.ask(kind(cursor=request.args.get(name) or None))
            except Unavailable:
                block["away"] = True
            blocks.append(block)
        return render_template("listing.html", title=title, blocks=blocks)

    for path in _LISTINGS:
        web.add_url_rule(path, f"list_{path.strip('/')}", listing)

    # --- import -----------------------------------------------------------------------------------------------

    def _jobs() -> list[dict[str, Any]]:
        jobs: list[dict[str, Any]] = backend.ask(imports.ListImports(limit=20))["items"]
        return jobs

    @web.get("/import")
    def import_page() -> str:
        return render_template("import.html", jobs=_jobs())

    @web.get("/import/suivi")
    def import_progress() -> str:
        return render_template("_jobs.html", jobs=_jobs())

    @web.post("/import")
    def start_import() -> Any:
        file = request.files.get("file")
        if file is None or not file.filename:
            page = render_template("import.html", jobs=_jobs(), problem="Choisissez un fichier zip.")
            return page, 422
        key = backend.stage(file.stream)
        backend.ask(
            imports.CreateImport(
                source="dolibarr",
                staging_key=key,
                file_name=file.filename[:300],
                dry_run=request.form.get("dry_run") == "true",
            )
        )
        return redirect("/import", 303)

    @web.post("/import/demo")
    def start_demo() -> Any:
        try:
            number = min(5000, max(1, int(request.form.get("clients", "60"))))
        except ValueError:
            abort(422)
        backend.ask(imports.CreateImport(source="demo", clients=number, seed=1))
        return redirect("/import", 303)

    @web.get("/import/<uuid:job_id>")
    def import_job(job_id: UUID) -> str:
        job = backend.ask(imports.GetImport(id=job_id))
        lines = backend.ask(imports.ListImportLines(id=job_id, cursor=request.args.get("cursor") or None))
        return render_template("import_job.html", job=job, lines=lines)

    return web
