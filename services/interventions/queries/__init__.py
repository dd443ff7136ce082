"""The read side of `interventions`: PostgreSQL makes the JSON."""

from services.interventions.queries.counts import count_interventions
from services.interventions.queries.feeds import list_feeds, read_feed
from services.interventions.queries.job_sites import count_job_sites, get_job_site, job_site_history, list_job_sites
from services.interventions.queries.people import get_type, list_technicians, list_types
from services.interventions.queries.work import (
    check,
    fiche,
    get_intervention,
    list_interventions,
    list_overlaps,
    report_versions,
    ties,
    work_history,
)

__all__ = [
    "check",
    "count_interventions",
    "count_job_sites",
    "fiche",
    "get_intervention",
    "get_job_site",
    "get_type",
    "job_site_history",
    "list_feeds",
    "list_interventions",
    "list_job_sites",
    "list_overlaps",
    "list_technicians",
    "list_types",
    "read_feed",
    "report_versions",
    "ties",
    "work_history",
]
