"""Rows reached by their own id: whoever writes to one writes to its client (architecture, rule 11)."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from chassis.errors import Gone, NotFound
from contracts import billing, documents, equipment, interventions, maintenance
from contracts.forest import HomesOf
from gateway.door import ClientDoor
from gateway.rpc import Rpc

#: First word of a path → the kind of row and the question that it is the answer of; its service is the question's.
OWNED: dict[str, tuple[str, Any]] = {
    "interventions": ("intervention", interventions.GetIntervention),
    "job-sites": ("job_site", interventions.GetJobSite),
    "equipment": ("equipment", equipment.GetEquipment),
    "maintenance-plans": ("plan", maintenance.GetPlan),
    "maintenance-visits": ("visit", maintenance.GetVisit),
    "documents": ("document", documents.GetDocument),
    "quotes": ("quote", billing.GetQuote),
    "invoices": ("invoice", billing.GetInvoice),
    "credit-notes": ("credit_note", billing.GetCreditNote),
}
_BY_ID = re.compile(r"^/([a-z-]+)/\{id\}(/|$)")


def owned(method: str, path: str) -> tuple[str, Any] | None:
    """The kind of row and the question to ask before a route writes to it; None where it does no such thing."""
    found = _BY_ID.match(path)
    return OWNED.get(found[1]) if found and method in ("POST", "PUT", "PATCH", "DELETE") else None


def owner_of(question: Any) -> str:
    """The service that answers it."""
    return str(question.rpc.partition(".")[0])


def must_have_client(rpc: Rpc, kind: str, asked: Any, identifier: UUID) -> None:
    """Raises `Gone` when the row's client was deleted."""
    try:
        row = rpc.ask_json(asked(id=identifier))
    except (NotFound, Gone):
        return  # what the command itself says of it: unknown, or to be taken back from a bin
    try:
        ClientDoor(rpc).home(UUID(row["client_id"]))
    except Gone:
        # The service may not have heard yet of an undo: whose a row is by itself does not depend on that.
        homes = rpc.ask_json(HomesOf(rows={kind: [identifier]}), service=owner_of(asked))["homes"]
        home = homes.get(str(identifier))
        if home in (None, row["client_id"]):
            raise
        ClientDoor(rpc).home(UUID(home))
