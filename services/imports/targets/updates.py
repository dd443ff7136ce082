"""A row that came in before and has changed in its source since: what changed there follows, what was done here stays.

Field by field: the source's new value is written only where the value here is still the one the source gave.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from contracts import clients, equipment, interventions
from contracts.base import Model, Request
from services.imports.targets.base import Order, Resolver


@dataclass(frozen=True, slots=True)
class Updater:
    """How one kind is read and changed. `changes` is the shape of its merge patch."""

    read: Callable[[uuid.UUID, Order], Request]
    write: Callable[[uuid.UUID, Any], Request]
    changes: type[Model]


class Update(NamedTuple):
    """The request to send, None where nothing is left to change, and the fields kept as they are here."""

    request: Request | None
    kept: list[str]


def _sub(kind: clients.SubKind) -> Callable[[uuid.UUID, Order], Request]:
    return lambda id_, order: clients.GetSub(kind=kind, id=id_, client_id=order.requests[0].home_client_id)  # type: ignore[attr-defined]


UPDATERS: dict[str, Updater] = {
    "client": Updater(
        lambda id_, order: clients.GetClient(id=id_),
        lambda id_, changes: clients.UpdateClient(id=id_, changes=changes),
        clients.ClientChanges,
    ),
    "address": Updater(
        _sub("addresses"),
        lambda id_, changes: clients.UpdateAddress(id=id_, changes=changes),
        clients.AddressChanges,
    ),
    "contact": Updater(
        _sub("contacts"),
        lambda id_, changes: clients.UpdateContact(id=id_, changes=changes),
        clients.ContactChanges,
    ),
    "equipment": Updater(
        lambda id_, order: equipment.GetEquipment(id=id_),
        lambda id_, changes: equipment.UpdateEquipment(id=id_, changes=changes),
        equipment.EquipmentChanges,
    ),
    "job_site": Updater(
        lambda id_, order: interventions.GetJobSite(id=id_),
        lambda id_, changes: interventions.UpdateJobSite(id=id_, changes=changes),
        interventions.JobSiteChanges,
    ),
}


def said(order: Order) -> dict[str, Any]:
    """What an order says of its record, as it is kept to be compared with another day's."""
    body = getattr(order.requests[0], "body", None) if order.requests else None
    return body.model_dump(mode="json") if body is not None and order.kind in UPDATERS else {}


def update(order: Order, earlier: dict[str, Any], resolver: Resolver) -> Update | None:
    """The change to send for a record whose source changed; None for kinds that are not changed by an import.

    Raises `FicheError` when the owner cannot show the record (merged, deleted).
    """
    updater = UPDATERS.get(order.kind)
    if updater is None or not earlier:
        return None
    new = said(order)
    fields = set(updater.changes.model_fields) & set(new)
    changed = {name for name in fields if new[name] != earlier.get(name)}
    here = resolver.ask(updater.read(order.id, order)) if changed else {}
    open_fields = {name for name in changed if here.get(name) == earlier.get(name)}
    kept = sorted(name for name in changed - open_fields if here.get(name) != new[name])
    # An empty reference would ask for a new one.
    values = {name: new[name] for name in open_fields if not (name == "reference" and not new[name])}
    if not values:
        return Update(None, kept)
    return Update(updater.write(order.id, updater.changes.model_validate(values)), kept)
