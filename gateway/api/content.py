"""The bytes of documents: they stream between the caller and the object store, never by RPC (architecture, rule 13)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import quote
from uuid import UUID

import structlog
from flask import Response, g, request

from chassis.errors import FicheError, Invalid, NotFound
from chassis.objects import ObjectMissing, Stored, staging_key
from contracts import documents as d
from contracts.base import Request
from gateway.api.multipart import CHUNK, Form, read_form
from gateway.api.routes import Api, build, if_match
from gateway.door import uuid_of
from gateway.problems import problem

log = structlog.get_logger(__name__)

#: A refused upload is read so far, so that its sender hears why; beyond, the connection is cut.
_PATIENCE = 16 * 1024 * 1024
_RANGE = re.compile(r"^bytes=(\d*)-(\d*)$")
#: Nothing that somebody uploaded runs in our origin, whatever a browser makes of it.
_SANDBOX = "default-src 'none'; sandbox"
#: The browsers' own PDF viewers are documents of theirs, which a sandbox forbids.
_PDF = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
_NO_PREVIEW = "Ce document ne s’affiche pas\u202f: téléchargez-le pour l’ouvrir."


@dataclass(frozen=True)
class Upload:
    """A file that has come: what its form said, and where its bytes wait."""

    fields: dict[str, str]
    name: str
    key: str
    stored: Stored

    def command(self) -> dict[str, Any]:
        """What both commands that take staged bytes ask for."""
        return {"key": self.key, "sha256": self.stored.sha256, "size": self.stored.size}


def add(api: Api, stream: IO[bytes], content_type: str) -> Response:
    """A new document of a multipart body."""
    home = None

    def early(fields: dict[str, str]) -> None:
        nonlocal home
        home = owner(api, fields)

    with _received(api, stream, content_type, early) as upload:
        home = home or owner(api, upload.fields)
        return api.send(commit(upload, home.ids()), 201)


def replace(api: Api, identifier: UUID, stream: IO[bytes], content_type: str) -> Response:
    """The next version of a document, of a multipart body."""
    version = if_match(required=False)
    api.rpc.ask(d.GetDocument(id=identifier))  # who sends 2 GB for a document that is not there hears it before
    with _received(api, stream, content_type, lambda fields: None) as upload:
        return api.send(replacement(upload, identifier, version))


def owner(api: Api, fields: dict[str, str]) -> Any:
    """Whose the document is, asked of the door with what else the form names. Raises `Invalid`, `Conflict`, `Gone`."""
    if not fields.get("client_id"):
        raise Invalid.field("client_id", "Dites de quel client il s’agit.")
    door = api.door()
    home = door.home(uuid_of(fields["client_id"], "client_id"), new_work=True, field="client_id")
    if fields.get("equipment_id"):
        door.check_equipment([fields["equipment_id"]], home.tree, "equipment_id")
    return home


def commit(upload: Upload, ids: dict[str, UUID]) -> Request:
    """The command that makes a document of an upload."""
    said = {name: upload.fields[name] for name in ("folder", "description", "equipment_id") if upload.fields.get(name)}
    body = {"name": upload.fields.get("name") or upload.name, **said}
    command: Request = build(d.CommitDocument, {**ids, **upload.command(), "body": body})
    return command


def replacement(upload: Upload, identifier: UUID, version: int | None) -> Request:
    """The command that makes an upload a document's next version; it keeps its name unless the form gives one."""
    values = {"id": identifier, "expected_version": version, "name": upload.fields.get("name") or None}
    command: Request = build(d.ReplaceContent, {**values, **upload.command()})
    return command


def checked(api: Api, key: str, stored: Stored, fields: dict[str, str]) -> Stored:
    """What waits under the key once it was compared with what its sender announced and, asked for a photo, cleaned."""
    if fields.get("sha256") and fields["sha256"].lower() != stored.sha256:
        raise Invalid.field("sha256", "Le fichier a été altéré en chemin\u202f: envoyez-le de nouveau.")
    if fields.get("photo") == "true":
        staged = api.rpc.ask_json(d.PreparePhoto(key=key))
        return Stored(staged["sha256"], staged["size"])
    return stored


