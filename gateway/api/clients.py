"""Clients and their own rows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request

from chassis.errors import Invalid
from contracts import billing
from contracts import clients as c
from contracts.base import Page
from gateway.api.routes import Api, build, if_match, json_body, query, reply
from gateway.door import listed, uuid_of
from gateway.fiche import compose

TAG = "Clients"
_SUBS: dict[str, tuple[Any, Any, Any, Any, Any]] = {
    "contacts": (c.CreateContact, c.UpdateContact, c.ContactBody, c.ContactChanges, c.ContactView),
    "addresses": (c.CreateAddress, c.UpdateAddress, c.AddressBody, c.AddressChanges, c.AddressView),
    "activities": (c.CreateActivity, c.UpdateActivity, c.ActivityBody, c.ActivityChanges, c.ActivityView),
    "relations": (c.CreateRelation, c.UpdateRelation, c.RelationBody, c.RelationChanges, c.RelationView),
}


def register(api: Api) -> None:
    """Adds the routes."""

    @api.route("GET", "/clients", "Liste des clients", tag=TAG, query=c.ListClients, answer=c.ClientView, listed=True)
    def list_clients() -> Response:
        return api.list(c.ListClients)

    @api.route("POST", "/clients", "Ouvre une fiche", tag=TAG, body=c.ClientBody, answer=c.ClientView, status=201)
    def create_client() -> Response:
        body = json_body()
        api.door().check_staff(body.get("sales_rep_id"), "sales_rep_id")
        return api.send(build(c.CreateClient, {"body": body}), 201)

    @api.route("GET", "/clients/{client_id}", "Une fiche client", tag=TAG, answer=c.ClientView)
    def get_client(client_id: UUID) -> Response:
        return api.send(c.GetClient(id=client_id))

    @api.route("PATCH", "/clients/{client_id}", "Modifie", tag=TAG, body=c.ClientChanges, answer=c.ClientView)
    def update_client(client_id: UUID) -> Response:
        api.door().check_staff(json_body().get("sales_rep_id"), "sales_rep_id")
        return api.patch(c.UpdateClient, client_id)

    def action(name: str, summary: str) -> None:
        def act(client_id: UUID) -> Response:
            json_body()
            asked = build(c.SetStatus, {"id": client_id, "action": name, "expected_version": if_match(required=False)})
            return api.send(asked)

        act.__name__ = f"{name}_client"
        api.route("POST", f"/clients/{{client_id}}/{name}", summary, tag=TAG, answer=c.ClientView)(act)

    action("archive", "Archive")
    action("unarchive", "Désarchive")
    action("restore", "Restaure une fiche supprimée")

    @api.route("POST", "/clients/{client_id}/convert", "Convertit", tag=TAG, body=c.ConvertBody, answer=c.ClientView)
    def convert_client(client_id: UUID) -> Response:
        values = {"id": client_id, "expected_version": if_match(required=False), "body": json_body()}
        return api.send(build(c.ConvertClient, values))

    @api.route("GET", "/clients/{client_id}/fiche", "La fiche assemblée", tag=TAG)
    def get_fiche(client_id: UUID) -> Response:
        return reply(compose(api.rpc, client_id).body)

    for kind in _SUBS:
        _rows(api, kind)

    @api.route("GET", "/clients/{client_id}/billing", "Comment il est facturé", tag=TAG, answer=billing.Details)
    def get_billing(client_id: UUID) -> Response:
        home = api.door().home(client_id, follow=False)
        return api.send(billing.GetDetails(client_id=home.root, tree=home.tree))

    @api.route(
        "PATCH", "/clients/{client_id}/billing", "Modifie", tag=TAG, body=billing.DetailsChanges, answer=billing.Details
    )
    def update_billing(client_id: UUID) -> Response:
        body = json_body()
        door = api.door()
        home = door.home(
            client_id,
            address_id=body.get("billing_address_id"),
            contact_id=body.get("invoice_contact_id"),
            names=("billing_address_id", "invoice_contact_id"),
        )
        if body.get("payer_id"):
            door.check_payer(home.root, body["payer_id"])
        values = {**home.ids(), "forest": home.forest, "expected_version": if_match(), "changes": body}
        return api.send(build(billing.UpdateDetails, values))


def _own(api: Api, kind: str, client_id: UUID, sub_id: UUID) -> None:
    """A row of somebody else is unknown here."""
    api.rpc.ask(build(c.GetSub, {"kind": kind, "id": sub_id, "client_id": client_id}))


def _rows(api: Api, kind: str) -> None:
    create, update, body, changes, view = _SUBS[kind]
    path = f"/clients/{{client_id}}/{kind}"

    def list_rows(client_id: UUID) -> Response:
        if "kind" in request.args:  # which is the path's to say
            raise Invalid.field("kind", "Ce champ n’est pas connu.")
        home = api.door().home(client_id, follow=False)
        return api.send(build(c.ListSub, query(kind=kind, client_id=home.root)))

    def create_row(client_id: UUID) -> Response:
        values = json_body()
        home = api.door().home(client_id, new_work=True, contact_id=values.get("contact_id"))
        more: dict[str, Any] = {}
        if kind == "relations" and values.get("other_client_id"):
            other = uuid_of(values["other_client_id"], "other_client_id")
            more["other_home_id"] = api.door().home(other, field="other_client_id").root
        elif kind == "relations":
            more["other_home_id"] = home.root
        if kind == "activities":
            api.door().check_documents(listed(values.get("document_ids")), home.tree, "document_ids")
        return api.create(create, home=home, body=values, **more)

    def get_row(client_id: UUID, sub_id: UUID) -> Response:
        home = api.door().home(client_id, follow=False)
        return api.send(build(c.GetSub, {"kind": kind, "id": sub_id, "client_id": home.root}))

    def update_row(client_id: UUID, sub_id: UUID) -> Response:
        home = api.door().home(client_id)
        _own(api, kind, home.root, sub_id)
        if kind == "activities" and (joined := listed(json_body().get("document_ids"))):
            # What was joined before stays, though it lies in the bin by now.
            known = api.rpc.ask_json(c.GetSub(kind="activities", id=sub_id, client_id=home.root))["document_ids"]
            api.door().check_documents([each for each in joined if each not in known], home.tree, "document_ids")
        more = {"client_id": home.root} if kind == "relations" else {}
        return api.patch(update, sub_id, **more)

    def delete_row(client_id: UUID, sub_id: UUID) -> Response:
        home = api.door().home(client_id)
        _own(api, kind, home.root, sub_id)
        version = if_match(required=False)
        api.rpc.ask(build(c.DeleteSub, {"kind": kind, "id": sub_id, "expected_version": version}))
        return Response(status=204)

    for view_function in (list_rows, create_row, get_row, update_row, delete_row):
        view_function.__name__ = f"{view_function.__name__}_{kind}"
    # Activities are listed by filter, and an address is removed only where nothing uses it: `exchanges`.
    if kind != "activities":
        api.route("GET", path, "Liste", tag=TAG, query=Page, answer=view, listed=True)(list_rows)
    api.route("POST", path, "Ajoute", tag=TAG, body=body, answer=view, status=201)(create_row)
    api.route("GET", path + "/{sub_id}", "Un élément", tag=TAG, answer=view)(get_row)
    api.route("PATCH", path + "/{sub_id}", "Modifie", tag=TAG, body=changes, answer=view)(update_row)
    if kind != "addresses":
        api.route("DELETE", path + "/{sub_id}", "Retire", tag=TAG, status=204)(delete_row)
