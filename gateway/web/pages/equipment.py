"""Equipment: the list as rows or cards, one's page with what happened to it, and the panels that change it."""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request
from werkzeug.wrappers import Response

from chassis.errors import Gone, NotFound, Unavailable
from contracts import clients, documents, equipment, interventions, maintenance
from gateway.rights import allowed, on_the_road
from gateway.web.backend import Backend
from gateway.web.pages.fiche import TAB_DATA
from gateway.web.told import told

#: How many of each kind a page of an equipment tells.
PAST = 100


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""
    TAB_DATA["equipment"] = equipment_tab
    web.add_app_template_global(addresses_of, "addresses_of")

    @web.get("/equipements")
    def list_equipements() -> str:
        view = _list(backend, None)
        return render_template("equipment/all.html", **view)

    @web.get("/equipements/<uuid:id>")
    def equipment_of_any(id: UUID) -> Response:
        row = backend.ask(equipment.GetEquipment(id=id))
        return redirect(f"/clients/{row['client_id']}/equipements/{id}")

    @web.get("/clients/<uuid:client_id>/equipements/nouveau")
    def equipment_new(client_id: UUID) -> str:
        return _form(backend, client_id, None)

    @web.get("/clients/<uuid:client_id>/equipements/<uuid:id>/modifier")
    def equipment_edit(client_id: UUID, id: UUID) -> str:
        return _form(backend, client_id, backend.ask(equipment.GetEquipment(id=id)))

    @web.get("/clients/<uuid:client_id>/equipements/<uuid:id>/deplacer")
    def equipment_move(client_id: UUID, id: UUID) -> str:
        row = backend.ask(equipment.GetEquipment(id=id))
        client, addresses = _of_client(backend, client_id)
        return render_template("equipment/move.html", client=client, row=row, addresses=addresses)

    @web.get("/clients/<uuid:client_id>/equipements/<uuid:id>/confier")
    def equipment_reassign(client_id: UUID, id: UUID) -> str:
        row = backend.ask(equipment.GetEquipment(id=id))
        other, addresses = None, []
        if _is_id(request.args.get("client_id", "")):
            other, addresses = _of_client(backend, UUID(request.args["client_id"]))
        return render_template("equipment/reassign.html", row=row, other=other, addresses=addresses)

    @web.get("/clients/<uuid:client_id>/equipements/<uuid:id>")
    def equipment_page(client_id: UUID, id: UUID) -> str | Response:
        row = backend.ask(equipment.GetEquipment(id=id))
        if row["client_id"] != str(client_id):
            # The client was merged, or the link is another's: the equipment knows where it is.
            return redirect(f"/clients/{row['client_id']}/equipements/{id}", 308)
        if on_the_road(g.user):
            # He sees what he works on, not the client's whole record.
            client, addresses = {"id": row["client_id"], "display_name": row["client"]["name"]}, []
        else:
            client, addresses = _of_client(backend, client_id)
        return render_template("equipment/page.html", client=client, row=row, **_past(backend, row, addresses))


