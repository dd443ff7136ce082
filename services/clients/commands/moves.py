"""Rows of `clients` that become another client's: by hand, or changing sides with an undo."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from chassis.errors import Conflict
from chassis.stamp import touch
from chassis.uow import UnitOfWork
from contracts import clients as c
from contracts.forest import Move, ReassignRow
from services.clients import fields
from services.clients.commands import activities, addresses, contacts, trail
from services.clients.commands.shared import check_home, root_record, tell_updated
from services.clients.model import KINDS, MOVABLE, Activity, Address, Contact, Relation
from services.kit.forest import rehome
from services.kit.homes import root_of, row_facts
from services.kit.movable import reassign

_TRAILS: dict[type, str] = {Address: "addresses", Contact: "contacts", Activity: "activities"}


def move_rows(uow: UnitOfWork, moves: Sequence[Move]) -> None:
    """Gives each row of this service its new home, unless it was re-assigned since; tells those that others copy."""
    for move in moves:
        if move.service != c.OWNER or move.kind not in MOVABLE:
            continue
        model = KINDS[move.kind]
        if model is Relation and _says_it_already(uow, move):
            continue
        if rehome(uow.session, model, move, MOVABLE[move.kind].alone):
            row = uow.session.get_one(model, move.id, populate_existing=True)
            touch(uow, row)
            _tell(uow, row, move.home_seen)


def reassign_row(uow: UnitOfWork, request: ReassignRow) -> bytes:
    """Gives a contact, an address or an activity logged by hand to another client for good.

    Raises as `reassign`, and `Conflict` for a relation, which is taken away and made anew, and for what an event told,
    which follows its source.
    """
    check_home(uow, request.home_client_id)
    row, former = reassign(uow, request, KINDS, MOVABLE, _check)
    if former is None:
        return b"{}"
    _tell(uow, row, former)
    if isinstance(row, Address):
        for home in (former, request.home_client_id):
            _choose_main(uow, home)
    return b"{}"


def _check(kind: str, row: Any) -> None:
    if kind == "relation":
        raise Conflict("Un lien ne change pas de client\u202f: retirez-le et créez-en un autre.", code="not_movable")
    if kind == "activity" and row.automatic:
        raise Conflict("Une activité automatique suit ce qu’elle raconte.", code="follows_source")


def _choose_main(uow: UnitOfWork, home: uuid.UUID) -> None:
    """The main address of the living client is one of its own; none left to choose from: the oldest."""
    record = root_record(uow, home)
    if fields.main_address(uow.session, record.id) == record.main_address_id:
        return
    fields.materialise(uow.session, record, ["main_address_id"])
    tell_updated(uow, record, {"main_address_id"})


def _says_it_already(uow: UnitOfWork, move: Move) -> bool:
    """Whether another living link of the new home says the same: the two would be one."""
    return bool(
        uow.session.scalar(
            text(
                "SELECT EXISTS (SELECT 1 FROM relation r JOIN relation o ON o.type = r.type "
                "AND o.other_home_client_id = r.other_home_client_id AND o.home_client_id = :home AND o.id <> r.id "
                "AND o.deleted_at IS NULL WHERE r.id = :id AND r.deleted_at IS NULL)"
            ),
            {"id": move.id, "home": move.home},
        )
    )


def _tell(uow: UnitOfWork, row: Any, former: uuid.UUID) -> None:
    uow.session.flush()
    root = root_of(uow.session, row.home_client_id)
    if isinstance(row, Address):
        state = addresses.state(row, root)
        uow.emit(c.AddressUpdated(**state), c.AddressReassigned(**state, former_home_client_id=former))
    elif isinstance(row, Contact):
        if row.deleted_at is None:
            uow.emit(c.ContactUpdated(**contacts.state(row, root)))
        uow.emit(c.ContactReassigned(**contacts.state(row, root), former_home_client_id=former))
    elif isinstance(row, Activity):
        uow.emit(c.ActivityReassigned(**activities.facts(uow, row), former_home_client_id=former))
    elif isinstance(row, Relation) and row.deleted_at is None:
        told = {"type": row.type, "other_home_client_id": row.other_home_client_id}
        uow.emit(c.RelationUpdated(**row_facts(uow.session, row), **told))
    if type(row) in _TRAILS:
        trail.note(uow, _TRAILS[type(row)], row, {"reassigned": root_of(uow.session, former)})
