"""The fiche, its tabs, and what follows the first page of each section."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request

from chassis.errors import NotFound
from contracts import billing, clients, interventions, maintenance
from contracts.clients.merges import ListMerges
from gateway.web import labels
from gateway.web.backend import Backend
from gateway.web.fiche_layout import layout_of

#: What follows the first page of a section: word of the address → (title, macro, request by tree).
_SECTIONS: dict[str, tuple[str, str, Any]] = {
    "interventions": ("Interventions", "interventions", interventions.ListInterventions),
    "devis": ("Devis", "quotes", billing.ListQuotes),
    "factures": ("Factures", "invoices", billing.ListInvoices),
    "avoirs": ("Avoirs", "credit_notes", billing.ListCreditNotes),
    "chantiers": ("Chantiers", "job_sites", interventions.ListJobSites),
    "maintenances": ("Visites d’entretien", "visits", maintenance.ListVisits),
}

#: Tab → what its template needs beyond the fiche, by `more(backend, fiche)`. The area of the tab sets it.
TAB_DATA: dict[str, Callable[[Backend, dict[str, Any]], dict[str, Any]]] = {}


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""

    def _fiche(client_id: UUID, tab: str) -> str:
        fiche = backend.fiche(client_id)
        layout = layout_of(fiche["settings"], fiche["client"])
        more = TAB_DATA[tab](backend, fiche) if tab in TAB_DATA else {}
        tabs = [each for each in labels.TABS if each[0] in layout["tabs"] or each[0] == tab]
        tabs.sort(key=lambda each: layout["order"].get(each[0], -1 if each[0] == "fiche" else len(tabs)))
        more |= _made_of(fiche)
        return render_template("fiche.html", fiche=fiche, tab=tab, tabs=tabs, layout=layout, **more)

    def _made_of(fiche: dict[str, Any]) -> dict[str, Any]:
        """The merges that made this fiche, newest first, and the one by which an old address led here."""
        if len(fiche["tree"]) < 2:
            return {"made_of": [], "was": None}
        [page] = backend.ask_all([ListMerges(client_id=UUID(fiche["client"]["id"]), limit=100)])
        active = [each for each in (page or {"items": []})["items"] if each["status"] in ("running", "done")]
        old = request.args.get("ancienne")
        return {"made_of": active, "was": next((each for each in active if each["duplicate_id"] == old), None)}

    for key, _word, path, _parts in labels.TABS:

        def show(client_id: UUID, tab: str = key) -> str:
            return _fiche(client_id, tab)

        web.add_url_rule(f"/clients/<uuid:client_id>{path}", f"fiche_{key}", show)

    @web.get("/clients/<uuid:client_id>/suite/<section>")
    def section_rest(client_id: UUID, section: str) -> str:
        if section not in _SECTIONS:
            raise NotFound("Cette page n’existe pas.")
        title, macro, kind = _SECTIONS[section]
        client = backend.ask(clients.GetClient(id=client_id))
        tree = backend.tree(client_id)
        page = backend.ask(kind(tree=tree, cursor=request.args.get("cursor") or None))
        return render_template("section.html", client=client, title=title, macro=macro, page=page)
