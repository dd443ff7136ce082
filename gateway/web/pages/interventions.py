"""An intervention's own page, and the panels that create, change, move and report it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request

from chassis.errors import FicheError, Unavailable
from contracts import billing, clients, equipment
from contracts import interventions as i
from contracts.base import Request
from gateway.web.backend import Backend
from gateway.web.planning.layout import people_of

Row = dict[str, Any]
#: Words of the history: what was done, and which field.
ACTIONS = {
    "created": "Intervention créée",
    "start": "Intervention commencée",
    "finish": "Intervention terminée",
    "cancel": "Intervention annulée",
    "archive": "Intervention archivée",
    "unarchive": "Intervention désarchivée",
    "delete": "Intervention supprimée",
    "restore": "Intervention restaurée",
    "reopen": "Intervention rouverte",
    "report": "Bon d’intervention rempli",
    "report_corrected": "Bon d’intervention corrigé",
}
FIELDS = {
    "client": "Client", "title": "Titre", "kind": "Nature", "type_id": "Type", "address_id": "Adresse",
    "lead_technician_id": "Responsable",
    "technician_ids": "Intervenants", "starts_at": "Début", "ends_at": "Fin", "has_appointment": "Rendez-vous",
    "needs_quote": "Devis à prévoir", "billable": "À facturer",
    "billable_reason": "Raison de ne pas facturer", "priority": "Priorité",
    "client_reference": "Référence du client", "contact_id": "Contact", "equipment_ids": "Équipements",
    "job_site_id": "Chantier", "description": "Description",
}  # fmt: skip
#: Rows of the place's past that an intervention shows.
PAST = 6
PRIORITY = {"low": "Basse", "normal": "Normale", "high": "Haute", "urgent": "Urgente"}
KIND = {"intervention": "Intervention", "appointment": "Rendez-vous"}


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""

    def work_of(identifier: UUID) -> Row:
        return dict(backend.ask(i.GetIntervention(id=identifier)))

    @web.get("/interventions/<uuid:id>")
    def intervention(id: UUID) -> str:
        work = work_of(id)
        return render_template("planning/intervention.html", w=work, words=_words(), **_around(backend, work))

    @web.get("/interventions/nouvelle")
    def new_intervention() -> str:
        given = _uuid(request.args.get("client_id"))
        values = _lists(backend, given) if given else {"client": None, "technicians": [], "types": []}
        return render_template("planning/new.html", args=request.args, work={}, words=_words(), **values)

    @web.get("/interventions/<uuid:id>/modifier")
    def edit_intervention(id: UUID) -> str:
        work = work_of(id)
        values = _lists(backend, UUID(work["client_id"]), work)
        return render_template("planning/edit.html", work=work, args={}, words=_words(), **values)

    @web.get("/interventions/<uuid:id>/deplacer")
    def move_intervention(id: UUID) -> str:
        work = work_of(id)
        return render_template("planning/move.html", work=work, technicians=_technicians(backend, work))

    @web.get("/interventions/<uuid:id>/bon")
    def report(id: UUID) -> str:
        work = work_of(id)
        memo = _or_none(lambda: backend.ask(clients.GetMemo(client_id=UUID(work["client_id"]))))
        return render_template("planning/report.html", work=work, memo=memo)


def _words() -> Row:
    return {"priority": PRIORITY, "kind": KIND, "actions": ACTIONS, "fields": FIELDS}


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _or_none(ask: Callable[[], Any]) -> Any:
    """What a service answers; None while it is away, refuses, or knows nothing of it: the page does without."""
    try:
        return ask()
    except FicheError:
        return None


def _items(backend: Backend, asked: Request) -> list[Row]:
    found = _or_none(lambda: backend.ask(asked))
    return list(found["items"]) if found else []


def _technicians(backend: Backend, work: Row | None = None) -> list[Row]:
    """Who can be sent, and who was given this work even when gone since."""
    found = {one["id"]: one for one in backend.ask(i.ListTechnicians(limit=200))["items"]}
    for one in people_of(work) if work else []:
        found.setdefault(one["id"], one)
    return sorted(found.values(), key=lambda one: one["name"].casefold())


def _lists(backend: Backend, client_id: UUID, work: Row | None = None) -> Row:
    """What the fields of a form offer. Lists of a service that is away are empty; what is set stays as it is."""
    client = backend.ask(clients.GetClient(id=client_id))
    client_id = UUID(client["id"])
    tree = backend.tree(client_id)
    addresses = _items(backend, clients.ListSub(kind="addresses", client_id=client_id, limit=200))
    kept = {work["address_id"]} if work else set()
    return {
        "client": client,
        "addresses": [one for one in addresses if not one.get("retired") or one["id"] in kept],
        "contacts": _items(backend, clients.ListSub(kind="contacts", client_id=client_id, limit=200)),
        "equipment": _items(backend, equipment.ListEquipment(tree=tree, limit=200)),
        "job_sites": _items(backend, i.ListJobSites(tree=tree, limit=200)),
        "types": backend.ask(i.ListTypes(limit=200))["items"],
        "technicians": _technicians(backend, work),
    }


def _around(backend: Backend, work: Row) -> Row:
    """What else its page shows; each part may be missing."""
    client_id = UUID(work["client_id"])
    away: list[str] = []

    def part(name: str, ask: Callable[[], Any], default: Any) -> Any:
        try:
            return ask()
        except Unavailable:
            away.append(name)
        except FicheError:
            pass
        return default

    wanted = set(work["equipment_ids"])
    found: Row = {
        "memo": part("memo", lambda: backend.ask(clients.GetMemo(client_id=client_id)), None),
        "contact": part("contact", lambda: _contact(backend, client_id, work["contact_id"]), None),
        "equipment": part(
            "equipment", lambda: [backend.ask(equipment.GetEquipment(id=UUID(one))) for one in sorted(wanted)], []
        ),
        "documents": part("documents", lambda: _documents(backend, work), []),
        "versions": part("versions", lambda: backend.ask(i.ListReportVersions(id=UUID(work["id"])))["items"], []),
        "history": part(
            "history", lambda: backend.ask(i.ListWorkHistory(id=UUID(work["id"]), limit=50)), {"items": []}
        ),
        "names": {one["id"]: one["name"] for one in _items(backend, i.ListTechnicians(limit=200))},
        "past": part("past", lambda: _past(backend, work), []),
        "overlaps": part("overlaps", lambda: _overlaps(backend, work), []),
    }
    return found | {"away": away}


def _past(backend: Backend, work: Row) -> list[Row]:
    """What was last done at its place, by anyone and for whichever client: what one wants to know before going."""
    if not work["place_id"]:
        return []
    asked = i.ListInterventions(place_id=UUID(work["place_id"]), state=["done"], limit=PAST + 1)
    return [row for row in backend.ask(asked)["items"] if row["id"] != work["id"]][:PAST]


def _contact(backend: Backend, client_id: UUID, contact_id: str | None) -> Row | None:
    if not contact_id:
        return None
    return dict(backend.ask(clients.GetSub(kind="contacts", client_id=client_id, id=UUID(contact_id))))


def _documents(backend: Backend, work: Row) -> list[tuple[str, Row]]:
    quotes = [("quotes", backend.ask(billing.GetQuote(id=UUID(one)))) for one in work["quote_ids"]]
    invoices = [("invoices", backend.ask(billing.GetInvoice(id=UUID(one)))) for one in work["invoice_ids"]]
    return quotes + invoices


def _overlaps(backend: Backend, work: Row) -> list[Row]:
    """What the same people have at the same time; nothing for work that is over."""
    people = [UUID(one["id"]) for one in people_of(work)]
    if not people or not work["starts_at"] or work["state"] not in ("planned", "in_progress"):
        return []
    asked = {"technician_ids": people, "starts_at": work["starts_at"], "ends_at": work["ends_at"]}
    return list(backend.ask(i.ListOverlaps.model_validate(asked | {"except_id": work["id"]}))["items"])
