"""The read side of `equipment`: PostgreSQL makes the JSON."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.page import (
    Listing,
    Part,
    meta,
    of_pairs,
)
from contracts import equipment as c
from services.kit.history import history, known
from services.kit.homes import (
    address_join,
    address_json,
    client_join,
    client_pairs,
    fiche_answer,
    in_tree,
    of_root,
    tree_sections,
)
from services.kit.search import words_in

EQUIPMENT = Listing(
    source=f"equipment e {client_join('e')} {address_join('e')}",
    item=of_pairs(
        f"{meta('e')}, {client_pairs('e')}, 'name', e.name, 'address_id', e.address_id, "
        f"'address', {address_json('e')}, 'place_id', e.place_id, 'description', e.description, 'brand', e.brand, "
        "'model', e.model, 'serial_number', e.serial_number, 'reference', e.reference, 'type_id', e.type_id, "
        "'parent_id', e.parent_id, 'state', e.state, 'purchased_on', e.purchased_on, 'installed_on', e.installed_on, "
        "'warranty_until', e.warranty_until, 'details', e.details, 'photos', e.photos"
    ),
    key="e.id",
    sorts={"name": ("e.name", "text"), "-created_at": ("e.created_at", "timestamptz")},
    default="name",
)
_LIVING = "e.deleted_at IS NULL"
ABSENT = "Cet équipement n’existe pas."


_WORDS = "concat_ws(' ', e.name, e.brand, e.model, e.serial_number, e.reference, e.description)"
#: A serial number is found however it is spaced.
_COMPACT = "regexp_replace(lower(concat_ws(' ', e.serial_number, e.reference)), '[^[:alnum:]]', '', 'g')"


def get_equipment(session: Session, identifier: uuid.UUID) -> bytes:
    """One equipment as JSON. Raises `NotFound`."""
    body = EQUIPMENT.one(session, [_LIVING, "e.id = :id"], {"id": identifier})
    if body is None:
        raise NotFound(ABSENT)
    return body


def list_equipment(session: Session, request: c.ListEquipment) -> bytes:
    """A page of equipment, by name."""
    where, params = in_tree("e", request.tree)
    for values, condition, name in (
        (request.address_id, "e.address_id = ANY(:addresses)", "addresses"),
        (request.brand, "lower(e.brand) = ANY(:brands)", "brands"),
        (request.state, "e.state = ANY(:states)", "states"),
        (request.id, "e.id = ANY(:ids)", "ids"),
    ):
        if values:
            where.append(condition)
            params[name] = [one.lower() for one in request.brand] if name == "brands" else list(values)
    if request.parent_id:
        where.append("e.parent_id = :parent")
        params["parent"] = request.parent_id
    if request.q.strip():
        found, more = words_in(_WORDS, request.q)
        params |= more
        compact = "".join(letter for letter in request.q.lower() if letter.isalnum())
        if len(compact) >= 4:
            found = f"{found} OR {_COMPACT} LIKE :compact"
            params["compact"] = f"%{compact}%"
        where.append(found)
    return EQUIPMENT.page(session, [_LIVING, *where], params, request)


def choices(session: Session, request: c.EquipmentChoices) -> bytes:
    """`{"addresses": [{"id", "label", "street", "city", "count"}], "brands": [{"brand", "count"}]}`."""
    where, params = in_tree("e", request.tree)
    conditions = " AND ".join([_LIVING, *where])
    return str(
        session.execute(
            text(
                "SELECT json_build_object('addresses', (SELECT coalesce(json_agg(json_build_object('id', a.id, "
                "'label', a.label, 'street', a.street, 'city', a.city, 'count', a.n) ORDER BY a.label, a.street), "
                "'[]') "
                "FROM (SELECT ka.id, ka.label, ka.street, ka.city, count(*) AS n FROM equipment e "
                f"JOIN known_address ka ON ka.id = e.address_id WHERE {conditions} GROUP BY ka.id) a), "
                "'brands', (SELECT coalesce(json_agg(json_build_object('brand', b.brand, 'count', b.n) "
                "ORDER BY lower(b.brand)), '[]') FROM (SELECT min(e.brand) AS brand, count(*) AS n FROM equipment e "
                f"WHERE {conditions} AND e.brand <> '' GROUP BY lower(e.brand)) b))::text"
            ),
            params,
        ).scalar_one()
    ).encode()


def equipment_history(session: Session, request: c.ListEquipmentHistory) -> bytes:
    """What was changed of an equipment, newest first; of one taken away too."""
    if not known(session, "equipment", request.id):
        raise NotFound(ABSENT)
    return history(session, request.id, request)


_OF_ONE = of_root(EQUIPMENT, "e")


def fiche(session: Session, request: c.EquipmentFiche) -> bytes:
    """The section of a fiche: count and first page in one query."""

    def parts(tree: Sequence[uuid.UUID]) -> tuple[dict[str, Part], dict[str, Any]]:
        where, params = in_tree("e", tree)
        return {"equipment": (_OF_ONE, [_LIVING, *where])}, params

    tree, found, _ = tree_sections(session, request, parts)
    return fiche_answer(tree, found)


def check(session: Session, request: c.CheckEquipment) -> dict[str, list[str]]:
    """`{"foreign": [ids that are not of the tree]}`."""
    rows = session.execute(
        text("SELECT id FROM equipment WHERE id = ANY(:ids) AND home_client_id = ANY(:tree) AND deleted_at IS NULL"),
        {"ids": request.ids, "tree": request.tree},
    )
    known = {str(row[0]) for row in rows}
    return {"foreign": [str(identifier) for identifier in request.ids if str(identifier) not in known]}