def addresses_of(addresses: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The choices of a select: « Bâtiment B, 20 rue des Tilleuls, Villeurbanne »."""
    return [
        (one["id"], ", ".join(filter(None, (one.get("label"), one.get("street"), one.get("city")))))
        for one in addresses
    ]


def equipment_tab(backend: Backend, fiche: dict[str, Any]) -> dict[str, Any]:
    """What the tab shows, all by the address."""
    if fiche["sections"]["equipment"]["status"] != "ok":
        return {}
    view = _list(backend, fiche["tree"])
    if view["page"] is None:
        fiche["sections"]["equipment"] = {"status": "unavailable"}
    return view


def _list(backend: Backend, tree: Any) -> dict[str, Any]:
    """A page of equipment with photos and how its maintenance stands (None where `maintenance` is away)."""
    words, view = request.args.get("q", "").strip(), request.args.get("vue", "")
    addresses = [value for value in request.args.getlist("adresse") if _is_id(value)]
    brands = [value for value in request.args.getlist("marque") if value]
    asked = equipment.ListEquipment.model_validate(
        {"tree": tree, "q": words[:200], "address_id": addresses, "brand": [brand[:300] for brand in brands][:100],
         "cursor": request.args.get("cursor") or None}
    )  # fmt: skip
    choosing = [equipment.EquipmentChoices(tree=tree)] if tree is not None else []
    page, *rest = backend.ask_all([asked, *choosing])
    rows = page["items"] if page else []
    photos = [row["photos"][0] for row in rows if row["photos"]]
    questions: list[Any] = [maintenance.EquipmentVisits(ids=[row["id"] for row in rows])]
    if photos:
        questions.append(documents.ListDocuments(id=photos, limit=200))
    stands, *pictures = backend.ask_all(questions) if rows else [{"items": []}]
    said = [(name, value) for name, value in request.args.items(multi=True) if name != "cursor" and value]
    return {
        "page": page,
        "q": words,
        "addresses": addresses,
        "brands": brands,
        "choices": _choices(rest[0]) if rest and rest[0] else None,
        "as_cards": view == "vignettes",
        "stands": None if stands is None else {one["equipment_id"]: one for one in stands["items"]},
        "photos": {one["id"]: one for found in pictures if found for one in found["items"]},
        "filtered": bool(words or addresses or brands),
        "here": lambda **given: "?" + urlencode(
            [pair for pair in said if pair[0] not in given] + [pair for pair in given.items() if pair[1]]
        ),
    }  # fmt: skip


def _choices(found: Any) -> dict[str, list[tuple[str, str, int]]]:
    """What the chips offer: value, word, how many."""
    return {
        "addresses": [
            (one["id"], one["label"] or one["street"] or one["city"], one["count"]) for one in found["addresses"]
        ],
        "brands": [(one["brand"], one["brand"], one["count"]) for one in found["brands"]],
    }


def _is_id(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def _of_client(backend: Backend, client_id: UUID) -> tuple[Any, list[Any]]:
    """The client and its addresses in use, the main one first."""
    client, page = backend.ask_all(
        [clients.GetClient(id=client_id), clients.ListSub(kind="addresses", client_id=client_id, limit=200)]
    )
    if client is None:
        client = backend.ask(clients.GetClient(id=client_id))
    return client, [row for row in (page or {"items": []})["items"] if not row.get("retired")]


def _form(backend: Backend, client_id: UUID, row: Any) -> str:
    client, addresses = _of_client(backend, client_id)
    photos = []
    if row and row["photos"]:
        found = backend.ask_all([documents.ListDocuments(id=row["photos"], limit=200)])[0]
        by_id = {one["id"]: one for one in found["items"]} if found else {}
        # Without `documents` they are kept unseen; with it, those of the bin are let go.
        photos = [by_id.get(one, {"id": one}) for one in row["photos"] if found is None or one in by_id]
    return render_template("equipment/form.html", client=client, row=row, addresses=addresses, photos=photos)


def _past(backend: Backend, row: Any, addresses: list[Any]) -> dict[str, Any]:
    """What happened to an equipment, newest first: changes, moves, interventions, visits, documents."""
    identifier = row["id"]
    changes, works, visits, files, plans, pictures = _ask_allowed(
        backend,
        [
            equipment.ListEquipmentHistory(id=identifier, limit=PAST),
            interventions.ListInterventions(equipment_id=identifier, limit=PAST),
            maintenance.ListVisits(equipment_id=identifier, limit=PAST, sort="-due_on"),
            documents.ListDocuments(equipment_id=identifier, limit=PAST),
            maintenance.ListPlans(equipment_id=identifier),
            documents.ListDocuments(id=row["photos"] or [identifier], limit=200),
        ],
    )
    places = {one["id"]: one for one in addresses}
    asked = (("interventions", works), ("documents", files), ("visites", visits))
    events: list[dict[str, Any]] = []
    for line in (changes or {"items": []})["items"]:
        moved = line["action"] == "moved"
        words = _moved(line, places) if moved else told(line)
        given = line["action"] == "reassigned"
        icon = "map-pin" if moved or given else "plus" if line["action"] == "created" else "pencil"
        events.append(
            {"at": line["at"], "icon": icon, "words": words, "by": line["by"]["name"], "quiet": not (moved or given)}
        )
    for work in (works or {"items": []})["items"]:
        events.append({"at": work["finished_at"] or work["starts_at"] or work["created_at"], "work": work})
    for file in (files or {"items": []})["items"]:
        events.append({"at": file["created_at"], "file": file})
    done = [visit for visit in (visits or {"items": []})["items"] if visit["done_at"]]
    events += [{"at": visit["done_at"], "visit": visit} for visit in done if not visit["intervention_id"]]
    return {
        "events": sorted(events, key=lambda event: str(event["at"]), reverse=True),
        "away": [word for word, answer in asked if answer is None],
        "visits": None if visits is None else sorted(visits["items"], key=lambda visit: str(visit["due_on"])),
        "plans": (plans or {"items": []})["items"],
        "files": files and files["items"],
        "pictures": _photos(backend, row, (pictures or {"items": []})["items"]),
    }


def _photos(backend: Backend, row: Any, found: list[Any]) -> list[Any]:
    """The photos that are still there, in their order; on the road they are asked for one by one."""
    by_id = {one["id"]: one for one in found}
    if on_the_road(g.user):
        for identifier in row["photos"][:8]:
            with contextlib.suppress(Gone, NotFound, Unavailable):
                by_id[identifier] = backend.ask(documents.GetDocument(id=identifier))
    return [by_id[identifier] for identifier in row["photos"] if identifier in by_id]


def _ask_allowed(backend: Backend, requests: list[Any]) -> list[Any]:
    """The answers to those that this person may ask; an empty list for the others."""
    asked = [allowed(g.user, type(request_), request_) for request_ in requests]
    answers = iter(backend.ask_all([one for one, may in zip(requests, asked, strict=True) if may]))
    return [next(answers) if may else {"items": []} for may in asked]


def _moved(line: Any, places: dict[str, Any]) -> str:
    def name(identifier: Any) -> str:
        place = places.get(str(identifier))
        if place is None:
            return "une adresse retirée" if identifier else "sans adresse"
        return str(place["label"] or f"{place['street']}, {place['city']}")

    return f"Déplacé vers {name(line['after'])}, venu de {name(line['before'])}" if line["before"] else (
        f"Adresse\u202f: {name(line['after'])}"
    )  # fmt: skip
