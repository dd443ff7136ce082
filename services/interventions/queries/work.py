"""Interventions: one, a page by the filters, the fiche's sections, what overlaps."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import Forbidden, NotFound
from chassis.page import Part
from contracts import interventions as c
from services.interventions.queries.filters import conditions
from services.interventions.queries.listings import INTERVENTIONS, JOB_SITES, LIVING
from services.interventions.queries.sight import Sight
from services.kit.history import history, known
from services.kit.homes import fiche_answer, in_tree, of_root, tree_sections

ABSENT = "Cette intervention n’existe pas."
NOT_SEEN = "Cette intervention ne vous est pas confiée."


def get_intervention(session: Session, identifier: uuid.UUID, sight: Sight | None = None) -> bytes:
    """One intervention. Raises `NotFound`, `Forbidden` for what somebody on the road is not to see."""
    body = INTERVENTIONS.one(session, [LIVING, "x.id = :id"], {"id": identifier})
    if body is None:
        raise NotFound(ABSENT)
    refuse_unseen(session, identifier, sight)
    return body


def refuse_unseen(session: Session, identifier: uuid.UUID, sight: Sight | None) -> None:
    """Raises `Forbidden` unless the intervention is within sight."""
    if sight is not None:
        condition, params = sight.work()
        if not INTERVENTIONS.count(session, ["x.id = :id", condition], {"id": identifier, **params}):
            raise Forbidden(NOT_SEEN, code="not_yours")


def list_interventions(session: Session, request: c.ListInterventions, sight: Sight | None = None) -> bytes:
    """A page of interventions by every filter of http-api, all combinable."""
    found, params = conditions(request)
    where = list(found.values())
    if sight is not None:
        condition, more = sight.work()
        where.append(condition)
        params |= more
    return INTERVENTIONS.page(session, where, params, request)


def list_overlaps(session: Session, request: c.ListOverlaps) -> bytes:
    """`{"items": [...]}`: what any of these people has at that time, earliest first (at most 50)."""
    length = f"interval '{c.DEFAULT_MINUTES} minutes'"
    row = session.execute(
        text(
            "SELECT coalesce(json_agg(o ORDER BY o.starts_at), '[]')::text FROM (SELECT x.id, x.number, x.title, "
            "x.starts_at, x.ends_at, (SELECT json_agg(json_build_object('id', u.id, 'name', u.name) ORDER BY u.name) "
            "FROM known_user u WHERE u.id::text = ANY(:people) AND (x.technician_ids ? u.id::text OR "
            "x.lead_technician_id = u.id)) AS technicians FROM intervention x "
            f"WHERE {LIVING} AND x.state IN ('planned', 'in_progress') AND x.archived_at IS NULL AND x.starts_at "
            "IS NOT NULL AND (x.technician_ids ?| :people OR x.lead_technician_id::text = ANY(:people)) "
            f"AND x.id IS DISTINCT FROM :except AND x.starts_at < coalesce(CAST(:ends AS timestamptz), "
            f"CAST(:starts AS timestamptz) + {length}) AND coalesce(x.ends_at, x.starts_at + {length}) > "
            "CAST(:starts AS timestamptz) ORDER BY x.starts_at LIMIT 50) o"
        ),
        {
            "people": [str(one) for one in request.technician_ids],
            "starts": request.starts_at,
            "ends": request.ends_at,
            "except": request.except_id,
        },
    ).scalar_one()
    return b'{"items":' + str(row).encode() + b"}"


def report_versions(session: Session, identifier: uuid.UUID, sight: Sight | None = None) -> bytes:
    """`{"items": [...]}`, newest first. Raises as `get_intervention`."""
    get_intervention(session, identifier, sight)
    row = session.execute(
        text(
            "SELECT coalesce(json_agg(json_build_object('number', r.number, 'report', r.report, 'written_at', "
            "r.written_at, 'written_by', json_build_object('id', r.written_by_id, 'name', r.written_by_name)) "
            "ORDER BY r.number DESC), '[]')::text FROM report_version r WHERE r.intervention_id = :id"
        ),
        {"id": identifier},
    ).scalar_one()
    return b'{"items":' + str(row).encode() + b"}"


def work_history(session: Session, request: c.ListWorkHistory, sight: Sight | None = None) -> bytes:
    """A page of what happened to an intervention, deleted or not. Raises `NotFound`, `Forbidden`."""
    if not known(session, "intervention", request.id):
        raise NotFound(ABSENT)
    refuse_unseen(session, request.id, sight)
    return history(session, request.id, request)


_OF_ONE, _SITES_OF_ONE = of_root(INTERVENTIONS, "x"), of_root(JOB_SITES, "x")


def fiche(session: Session, request: c.InterventionFiche, sight: Sight | None = None) -> bytes:
    """Both sections, in one query."""

    def parts(tree: Sequence[uuid.UUID]) -> tuple[dict[str, Part], dict[str, Any]]:
        where, params = in_tree("x", tree)
        work, sites = [LIVING, *where], list(where)
        if sight is not None:
            for part, (condition, more) in ((work, sight.work()), (sites, sight.sites())):
                part.append(condition)
                params |= more
        return {"interventions": (_OF_ONE, work), "job_sites": (_SITES_OF_ONE, sites)}, params

    tree, found, _ = tree_sections(session, request, parts)
    return fiche_answer(tree, found)


def check(session: Session, request: c.CheckInterventions) -> dict[str, Any]:
    """`{"foreign": [ids that are not of the tree]}`."""
    rows = session.execute(
        text(
            "SELECT id FROM intervention WHERE id = ANY(:ids) AND home_client_id = ANY(:tree) AND deleted_at IS NULL "
            "UNION ALL SELECT id FROM job_site WHERE id = ANY(:sites) AND home_client_id = ANY(:tree)"
        ),
        {"ids": request.ids, "sites": request.job_site_ids, "tree": request.tree},
    )
    known = {str(row[0]) for row in rows}
    asked = [*request.ids, *request.job_site_ids]
    return {"foreign": [str(identifier) for identifier in asked if str(identifier) not in known]}


def ties(session: Session, request: c.WorkTies) -> dict[str, int]:
    """Work of a tree that began or is done: `{"started", "done"}`. What was only planned can be restored with it."""
    row = session.execute(
        text(
            "SELECT count(*) FILTER (WHERE state = 'in_progress') AS started, "
            "count(*) FILTER (WHERE state = 'done') AS done "
            "FROM intervention WHERE home_client_id = ANY(:tree) AND deleted_at IS NULL"
        ),
        {"tree": request.tree},
    ).one()
    return dict(row._mapping)
