"""Files known by name → documents, marked as missing their content."""

from __future__ import annotations

import uuid

from contracts import documents as c
from services.imports import records
from services.imports.targets.base import Order, Resolver


def document(record: records.Document, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """An entry; its content can be given later."""
    home = resolver.home(record.client_ref)
    # A bar cannot be in a name of ours; what looks the same in print says as much.
    name = record.name.replace("/", "∕").replace("\\", "∖")
    request = c.ImportDocumentEntry(
        id=chosen,
        home_client_id=home.home,
        written_client_id=home.written,
        body=c.DocumentBody(name=name, folder=record.folder, description=record.description[:300]),
        created_at=record.created_at,
    )
    notices = [f"renommé «\u202f{name}\u202f»"] if name != record.name else []
    return Order("documents", "document", chosen, [request], notices=notices)
