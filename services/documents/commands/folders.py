"""Folders: made, renamed with all in them, taken away once empty."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from chassis.errors import Conflict, Invalid, NotFound
from chassis.ids import new_id
from chassis.page import like
from chassis.stamp import stamp_new, touch
from chassis.uow import UnitOfWork
from contracts import documents as c
from services.documents import queries
from services.documents.commands.shared import facts
from services.documents.model import Document, Folder
from services.kit.history import note
from services.kit.homes import root_of

ABSENT = "Ce dossier n’existe pas, ou n’existe plus."


def ensure_folder(uow: UnitOfWork, home: uuid.UUID, written: uuid.UUID, path: str) -> None:
    """Sees to it that a folder and those it lies in have a row, each told when it is made.

    The row is locked: a folder that is being taken away or renamed is waited for, then made again.
    """
    parts = path.split("/") if path else []
    for depth in range(1, len(parts) + 1):
        values: dict[str, Any] = {
            "id": new_id(),
            "home_client_id": home,
            "written_client_id": written,
            "path": "/".join(parts[:depth]),
            **stamp_new(uow),
        }
        asked = insert(Folder).values(**values)
        locked = asked.on_conflict_do_update(
            index_elements=["home_client_id", "path"], set_={"path": asked.excluded.path}
        ).returning(Folder.id)
        if uow.session.execute(locked).scalar_one() == values["id"]:
            uow.emit(c.FolderCreated(**_facts(uow, values["id"], home, values["path"])))


def create_folder(uow: UnitOfWork, request: c.CreateFolder) -> bytes:
    """Makes a folder; one that is there is no error."""
    ensure_folder(uow, request.home_client_id, request.written_client_id, request.body.folder)
    return queries.folder(uow.session, [request.home_client_id], request.body.folder)


def rename_folder(uow: UnitOfWork, request: c.RenameFolder) -> bytes:
    """Another path for a folder and all in it, in every record of the tree, documents of the bin too.

    Raises `NotFound`, `Conflict` where the new path is taken, `Invalid` where it lies in the folder itself.
    """
    source, target = request.body.folder, request.body.to
    if target == source:
        return queries.folder(uow.session, request.tree, target)
    if target.startswith(f"{source}/"):
        raise Invalid.field("to", "Un dossier ne peut pas être rangé dans lui-même.")
    moved = _within(uow, request.tree, source)
    if not moved:
        raise NotFound(ABSENT)
    if _within(uow, request.tree, target):
        raise Conflict("Un dossier porte déjà ce nom ici\u202f: choisissez-en un autre.", code="folder_exists")
    documents = uow.session.scalars(
        select(Document)
        .where(Document.home_client_id.in_(request.tree), _inside(Document.folder, source))
        .order_by(Document.id)
        .with_for_update()
    ).all()
    parent = target.rpartition("/")[0]
    for row in moved:
        former, row.path = row.path, target + row.path[len(source) :]
        touch(uow, row)
        ensure_folder(uow, row.home_client_id, row.written_client_id, parent)
        uow.emit(c.FolderRenamed(**_facts(uow, row.id, row.home_client_id, row.path), former_folder=former))
    for document in documents:
        former = document.folder
        document.file_under(document.name, target + former[len(source) :], document.description)
        touch(uow, document)
        note(uow, document, "changed", {"folder": former})
        uow.emit(c.DocumentMoved(**facts(uow, document), former_folder=former))
    uow.session.flush()
    return queries.folder(uow.session, request.tree, target)


def delete_folder(uow: UnitOfWork, request: c.DeleteFolder) -> bytes:
    """Takes an empty folder away. Raises `NotFound`, `Conflict` while it holds something."""
    path = request.body.folder
    rows = _within(uow, request.tree, path)
    if not rows:
        raise NotFound(ABSENT)
    held = uow.session.execute(
        text(
            "SELECT count(*) FROM document WHERE home_client_id = ANY(:tree) AND folder = :path AND deleted_at IS NULL"
        ),
        {"tree": request.tree, "path": path},
    ).scalar_one()
    if held or any(row.path != path for row in rows):
        raise Conflict(
            "Ce dossier n’est pas vide\u202f: rangez ailleurs ce qu’il contient, ou mettez-le à la corbeille.",
            code="folder_not_empty",
        )
    for row in rows:
        uow.emit(c.FolderDeleted(**_facts(uow, row.id, row.home_client_id, row.path)))
        uow.session.delete(row)
    uow.session.flush()
    return b"{}"


def _within(uow: UnitOfWork, tree: list[uuid.UUID], path: str) -> list[Folder]:
    """The folder in every record of the tree, and those that lie in it; locked."""
    asked = select(Folder).where(Folder.home_client_id.in_(tree), _inside(Folder.path, path))
    return list(uow.session.scalars(asked.order_by(Folder.id).with_for_update()))


def _inside(column: Any, path: str) -> Any:
    return (column == path) | column.like(f"{like(path)}/%")


def _facts(uow: UnitOfWork, identifier: uuid.UUID, home: uuid.UUID, path: str) -> dict[str, Any]:
    return {
        "id": identifier,
        "home_client_id": home,
        "client_id": root_of(uow.session, home),
        "folder": path,
    }
