"""The write side of `equipment`: one function a use case."""

from __future__ import annotations

import uuid
from typing import Any

from chassis.errors import Gone, Invalid
from chassis.ids import new_id
from chassis.stamp import apply_changes, check_version, lock, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts.equipment import (
    CreateEquipment,
    DeleteEquipment,
    EquipmentCreated,
    EquipmentDeleted,
    EquipmentUpdated,
    UpdateEquipment,
)
from services.equipment import queries
from services.equipment.model import Equipment
from services.kit.homes import root_of

ABSENT = "Cet équipement n’existe pas."


def create_equipment(uow: UnitOfWork, request: CreateEquipment) -> bytes:
    """Records an equipment. Raises `Invalid` when the parent is not of the same home."""
    body = request.body
    values = body.model_dump()
    values["photos"] = [str(photo) for photo in body.photos]
    row = Equipment(
        id=request.id or new_id(),
        home_client_id=request.home_client_id,
        written_client_id=request.written_client_id,
        place_id=request.place_id,
        **values,
        **stamp_new(uow),
    )
    _check_parent(uow, row)
    uow.session.add(row)
    uow.session.flush()
    uow.emit(EquipmentCreated(**_facts(uow, row), installed_on=row.installed_on))
    return queries.get_equipment(uow.session, row.id)


def update_equipment(uow: UnitOfWork, request: UpdateEquipment) -> bytes:
    """Changes what the request names; nothing changed, no event. Raises `Stale`, `Invalid`, `Gone`."""
    row = _living(uow, request.id)
    check_version(row, request.expected_version)
    changes = request.changes
    if "name" in changes.model_fields_set and not changes.name:
        raise Invalid.field("name", "Donnez un nom à l’équipement.")
    changed = apply_changes(row, changes, skip=frozenset({"photos"}))
    if "photos" in changes.model_fields_set:
        photos = [str(photo) for photo in changes.photos]
        if photos != row.photos:
            row.photos = photos
            changed.add("photos")
    if "address_id" in changed:
        row.place_id = request.place_id
    if changed:
        _check_parent(uow, row)
        touch(uow, row)
        uow.session.flush()
        uow.emit(EquipmentUpdated(**_facts(uow, row), changed=sorted(changed)))
    return queries.get_equipment(uow.session, row.id)


def delete_equipment(uow: UnitOfWork, request: DeleteEquipment) -> bytes:
    """Takes an equipment off the fiche; asked again, it stays as it is."""
    row = _living(uow, request.id)
    check_version(row, request.expected_version)
    row.deleted_at = uow.now
    touch(uow, row)
    uow.session.flush()
    uow.emit(EquipmentDeleted(**_facts(uow, row), deleted_at=uow.now))
    return b"{}"


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
        "id": row.id,
        "home_client_id": row.home_client_id,
        "client_id": root_of(uow.session, row.home_client_id),
        "name": row.name,
        "brand": row.brand,
        "model": row.model,
        "serial_number": row.serial_number,
        "address_id": row.address_id,
        "place_id": row.place_id,
    }
