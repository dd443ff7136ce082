"""Documents and folders: what is asked of them. Their bytes: `gateway.api.content`."""

from __future__ import annotations

from uuid import UUID

from flask import Response, request

from contracts import documents as d
from gateway.api import content
from gateway.api.routes import Api, build, if_match, json_body, query
from gateway.door import uuid_of

TAG = "Documents"


def register(api: Api) -> None:
    """Adds the routes."""
    _documents(api)
    _versions(api)
    _folders(api)


def _documents(api: Api) -> None:
    @api.route("GET", "/documents", "Liste", tag=TAG, query=d.ListDocuments, answer=d.Document, listed=True)
    def list_documents() -> Response:
        return api.list(d.ListDocuments, repeatable=("id",))

    @api.route(
        "POST",
        "/documents",
        "Dépose (multipart : client_id, name, folder, description, equipment_id, sha256, photo, puis file)",
        tag=TAG,
        answer=d.Document,
        status=201,
        form=("client_id", "name", "folder", "description", "equipment_id", "sha256", "photo", "file"),
    )
    def add_document() -> Response:
        return content.add(api, request.stream, request.content_type or "")

    @api.route("GET", "/documents/{id}", "Un document", tag=TAG, answer=d.Document)
    def get_document(id: UUID) -> Response:
        return api.send(d.GetDocument(id=id))

    @api.route("PATCH", "/documents/{id}", "Renomme, range, décrit", tag=TAG, body=d.DocumentChanges, answer=d.Document)
    def update_document(id: UUID) -> Response:
        equipment_id = json_body().get("equipment_id")
        if equipment_id:
            door = api.door()
            home = door.home(UUID(api.rpc.ask_json(d.GetDocument(id=id))["client_id"]))
            door.check_equipment([equipment_id], home.tree, "equipment_id")
        return api.patch(d.UpdateDocument, id)

    @api.route("DELETE", "/documents/{id}", "Met à la corbeille", tag=TAG, status=204)
    def delete_document(id: UUID) -> Response:
        api.rpc.ask(d.DeleteDocument(id=id, expected_version=if_match(required=False)))
        return Response(status=204)

    @api.route("POST", "/documents/{id}/restore", "Reprend de la corbeille", tag=TAG, answer=d.Document)
    def restore_document(id: UUID) -> Response:
        json_body()
        return api.send(d.RestoreDocument(id=id))

    @api.route("GET", "/documents/{id}/history", "Ce qui est arrivé au document", tag=TAG, listed=True)
    def document_history(id: UUID) -> Response:
        return api.send(build(d.ListDocumentHistory, query(id=id)))

    @api.route("GET", "/documents/{id}/content", "Le contenu (Range)", tag=TAG)
    def document_content(id: UUID) -> Response:
        return content.whole(api, d.GetContent(id=id))

    @api.route("GET", "/documents/{id}/thumbnail", "Une image du contenu (size, page)", tag=TAG)
    def document_thumbnail(id: UUID) -> Response:
        version = request.args.get("version_id")
        return content.thumbnail(
            api, d.GetContent(id=id, version_id=uuid_of(version, "version_id") if version else None)
        )


def _versions(api: Api) -> None:
    @api.route("GET", "/documents/{id}/versions", "Versions", tag=TAG, answer=d.Version, listed=True)
    def list_versions(id: UUID) -> Response:
        return api.send(build(d.ListVersions, query(id=id)))

    @api.route("POST", "/documents/{id}/versions", "Remplace le contenu (multipart : file)", tag=TAG, answer=d.Document,
               form=("sha256", "file"))  # fmt: skip
    def replace_document(id: UUID) -> Response:
        return content.replace(api, id, request.stream, request.content_type or "")

    @api.route("GET", "/documents/{id}/versions/{version_id}/content", "Le contenu d’une version", tag=TAG)
    def version_content(id: UUID, version_id: UUID) -> Response:
        return content.whole(api, d.GetContent(id=id, version_id=version_id))

    @api.route("POST", "/documents/{id}/versions/{version_id}/restore", "Reprend une version", tag=TAG,
               answer=d.Document)  # fmt: skip
    def restore_version(id: UUID, version_id: UUID) -> Response:
        json_body()
        version = if_match(required=False)
        return api.send(d.RestoreVersion(id=id, version_id=version_id, expected_version=version))


def _folders(api: Api) -> None:
    @api.route("GET", "/documents/folders", "Dossiers d’un client", tag=TAG, answer=d.FolderView, listed=True)
    def list_folders() -> Response:
        tree = api.door().tree(request.args.get("client_id", ""))
        return api.send(d.ListFolders(tree=tree))

    @api.route("POST", "/documents/folders", "Crée un dossier", tag=TAG, body=d.FolderBody, answer=d.FolderView,
               status=201, client_in_body=True)  # fmt: skip
    def create_folder() -> Response:
        return api.create(d.CreateFolder)

    @api.route("POST", "/documents/folders/rename", "Renomme ou déplace un dossier", tag=TAG, body=d.FolderRename,
               answer=d.FolderView, client_in_body=True)  # fmt: skip
    def rename_folder() -> Response:
        values = json_body()
        tree = api.home_of_body(values).tree
        return api.send(build(d.RenameFolder, {"tree": tree, "body": values}))

    @api.route("POST", "/documents/folders/delete", "Supprime un dossier vide", tag=TAG, body=d.FolderBody,
               client_in_body=True)  # fmt: skip
    def delete_folder() -> Response:
        values = json_body()
        tree = api.home_of_body(values).tree
        return api.send(build(d.DeleteFolder, {"tree": tree, "body": values}))
