"""Interventions and job sites that become another client's: by hand, by an undo, or with what they were made from."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select

from chassis.errors import Conflict
from chassis.stamp import touch
from chassis.uow import UnitOfWork
from contracts import billing, maintenance
from contracts import interventions as c
from services.interventions.commands.shared import facts, site_facts
from services.interventions.model import Intervention, JobSite, LinkedDocument
from services.kit.movable import note_reassigned


def check_reassignable(uow: UnitOfWork, row: Intervention | JobSite) -> None:
    """An intervention of a visit goes with its plan, a job site of a quote with the quote; one that is quoted or billed
    stays with its documents. Raises `Conflict`.
    """
    if isinstance(row, JobSite):
        if row.quote_id is not None:
            raise Conflict(
                "Ce chantier vient d’un devis\u202f: passez le devis à l’autre client, le chantier le suivra.",
                code="follows_source",
                data={"quote_id": str(row.quote_id)},
            )
        return
    visit = row.visit_id or row.released_visit_id
    if visit is not None:
        raise Conflict(
            "Cette intervention vient d’un plan de maintenance\u202f: passez le plan à l’autre client, elle le suivra.",
            code="follows_source",
            data={"visit_id": str(visit)},
        )
    linked = uow.session.scalar(
        select(LinkedDocument.document_id).where(LinkedDocument.intervention_id == row.id).limit(1)
    )
    if linked is not None:
        raise Conflict(
            "Cette intervention figure sur un devis ou une facture\u202f: elle reste chez le client qui l’a reçu.",
            code="billed",
            data={"document_id": str(linked)},
        )


def rehomed(uow: UnitOfWork, row: Intervention | JobSite, former: uuid.UUID) -> None:
    """Keeps and tells that a row is another client's now."""
    note_reassigned(uow, row, former)
    if isinstance(row, JobSite):
        uow.emit(c.JobSiteReassigned(**site_facts(uow, row), former_home_client_id=former))
    else:
        uow.emit(c.InterventionReassigned(**facts(uow, row), former_home_client_id=former))


def follow_plan(uow: UnitOfWork, event: maintenance.PlanReassigned) -> None:
    """Interventions of a plan's visits go with it."""
    visits = event.visit_ids
    of_visits = or_(Intervention.visit_id.in_(visits), Intervention.released_visit_id.in_(visits))
    _follow(uow, event, _of(uow, Intervention, of_visits, event.former_home_client_id))


def follow_quote(uow: UnitOfWork, event: billing.QuoteReassigned) -> None:
    """The job site of a quote goes with it."""
    _follow(uow, event, _of(uow, JobSite, JobSite.quote_id == event.id, event.former_home_client_id))


def _of(uow: UnitOfWork, model: Any, condition: Any, home: uuid.UUID) -> Sequence[Any]:
    return uow.session.scalars(
        select(model).where(condition, model.home_client_id == home).order_by(model.id).with_for_update()
    ).all()


def _follow(uow: UnitOfWork, event: maintenance.PlanReassigned | billing.QuoteReassigned, rows: Sequence[Any]) -> None:
    for row in rows:
        row.home_client_id = row.written_client_id = event.home_client_id
        touch(uow, row)
        uow.session.flush()
        rehomed(uow, row, event.former_home_client_id)
