"""Who may come in; imports; what operators see."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from flask import Response, g, jsonify, request

from chassis.errors import FicheError, Invalid
from chassis.objects import staging_key
from chassis.settings import SERVICES
from chassis.wire.base import OK
from contracts import accounts as a
from contracts import imports as im
from contracts.chassis import Health, ParkedAct, ParkedList, ParkedShow
from gateway.api.routes import Api, build, json_body, query, reply
from gateway.auth import require_admin


def register(api: Api) -> None:
    """Adds the routes."""
    _accounts(api)
    _imports(api)
    _operations(api)


def _accounts(api: Api) -> None:
    tag = "Comptes"

    @api.route("GET", "/me", "Qui je suis", tag=tag, answer=a.Identity)
    def me() -> Response:
        return reply(g.user.model_dump_json().encode())

    @api.route("POST", "/sessions", "Ouvre une session", tag=tag, body=a.SignIn, answer=a.Session, status=201)
    def begin_session() -> Response:
        return api.send(build(a.SignIn, json_body()), 201)

    @api.route("DELETE", "/sessions", "Ferme la session", tag=tag, status=204)
    def end_session() -> Response:
        # Only a session can be ended; a key is revoked by an administrator.
        answer = Response(status=204)
        api.end_session(answer)
        return answer

    @api.route("GET", "/users", "Utilisateurs", tag=tag, query=a.ListUsers, answer=a.User, listed=True, admin=True)
    def list_users() -> Response:
        return api.list(a.ListUsers)

    @api.route("POST", "/users", "Ajoute", tag=tag, body=a.UserBody, answer=a.User, status=201, admin=True)
    def create_user() -> Response:
        return api.send(build(a.CreateUser, {"body": json_body()}), 201)

    @api.route("GET", "/users/{id}", "Un utilisateur", tag=tag, answer=a.User, admin=True)
    def get_user(id: UUID) -> Response:
        return api.send(a.GetUser(id=id))

    @api.route("PATCH", "/users/{id}", "Modifie", tag=tag, body=a.UserChanges, answer=a.User, admin=True)
    def update_user(id: UUID) -> Response:
        return api.patch(a.UpdateUser, id)

    @api.route("GET", "/api-keys", "Clés d’API", tag=tag, answer=a.ApiKey, listed=True, admin=True)
    def list_api_keys() -> Response:
        return api.list(a.ListApiKeys)

    @api.route("POST", "/api-keys", "Crée", tag=tag, body=a.ApiKeyBody, answer=a.ApiKey, status=201, admin=True)
    def create_api_key() -> Response:
        return api.send(build(a.CreateApiKey, {"body": json_body()}), 201)

    @api.route("DELETE", "/api-keys/{id}", "Révoque", tag=tag, status=204, admin=True)
    def revoke_api_key(id: UUID) -> Response:
        api.rpc.ask(a.RevokeApiKey(id=id))
        return Response(status=204)


def _imports(api: Api) -> None:
    tag = "Imports"

    @api.route("GET", "/imports", "Imports", tag=tag, answer=im.Import, listed=True)
    def list_imports() -> Response:
        return api.list(im.ListImports)

    @api.route("POST", "/imports", "Lance un import (multipart file, ou JSON)", tag=tag, answer=im.Import, status=201)
    def create_import() -> Response:
        if request.mimetype != "multipart/form-data":
            return api.send(build(im.CreateImport, json_body()), 201)
        request.max_content_length = api.max_upload
        file = request.files.get("file")
        if file is None or not file.filename:
            raise Invalid.field("file", "Joignez le fichier zip des tables.")
        key = staging_key("")
        api.objects.put(key, file.stream)
        values = {
            "source": request.form.get("source", "dolibarr"),
            "staging_key": key,
            "file_name": file.filename[:300],
            "dry_run": request.form.get("dry_run", "false"),
        }
        try:
            return api.send(build(im.CreateImport, values), 201)
        except FicheError:
            api.objects.delete(key)
            raise

    @api.route("GET", "/imports/{id}", "Un import", tag=tag, answer=im.Import)
    def get_import(id: UUID) -> Response:
        return api.send(im.GetImport(id=id))

    @api.route("GET", "/imports/{id}/lines", "Lignes refusées", tag=tag, answer=im.ImportLine, listed=True)
    def import_lines(id: UUID) -> Response:
        return api.send(build(im.ListImportLines, query(id=id)))

    @api.route("POST", "/imports/{id}/cancel", "Arrête", tag=tag, answer=im.Import)
    def cancel_import(id: UUID) -> Response:
        json_body()
        return api.send(im.CancelImport(id=id))


def _operations(api: Api) -> None:
    tag = "Exploitation"

    @api.route("GET", "/operations/services", "État des services", tag=tag, admin=True)
    def operations_services() -> Response:
        answers = api.rpc.ask_all([api.rpc.call(Health(), service=name) for name in SERVICES])
        items = [
            {**orjson.loads(answer.body), "status": "ok"}
            if answer.status == OK
            else {"service": name, "status": "unavailable"}
            for name, answer in zip(SERVICES, answers, strict=True)
        ]
        return jsonify({"items": items, "next": None})

    @api.route("GET", "/operations/dead-letters", "Événements rangés à part", tag=tag, admin=True)
    def operations_dead_letters() -> Response:
        items: list[dict[str, Any]] = []
        for name in SERVICES:
            try:
                found = api.rpc.ask_json(ParkedList(), service=name)["items"]
            except FicheError:
                continue
            items += [{**item, "consumer": name} for item in found]
        return jsonify({"items": items, "next": None})

    def show(consumer: str, producer: str, position: int) -> Response:
        require_admin()
        return reply(api.rpc.ask(ParkedShow(producer=producer, position=position), service=_service(consumer)))

    def act(consumer: str, producer: str, position: int, action: str) -> Response:
        require_admin()
        reason = str(json_body().get("reason", ""))
        asked = build(ParkedAct, {"action": action, "producer": producer, "position": position, "reason": reason})
        return reply(api.rpc.ask(asked, service=_service(consumer)))

    base = "/operations/dead-letters/<consumer>/<producer>/<int(signed=True):position>"
    api.blueprint.add_url_rule(base, "dead_letter", show, methods=["GET"])
    api.blueprint.add_url_rule(f"{base}/<any(replay,drop):action>", "dead_letter_act", act, methods=["POST"])


def _service(name: str) -> str:
    if name not in SERVICES:
        raise Invalid.field("consumer", "Ce service n’existe pas.")
    return name
