"""Equipment → equipment."""

from __future__ import annotations

import uuid

from contracts import equipment as c
from contracts.clients import Origin
from services.imports import records
from services.imports.targets.base import AUTHOR, Order, Resolver


def equipment(record: records.Equipment, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """Something installed, at its address and place."""
    home = resolver.home(record.client_ref)
    body = c.EquipmentBody(
        name=record.name,
        address_id=resolver.find(record.address_ref),
        description=record.description,
        brand=record.brand or "",
        model=record.model or "",
        serial_number=record.serial_number or "",
        reference=record.reference or "",
        parent_id=resolver.find(record.parent_ref),
        purchased_on=record.purchased_on,
        installed_on=record.installed_on,
        warranty_until=record.warranty_until,
    )
    request = c.CreateEquipment(
        id=chosen,
        home_client_id=home.home,
        written_client_id=home.written,
        place_id=resolver.answer(record.address_ref, "place_id"),
        body=body,
        origin=Origin(created_by_name=AUTHOR),
    )
    return Order("equipment", "equipment", chosen, [request])