@contextmanager
def _received(
    api: Api, stream: IO[bytes], content_type: str, early: Callable[[dict[str, str]], None]
) -> Iterator[Upload]:
    """Streams a form's file to a staging key, which is gone afterwards. `early` sees the fields that came first."""
    try:
        form: Form = read_form(stream, content_type)
        if form.fields.get("client_id"):
            early(form.fields)
        given = request.headers.get("Idempotency-Key", "")
        key = staging_key(f"{g.user.id}\n{given}" if given else "")
        stored = api.objects.put(key, form.chunks, limit=api.max_upload)
    except FicheError:
        _hear_out(stream)
        raise
    try:
        yield Upload(form.fields, form.name, key, checked(api, key, stored, form.fields))
    finally:
        api.objects.delete(key)


def _hear_out(stream: IO[bytes]) -> None:
    left = _PATIENCE
    while left > 0 and (chunk := stream.read(min(left, CHUNK))):
        left -= len(chunk)


# --- on the way out -----------------------------------------------------------------------------------------------


def whole(api: Api, asked: d.GetContent) -> Response:
    """The bytes of a document or of a version, or the range of them that was asked for."""
    return sent(api, api.rpc.ask_json(asked))


def sent(api: Api, reference: dict[str, Any]) -> Response:
    """An object of the store, verified as it passes: key, sha256, size, name, content_type, inline in `reference`."""
    size, kind = int(reference["size"]), reference["content_type"]
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
    inline = reference["inline"] and request.args.get("download") != "1"
    headers = {
        "Content-Type": "text/plain; charset=utf-8" if kind == "text/plain" else kind,
        "Content-Length": str(length),
        "Content-Disposition": disposition(reference["name"], inline=inline),
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Cache-Control": "private, max-age=0, must-revalidate",
        "Content-Security-Policy": _PDF if inline and kind == "application/pdf" else _SANDBOX,
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if inline and kind == "application/pdf":
        headers["X-Frame-Options"] = "SAMEORIGIN"
    if status == 200 and reference["sha256"] in request.if_none_match:
        return Response(status=304, headers={"ETag": etag})
    try:
        content = api.objects.open(reference["key"], start, length)
    except ObjectMissing:
        raise NotFound("Le contenu de ce document manque.", code="content_missing") from None
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
    else:
        content = _verified(content, reference)
    return Response(content, status, headers=headers)


def _verified(content: Iterator[bytes], reference: dict[str, Any]) -> Iterator[bytes]:
    """The bytes as they pass; the last piece is held back until all are known to be those that were stored."""
    seen, held = hashlib.sha256(), b""
    for chunk in content:
        seen.update(chunk)
        if held:
            yield held
        held = chunk
    if seen.hexdigest() != reference["sha256"]:
        # Too late for a status: an answer shorter than announced is what a browser tells as a failed download.
        log.error("document.corrupt", key=reference["key"])
        raise OSError(f"{reference['key']} is not what was stored")
    yield held


def disposition(name: str, *, inline: bool) -> str:
    """Content-Disposition with the name as given (RFC 6266), and in ASCII for old readers."""
    plain = re.sub(r'["\\\x00-\x1f/]', "_", name.encode("ascii", "replace").decode().replace("?", "_"))
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def thumbnail(api: Api, asked: d.GetContent) -> Response:
    """A picture (WebP) of a document: `size=small|medium|large`, `page` of a PDF. 404 where it shows nothing."""
    reference = api.rpc.ask_json(asked)
    if not reference["preview"]:
        raise NotFound(_NO_PREVIEW, code="no_preview")
    values = {name: request.args[name] for name in ("size", "page") if name in request.args}
    wanted = build(d.RenderPreview, {"sha256": reference["sha256"], **values})
    etag = f"{reference['sha256']}-{wanted.size}-{wanted.page}"
    # Who names the bytes in the address (`v`) may keep the picture; without, it asks again whether they changed.
    fresh = "max-age=31536000, immutable" if request.args.get("v") else "max-age=0, must-revalidate"
    headers = {"ETag": f'"{etag}"', "Cache-Control": f"private, {fresh}"}
    if etag in request.if_none_match:
        return Response(status=304, headers=headers)
    key = api.rpc.ask_json(wanted)["key"]
    if key is None:
        raise NotFound(_NO_PREVIEW, code="no_preview")
    headers |= {
        "Content-Type": "image/webp",
        "Content-Length": str(api.objects.size(key)),
        "Content-Security-Policy": _SANDBOX,
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return Response(api.objects.open(key), 200, headers=headers)
