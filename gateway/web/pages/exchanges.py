"""What was said with a client and where it is: activities, memo, addresses; their panels."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, current_app, make_response, render_template, request
from pydantic import ValidationError

from chassis.errors import Invalid, NotFound
from contracts import clients, documents
from gateway.web import formatting, labels
from gateway.web.backend import Backend
from gateway.web.pages.duplicates import alike
from gateway.web.pages.fiche import TAB_DATA

#: What an activity tells of → the page that shows it.
_PAGES = {
    "intervention": "/interventions/{id}",
    "job_site": "/chantiers/{id}",
    "quote": "/devis/{id}",
    "invoice": "/factures/{id}",
    "credit_note": "/avoirs/{id}",
    "equipment": "/clients/{client_id}/equipements/{id}",
    "document": "/clients/{client_id}/documents",
    "maintenance_plan": "/maintenances/plans/{id}",
    "maintenance_visit": "/maintenances/visites/{id}",
}
_FILTERS = ("kind", "from", "to", "q")


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""
    TAB_DATA["fiche"] = _tab

    @web.app_template_filter("page_of")
    def page_of(activity: dict[str, Any]) -> str:
        """Address of what an activity tells of; empty where no page shows it."""
        link = activity.get("link") or {}
        path = _PAGES.get(link.get("kind", ""), "").format(client_id=activity["client_id"], id=link.get("id", ""))
        return path if path and current_app.url_map.bind("").test(path, "GET") else ""

    for own in (of_name, blocks, local_moment, iso_day):
        web.app_template_filter(own.__name__)(own)

    @web.get("/clients/<uuid:client_id>/activites")
    def activities(client_id: UUID) -> str | Response:
        shown = activities_shown(backend, client_id)
        client = backend.ask(clients.GetClient(id=client_id))
        if request.headers.get("HX-Request"):
            if request.args.get("cursor"):
                return make_response(render_template("exchanges/rows.html", shown=shown))
            answer = make_response(render_template("exchanges/block.html", c=client, shown=shown))
            # The filters stand in the address of the fiche itself.
            answer.headers["HX-Push-Url"] = _with(f"/clients/{client_id}", shown["given"])
            return answer
        return render_template("exchanges/page.html", client=client, c=client, shown=shown)

    @web.get("/clients/<uuid:client_id>/activites/nouvelle")
    def new_activity(client_id: UUID) -> str:
        client = backend.ask(clients.GetClient(id=client_id))
        kind = request.args.get("kind", "call")
        values = {"kind": kind if kind in ("call", "email", "sms", "visit", "note") else "call", "direction": "in"}
        return _activity_form(client, values | {"occurred_at": datetime.now(formatting.zone()).isoformat()})

    @web.get("/clients/<uuid:client_id>/activites/<uuid:id>/modifier")
    def edit_activity(client_id: UUID, id: UUID) -> str:
        client = backend.ask(clients.GetClient(id=client_id))
        return _activity_form(client, backend.ask(clients.GetSub(kind="activities", id=id, client_id=client_id)))

    def _activity_form(client: dict[str, Any], values: dict[str, Any]) -> str:
        people = backend.ask(clients.ListSub(kind="contacts", client_id=client["id"], limit=200))["items"]
        choices = [(row["id"], _person(row)) for row in people]
        if values.get("contact") and values["contact_id"] not in {key for key, _ in choices}:
            choices.append((values["contact_id"], f"{values['contact']['name']} (retiré)"))
        files = _files(backend, values.get("document_ids") or [])
        joined = [(files or {}).get(each, {"id": each}) for each in values.get("document_ids") or []]
        return render_template("exchanges/activity_form.html", client=client, a=values, people=choices, files=joined)

    @web.get("/clients/<uuid:client_id>/memo")
    def memo_form(client_id: UUID) -> str:
        client = backend.ask(clients.GetClient(id=client_id))
        memo = backend.ask(clients.GetMemo(client_id=client_id))
        past = None
        if request.args.get("texte"):
            seq = request.args["texte"]
            page = backend.ask(clients.MemoVersions(client_id=client_id, limit=200))
            past = next((row for row in page["items"] if str(row["seq"]) == seq), None)
            if past is None:
                raise NotFound("Ce texte du mémo n’existe pas.")
        return render_template("exchanges/memo_form.html", client=client, memo=memo, past=past)

    @web.get("/clients/<uuid:client_id>/memo/textes")
    def memo_versions(client_id: UUID) -> str:
        client = backend.ask(clients.GetClient(id=client_id))
        asked = clients.MemoVersions(client_id=client_id, limit=50, cursor=request.args.get("cursor") or None)
        return render_template("exchanges/memo_versions.html", client=client, page=backend.ask(asked))

    @web.get("/clients/<uuid:client_id>/adresses/nouvelle")
    def new_address(client_id: UUID) -> str:
        client = backend.ask(clients.GetClient(id=client_id))
        return _address_form(client, {"country": "FR"})

    @web.get("/clients/<uuid:client_id>/adresses/<uuid:id>/modifier")
    def edit_address(client_id: UUID, id: UUID) -> str:
        client = backend.ask(clients.GetClient(id=client_id))
        row = backend.ask(clients.GetSub(kind="addresses", id=id, client_id=client_id))
        return _address_form(client, row)

    def _address_form(client: dict[str, Any], row: dict[str, Any]) -> str:
        countries = {row["country"]: row["country"]} | labels.COUNTRIES
        return render_template("exchanges/address_form.html", client=client, a=row, countries=countries)

    @web.get("/clients/<uuid:client_id>/adresses")
    def addresses(client_id: UUID) -> str:
        client = backend.ask(clients.GetClient(id=client_id))
        cursor = request.args.get("cursor") or None
        page = backend.ask(clients.ListSub(kind="addresses", client_id=client_id, limit=200, cursor=cursor))
        return render_template("exchanges/addresses.html", c=client, page=page)


def _files(backend: Backend, ids: list[str]) -> dict[str, Any] | None:
    """Documents by id, those in the bin left out; None where `documents` is away."""
    if not ids:
        return {}
    [page] = backend.ask_all([documents.ListDocuments(id=[UUID(each) for each in ids[:200]], limit=200)])
    return None if page is None else {row["id"]: row for row in page["items"]}


def _tab(backend: Backend, fiche: dict[str, Any]) -> dict[str, Any]:
    """The activities (the fiche's own first page, or what the filters of the address leave) and likely duplicates."""
    client_id = UUID(fiche["client"]["id"])
    return {"shown": activities_shown(backend, client_id, fiche["sections"]["activities"]), **alike(backend, fiche)}


def activities_shown(backend: Backend, client_id: UUID, first: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the block of activities shows: filters, rows, addresses of its links.

    `first`: the first page when nothing is filtered, where it was asked already.
    """
    given: dict[str, Any] = {name: request.args[name] for name in _FILTERS if request.args.get(name)}
    if request.args.getlist("kind"):
        given["kind"] = [kind for kind in request.args.getlist("kind") if kind]
    cursor = request.args.get("cursor") or None
    wrong, page = "", first
    if given or cursor or page is None:
        asked = {"client_id": client_id, "cursor": cursor, "kind": given.get("kind", []), "q": given.get("q", "")}
        asked |= {"from_day": given.get("from"), "to_day": given.get("to")}
        try:
            page = backend.ask(clients.ListActivities.model_validate(asked))
        except (ValidationError, Invalid):
            wrong, page = "Ces filtres ne sont pas valables. Réinitialisez-les.", {"items": [], "next": None}
    base = f"/clients/{client_id}"
    older = given | {"cursor": page["next"], "jour": _last_day(page)} if page["next"] else {}
    return {
        "items": page["items"],
        "files": _files(backend, [each for row in page["items"] for each in row["document_ids"]]),
        "next": _with(f"{base}/activites", older) if older else "",
        "after_day": request.args.get("jour", "") if cursor else "",
        "given": given,
        "kinds": given.get("kind", []),
        "period": period(given.get("from"), given.get("to")),
        "wrong": wrong,
        "count": page.get("count"),
        "by_kind": [
            (word, key, _with(f"{base}/activites", _but(given, "kind", key)), _with(base, _but(given, "kind", key)))
            for key, word in (("", "Toutes"), *labels.ACTIVITY_FILTERS)
        ],
        "without_period": (
            _with(f"{base}/activites", _but(_but(given, "from"), "to")),
            _with(base, _but(_but(given, "from"), "to")),
        ),
        "without_q": (_with(f"{base}/activites", _but(given, "q")), _with(base, _but(given, "q"))),
    }


def _but(given: dict[str, Any], name: str, value: str = "") -> dict[str, Any]:
    kept = {key: each for key, each in given.items() if key != name}
    return kept | ({name: value} if value else {})


def _with(path: str, values: dict[str, Any]) -> str:
    query = urlencode({name: value for name, value in values.items() if value}, doseq=True)
    return f"{path}?{query}" if query else path


def _last_day(page: dict[str, Any]) -> str:
    """The day the page ends with: the next one does not name it again."""
    rows = page["items"]
    return iso_day(rows[-1]["occurred_at"]) if rows else ""


def period(first: str | None, last: str | None) -> str:
    """`du 1 nov. 2026 au 24 nov. 2026`; empty for none."""
    if first and last:
        return f"du {formatting.day(first)} au {formatting.day(last)}"
    return f"depuis le {formatting.day(first)}" if first else f"jusqu’au {formatting.day(last)}" if last else ""


def _person(row: dict[str, Any]) -> str:
    name = row["name"] or row["email"] or row["phone_display"]
    return f"{name}, {row['role']}" if row["role"] else str(name)


def iso_day(value: str) -> str:
    """`2026-11-24`: the day of a moment, the company's."""
    return str(formatting.parse_day(value) or "")


def local_moment(value: str) -> str:
    """`2026-11-24T09:12`, as a field of moments wants it."""
    moment = formatting.parse_moment(value)
    return "" if moment is None else f"{moment:%Y-%m-%dT%H:%M}"


def of_name(name: str) -> str:
    """`d’Odile Garnier`, `de Simon Blanc`."""
    vowel = name[:1].lower() in "aeiouyàâäéèêëîïôöùûüh" and not name[:1].isdigit()
    return f"d’{name}" if vowel else f"de {name}"


def blocks(text: str) -> list[tuple[str, list[str]]]:
    """A memo's lines as paragraphs (`p`) and lists (`ul`): lines that begin with a dash or a dot are points."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        kind, said = "p", line
        if line.lstrip()[:2] in ("- ", "* ", "• "):
            kind, said = "ul", line.lstrip()[2:]
        if not said.strip():
            found.append(("", []))
        elif found and found[-1][0] == kind:
            found[-1][1].append(said)
        else:
            found.append((kind, [said]))
    return [(kind, lines) for kind, lines in found if kind]
