"""Uploads that survive a cut line: tus 1.0 (core, creation, termination) over the object store.

Each piece that came whole is an object under the upload's staging key, so any replica of the gateway goes on where
another stopped; the last one joins them and makes the document. What nobody finished is swept after a day.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
from flask import Response, g, request

from chassis.errors import FicheError, Invalid, NotFound, TooLarge
from chassis.ids import new_id
from chassis.objects import STAGING, ObjectMissing
from contracts import documents as d
from gateway.api.content import Upload, checked, commit, owner, replacement
from gateway.api.routes import Api
from gateway.door import uuid_of
from gateway.problems import HttpProblem

TAG = "Documents"
_TUS: dict[str, dict[str, Any]] = {"Tus-Resumable": {"type": "string", "const": "1.0.0"}}
_BYTES = {"type": "integer", "minimum": 0}
VERSION = "1.0.0"
#: Bytes of one piece, at most: what a cut line can cost.
MAX_PIECE = 64 * 1024 * 1024
#: What `Upload-Metadata` may say: the fields of the form, and the document whose next version this is.
_KNOWN = {"client_id", "filename", "name", "folder", "description", "equipment_id", "photo", "sha256", "document_id"}
_GONE = "Cet envoi n’existe plus\u202f: recommencez-le."


def register(api: Api) -> None:
    """Adds the routes."""

    @api.route("POST", "/uploads", "Commence un envoi (tus 1.0)", tag=TAG, status=201,
               headers=_TUS | {"Upload-Length": _BYTES, "Upload-Metadata": {"type": "string"}})  # fmt: skip
    def begin_upload() -> Response:
        length = _number("Upload-Length")
        if length > api.max_upload:
            raise TooLarge("Ce fichier est trop volumineux.", data={"limit": api.max_upload})
        fields = _metadata()
        if fields.get("document_id"):
            api.rpc.ask(d.GetDocument(id=uuid_of(fields["document_id"], "document_id")))
        else:
            owner(api, fields)
        identifier = new_id()
        about = {"by": g.user.id, "length": length, "fields": fields}
        api.objects.put(_about_key(identifier), iter([orjson.dumps(about)]))
        return _told(201, {"Location": f"/api/v1/uploads/{identifier}"})

    @api.route("HEAD", "/uploads/{id}", "Où en est un envoi", tag=TAG, headers=_TUS)
    def upload_state(id: UUID) -> Response:
        about = _about(api, id)
        return _told(200, {"Upload-Offset": str(_offset(api, id)), "Upload-Length": str(about["length"])})

    @api.route("PATCH", "/uploads/{id}", "Continue un envoi\u202f; le dernier morceau fait le document", tag=TAG,
               status=204, headers=_TUS | {"Upload-Offset": _BYTES})  # fmt: skip
    def continue_upload(id: UUID) -> Response:
        about = _about(api, id)
        if request.content_type != "application/offset+octet-stream":
            raise HttpProblem(415, "Envoyez les octets du fichier (application/offset+octet-stream).", "bad_piece")
        at, length = _offset(api, id), int(about["length"])
        if _number("Upload-Offset") != at:
            raise HttpProblem(
                409, "Ce morceau n’est pas celui qui suit\u202f: demandez où en est l’envoi.", "bad_offset"
            )
        if at < length:
            at += api.objects.put(_piece_key(id, at), request.stream, limit=min(MAX_PIECE, length - at)).size
        headers = {"Upload-Offset": str(at)}
        if at == length:
            headers["Content-Location"] = f"/api/v1/documents/{_finish(api, id, about)}"
        return _told(204, headers)

    @api.route("DELETE", "/uploads/{id}", "Abandonne un envoi", tag=TAG, status=204, headers=_TUS)
    def end_upload(id: UUID) -> Response:
        _about(api, id)
        _clear(api, id)
        return _told(204, {})


def _finish(api: Api, identifier: UUID, about: dict[str, Any]) -> str:
    """Joins the pieces and makes the document; gives its id. Done twice, as after a lost answer, it is one document."""
    fields, key = about["fields"], f"{STAGING}{identifier}"
    try:
        stored = api.objects.put(key, _joined(api, identifier), limit=api.max_upload)
        upload = Upload(fields, fields.get("filename", ""), key, checked(api, key, stored, fields))
        if fields.get("document_id"):
            command = replacement(upload, UUID(fields["document_id"]), None)
        else:
            command = commit(upload, owner(api, fields).ids())
        document = api.rpc.ask_json(command, key=f"upload/{identifier}")
    except FicheError as error:
        if error.kind not in ("unavailable", "internal"):
            _clear(api, identifier)
        raise
    finally:
        api.objects.delete(key)
    _clear(api, identifier)
    return str(document["id"])


def _joined(api: Api, identifier: UUID) -> Iterator[bytes]:
    for piece in list(_pieces(api, identifier)):
        yield from api.objects.open(piece.key)


def _pieces(api: Api, identifier: UUID) -> Iterator[Any]:
    """The pieces that follow each other from the beginning, in order."""
    at = 0
    for piece in api.objects.list(f"{STAGING}{identifier}.piece-"):
        if int(piece.key.rpartition("-")[2]) != at:
            return
        yield piece
        at += piece.size


def _offset(api: Api, identifier: UUID) -> int:
    return sum(int(piece.size) for piece in _pieces(api, identifier))


def _about(api: Api, identifier: UUID) -> dict[str, Any]:
    """What was said when the upload began. Raises `NotFound` for another's: who may not see it learns nothing."""
    _protocol()
    try:
        about: dict[str, Any] = orjson.loads(b"".join(api.objects.open(_about_key(identifier))))
    except ObjectMissing:
        raise NotFound(_GONE, code="upload_gone") from None
    if about["by"] != g.user.id:
        raise NotFound(_GONE, code="upload_gone")
    return about


def _clear(api: Api, identifier: UUID) -> None:
    for found in list(api.objects.list(f"{STAGING}{identifier}.")):
        api.objects.delete(found.key)


def _about_key(identifier: UUID) -> str:
    return f"{STAGING}{identifier}.about"


def _piece_key(identifier: UUID, at: int) -> str:
    return f"{STAGING}{identifier}.piece-{at:012d}"


def _told(status: int, headers: dict[str, str]) -> Response:
    return Response(status=status, headers={"Tus-Resumable": VERSION, "Cache-Control": "no-store", **headers})


def _protocol() -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise HttpProblem(412, "Cet envoi demande tus 1.0.0 (en-tête Tus-Resumable).", "tus_version")


def _number(header: str) -> int:
    given = request.headers.get(header, "")
    if not given.isdecimal() or len(given) > 15:
        raise Invalid.field(header, "Un nombre d’octets est attendu.")
    return int(given)


def _metadata() -> dict[str, str]:
    """`Upload-Metadata`: names, each with its value in base64. Raises `Invalid`."""
    _protocol()
    fields: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in request.headers.get("Upload-Metadata", "").split(","))):
        name, _, value = pair.partition(" ")
        if name not in _KNOWN:
            raise Invalid.field("Upload-Metadata", f"«\u202f{name[:50]}\u202f» n’est pas connu.")
        try:
            fields[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise Invalid.field("Upload-Metadata", "Cette valeur n’est pas en base64.") from None
    return fields
