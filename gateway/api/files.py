"""Documents: bytes stream between the caller and the object store, never by RPC (architecture, rule 13)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import Response, g, request

from chassis.errors import Invalid, NotFound
from chassis.objects import ObjectMissing, staging_key
from contracts import documents as d
from gateway.api.routes import Api, build, if_match, json_body
from gateway.door import uuid_of
from gateway.problems import problem

TAG = "Documents"
_RANGE = re.compile(r"^bytes=(\d*)-(\d*)$")


def register(api: Api) -> None:
    """Adds the routes."""

    @api.route("GET", "/documents", "Liste", tag=TAG, query=d.ListDocuments, answer=d.Document, listed=True)
    def list_documents() -> Response:
        return api.list(d.ListDocuments)

    @api.route("POST", "/documents", "Dépose (multipart : client_id, folder, file)", tag=TAG, answer=d.Document,
               status=201)  # fmt: skip
    def add_document() -> Response:
        file = request.files.get("file")
        if file is None or not file.filename:
            raise Invalid.field("file", "Joignez un fichier (champ file d’un formulaire multipart).")
        if not request.form.get("client_id"):
            raise Invalid.field("client_id", "Dites de quel client il s’agit.")
        home = api.door().home(uuid_of(request.form["client_id"], "client_id"), new_work=True, field="client_id")
        body = {"name": request.form.get("name") or file.filename, "folder": request.form.get("folder", "")}
        given = request.headers.get("Idempotency-Key", "")
        key = staging_key(f"{g.user.id}\n{given}" if given else "")
        stored = api.objects.put(key, file.stream)
        try:
            values = {**home.ids(), "key": key, "sha256": stored.sha256, "size": stored.size, "body": body}
            return api.send(build(d.CommitDocument, values), 201)
        finally:
            api.objects.delete(key)

    @api.route("GET", "/documents/{id}", "Un document", tag=TAG, answer=d.Document)
    def get_document(id: UUID) -> Response:
        return api.send(d.GetDocument(id=id))

    @api.route("PATCH", "/documents/{id}", "Renomme ou déplace", tag=TAG, body=d.DocumentChanges, answer=d.Document)
    def update_document(id: UUID) -> Response:
        return api.patch(d.UpdateDocument, id)

    @api.route("DELETE", "/documents/{id}", "Met à la corbeille", tag=TAG, status=204)
    def delete_document(id: UUID) -> Response:
        api.rpc.ask(d.DeleteDocument(id=id, expected_version=if_match(required=False)))
        return Response(status=204)

    @api.route("POST", "/documents/{id}/restore", "Restaure", tag=TAG, answer=d.Document)
    def restore_document(id: UUID) -> Response:
        json_body()
        return api.send(d.RestoreDocument(id=id))

    @api.route("GET", "/documents/{id}/content", "Le contenu (Range)", tag=TAG)
    def document_content(id: UUID) -> Response:
        return _content(api, api.rpc.ask_json(d.GetContent(id=id)))


def _content(api: Api, reference: dict[str, Any]) -> Response:
    size = int(reference["size"])
    start, length, status = 0, size, 200
    etag = f'"{reference["sha256"]}"'
    matched = _RANGE.match(request.headers.get("Range", ""))
    if matched and request.headers.get("If-Range", etag) == etag and (matched[1] or matched[2]):
        first = int(matched[1]) if matched[1] else max(0, size - int(matched[2]))
        last = min(int(matched[2]), size - 1) if matched[1] and matched[2] else size - 1
        if matched[1] and matched[2] and int(matched[2]) < first:
            pass  # no range at all (RFC 9110, 14.1.1): the whole is given
        elif first >= size or last < first:
            refused = problem(416, "Ce passage est au-delà de la fin du document.")
            refused.headers["Content-Range"] = f"bytes */{size}"
            return refused
        else:
            start, length, status = first, last - first + 1, 206
    disposition = "inline" if reference["inline"] else "attachment"
    plain = reference["name"].encode("ascii", "replace").decode().replace("?", "_")
    plain = re.sub(r'["\\\x00-\x1f/]', "_", plain)
    encoded = quote(reference["name"], safe="")
    headers = {
        "Content-Type": reference["content_type"],
        "Content-Length": str(length),
        "Content-Disposition": f"{disposition}; filename=\"{plain}\"; filename*=UTF-8''{encoded}",
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Cache-Control": "private, max-age=0, must-revalidate",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if status == 200 and reference["sha256"] in request.if_none_match:
        return Response(status=304, headers={"ETag": etag})
    try:
        content = api.objects.open(reference["key"], start, length)
    except ObjectMissing:
        raise NotFound("Le contenu de ce document manque.", code="content_missing") from None
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
    return Response(content, status, headers=headers)
