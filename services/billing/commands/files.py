"""The PDF of a document: asked for with its number, made once from the frozen data, kept in the object store.

It is not made in the transaction that gives the number: whoever issues next would wait for it.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import select, text

from chassis.errors import Gone, NotFound, Unavailable
from chassis.objects import ObjectStore, Stored
from chassis.uow import UnitOfWork
from contracts import billing as c
from services.billing.commands.content import buyer_of, content, name_of, own_content, quote_number
from services.billing.commands.drafts import lines_of
from services.billing.commands.facts import ABSENT, payer_of
from services.billing.model import CreditNote, DocumentFile, Invoice, Quote
from services.billing.model.chain import file_link
from services.billing.pdf import key_of_draft, render
from services.billing.pdf.render import DRAFTS
from services.kit.homes import root_of

_KINDS: dict[str, type[Any]] = {"quote": Quote, "invoice": Invoice, "credit_note": CreditNote}
_NAMES = {"quote": "Devis", "invoice": "Facture", "credit_note": "Avoir"}
#: Drafts' files are made again when they are asked for.
DRAFTS_KEPT = timedelta(days=1)
PUT_OFF = timedelta(minutes=1)


def ask_file(uow: UnitOfWork, row: Quote | Invoice | CreditNote) -> None:
    """Has the PDF of a document that just got its number made."""
    kind = next(name for name, known in _KINDS.items() if isinstance(row, known))
    uow.session.add(DocumentFile(document_id=row.id, kind=kind, number=row.number, try_at=uow.now))


def get_file(uow: UnitOfWork, store: ObjectStore, request: c.GetFile) -> bytes:
    """Where the PDF of a document lies; it is made now where it is not there yet. Raises `NotFound`, `Unavailable`."""
    kind = _KINDS[request.kind]
    row = uow.session.get(kind, request.id)
    if row is None:
        raise NotFound(ABSENT[kind])
    name = f"{_NAMES[request.kind]} {row.number or 'brouillon'}.pdf"
    file = uow.session.get(DocumentFile, row.id)
    if file is None:
        key, stored = _draft(uow, store, row)
        return _answer(key, stored.sha256, stored.size, name, frozen=False)
    if row.frozen is None:
        raise Gone("Les données de ce document ont été effacées avec celles de la personne.", code="client_erased")
    if file.sha256 is None:
        file = uow.session.get_one(DocumentFile, row.id, with_for_update=True, populate_existing=True)
    if file.sha256 is None:
        _make(uow, store, file, row)
    return _answer(str(file.object_key), str(file.sha256), int(file.size or 0), name, frozen=True)


def make_one(uow: UnitOfWork, store: ObjectStore) -> bool:
    """Makes the file that waits longest and nobody else is making; put off where it fails. False where none waits."""
    file = uow.session.scalar(
        select(DocumentFile)
        .where(DocumentFile.sha256.is_(None), DocumentFile.try_at <= uow.now)
        .order_by(DocumentFile.try_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if file is None:
        return False
    try:
        _make(uow, store, file, uow.session.get_one(_KINDS[file.kind], file.document_id))
    except Unavailable:
        file.try_at = uow.now + PUT_OFF
    return True


def _make(uow: UnitOfWork, store: ObjectStore, file: DocumentFile, row: Any) -> None:
    """Makes the bytes of a locked file and links them to the file before."""
    stored, key = _store(store, f"billing/{file.kind.replace('_', '-')}/{row.id}", row.frozen)
    # Files follow each other in one chain whatever their series; the lock ends with the transaction, a moment later.
    uow.session.execute(text("SELECT pg_advisory_xact_lock(7177002)"))
    last = uow.session.execute(
        text("SELECT position, hash FROM document_file WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1")
    ).one_or_none()
    file.position = last.position + 1 if last else 1
    file.previous_hash = last.hash if last else ""
    file.hash = file_link(file.previous_hash, file.number, stored.sha256)
    file.sha256, file.size, file.object_key, file.made_at = stored.sha256, stored.size, key, uow.now
    uow.session.flush()


def _store(store: ObjectStore, prefix: str, data: dict[str, Any]) -> tuple[Stored, str]:
    body = render(data)
    # A key of its own for each attempt: bytes that a commit refers to are never written over.
    key = f"{prefix}/{uuid.uuid4().hex}.pdf"
    return store.put(key, [body]), key


def _draft(uow: UnitOfWork, store: ObjectStore, row: Any) -> tuple[str, Stored]:
    """The PDF of what is not frozen: a draft, or a document of another system under its own number."""
    session, client = uow.session, root_of(uow.session, row.home_client_id)
    payer = row.payer_id or payer_of(session, client)
    buyer = buyer_of(session, client, payer, None, lenient=True)
    corrected = session.get(Invoice, row.invoice_id) if isinstance(row, CreditNote) and row.invoice_id else None
    data = content(session, row, lines_of(uow, row), buyer, name_of(session, client))
    data |= own_content(
        row,
        number=row.number,
        corrects=corrected.number if corrected else None,
        quote=quote_number(session, row),
    )
    if row.status == "draft":
        data["watermark"] = "BROUILLON"
    key = key_of_draft(data)
    return key, store.put(key, [render(data)])


def sweep_drafts(uow: UnitOfWork, store: ObjectStore) -> None:
    """Takes away drafts' files that were made a day ago or more."""
    for found in store.list(DRAFTS):
        if found.modified < uow.now - DRAFTS_KEPT:
            store.delete(found.key)


def _answer(key: str, sha256: str, size: int, name: str, *, frozen: bool) -> bytes:
    return orjson.dumps({"key": key, "sha256": sha256, "size": size, "name": name, "frozen": frozen})
