"""The write side of `interventions`: one function a use case, each in one transaction."""

from services.interventions.commands.documents import follow_document, forget_document
from services.interventions.commands.feeds import create_feed, withdraw_feed
from services.interventions.commands.job_sites import create_from_quote, create_job_site, update_job_site
from services.interventions.commands.life import act
from services.interventions.commands.planning import (
    create_from_visit,
    create_intervention,
    move_with_visit,
    update_intervention,
    withdraw_with_visit,
)
from services.interventions.commands.reports import fill_report
from services.interventions.commands.types import create_type, update_type

__all__ = [
    "act",
    "create_feed",
    "create_from_quote",
    "create_from_visit",
    "create_intervention",
    "create_job_site",
    "create_type",
    "fill_report",
    "follow_document",
    "forget_document",
    "move_with_visit",
    "update_intervention",
    "update_job_site",
    "update_type",
    "withdraw_feed",
    "withdraw_with_visit",
]
