"""Job sites: one, a page, how many of each status."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import Forbidden, NotFound
from contracts import interventions as c
from services.interventions.queries.listings import JOB_SITES
from services.interventions.queries.sight import Sight
from services.kit.history import history
from services.kit.homes import in_tree
from services.kit.search import words_in


def get_job_site(session: Session, identifier: uuid.UUID, sight: Sight | None = None) -> bytes:
    """One job site. Raises `NotFound`, `Forbidden` for one that somebody on the road has no work on."""
    body = JOB_SITES.one(session, ["x.id = :id"], {"id": identifier})
    if body is None:
        raise NotFound("Ce chantier n’existe pas.")
    if sight is not None:
        condition, params = sight.sites()
        if not JOB_SITES.count(session, ["x.id = :id", condition], {"id": identifier, **params}):
            raise Forbidden("Vous n’avez pas d’intervention sur ce chantier.", code="not_yours")
    return body


def job_site_history(session: Session, request: c.ListJobSiteHistory, sight: Sight | None = None) -> bytes:
    """A page of what happened to a job site. Raises as `get_job_site`."""
    get_job_site(session, request.id, sight)
    return history(session, request.id, request)


def list_job_sites(session: Session, request: c.ListJobSites, sight: Sight | None = None) -> bytes:
    """A page of job sites."""
    where, params = _conditions(request, sight)
    if request.status:
        where.append("x.status = ANY(:status)")
        params["status"] = list(request.status)
    return JOB_SITES.page(session, where, params, request)


def count_job_sites(session: Session, request: c.CountJobSites, sight: Sight | None = None) -> bytes:
    """`{"total": n, "status": {status: n}}`; the total is under the statuses asked for."""
    where, params = _conditions(request, sight)
    rule = " AND ".join(f"({one})" for one in where) or "true"
    params["asked"] = list(request.status)
    row = session.execute(
        text(
            f"WITH b AS (SELECT x.status, count(*) AS n FROM job_site x WHERE {rule} GROUP BY 1) "
            "SELECT json_build_object('total', coalesce(sum(n) FILTER (WHERE CAST(:asked AS text[]) = '{}' "
            "OR status = ANY(CAST(:asked AS text[]))), 0), 'status', coalesce(json_object_agg(status, n), '{}'))::text "
            "FROM b"
        ),
        params,
    ).scalar_one()
    return str(row).encode()


def _conditions(request: c.ListJobSites | c.CountJobSites, sight: Sight | None) -> tuple[list[str], dict[str, Any]]:
    where, params = in_tree("x", request.tree)
    if request.q.strip():
        condition, more = words_in("x.title || ' ' || x.number", request.q)
        where.append(condition)
        params |= more
    if sight is not None:
        condition, more = sight.sites()
        where.append(condition)
        params |= more
    return where, params
