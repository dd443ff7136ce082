"""What several use cases need: numbers, the living row, its events, who may."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from chassis.errors import Conflict, Forbidden, Gone
from chassis.stamp import lock
from chassis.uow import UnitOfWork
from services.interventions.model import Intervention, JobSite
from services.interventions.queries.sight import people, seen_by
from services.kit.homes import row_facts
from services.kit.zone import company_zone

ABSENT = "Cette intervention n’existe pas."


def next_number(uow: UnitOfWork, series: str, digits: int) -> str:
    """`INT-2026-00001`: the next of its series in the company's year."""
    year = uow.now.astimezone(company_zone(uow.session)).year
    while True:
        last = uow.session.execute(
            text(
                "INSERT INTO number_counter (series, year, last) VALUES (:series, :year, 1) "
                "ON CONFLICT (series, year) DO UPDATE SET last = number_counter.last + 1 RETURNING last"
            ),
            {"series": series, "year": year},
        ).scalar_one()
        number = f"{series}-{year}-{last:0{digits}d}"
        table = "intervention" if series == "INT" else "job_site"
        if not uow.session.scalar(text(f"SELECT 1 FROM {table} WHERE number = :number"), {"number": number}):
            return number


def flush_number(uow: UnitOfWork) -> None:
    """Writes a new row; a number given from outside that is taken is a `Conflict`."""
    try:
        uow.session.flush()
    except IntegrityError as error:
        if "number" in str(error.orig):
            raise Conflict("Ce numéro est déjà pris.", code="number_taken") from None
        raise


def living(uow: UnitOfWork, identifier: uuid.UUID) -> Intervention:
    """The row, locked. Raises `NotFound`, `Gone` for a deleted one, `Forbidden` where it is not the actor's work."""
    row = lock(uow.session, Intervention, identifier, ABSENT)
    refuse_others_work(uow, row)
    if row.deleted_at is not None:
        raise Gone("Cette intervention a été supprimée.", code="deleted")
    return row


def refuse_others_work(uow: UnitOfWork, row: Intervention) -> None:
    """Raises `Forbidden` when somebody on the road acts on work that is not given to him."""
    me = seen_by(uow.context.actor)
    if me is not None and me.id not in people(row):
        raise Forbidden("Cette intervention ne vous est pas confiée.", code="not_yours")


def facts(uow: UnitOfWork, row: Intervention) -> dict[str, Any]:
    """Fields of an intervention's events."""
    return {
        **row_facts(uow.session, row),
        "number": row.number,
        "title": row.title,
        "kind": row.kind,
        "state": row.state,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "address_id": row.address_id,
        "place_id": row.place_id,
        "technician_ids": row.technician_ids,
        "visit_id": row.visit_id,
        "job_site_id": row.job_site_id,
    }


def site_facts(uow: UnitOfWork, row: JobSite) -> dict[str, Any]:
    """Fields of a job site's events."""
    return {
        **row_facts(uow.session, row),
        "number": row.number,
        "title": row.title,
        "status": row.status,
    }
