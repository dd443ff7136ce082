"""The write side of `maintenance`: one function a use case."""

from services.maintenance.commands.plans import create_plan, extend_some, make_visits, rehomed, update_plan
from services.maintenance.commands.visits import (
    intervention_cancelled,
    intervention_done,
    intervention_moved,
    record_visit,
    schedule_visit,
    unschedule_visit,
    update_visit,
)

__all__ = [
    "create_plan", "extend_some", "intervention_cancelled", "intervention_done", "intervention_moved", "make_visits",
    "record_visit", "rehomed", "schedule_visit", "unschedule_visit", "update_plan", "update_visit",
]  # fmt: skip
