"""Documents of a client: folders, the list, the preview beside it, the bin, and the panels that change them."""

from __future__ import annotations

import unicodedata
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, render_template, request

from chassis.errors import Gone, Invalid, NotFound
from contracts import clients
from contracts import documents as d
from gateway.web import told
from gateway.web.backend import Backend
from gateway.web.pages.fiche import TAB_DATA

#: Word of the address → sort of the API, the first is the default.
SORTS = {"nom": "name", "-nom": "-name", "date": "created_at", "-date": "-created_at", "taille": "size",
         "-taille": "-size"}  # fmt: skip


def register(web: Blueprint, backend: Backend) -> None:
    """Adds the panels."""
    TAB_DATA["documents"] = documents_tab
    for name, words in told.FILTERS.items():
        web.add_app_template_filter(words, name)

    def panel(name: str, client_id: UUID, **values: Any) -> str:
        client = backend.ask(clients.GetClient(id=client_id))
        back = address(client_id, dossier=request.args.get("dossier", ""))
        return render_template(f"documents/{name}.html", client=client, back=back, **values)

    @web.get("/clients/<uuid:client_id>/documents/nouveau-dossier")
    def folder_new(client_id: UUID) -> str:
        return panel("folder_new", client_id, parent=request.args.get("dossier", ""))

    @web.get("/clients/<uuid:client_id>/documents/renommer-dossier")
    def folder_rename(client_id: UUID) -> str:
        return panel("folder_rename", client_id, folder=request.args.get("dossier", ""))

    @web.get("/clients/<uuid:client_id>/documents/<uuid:id>/modifier")
    def document_edit(client_id: UUID, id: UUID) -> str:
        document = backend.ask(d.GetDocument(id=id))
        return panel("edit", client_id, document=document, folders=_paths(backend, backend.tree(client_id)))

    @web.get("/clients/<uuid:client_id>/documents/<uuid:id>/versions")
    def document_versions(client_id: UUID, id: UUID) -> str:
        document, versions, past = backend.ask_all(
            [d.GetDocument(id=id), d.ListVersions(id=id, limit=200), d.ListDocumentHistory(id=id)]
        )
        return panel("versions", client_id, document=document, versions=versions, past=past)


def address(client_id: Any, **given: str) -> str:
    """The address of the tab with what is given."""
    said = urlencode({name: value for name, value in given.items() if value})
    return f"/clients/{client_id}/documents" + (f"?{said}" if said else "")


def documents_tab(backend: Backend, fiche: dict[str, Any]) -> dict[str, Any]:
    """What the tab shows: `page` (documents), `folders`, `crumbs`, `shown` (the one previewed), all by the address."""
    if fiche["sections"]["documents"]["status"] != "ok":
        return {}
    client_id = fiche["client"]["id"]
    words, folder = request.args.get("q", "").strip(), request.args.get("dossier", "")
    binned, sort = request.args.get("corbeille") == "1", request.args.get("tri", "")
    sort = sort if sort in SORTS else "nom"
    tree = fiche["tree"]
    asked = {"tree": tree, "q": words[:200], "cursor": request.args.get("cursor") or None, "sort": SORTS[sort]}
    if binned:
        asked |= {"status": "deleted", "sort": "-created_at"}
    elif not words:
        asked["folder"] = folder
    page, folders = backend.ask_all([d.ListDocuments.model_validate(asked), d.ListFolders(tree=tree)])
    if page is None or folders is None:
        fiche["sections"]["documents"] = {"status": "unavailable"}
        return {}
    said = {"dossier": folder, "q": words, "tri": request.args.get("tri", ""), "corbeille": "1" if binned else ""}
    paths = {one["folder"]: one["count"] for one in folders["items"]}
    return {
        "page": page,
        "q": words,
        "folder": folder,
        "binned": binned,
        "sort": sort,
        "folders": [] if binned or words else _inside(paths, folder),
        "folder_empty": bool(folder) and not paths.get(folder) and not any(p.startswith(f"{folder}/") for p in paths),
        "crumbs": _crumbs(folder),
        "any_folder": len(paths) > 1,
        "shown": None if binned else _shown(backend, tree),
        "here": lambda **given: address(client_id, **(said | given)),
    }


def _paths(backend: Backend, tree: Any) -> list[str]:
    return [one["folder"] for one in backend.ask(d.ListFolders(tree=tree))["items"] if one["folder"]]


def _inside(paths: dict[str, int], folder: str) -> list[dict[str, Any]]:
    """The folders that lie in `folder` itself, each with how many documents it and its own hold."""
    start = f"{folder}/" if folder else ""
    found: dict[str, int] = {}
    for path, count in paths.items():
        if path and path.startswith(start):
            name = path[len(start) :].partition("/")[0]
            found[name] = found.get(name, 0) + count
    return [{"name": name, "path": start + name, "count": found[name]} for name in sorted(found, key=_letters)]


def _letters(name: str) -> str:
    """A name by its letters alone: « Équipements » stands under E."""
    return "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c)).casefold()


def _crumbs(folder: str) -> list[tuple[str, str]]:
    parts = folder.split("/") if folder else []
    return [(part, "/".join(parts[: depth + 1])) for depth, part in enumerate(parts)]


def _shown(backend: Backend, tree: Any) -> dict[str, Any] | None:
    """The document that the address asks to preview, if it is of this client and still there."""
    try:
        asked = d.ListDocuments.model_validate({"tree": tree, "id": [request.args["document"]], "limit": 1})
        items = backend.ask(asked)["items"]
    except (KeyError, ValueError, NotFound, Gone, Invalid):
        return None
    return items[0] if items else None
