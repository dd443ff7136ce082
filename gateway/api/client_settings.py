"""What an administrator sets for fiches (fields of one's own, layout), likely duplicates, and a fiche's history."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from flask import Response, request

from contracts import clients as c
from gateway import history, ties
from gateway.api.routes import Api, build, if_match, json_body, query, reply

TAG = "Clients"

#: Rows that come back once removed, and how each is answered.
_RESTORABLE = {
    "contacts": c.ContactView,
    "relations": c.RelationView,
    "addresses": c.AddressView,
    "activities": c.ActivityView,
}


def register(api: Api) -> None:
    """Adds the routes."""
    _custom_fields(api)
    _layout(api)
    _of_a_client(api)


def _custom_fields(api: Api) -> None:
    path = "/custom-fields"
    body, changes, view = c.CustomFieldBody, c.CustomFieldChanges, c.CustomFieldView

    @api.route("GET", path, "Champs personnalisés", tag=TAG, query=c.ListCustomFields, answer=view, listed=True)
    def list_custom_fields() -> Response:
        return api.list(c.ListCustomFields)

    @api.route("POST", path, "Définit un champ", tag=TAG, body=body, answer=view, status=201, admin=True)
    def create_custom_field() -> Response:
        return api.send(build(c.CreateCustomField, {"body": json_body()}), 201)

    @api.route("GET", path + "/{field_id}", "Un champ", tag=TAG, answer=view)
    def get_custom_field(field_id: UUID) -> Response:
        return api.send(c.GetCustomField(id=field_id))

    @api.route("PATCH", path + "/{field_id}", "Modifie", tag=TAG, body=changes, answer=view, admin=True)
    def update_custom_field(field_id: UUID) -> Response:
        return api.patch(c.UpdateCustomField, field_id)

    @api.route("DELETE", path + "/{field_id}", "Retire un champ des fiches", tag=TAG, status=204, admin=True)
    def delete_custom_field(field_id: UUID) -> Response:
        api.rpc.ask(c.DeleteCustomField(id=field_id, expected_version=if_match(required=False)))
        return Response(status=204)

    @api.route("POST", path + "/{field_id}/restore", "Rétablit", tag=TAG, answer=view, admin=True)
    def restore_custom_field(field_id: UUID) -> Response:
        json_body()
        return api.send(c.RestoreCustomField(id=field_id))


def _layout(api: Api) -> None:
    @api.route("GET", "/fiche-layout", "Disposition des fiches", tag=TAG, answer=c.LayoutView)
    def get_layout() -> Response:
        return api.send(c.GetLayout())

    @api.route("PUT", "/fiche-layout", "Dispose les fiches", tag=TAG, body=c.Layout, answer=c.LayoutView, admin=True)
    def set_layout() -> Response:
        return api.send(build(c.SetLayout, {"body": json_body(), "expected_version": if_match()}))


def _of_a_client(api: Api) -> None:
    @api.route(
        "DELETE",
        "/clients/{client_id}",
        "Supprime ; restaurable pendant le délai prévu (30 jours par défaut)",
        tag=TAG,
        status=204,
    )
    def delete_client(client_id: UUID) -> Response:
        ties.delete_client(api.rpc, client_id, if_match(required=False))
        return Response(status=204)

    @api.route("GET", "/clients/{client_id}/ties", "Ce qui empêche de supprimer", tag=TAG)
    def client_ties(client_id: UUID) -> Response:
        found = ties.ties_of(api.rpc, api.door().home(client_id, follow=False).tree)
        return reply(orjson.dumps({"ties": found}))

    path = "/clients/{client_id}/history"

    @api.route("GET", path, "Qui a changé quoi", tag=TAG, query=c.History, answer=c.HistoryLine, listed=True)
    def client_history(client_id: UUID) -> Response:
        home = api.door().home(client_id, follow=False)
        asked = build(c.History, query(client_id=client_id))
        page = history.history_page(api.rpc, home.root, home.tree, limit=asked.limit, cursor=asked.cursor)
        return reply(orjson.dumps(page))

    @api.route("GET", "/clients/{client_id}/duplicates", "Doublons probables", tag=TAG, answer=c.Duplicates)
    def client_duplicates(client_id: UUID) -> Response:
        return api.send(build(c.ListDuplicates, query(client_id=client_id)))

    @api.route(
        "GET", "/clients/duplicates", "Doublons d’une saisie", tag=TAG, query=c.DuplicateFields, answer=c.Duplicates
    )
    def typed_duplicates() -> Response:
        values: dict[str, Any] = request.args.to_dict()
        but = {"but": values.pop("but")} if values.get("but") else {}
        return api.send(build(c.FindDuplicates, {"fields": values, **but}))

    for kind in _RESTORABLE:
        _restorable(api, kind)


def _restorable(api: Api, kind: str) -> None:
    def restore(client_id: UUID, sub_id: UUID) -> Response:
        json_body()
        home = api.door().home(client_id)
        return api.send(build(c.RestoreSub, {"kind": kind, "id": sub_id, "client_id": home.root}))

    restore.__name__ = f"restore_{kind}"
    view = _RESTORABLE[kind]
    api.route("POST", f"/clients/{{client_id}}/{kind}/{{sub_id}}/restore", "Rétablit", tag=TAG, answer=view)(restore)
