"""The versions of a document: replaced, and taken back. No version is ever lost."""

from __future__ import annotations

from chassis.errors import NotFound
from chassis.objects import ObjectStore
from chassis.stamp import check_version, touch
from chassis.uow import UnitOfWork
from contracts import documents as c
from services.documents import queries
from services.documents.commands.shared import facts, give, living, take
from services.documents.model import Content, Document, DocumentVersion
from services.kit.history import note


def replace_content(uow: UnitOfWork, store: ObjectStore, request: c.ReplaceContent) -> bytes:
    """Gives the document staged bytes as its next version; one whose content was missing has it then.

    Raises `Stale`, `Gone`, `Invalid` as `commit_document`.
    """
    row = living(uow, request.id)
    check_version(row, request.expected_version)
    content = take(uow, store, request.key, request.sha256, request.size)
    if content.sha256 != row.sha256:
        _next(uow, row, content, request.name or row.name)
    return queries.get_document(uow.session, row.id)


def restore_version(uow: UnitOfWork, request: c.RestoreVersion) -> bytes:
    """Makes a former content and its name current again, as a new version; the current one stays as it is."""
    row = living(uow, request.id)
    check_version(row, request.expected_version)
    version = uow.session.get(DocumentVersion, request.version_id)
    if version is None or version.document_id != row.id:
        raise NotFound("Cette version n’existe pas.")
    if version.sha256 != row.sha256:
        _next(uow, row, uow.session.get_one(Content, version.sha256), version.name)
    return queries.get_document(uow.session, row.id)


def _next(uow: UnitOfWork, row: Document, content: Content, name: str) -> None:
    missing = row.sha256 is None
    row.file_under(name, row.folder, row.description)
    touch(uow, row)
    number = give(uow, row, content)
    note(uow, row, "added" if missing else "replaced", {"version": number - 1}, {"version": number})
    if missing:
        uow.emit(c.DocumentAdded(**facts(uow, row), sha256=row.sha256))
    else:
        uow.emit(c.DocumentReplaced(**facts(uow, row), sha256=content.sha256, number=number))
