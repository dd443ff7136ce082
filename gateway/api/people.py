"""Who may come in; imports."""

from __future__ import annotations

from uuid import UUID

from flask import Response, g, request

from chassis.errors import FicheError, Invalid
from chassis.objects import staging_key
from contracts import accounts as a
from contracts import imports as im
from gateway.api.routes import Api, build, json_body, query, reply


def register(api: Api) -> None:
    """Adds the routes."""
    _accounts(api)
    _imports(api)


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

    @api.route("POST", "/imports", "Lance un import (multipart file, ou JSON)", tag=tag, answer=im.Import, status=201,
               form=("source", "dry_run", "file"))  # fmt: skip
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
