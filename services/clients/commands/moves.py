"""Rows of `clients` that change sides with an undo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chassis.stamp import touch
from chassis.uow import UnitOfWork
from contracts import clients as c
from contracts.forest import Move
from services.clients.commands import addresses, contacts
from services.clients.model import KINDS, Address, Contact
from services.kit.forest import rehome
from services.kit.homes import root_of


def move_rows(uow: UnitOfWork, moves: Sequence[Move]) -> None:
    """Gives each row of this service its new home, unless it was re-assigned since; tells those that others copy."""
    for move in moves:
        model = KINDS.get(move.kind)
        if move.service != c.OWNER or model is None or move.kind == "client_tag":
            continue
        if rehome(uow.session, model, move):
            _tell(uow, uow.session.get_one(model, move.id, populate_existing=True))


def _tell(uow: UnitOfWork, row: Any) -> None:
    touch(uow, row)
    uow.session.flush()
    root = root_of(uow.session, row.home_client_id)
    if isinstance(row, Address):
        uow.emit(c.AddressUpdated(**addresses.state(row, root)))
    elif isinstance(row, Contact) and row.deleted_at is None:
        uow.emit(c.ContactUpdated(**contacts.state(row, root)))
