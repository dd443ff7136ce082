"""Side panels of a fiche: who it is, its contacts, links and billing details; its layout and its history."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request
from pydantic import ValidationError

from chassis.service import invalid_from
from contracts import accounts, billing, clients
from gateway.web import fiche_layout
from gateway.web.backend import Backend
from gateway.web.history_words import entries
from gateway.web.pages.clients import SORTS

#: Who may look after a client.
_SALES_ROLES = {"salesperson", "manager", "office", "lead_technician", "admin", "administrator", "owner"}

#: What of a list's address says which clients it shows, in which order.
_LIST = ("q", "kind", "stage", "sales_rep_id", "tag", "city", "status", "sort")


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""
    web.app_template_filter("grouped")(grouped)
    web.app_template_filter("twice")(lambda word: (word, word))

    def settings() -> dict[str, Any]:
        answer: dict[str, Any] = backend.ask(clients.FicheSettings())
        return answer

    def client_of(client_id: UUID) -> dict[str, Any]:
        answer: dict[str, Any] = backend.ask(clients.GetClient(id=client_id))
        return answer

    def row_of(kind: str, client_id: UUID, row_id: UUID) -> dict[str, Any]:
        asked = clients.GetSub.model_validate({"kind": kind, "id": row_id, "client_id": client_id})
        answer: dict[str, Any] = backend.ask(asked)
        return answer

    @web.get("/clients/nouveau")
    def new_client() -> str:
        required = [field for field in settings()["custom_fields"] if field["required"]]
        return render_template(
            "clients/new.html", fields=required, reps=staff(backend), asked=request.args, tags=tags(backend)
        )

    @web.get("/clients/<uuid:client_id>/modifier")
    def edit_client(client_id: UUID) -> str:
        client, known = client_of(client_id), settings()
        chosen = fiche_layout.layout_of(known, client)["custom_fields"]
        places = {each["key"]: place for place, each in enumerate(chosen)}
        fields = sorted(known["custom_fields"], key=lambda field: places.get(field["key"], len(places)))
        return render_template(
            "clients/edit.html", client=client, fields=fields, reps=staff(backend, client), tags=tags(backend)
        )

    @web.get("/clients/<uuid:client_id>/contacts/nouveau")
    def new_contact(client_id: UUID) -> str:
        return render_template("clients/contact.html", client=client_of(client_id), contact=None)

    @web.get("/clients/<uuid:client_id>/contacts/<uuid:row_id>")
    def edit_contact(client_id: UUID, row_id: UUID) -> str:
        contact = row_of("contacts", client_id, row_id)
        return render_template("clients/contact.html", client=client_of(client_id), contact=contact)

    @web.get("/clients/<uuid:client_id>/relations/nouvelle")
    def new_relation(client_id: UUID) -> str:
        return render_template("clients/relation.html", client=client_of(client_id), relation=None)

    @web.get("/clients/<uuid:client_id>/relations/<uuid:row_id>")
    def edit_relation(client_id: UUID, row_id: UUID) -> str:
        relation = row_of("relations", client_id, row_id)
        return render_template("clients/relation.html", client=client_of(client_id), relation=relation)

    @web.get("/clients/<uuid:client_id>/facturation")
    def edit_billing(client_id: UUID) -> str:
        client = client_of(client_id)
        details = backend.ask(billing.GetDetails(client_id=client_id))
        rows = {
            kind: backend.ask(clients.ListSub.model_validate({"kind": kind, "client_id": client_id, "limit": 200}))
            for kind in ("addresses", "contacts", "relations")
        }
        return render_template(
            "clients/billing.html",
            client=client,
            details=details,
            addresses=[(row["id"], _place(row)) for row in rows["addresses"]["items"] if not row["retired"]],
            contacts=[(row["id"], row["name"] or row["email"] or row["phone"]) for row in rows["contacts"]["items"]],
            payers=_payers(client, details, rows["relations"]["items"]),
        )

    @web.get("/clients/<uuid:client_id>/convertir")
    def convert_client(client_id: UUID) -> str:
        client = client_of(client_id)
        people = backend.ask(clients.ListSub(kind="contacts", client_id=client_id, limit=1))["items"]
        return render_template("clients/convert.html", client=client, person=people[0] if people else None)

    @web.get("/clients/<uuid:client_id>/configurer")
    def configure_client(client_id: UUID) -> str:
        client, known = client_of(client_id), settings()
        return render_template(
            "clients/configure.html",
            client=client,
            layout=fiche_layout.layout_of(known, client),
            before=json.dumps({"layout": client["layout"]}),
            **fiche_layout.words(),
            labels_of={field["key"]: field["label"] for field in known["custom_fields"]},
        )

    @web.get("/clients/<uuid:client_id>/actions")
    def client_actions(client_id: UUID) -> str:
        return render_template("clients/_delete.html", c=client_of(client_id), ties=backend.ties(client_id))

    @web.get("/clients/<uuid:client_id>/historique")
    def client_history(client_id: UUID) -> str:
        page = backend.history(client_id, request.args.get("cursor") or None)
        words = {field["key"]: field["label"] for field in settings()["custom_fields"]}
        lines = [line for line in page["items"] if line.get("op") not in ("take", "join")]
        return render_template(
            "clients/history.html",
            client=client_of(client_id),
            page=page,
            entries=entries(lines, words),
        )

    @web.get("/clients/<uuid:client_id>/voisins")
    def client_neighbours(client_id: UUID) -> dict[str, Any]:
        """Where the fiche stands in the list its reader came from, for « previous » and « next »."""
        asked = {name: request.args[name] for name in _LIST if request.args.get(name)}
        asked.setdefault("status", "active")
        if asked["status"] == "all":
            del asked["status"]
        if "sort" not in asked and "q" not in asked:
            asked["sort"] = SORTS[0][0]
        try:
            answer: dict[str, Any] = backend.ask(clients.Neighbours.model_validate({**asked, "id": client_id}))
        except ValidationError as error:
            raise invalid_from(error) from None
        return answer


def staff(backend: Backend, client: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    """Who may look after a client: (id, name); who does so now is among them."""
    people = backend.ask(accounts.ListUsers(active=True, limit=200))["items"]
    found = [(each["id"], each["name"]) for each in people if not each["roles"] or _SALES_ROLES & set(each["roles"])]
    now = client and client["sales_rep"]
    if now and now["id"] not in dict(found):
        found.append((now["id"], now["name"]))
    return found


def tags(backend: Backend) -> list[str]:
    """Tags in use, to choose from while typing."""
    found: list[str] = backend.ask(clients.CountClients())["tags"]
    return found


def grouped(value: Any, *sizes: int) -> str:
    """Digits in groups, as they are read aloud: the sizes given, or the one given over and over."""
    text, parts, at = str(value or ""), [], 0
    while at < len(text):
        size = sizes[min(len(parts), len(sizes) - 1)]
        parts.append(text[at : at + size])
        at += size
    return "\u00a0".join(parts)


def _place(row: dict[str, Any]) -> str:
    where = ", ".join(part for part in (row["street"], f"{row['postal_code']} {row['city']}".strip()) if part)
    return f"{row['label']}, {where}" if row["label"] and where else row["label"] or where


def _payers(client: dict[str, Any], details: dict[str, Any], relations: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Who may pay: the client itself, those it is related to, and who pays now."""
    found = {client["id"]: f"{client['display_name']} (cette fiche)"}
    for row in relations:
        found.setdefault(row["other"]["id"], f"{row['other']['name']} ({row['label'].lower()})")
    found.setdefault(details["payer"]["id"], details["payer"]["name"])
    return list(found.items())
