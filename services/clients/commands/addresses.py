"""Use cases of addresses: exactly one main per client while it has a living one, whatever races."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from chassis.errors import Conflict, Invalid, NotFound
from chassis.ids import new_id
from chassis.stamp import apply_changes, check_version, lock, touch
from chassis.uow import UnitOfWork
from contracts import clients as c
from services.clients.commands.shared import root_record, stamps, tell_updated, write_fields
from services.clients.model import Address, Client, Place
from services.clients.queries import records, rows
from services.kit.homes import root_of

ABSENT = "Cette adresse n’existe pas."


def create_address(uow: UnitOfWork, request: c.CreateAddress) -> bytes:
    """Adds an address; the first is the main one. A `place_id` that is not known is refused."""
    body = request.body
    root = root_record(uow, request.home_client_id)
    if body.place_id is None:
        place = Place(id=new_id())
        uow.session.add(place)
        uow.session.flush()
    else:
        place_or_none = uow.session.get(Place, body.place_id)
        if place_or_none is None:
            raise Invalid.field("place_id", "Ce lieu n’existe pas.")
        place = place_or_none
    row = Address(
        id=request.id or new_id(),
        home_client_id=request.home_client_id,
        written_client_id=request.written_client_id,
        place_id=place.id,
        **body.model_dump(exclude={"place_id"}),
        **stamps(uow, request.origin),
    )
    uow.session.add(row)
    uow.session.flush()
    if root.main_address_id is None or request.main:
        _set_main(uow, root, row)
    uow.emit(c.AddressCreated(**_facts(uow, row)))
    return rows.get_row(uow.session, "addresses", row.id)


def update_address(uow: UnitOfWork, request: c.UpdateAddress) -> bytes:
    """Changes or retires an address. The main one can be retired only when it is the last."""
    seen = lock_free(uow, request.id)
    root = root_record(uow, seen.home_client_id)
    row = lock(uow.session, Address, request.id, ABSENT)
    check_version(row, request.expected_version)
    changed = apply_changes(row, request.changes, skip=frozenset({"retired"}))
    if "retired" in request.changes.model_fields_set and request.changes.retired != (row.retired_at is not None):
        _retire(uow, root, row, request.changes.retired)
        changed.add("retired")
    if not (row.street or row.city or row.postal_code):
        raise Invalid.field("street", "Donnez une rue, un code postal ou une ville.")
    if changed:
        touch(uow, row)
        uow.session.flush()
        uow.emit(c.AddressUpdated(**_facts(uow, row)))
    return rows.get_row(uow.session, "addresses", row.id)


def retire_address(uow: UnitOfWork, request: c.DeleteSub) -> bytes:
    """`DELETE` of an address: it is retired, not erased, since work or equipment may stand there."""
    seen = lock_free(uow, request.id)
    root = root_record(uow, seen.home_client_id)
    row = lock(uow.session, Address, request.id, ABSENT)
    check_version(row, request.expected_version)
    if row.retired_at is None:
        _retire(uow, root, row, True)
        touch(uow, row)
        uow.session.flush()
        uow.emit(c.AddressUpdated(**_facts(uow, row)))
    return b"{}"


def promote_address(uow: UnitOfWork, request: c.PromoteAddress) -> bytes:
    """Makes an address the main one. Under the record's lock, so that two at once leave exactly one."""
    seen = lock_free(uow, request.id)
    root = root_record(uow, seen.home_client_id)
    row = lock(uow.session, Address, request.id, ABSENT)
    if row.retired_at is not None:
        raise Conflict("Cette adresse n’est plus utilisée : remettez-la en service d’abord.", code="address_retired")
    if root.main_address_id != row.id:
        _set_main(uow, root, row)
    return rows.get_row(uow.session, "addresses", row.id)


def lock_free(uow: UnitOfWork, identifier: Any) -> Address:
    """The address as read, to know its record before the record's lock (record first, then its rows)."""
    row = uow.session.get(Address, identifier)
    if row is None:
        raise NotFound(ABSENT)
    return row


def _retire(uow: UnitOfWork, root: Client, row: Address, retired: bool) -> None:
    if not retired:
        row.retired_at = None
        if root.main_address_id is None:
            _set_main(uow, root, row)
        return
    row.retired_at = uow.now
    uow.session.flush()
    if root.main_address_id == row.id:
        tree = records.tree_ids(uow.session, root.id)
        others = select(Address).where(Address.home_client_id.in_(tree), Address.retired_at.is_(None))
        if uow.session.scalars(others.limit(1)).first() is not None:
            raise Conflict(
                "C’est l’adresse principale : choisissez-en une autre avant de la retirer.", code="main_address"
            )
        _set_main(uow, root, None)


def _set_main(uow: UnitOfWork, root: Client, row: Address | None) -> None:
    root.main_address_id = None if row is None else row.id
    write_fields(uow, root.id, {"main_address_id": root.main_address_id and str(root.main_address_id)})
    touch(uow, root)
    uow.session.flush()
    tell_updated(uow, root, {"main_address_id"})


def _facts(uow: UnitOfWork, row: Address) -> dict[str, Any]:
    return {
        "id": row.id,
        "home_client_id": row.home_client_id,
        "client_id": root_of(uow.session, row.home_client_id),
        "label": row.label,
        "street": row.street,
        "street_extra": row.street_extra,
        "postal_code": row.postal_code,
        "city": row.city,
        "country": row.country,
        "place_id": row.place_id,
        "retired": row.retired_at is not None,
    }
