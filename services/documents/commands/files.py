"""A document: added, renamed, moved, put into the bin and taken out of it."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from chassis.errors import Conflict, Invalid
from chassis.ids import new_id
from chassis.objects import ObjectStore
from chassis.stamp import check_version, lock, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts import documents as c
from contracts import equipment
from services.documents import queries
from services.documents.commands.folders import ensure_folder
from services.documents.commands.shared import ABSENT, facts, give, living, take
from services.documents.model import Document
from services.documents.sniff import UNKNOWN
from services.kit.history import note, state_of
from services.kit.movable import note_reassigned

_SAID = frozenset({"name", "folder", "description", "equipment_id"})


def commit_document(uow: UnitOfWork, store: ObjectStore, request: c.CommitDocument) -> bytes:
    """Makes a document of staged bytes. The staging key stays until whoever made it takes it away.

    Raises `Invalid` when nothing waits under the key or the size differs, `Conflict` when the id is taken.
    """
    if request.id is not None and uow.session.get(Document, request.id) is not None:
        raise Conflict("Un document porte déjà cet identifiant.", code="id_taken")
    content = take(uow, store, request.key, request.sha256, request.size)
    row = _new(uow, request)
    uow.session.add(row)
    give(uow, row, content)
    ensure_folder(uow, row.home_client_id, row.written_client_id, row.folder)
    note(uow, row, "added")
    uow.emit(c.DocumentAdded(**facts(uow, row), sha256=row.sha256))
    return queries.get_document(uow.session, row.id)


def import_entry(uow: UnitOfWork, request: c.ImportDocumentEntry) -> bytes:
    """Records a document that another system named and whose content never came. Repeated, it changes nothing."""
    if uow.session.get(Document, request.id) is None:
        row = _new(uow, request)
        if request.created_at is not None:
            row.created_at = request.created_at
        uow.session.add(row)
        uow.session.flush()
        ensure_folder(uow, row.home_client_id, row.written_client_id, row.folder)
        uow.emit(c.DocumentAdded(**facts(uow, row), sha256=None, imported=True))
    return queries.get_document(uow.session, request.id)


def update_document(uow: UnitOfWork, request: c.UpdateDocument) -> bytes:
    """Renames, moves, describes, or says what equipment it is about; nothing changed, no event.

    Raises `Stale`, `Gone`.
    """
    row = living(uow, request.id)
    check_version(row, request.expected_version)
    former = state_of(row, _SAID)
    wanted = {name: getattr(request.changes, name) for name in request.changes.model_fields_set}
    if wanted.get("name") == "":
        raise Invalid.field("name", "Donnez un nom au document.")
    if any(former[name] != value for name, value in wanted.items()):
        now = former | wanted
        row.file_under(now["name"], now["folder"], now["description"])
        row.equipment_id = now["equipment_id"]
        touch(uow, row)
        uow.session.flush()
        told = facts(uow, row)
        if row.folder != former["folder"]:
            ensure_folder(uow, row.home_client_id, row.written_client_id, row.folder)
            uow.emit(c.DocumentMoved(**told, former_folder=former["folder"]))
        if any(now[name] != former[name] for name in ("name", "description", "equipment_id")):
            uow.emit(c.DocumentRenamed(**told, former_name=former["name"]))
        note(uow, row, "changed", former)
    return queries.get_document(uow.session, row.id)


def rehomed(uow: UnitOfWork, row: Document, former: uuid.UUID) -> None:
    """A document is another client's now: its folder is made there where it lacks."""
    ensure_folder(uow, row.home_client_id, row.written_client_id, row.folder)
    note_reassigned(uow, row, former)
    uow.emit(c.DocumentReassigned(**facts(uow, row), former_home_client_id=former))


def link_photos(uow: UnitOfWork, event: equipment.EquipmentEvent) -> None:
    """Photos taken before their equipment was there are about it from now on; told again, they are as they are."""
    photos = select(Document).where(
        Document.id.in_(event.photos), Document.equipment_id.is_(None), Document.home_client_id == event.home_client_id
    )
    for row in uow.session.scalars(photos.order_by(Document.id).with_for_update()) if event.photos else ():
        former = state_of(row, _SAID)
        row.equipment_id = event.id
        touch(uow, row)
        uow.session.flush()
        note(uow, row, "changed", former)


def delete_document(uow: UnitOfWork, request: c.DeleteDocument) -> bytes:
    """Puts a document into the bin. Raises `Stale`, `Gone` when it is there already."""
    row = living(uow, request.id)
    check_version(row, request.expected_version)
    row.deleted_at = uow.now
    touch(uow, row)
    uow.session.flush()
    note(uow, row, "deleted")
    uow.emit(c.DocumentDeleted(**facts(uow, row)))
    return b"{}"


def restore_document(uow: UnitOfWork, request: c.RestoreDocument) -> bytes:
    """Takes a document out of the bin, its folder with it; one that is not in it stays as it is."""
    row = lock(uow.session, Document, request.id, ABSENT)
    if row.deleted_at is not None:
        row.deleted_at = None
        touch(uow, row)
        uow.session.flush()
        ensure_folder(uow, row.home_client_id, row.written_client_id, row.folder)
        note(uow, row, "restored")
        uow.emit(c.DocumentRestored(**facts(uow, row)))
    return queries.get_document(uow.session, row.id)


def _new(uow: UnitOfWork, request: c.CommitDocument | c.ImportDocumentEntry) -> Document:
    row = Document(
        id=request.id or new_id(),
        home_client_id=request.home_client_id,
        written_client_id=request.written_client_id,
        sha256=None,
        size=0,
        content_type=UNKNOWN,
        equipment_id=request.body.equipment_id,
        **stamp_new(uow),
    )
    row.file_under(request.body.name, request.body.folder, request.body.description)
    return row
