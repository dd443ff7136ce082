"""A row that came in before and has changed in its source since: what changed there follows, what was done here stays.

Field by field: the source's new value is written only where the value here is still the one the source gave.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from contracts import billing, clients, documents, equipment, interventions, maintenance
from contracts.base import Model, Request
from services.imports.targets.base import Order, Resolver


@dataclass(frozen=True, slots=True)
class Updater:
    """How one kind is read and changed. `changes` is the shape of its merge patch."""

    read: Callable[[uuid.UUID, Order], Request]
    write: Callable[[uuid.UUID, Any, Order], Request]
    changes: type[Model]


class Update(NamedTuple):
    """The requests to send, none where nothing is left to change, and the fields kept as they are here."""

    requests: list[Request]
    kept: list[str]


def _sub(kind: clients.SubKind) -> Callable[[uuid.UUID, Order], Request]:
    return lambda id_, order: clients.GetSub(kind=kind, id=id_, client_id=order.requests[0].home_client_id)  # type: ignore[attr-defined]


UPDATERS: dict[str, Updater] = {
    "client": Updater(
        lambda id_, order: clients.GetClient(id=id_),
        lambda id_, changes, order: clients.UpdateClient(id=id_, changes=changes),
        clients.ClientChanges,
    ),
    "address": Updater(
        _sub("addresses"),
        lambda id_, changes, order: clients.UpdateAddress(id=id_, changes=changes),
        clients.AddressChanges,
    ),
    "contact": Updater(
        _sub("contacts"),
        lambda id_, changes, order: clients.UpdateContact(id=id_, changes=changes),
        clients.ContactChanges,
    ),
    "equipment": Updater(
        lambda id_, order: equipment.GetEquipment(id=id_),
        lambda id_, changes, order: equipment.UpdateEquipment(id=id_, changes=changes),
        equipment.EquipmentChanges,
    ),
    "job_site": Updater(
        lambda id_, order: interventions.GetJobSite(id=id_),
        lambda id_, changes, order: interventions.UpdateJobSite(id=id_, changes=changes),
        interventions.JobSiteChanges,
    ),
    "activity": Updater(
        _sub("activities"),
        lambda id_, changes, order: clients.UpdateActivity(id=id_, changes=changes),
        clients.ActivityChanges,
    ),
    "intervention": Updater(
        lambda id_, order: interventions.GetIntervention(id=id_),
        lambda id_, changes, order: interventions.UpdateIntervention(id=id_, changes=changes),
        interventions.InterventionChanges,
    ),
    "plan": Updater(
        lambda id_, order: maintenance.GetPlan(id=id_),
        lambda id_, changes, order: maintenance.UpdatePlan(id=id_, changes=changes),
        maintenance.PlanChanges,
    ),
    "document": Updater(
        lambda id_, order: documents.GetDocument(id=id_),
        lambda id_, changes, order: documents.UpdateDocument(id=id_, changes=changes),
        documents.DocumentChanges,
    ),
    "details": Updater(
        lambda id_, order: billing.GetDetails(client_id=_home(order)),
        lambda id_, changes, order: billing.UpdateDetails(
            home_client_id=_home(order), written_client_id=_home(order), changes=changes
        ),
        billing.DetailsChanges,
    ),
}


def _home(order: Order) -> uuid.UUID:
    home: uuid.UUID = order.requests[0].home_client_id  # type: ignore[attr-defined]
    return home


def said(order: Order) -> dict[str, Any]:
    """What an order says of its record, as it is kept to be compared with another day's."""
    request: Any = order.requests[0] if order.requests else None
    body = getattr(request, "body", None) or getattr(request, "changes", None)
    if body is None or order.kind not in UPDATERS:
        return {}
    # Of what is a patch by itself, only what it names.
    values: dict[str, Any] = body.model_dump(mode="json", exclude_unset=order.kind == "details")
    return values | ({"state": request.state} if order.kind == "intervention" else {})


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
    finished = new.get("state") == "done" != earlier.get("state")
    here = resolver.ask(updater.read(order.id, order)) if changed or finished else {}
    open_fields = {name for name in changed if _same(here.get(name), earlier.get(name))}
    kept = sorted(name for name in changed - open_fields if not _same(here.get(name), new[name]))
    # An empty reference would ask for a new one.
    values = {name: new[name] for name in open_fields if not (name == "reference" and not new[name])}
    requests: list[Request] = []
    if values:
        requests.append(updater.write(order.id, updater.changes.model_validate(values), order))
    if finished and here["state"] not in ("done", "cancelled"):
        requests += _finished(order)
    return Update(requests, kept)


def _finished(order: Order) -> list[Request]:
    """Work that was done there meanwhile: its report, where none was written here, and its end."""
    created: Any = order.requests[0]
    end = interventions.ActOnIntervention(id=order.id, action="finish")
    if created.report is None:
        return [end]
    return [interventions.FillReport(id=order.id, body=created.report), end]


def _same(one: Any, other: Any) -> bool:
    """Whether two values say the same; a moment may be written in several ways, and absent is empty."""
    if one == other or (one in (None, "", []) and other in (None, "", [])):
        return True
    if not (isinstance(one, str) and isinstance(other, str)):
        return False
    try:
        return datetime.fromisoformat(one) == datetime.fromisoformat(other)
    except (ValueError, TypeError):
        return False
