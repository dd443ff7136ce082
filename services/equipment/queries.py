"""The read side of `equipment`: PostgreSQL makes the JSON."""

from __future__ import annotations

import uuid

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.page import Listing, like, meta, sections
from contracts.equipment import CheckEquipment, EquipmentFiche, ListEquipment
from services.kit.homes import (
    ADDRESS_JSON,
    address_join,
    client_join,
    client_pairs,
    fiche_answer,
    in_tree,
    tree_of,
)

EQUIPMENT = Listing(
    source=f"equipment e {client_join('e')} {address_join('e')}",
    item=(
        f"json_build_object({meta('e')}, {client_pairs('e')}, 'name', e.name, 'address_id', e.address_id, "
        f"'address', {ADDRESS_JSON}, 'place_id', e.place_id, 'description', e.description, 'brand', e.brand, "
        "'model', e.model, 'serial_number', e.serial_number, 'reference', e.reference, 'type_id', e.type_id, "
        "'parent_id', e.parent_id, 'state', e.state, 'purchased_on', e.purchased_on, 'installed_on', e.installed_on, "
        "'warranty_until', e.warranty_until, 'photos', e.photos)"
    ),
    key="e.id",
    sorts={"name": ("e.name", "text"), "-created_at": ("e.created_at", "timestamptz")},
    default="name",
)
_LIVING = "e.deleted_at IS NULL"


def get_equipment(session: Session, identifier: uuid.UUID) -> bytes:
    """One equipment as JSON. Raises `NotFound`."""
    body = EQUIPMENT.one(session, [_LIVING, "e.id = :id"], {"id": identifier})
    if body is None:
        raise NotFound("Cet équipement n’existe pas.")
    return body


def list_equipment(session: Session, request: ListEquipment) -> bytes:
    """A page of equipment, by name."""
    where, params = in_tree("e", request.tree)
    if request.address_id:
        where.append("e.address_id = :address")
        params["address"] = request.address_id
    if request.q.strip():
        where.append("concat_ws(' ', e.name, e.brand, e.model, e.serial_number, e.reference) ILIKE :q")
        params["q"] = f"%{like(request.q.strip())}%"
    return EQUIPMENT.page(session, [_LIVING, *where], params, request)


def fiche(session: Session, request: EquipmentFiche) -> bytes:
    """The section of a fiche: count and first page in one query."""
    tree = request.tree or tree_of(session, request.client_id)
    where, params = in_tree("e", tree)
    parts = {"equipment": (EQUIPMENT, [_LIVING, *where])}
    return fiche_answer(tree, sections(session, parts, params, request.limit))


def check(session: Session, request: CheckEquipment) -> dict[str, list[str]]:
    """`{"foreign": [ids that are not of the tree]}`."""
    rows = session.execute(
        text("SELECT id FROM equipment WHERE id = ANY(:ids) AND home_client_id = ANY(:tree) AND deleted_at IS NULL"),
        {"ids": request.ids, "tree": request.tree},
    )
    known = {str(row[0]) for row in rows}
    return {"foreign": [str(identifier) for identifier in request.ids if str(identifier) not in known]}
