"""The write side of `equipment`: one function a use case."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select

from chassis.errors import Gone, Invalid
from chassis.ids import new_id
from chassis.stamp import apply_changes, check_version, lock, touch
from chassis.uow import UnitOfWork
from contracts.equipment import (
    CreateEquipment,
    DeleteEquipment,
    EquipmentBody,
    EquipmentChanges,
    EquipmentCreated,
    EquipmentDeleted,
    EquipmentMoved,
    EquipmentReassigned,
    EquipmentRestored,
    EquipmentUpdated,
    ReassignEquipment,
    RestoreEquipment,
    UpdateEquipment,
)
from services.equipment import queries
from services.equipment.model import Equipment
from services.kit.history import note, state_of
from services.kit.homes import root_of, row_facts
from services.kit.movable import give_away, note_reassigned
from services.kit.stamps import stamps

ABSENT = "Cet équipement n’existe pas."
#: Fields that are lists, kept as JSON.
_LISTS = frozenset({"photos", "details"})
_FIELDS = frozenset(EquipmentBody.model_fields)


def create_equipment(uow: UnitOfWork, request: CreateEquipment) -> bytes:
    """Records an equipment. Raises `Invalid` when the parent is not of the same home."""
    body = request.body
    values = body.model_dump(exclude=set(_LISTS)) | _lists(body)
    row = Equipment(
        id=request.id or new_id(),
        home_client_id=request.home_client_id,
        written_client_id=request.written_client_id,
        place_id=request.place_id,
        **values,
        **stamps(uow, request.origin),
    )
    _check_parent(uow, row)
    uow.session.add(row)
    uow.session.flush()
    note(uow, row, "created")
    told = EquipmentCreated(**_facts(uow, row), installed_on=row.installed_on, imported=request.origin is not None)
    uow.emit(told)
    return queries.get_equipment(uow.session, row.id)


def update_equipment(uow: UnitOfWork, request: UpdateEquipment) -> bytes:
    """Changes what the request names; nothing changed, no event. Raises `Stale`, `Invalid`, `Gone`."""
    row = _living(uow, request.id)
    check_version(row, request.expected_version)
    changes = request.changes
    if "name" in changes.model_fields_set and not changes.name:
        raise Invalid.field("name", "Donnez un nom à l’équipement.")
    before, place = state_of(row, _FIELDS), row.place_id
    changed = apply_changes(row, changes, skip=_LISTS)
    for name, value in _lists(changes).items():
        if name in changes.model_fields_set and value != getattr(row, name):
            setattr(row, name, value)
            changed.add(name)
    if "address_id" in changed:
        row.place_id = request.place_id
    if changed:
        _check_parent(uow, row)
        touch(uow, row)
        uow.session.flush()
        moved = "address_id" in changed
        note(uow, row, "changed", {name: value for name, value in before.items() if name != "address_id"})
        uow.emit(EquipmentUpdated(**_facts(uow, row), changed=sorted(changed)))
        if moved:
            note(uow, row, "moved", {"address_id": before["address_id"]})
            uow.emit(EquipmentMoved(**_facts(uow, row), former_address_id=before["address_id"], former_place_id=place))
    return queries.get_equipment(uow.session, row.id)


def reassign_equipment(uow: UnitOfWork, request: ReassignEquipment) -> bytes:
    """Gives an equipment and its parts to another client. Raises `Stale`, `Gone`; the record's own stays as it is.

    What was shown with that client by a merge alone becomes its own, and stays where it stands unless told otherwise.
    """
    give_away(uow.session, request.forest, [request.id])
    row = _living(uow, request.id)
    check_version(row, request.expected_version)
    if row.home_client_id != request.home_client_id:
        moves = request.body.address_id is not None
        if root_of(uow.session, row.home_client_id) != request.home_client_id:
            moves, row.parent_id = True, None
        for part in [row, *_parts_of(uow, row)]:
            home, address = part.home_client_id, part.address_id
            part.home_client_id, part.written_client_id = request.home_client_id, request.written_client_id
            if moves:
                part.address_id, part.place_id = request.body.address_id, request.place_id
            touch(uow, part)
            uow.session.flush()
            _tell_reassigned(uow, part, home, address)
    return queries.get_equipment(uow.session, row.id)


def moved_with_undo(uow: UnitOfWork, row: Equipment, former: uuid.UUID) -> None:
    """An equipment changed sides with an undo: its parts of the same side go too; it stands where it stood."""
    parent = uow.session.get(Equipment, row.parent_id) if row.parent_id else None
    if parent is not None and root_of(uow.session, parent.home_client_id) != root_of(uow.session, row.home_client_id):
        row.parent_id = None
    _tell_reassigned(uow, row, former, row.address_id)
    for part in _parts_of(uow, row):
        if part.home_client_id == former:
            part.home_client_id, part.written_client_id = row.home_client_id, row.written_client_id
            touch(uow, part)
            uow.session.flush()
            _tell_reassigned(uow, part, former, part.address_id)


def _tell_reassigned(uow: UnitOfWork, row: Equipment, former: uuid.UUID, address: uuid.UUID | None) -> None:
    note_reassigned(uow, row, former)
    uow.emit(EquipmentReassigned(**_facts(uow, row), former_home_client_id=former, former_address_id=address))


def _parts_of(uow: UnitOfWork, row: Equipment) -> list[Equipment]:
    """What stands in an equipment, at every depth, locked."""
    found: list[Equipment] = []
    above = [row.id]
    while above:
        parts = list(uow.session.scalars(select(Equipment).where(Equipment.parent_id.in_(above)).with_for_update()))
        found += parts
        above = [part.id for part in parts]
    return found


def delete_equipment(uow: UnitOfWork, request: DeleteEquipment) -> bytes:
    """Takes an equipment off the fiche; asked again, it stays as it is."""
    row = _living(uow, request.id)
    check_version(row, request.expected_version)
    row.deleted_at = uow.now
    touch(uow, row)
    uow.session.flush()
    note(uow, row, "deleted")
    uow.emit(EquipmentDeleted(**_facts(uow, row), deleted_at=uow.now))
    return b"{}"


def restore_equipment(uow: UnitOfWork, request: RestoreEquipment) -> bytes:
    """Puts an equipment back on the fiche; one that is there stays as it is."""
    row = lock(uow.session, Equipment, request.id, ABSENT)
    if row.deleted_at is not None:
        row.deleted_at = None
        touch(uow, row)
        uow.session.flush()
        note(uow, row, "restored")
        uow.emit(EquipmentRestored(**_facts(uow, row)))
    return queries.get_equipment(uow.session, row.id)


def _lists(body: EquipmentBody | EquipmentChanges) -> dict[str, list[Any]]:
    """The fields that are lists, as JSON keeps them."""
    return {
        "photos": [str(photo) for photo in body.photos],
        "details": [detail.model_dump() for detail in body.details],
    }


def _living(uow: UnitOfWork, identifier: uuid.UUID) -> Equipment:
    row = lock(uow.session, Equipment, identifier, ABSENT)
    if row.deleted_at is not None:
        raise Gone("Cet équipement a été supprimé.")
    return row


def _check_parent(uow: UnitOfWork, row: Equipment) -> None:
    """The parent is an equipment of the same home, and no part contains itself."""
    seen = {row.id}
    parent_id = row.parent_id
    while parent_id is not None:
        parent = uow.session.get(Equipment, parent_id)
        if parent is None or root_of(uow.session, parent.home_client_id) != root_of(uow.session, row.home_client_id):
            raise Invalid.field("parent_id", "Cet équipement parent n’existe pas chez ce client.")
        if parent.id in seen:
            raise Invalid.field("parent_id", "Un équipement ne peut pas faire partie de lui-même.")
        seen.add(parent.id)
        parent_id = parent.parent_id


def _facts(uow: UnitOfWork, row: Equipment) -> dict[str, Any]:
    return {
        **row_facts(uow.session, row),
        "name": row.name,
        "brand": row.brand,
        "model": row.model,
        "serial_number": row.serial_number,
        "address_id": row.address_id,
        "place_id": row.place_id,
        "photos": row.photos,
    }
