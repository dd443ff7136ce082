"""What somebody on the road sees: his work, and the past of the places he is sent to (domain, Interventions)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from chassis.context import Actor
from services.interventions.model import Intervention

#: Roles that see no more than their own work; another role beside them lifts it.
_ROAD = frozenset({"technician", "subcontractor"})


@dataclass(frozen=True)
class Sight:
    """Somebody on the road. A subcontractor sees only what he was given."""

    id: str
    places: bool

    def work(self, x: str = "x") -> tuple[str, dict[str, Any]]:
        """Condition on interventions and its parameters."""
        own = f"({x}.technician_ids ? :me OR {x}.lead_technician_id::text = :me)"
        if not self.places:
            return own, {"me": self.id}
        # He is sent to a place as long as there is something left for him to do there.
        sent = (
            f"{x}.state = 'done' AND {x}.place_id IN (SELECT o.place_id FROM intervention o WHERE o.deleted_at IS NULL "
            "AND o.state IN ('to_plan', 'planned', 'in_progress') "
            "AND (o.technician_ids ? :me OR o.lead_technician_id::text = :me))"
        )
        return f"{own} OR ({sent})", {"me": self.id}

    def sites(self) -> tuple[str, dict[str, Any]]:
        """Condition on job sites: those that he has work on."""
        return (
            "EXISTS (SELECT 1 FROM intervention o WHERE o.job_site_id = x.id AND o.deleted_at IS NULL AND "
            "(o.technician_ids ? :me OR o.lead_technician_id::text = :me))"
        ), {"me": self.id}


def seen_by(actor: Actor) -> Sight | None:
    """How far somebody sees; None for those who see all: the office, and machines by their scopes."""
    roles = set(actor.roles)
    if actor.kind != "user" or not roles or not roles <= _ROAD:
        return None
    try:
        identifier = str(uuid.UUID(actor.id))
    except ValueError:
        return None
    return Sight(identifier, places="technician" in roles)


def people(row: Intervention) -> set[str]:
    """Ids of those who are given the work."""
    lead = {str(row.lead_technician_id)} if row.lead_technician_id else set()
    return lead | {str(one) for one in row.technician_ids}
