"""The memo of a record: written over nobody, whoever writes at the same time."""

from __future__ import annotations

from itertools import islice

from chassis.errors import Stale
from chassis.uow import UnitOfWork
from contracts import clients as c
from services.clients import fields
from services.clients.commands.shared import edit, record_to_edit
from services.clients.joining import join
from services.clients.model import Client
from services.clients.queries import memo as queries


def set_memo(uow: UnitOfWork, request: c.SetMemo) -> bytes:
    """Writes the memo. A stale version: `Stale` with `MemoConflict` as data, so that neither text is lost."""
    try:
        row = record_to_edit(uow, request.client_id)
    except Stale as error:
        # Merged meanwhile: the survivor's memo is another text, not a later one of this.
        survivor = uow.session.get_one(Client, error.data["client_id"])
        error.data |= _conflict(survivor, request.text, None)
        raise
    if request.expected_version is not None and request.expected_version != row.memo_version:
        raise Stale(
            "Quelqu’un a modifié le mémo entre-temps. Comparez les deux textes avant d’enregistrer.",
            data=_conflict(row, request.text, _text_at(uow, row, request.expected_version)),
        )
    if edit(uow, row, {"memo": request.text}):
        row.memo_version += 1
        row.memo_updated_at = uow.now
        row.memo_updated_by = uow.context.actor.name
        uow.session.flush()
        uow.emit(c.MemoUpdated(id=row.id, version=row.memo_version))
    return queries.get_memo(uow.session, row.id)


def _text_at(uow: UnitOfWork, row: Client, version: int) -> str | None:
    """The text of an earlier version; None for one that never was. Each version is one write."""
    if version == 0:
        return ""
    behind = row.memo_version - version
    if behind < 0:
        return None
    return next(islice(fields.values(uow.session, row.id, "memo"), behind, None), None)


def _conflict(row: Client, yours: str, base: str | None) -> dict[str, object]:
    return c.MemoConflict(
        text=row.memo,
        version=row.memo_version,
        updated_at=row.memo_updated_at,
        updated_by=row.memo_updated_by,
        yours=yours,
        base=base,
        joined=join(base, row.memo, yours),
    ).model_dump(mode="json")
