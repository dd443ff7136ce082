"""Rows reached by their own id: whoever writes to one writes to its client (architecture, rule 11)."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from chassis.errors import Gone, NotFound
from contracts import billing, documents, equipment, interventions, maintenance
from gateway.door import ClientDoor
from gateway.rpc import Rpc

#: First word of a path → the question whose answer names the row's client.
_OWNED: dict[str, Any] = {
    "interventions": interventions.GetIntervention,
    "job-sites": interventions.GetJobSite,
    "equipment": equipment.GetEquipment,
    "maintenance-plans": maintenance.GetPlan,
    "maintenance-visits": maintenance.GetVisit,
    "documents": documents.GetDocument,
    "quotes": billing.GetQuote,
    "invoices": billing.GetInvoice,
    "credit-notes": billing.GetCreditNote,
}
_BY_ID = re.compile(r"^/([a-z-]+)/\{id\}(/|$)")


def owned(method: str, path: str) -> Any:
    """The question to ask before a route writes to a row of a client; None where it does no such thing."""
    found = _BY_ID.match(path)
    return _OWNED.get(found[1]) if found and method in ("POST", "PUT", "PATCH", "DELETE") else None


def must_have_client(rpc: Rpc, asked: Any, identifier: UUID) -> None:
    """Raises `Gone` when the row's client was deleted."""
    try:
        row = rpc.ask_json(asked(id=identifier))
    except (NotFound, Gone):
        return  # what the command itself says of it: unknown, or to be taken back from a bin
    ClientDoor(rpc).home(UUID(row["client_id"]))
