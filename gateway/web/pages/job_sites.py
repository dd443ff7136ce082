"""Job sites: the list, the tab of a client, a site's own page and its panel."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, render_template, request

from chassis.errors import FicheError, Unavailable
from contracts import billing, clients
from contracts import interventions as i
from contracts.base import Request
from gateway.web.backend import Backend
from gateway.web.pages import fiche as fiche_pages

Row = dict[str, Any]
STATUSES = ("not_started", "in_progress", "done")
ACTIONS = {"created": "Chantier ouvert"}
FIELDS = {
    "title": "Titre", "address_id": "Adresse", "status": "État", "starts_on": "Début", "ends_on": "Fin",
    "estimated_hours": "Heures prévues", "description": "Description",
}  # fmt: skip


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""

    def of_client(asked: Backend, fiche: Row) -> Row:
        client = fiche["client"]
        return {"sites": _listed(asked, f"/clients/{client['id']}/chantiers", client, fiche["tree"])}

    fiche_pages.TAB_DATA["job_sites"] = of_client

    @web.get("/chantiers", endpoint="list_chantiers")
    def job_sites() -> str:
        return render_template("job_sites/job_sites.html", sites=_listed(backend, "/chantiers", None, None))

    @web.get("/chantiers/nouveau")
    def new_job_site() -> str:
        client_id = _uuid(request.args.get("client_id"))
        client = backend.ask(clients.GetClient(id=client_id)) if client_id else None
        addresses = _addresses(backend, client["id"]) if client else []
        return render_template("job_sites/form.html", site={}, client=client, addresses=addresses)

    @web.get("/chantiers/<uuid:id>")
    def job_site(id: UUID) -> str:
        site = backend.ask(i.GetJobSite(id=id))
        return render_template("job_sites/job_site.html", site=site, **_around(backend, site))

    @web.get("/chantiers/<uuid:id>/modifier")
    def edit_job_site(id: UUID) -> str:
        site = backend.ask(i.GetJobSite(id=id))
        client = backend.ask(clients.GetClient(id=UUID(site["client_id"])))
        addresses = _addresses(backend, client["id"], site["address_id"])
        return render_template("job_sites/form.html", site=site, client=client, addresses=addresses)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _addresses(backend: Backend, client_id: str, kept: str | None = None) -> list[Row]:
    rows = backend.ask(clients.ListSub(kind="addresses", client_id=UUID(client_id), limit=200))["items"]
    return [row for row in rows if not row.get("retired") or row["id"] == kept]


def _listed(backend: Backend, path: str, client: Row | None, tree: list[UUID] | None) -> Row:
    """A page of job sites under the filters of the address, with how many each status has."""
    statuses = [one for one in request.args.getlist("status") if one in STATUSES]
    q, cursor = request.args.get("q", "")[:200], request.args.get("cursor") or None
    asked: dict[str, Any] = {"status": statuses, "q": q} | ({"tree": tree} if tree else {})
    found: Row = {"path": path, "client": client, "statuses": statuses, "q": q, "away": False, "next": ""}
    try:
        page = backend.ask(i.ListJobSites.model_validate(asked | {"cursor": cursor}))
        counts = backend.ask(i.CountJobSites.model_validate(asked))
    except Unavailable:
        return found | {"away": True, "rows": [], "counts": {"total": 0, "status": {}}}
    if page["next"]:
        pairs = [("status", one) for one in statuses] + ([("q", q)] if q else [])
        found["next"] = f"{path}?{urlencode([*pairs, ('cursor', page['next'])])}"
    return found | {"rows": page["items"], "counts": counts}


def _around(backend: Backend, site: Row) -> Row:
    """What is tied to a site; each part is None while its service is away, and empty where it is not for the reader."""

    def part(asked: Request) -> list[Row] | None:
        try:
            return list(backend.ask(asked)["items"])
        except Unavailable:
            return None
        except FicheError:
            return []

    site_id = UUID(site["id"])
    technicians = part(i.ListTechnicians(limit=200)) or []
    return {
        "work": part(i.ListInterventions(job_site_id=site_id, limit=200)),
        "quotes": part(billing.ListQuotes(job_site_id=site_id, limit=200)),
        "invoices": part(billing.ListInvoices(job_site_id=site_id, limit=200)),
        "history": part(i.ListJobSiteHistory(id=site_id, limit=50)),
        "names": {one["id"]: one["name"] for one in technicians},
        "words": {"actions": ACTIONS, "fields": FIELDS},
    }
