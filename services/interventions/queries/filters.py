"""The filters of http-api, each as one condition: the list joins them, the counts leave one out at a time."""

from __future__ import annotations

from typing import Any

from contracts import interventions as c
from services.interventions.queries.listings import APPOINTMENT, LIVING, NEEDS_QUOTE, STATUS, TO_INVOICE, has_document
from services.kit.homes import in_tree
from services.kit.search import words_in
from services.kit.zone import ZONE

#: Filters that say when; what waits in the tray has no date and passes them by.
ABOUT_TIME = frozenset({"status", "state", "scheduled", "days"})
_NOBODY = "(x.technician_ids = '[]' AND x.lead_technician_id IS NULL)"


def conditions(request: c.InterventionFilters) -> tuple[dict[str, str], dict[str, Any]]:
    """Name of each filter that is set → its condition, and the parameters of all. `base` always holds."""
    tree, params = in_tree("x", request.tree)
    found = {"base": " AND ".join([LIVING, *tree])}

    def add(name: str, condition: str, **values: Any) -> None:
        found[name] = condition
        params.update(values)

    if request.q.strip():
        condition, values = words_in("x.title || ' ' || x.number", request.q)
        add("q", condition, **values)
    if request.type_id:
        add("type_id", "x.type_id = ANY(:types)", types=request.type_id)
    if request.address_id:
        add("address_id", "x.address_id = ANY(:addresses)", addresses=request.address_id)
    if request.technician_id:
        some = [str(one) for one in request.technician_id if one != "none"]
        either = "x.technician_ids ?| :people OR x.lead_technician_id::text = ANY(:people)"
        add("technician_id", f"({either} OR {_NOBODY})" if "none" in request.technician_id else either, people=some)
    if request.status:
        add("status", f"{STATUS} = ANY(:statuses)", statuses=list(request.status))
    if request.state:
        add("state", "x.state = ANY(:states)", states=list(request.state))
    for name, expression in FLAGS.items():
        wanted = getattr(request, name)
        if wanted is not None:
            add(name, expression if wanted else f"NOT {expression}")
    if request.job_site_id:
        add("job_site_id", "x.job_site_id = :site", site=request.job_site_id)
    if request.equipment_id:
        add("equipment_id", "x.equipment_ids ? :equipment", equipment=str(request.equipment_id))
    if request.place_id:
        add("place_id", "x.place_id = :place", place=request.place_id)
    days = []
    if request.from_day:
        days.append(f"coalesce(x.ends_at, x.starts_at) >= CAST(:from_day AS date)::timestamp AT TIME ZONE {ZONE}")
        params["from_day"] = request.from_day
    if request.to_day:
        days.append(f"x.starts_at < (CAST(:to_day AS date) + 1)::timestamp AT TIME ZONE {ZONE}")
        params["to_day"] = request.to_day
    if days:
        found["days"] = " AND ".join(days)
    return found, params


#: Filters that are yes or no → SQL that is true or false, never null.
FLAGS = {
    "archived": "(x.archived_at IS NOT NULL)",
    "scheduled": "(x.starts_at IS NOT NULL)",
    "has_appointment": APPOINTMENT,
    "has_quote": has_document("quote"),
    "needs_quote": NEEDS_QUOTE,
    "to_invoice": TO_INVOICE,
}
