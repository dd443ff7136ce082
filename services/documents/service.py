"""The Nameko class of `documents`: each message becomes one call of commands or queries."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chassis.objects import ObjectStore, object_store, sweep_staging
from chassis.service import every, on, rpc
from contracts import documents as c
from contracts import equipment
from contracts.base import Envelope
from services.documents import commands, queries
from services.documents.commands.erasing import remove_one
from services.documents.model import KINDS, MOVABLE, Base
from services.documents.pictures import clean_photo
from services.kit.follow import ClientRowsService


class DocumentsService(ClientRowsService):
    """A store of files for each client."""

    name = "documents"
    base = Base
    kinds = KINDS
    movable = MOVABLE

    @property
    def store(self) -> ObjectStore:
        """The object store of this process."""
        return object_store(self.runtime.settings)

    def erase_files(self) -> None:
        while self.uow.run(None, lambda: remove_one(self.uow, self.store)):
            pass

    @every(3600)
    def sweep_uploads(self) -> None:
        """Takes away uploads that nobody committed for a day."""
        sweep_staging(self.store)

    @on(equipment.EquipmentCreated, since="log")
    def equipment_created(self, event: equipment.EquipmentCreated, envelope: Envelope) -> None:
        commands.link_photos(self.uow, event)

    @on(equipment.EquipmentUpdated, since="log")
    def equipment_updated(self, event: equipment.EquipmentUpdated, envelope: Envelope) -> None:
        commands.link_photos(self.uow, event)

    def rehomed(self, kind: str, row: Any, former: UUID) -> None:
        commands.rehomed(self.uow, row, former)

    @rpc(c.CommitDocument)
    def commit(self, request: c.CommitDocument) -> bytes:
        return commands.commit_document(self.uow, self.store, request)

    @rpc(c.ImportDocumentEntry)
    def import_entry(self, request: c.ImportDocumentEntry) -> bytes:
        return commands.import_entry(self.uow, request)

    @rpc(c.ReplaceContent)
    def replace(self, request: c.ReplaceContent) -> bytes:
        return commands.replace_content(self.uow, self.store, request)

    @rpc(c.RestoreVersion)
    def restore_version(self, request: c.RestoreVersion) -> bytes:
        return commands.restore_version(self.uow, request)

    @rpc(c.RenderPreview)
    def preview(self, request: c.RenderPreview) -> c.Preview:
        return commands.render_preview(self.uow, self.store, request)

    @rpc(c.PreparePhoto)
    def prepare_photo(self, request: c.PreparePhoto) -> c.Staged:
        stored = clean_photo(self.store, request.key)
        return c.Staged(sha256=stored.sha256, size=stored.size)

    @rpc(c.UpdateDocument)
    def update(self, request: c.UpdateDocument) -> bytes:
        return commands.update_document(self.uow, request)

    @rpc(c.DeleteDocument)
    def delete(self, request: c.DeleteDocument) -> bytes:
        return commands.delete_document(self.uow, request)

    @rpc(c.RestoreDocument)
    def restore(self, request: c.RestoreDocument) -> bytes:
        return commands.restore_document(self.uow, request)

    @rpc(c.GetDocument)
    def get(self, request: c.GetDocument) -> bytes:
        return queries.get_document(self.uow.session, request.id)

    @rpc(c.GetContent)
    def content(self, request: c.GetContent) -> c.ContentReference:
        return queries.content(self.uow.session, request)

    @rpc(c.ListVersions)
    def versions(self, request: c.ListVersions) -> bytes:
        return queries.versions(self.uow.session, request)

    @rpc(c.ListDocumentHistory)
    def history(self, request: c.ListDocumentHistory) -> bytes:
        return queries.document_history(self.uow.session, request)

    @rpc(c.ListDocuments)
    def list(self, request: c.ListDocuments) -> bytes:
        return queries.list_documents(self.uow.session, request)

    @rpc(c.ListFolders)
    def folders(self, request: c.ListFolders) -> bytes:
        return queries.folders(self.uow.session, request)

    @rpc(c.CreateFolder)
    def create_folder(self, request: c.CreateFolder) -> bytes:
        return commands.create_folder(self.uow, request)

    @rpc(c.RenameFolder)
    def rename_folder(self, request: c.RenameFolder) -> bytes:
        return commands.rename_folder(self.uow, request)

    @rpc(c.DeleteFolder)
    def delete_folder(self, request: c.DeleteFolder) -> bytes:
        return commands.delete_folder(self.uow, request)

    @rpc(c.DocumentsFiche)
    def fiche(self, request: c.DocumentsFiche) -> bytes:
        return queries.fiche(self.uow.session, request)

    @rpc(c.CheckDocuments)
    def check(self, request: c.CheckDocuments) -> dict[str, Any]:
        return queries.check(self.uow.session, request)

    @every(3600)
    def sweep(self) -> None:
        """Takes away uploads of yesterday that came to no document; harmless when replicas do it at once."""
        sweep_staging(self.store)
