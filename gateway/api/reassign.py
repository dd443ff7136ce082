"""Rows given to another client for good, each kind by the same words (merge-protocol, *Re-assign a row*)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from pydantic import BaseModel

from contracts import billing as b
from contracts import clients as c
from contracts import documents as d
from contracts import interventions as i
from contracts import maintenance as m
from contracts.forest import OtherClient, ReassignRow
from gateway.api.routes import Api, build, if_match, json_body
from gateway.api.rows import OWNED, owner_of

#: First word of the path → tag, and the row's shape. Equipment, which may come to stand at another address with it, has
#: a route of its own.
_ROWS: dict[str, tuple[str, type[BaseModel]]] = {
    "interventions": ("Interventions", i.InterventionView),
    "job-sites": ("Chantiers", i.JobSiteView),
    "quotes": ("Devis et factures", b.Quote),
    "invoices": ("Devis et factures", b.Invoice),
    "credit-notes": ("Devis et factures", b.CreditNote),
    "maintenance-plans": ("Maintenances", m.PlanView),
    "documents": ("Documents", d.Document),
}
#: Rows that stand under their client's path: section → kind and shape.
_BELOW: tuple[tuple[str, str, type[BaseModel]], ...] = (
    ("contacts", "contact", c.ContactView),
    ("addresses", "address", c.AddressView),
    ("activities", "activity", c.ActivityView),
)
_SUMMARY = "Passe à un autre client (client_id)"


def register(api: Api) -> None:
    """Adds the routes."""
    for path, row in _ROWS.items():
        _row(api, path, *row)
    for below in _BELOW:
        _below(api, *below)


def _row(api: Api, path: str, tag: str, view: type[BaseModel]) -> None:
    kind, question = OWNED[path]

    def reassign(id: UUID) -> Response:
        _send(api, owner_of(question), kind, id)
        return api.send(build(question, {"id": id}))

    reassign.__name__ = f"reassign_{kind}"
    api.route("POST", f"/{path}/{{id}}/reassign", _SUMMARY, tag=tag, body=OtherClient, answer=view,
              client_in_body=True)(reassign)  # fmt: skip


def _below(api: Api, section: str, kind: str, view: type[BaseModel]) -> None:
    def reassign(client_id: UUID, sub_id: UUID) -> Response:
        asked = {"kind": section, "id": sub_id}
        api.rpc.ask(build(c.GetSub, {**asked, "client_id": api.door().home(client_id).root}))
        root = _send(api, "clients", kind, sub_id)
        return api.send(build(c.GetSub, {**asked, "client_id": root}))

    reassign.__name__ = f"reassign_{kind}"
    path = f"/clients/{{client_id}}/{section}/{{sub_id}}/reassign"
    api.route("POST", path, _SUMMARY, tag="Clients", body=OtherClient, answer=view, client_in_body=True)(reassign)


def _send(api: Api, service: str, kind: str, identifier: UUID) -> UUID:
    """Gives the row to the client that the body names; the living client's id. Nothing else is in the body."""
    values: dict[str, Any] = json_body()
    home = api.home_of_body(values)
    build(OtherClient, values)
    given = {"kind": kind, "id": identifier, "expected_version": if_match(required=False), **home.ids()}
    api.rpc.ask(build(ReassignRow, given | {"written_client_id": home.root, "forest": home.forest}), service=service)
    return home.root
