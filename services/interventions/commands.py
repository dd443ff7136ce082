"""The write side of `interventions`: one function a use case."""

from __future__ import annotations

import uuid
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from chassis.errors import Conflict, Gone, Invalid
from chassis.ids import new_id
from chassis.stamp import apply_changes, check_version, lock, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts import interventions as c
from services.interventions import queries
from services.interventions.model import Intervention, InterventionType, JobSite, ReportVersion
from services.kit.homes import root_of
from services.kit.stamps import stamps

PARIS = ZoneInfo("Europe/Paris")
ABSENT = "Cette intervention n’existe pas."
_IDS = frozenset({"technician_ids", "equipment_ids"})


def next_number(uow: UnitOfWork, series: str, digits: int) -> str:
    """`INT-2026-00001`: the next of its series in the company's year."""
    year = uow.now.astimezone(PARIS).year
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


def create_intervention(uow: UnitOfWork, request: c.CreateIntervention) -> bytes:
    """Records work; with a start it is planned."""
    body = request.body
    if request.id and uow.session.get(Intervention, request.id) is not None:
        raise Conflict("Cette intervention existe déjà.", code="exists")
    values = body.model_dump(exclude=set(_IDS))
    row = Intervention(
        id=request.id or new_id(),
        number=request.number or next_number(uow, "INT", 5),
        home_client_id=request.home_client_id,
        written_client_id=request.written_client_id,
        place_id=request.place_id,
        technician_ids=[str(one) for one in body.technician_ids],
        equipment_ids=[str(one) for one in body.equipment_ids],
        state=request.state or ("planned" if body.starts_at else "to_plan"),
        archived_at=uow.now if request.archived else None,
        **values,
        **stamps(uow, request.origin),
    )
    _check(uow, row)
    if row.state == "done":
        row.finished_at = row.ends_at or row.starts_at or row.created_at
    if request.report is not None:
        _write_report(uow, row, request.report)
    uow.session.add(row)
    _flush_number(uow)
    uow.emit(c.InterventionCreated(**facts(uow, row)))
    if row.state == "planned" and request.state is None:
        uow.emit(c.InterventionPlanned(**facts(uow, row)))
    return queries.get_intervention(uow.session, row.id)


def create_from_visit(uow: UnitOfWork, event: Any) -> None:
    """A planned visit's intervention exists with the id that the visit was answered with; told twice, it is one."""
    if uow.session.get(Intervention, event.intervention_id) is not None:
        return
    row = Intervention(
        id=event.intervention_id,
        number=next_number(uow, "INT", 5),
        home_client_id=event.home_client_id,
        written_client_id=event.written_client_id,
        place_id=event.place_id,
        title=event.title or "Visite d’entretien",
        kind="intervention",
        address_id=event.address_id,
        technician_ids=[str(one) for one in event.technician_ids],
        equipment_ids=[str(one) for one in event.equipment_ids],
        lead_technician_id=event.technician_ids[0] if event.technician_ids else None,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        has_appointment=False,
        needs_quote=False,
        billable=False,
        priority="normal",
        client_reference="",
        description="",
        visit_id=event.id,
        state="planned",
        **stamp_new(uow),
    )
    uow.session.add(row)
    uow.session.flush()
    uow.emit(c.InterventionCreated(**facts(uow, row)), c.InterventionPlanned(**facts(uow, row)))


def update_intervention(uow: UnitOfWork, request: c.UpdateIntervention) -> bytes:
    """Changes work. A new date plans it, no date puts it back into the tray; done work keeps its dates."""
    row = _living(uow, request.id)
    check_version(row, request.expected_version)
    changes = request.changes
    changed = apply_changes(row, changes, skip=_IDS)
    for name in _IDS & changes.model_fields_set:
        value = [str(one) for one in getattr(changes, name)]
        if value != getattr(row, name):
            setattr(row, name, value)
            changed.add(name)
    if not changed:
        return queries.get_intervention(uow.session, row.id)
    if not row.title:
        raise Invalid.field("title", "Donnez un titre.")
    if row.state in ("done", "cancelled") and changed & {"starts_at", "ends_at"}:
        raise Conflict("Cette intervention est close : ses dates ne changent plus.")
    _check(uow, row)
    if "address_id" in changed:
        row.place_id = request.place_id
    if row.state in ("to_plan", "planned"):
        row.state = "planned" if row.starts_at else "to_plan"
    touch(uow, row)
    uow.session.flush()
    planned = row.state == "planned" and changed & {"starts_at", "ends_at"}
    uow.emit((c.InterventionPlanned if planned else c.InterventionUpdated)(**facts(uow, row)))
    return queries.get_intervention(uow.session, row.id)


def act(uow: UnitOfWork, request: c.ActOnIntervention) -> bytes:
    """Starts, finishes, cancels, archives, unarchives or deletes."""
    row = lock(uow.session, Intervention, request.id, ABSENT)
    if row.deleted_at is not None:
        if request.action == "delete":
            return b"{}"
        raise Gone("Cette intervention a été supprimée.")
    check_version(row, request.expected_version)
    before = (row.state, row.archived_at, row.deleted_at)
    event: type[c.InterventionEvent] = c.InterventionUpdated
    match request.action:
        case "start":
            if row.state in ("done", "cancelled"):
                raise Conflict("Cette intervention est close.")
            if row.state != "in_progress":
                row.state, row.started_at, event = "in_progress", uow.now, c.InterventionStarted
        case "finish":
            if row.state == "cancelled":
                raise Conflict("Cette intervention est annulée.")
            if row.state != "done":
                row.state, row.finished_at, event = "done", uow.now, c.InterventionDone
        case "cancel":
            if row.state == "done":
                raise Conflict("Cette intervention est terminée : elle ne s’annule plus.")
            if row.state != "cancelled":
                row.state, event = "cancelled", c.InterventionCancelled
        case "archive":
            row.archived_at = row.archived_at or uow.now
        case "unarchive":
            row.archived_at = None
        case "delete":
            if row.state == "done":
                raise Conflict("Une intervention terminée s’archive, elle ne se supprime pas.", code="archive_instead")
            row.deleted_at, event = uow.now, c.InterventionCancelled
    if (row.state, row.archived_at, row.deleted_at) != before:
        touch(uow, row)
        uow.session.flush()
        more = {"finished_at": row.finished_at} if event is c.InterventionDone else {}
        uow.emit(event(**facts(uow, row), **more))
        if event is c.InterventionCancelled:
            # The visit is free: planned again, it gets another intervention, and this one tells of it no more.
            row.visit_id = None
            uow.session.flush()
    if row.deleted_at is not None:
        return b"{}"
    return queries.get_intervention(uow.session, row.id)


def fill_report(uow: UnitOfWork, request: c.FillReport) -> bytes:
    """Writes the report as its next version; every version is kept."""
    row = _living(uow, request.id)
    check_version(row, request.expected_version)
    if row.state == "cancelled":
        raise Conflict("Cette intervention est annulée.")
    _write_report(uow, row, request.body)
    if request.body.needs_quote is not None:
        row.needs_quote = request.body.needs_quote
    touch(uow, row)
    uow.session.flush()
    uow.emit(c.InterventionUpdated(**facts(uow, row)))
    return queries.get_intervention(uow.session, row.id)


def _write_report(uow: UnitOfWork, row: Intervention, body: c.ReportBody) -> None:
    number = (row.report or {}).get("version", 0) + 1
    report = body.model_dump(mode="json", exclude={"needs_quote"}) | {"version": number}
    row.report = report
    uow.session.add(
        ReportVersion(
            intervention_id=row.id,
            number=number,
            report=report,
            written_at=uow.now,
            written_by_name=uow.context.actor.name,
        )
    )


def _living(uow: UnitOfWork, identifier: uuid.UUID) -> Intervention:
    row = lock(uow.session, Intervention, identifier, ABSENT)
    if row.deleted_at is not None:
        raise Gone("Cette intervention a été supprimée.")
    return row


def _check(uow: UnitOfWork, row: Intervention) -> None:
    try:
        c.check_period(row.starts_at, row.ends_at)
    except ValueError as error:
        raise Invalid.field("ends_at", str(error)) from None
    if row.type_id is not None and uow.session.get(InterventionType, row.type_id) is None:
        raise Invalid.field("type_id", "Ce type d’intervention n’existe pas.")


def _flush_number(uow: UnitOfWork) -> None:
    try:
        uow.session.flush()
    except IntegrityError as error:
        if "number" in str(error.orig):
            raise Conflict("Ce numéro est déjà pris.", code="number_taken") from None
        raise


def facts(uow: UnitOfWork, row: Intervention) -> dict[str, Any]:
    """Fields of an intervention's events."""
    return {
        "id": row.id,
        "home_client_id": row.home_client_id,
        "client_id": root_of(uow.session, row.home_client_id),
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


def create_type(uow: UnitOfWork, request: c.CreateType) -> bytes:
    """Adds a type; a name is one type whatever its case."""
    row = InterventionType(id=request.id or new_id(), **request.body.model_dump(), **stamp_new(uow))
    taken = uow.session.execute(
        text("SELECT id FROM intervention_type WHERE lower(name) = lower(:name)"), {"name": row.name}
    ).one_or_none()
    if taken:
        raise Conflict("Ce type existe déjà.", code="exists", data={"id": str(taken.id)})
    uow.session.add(row)
    uow.session.flush()
    return queries.get_type(uow.session, row.id)


def update_type(uow: UnitOfWork, request: c.UpdateType) -> bytes:
    """Changes a type."""
    row = lock(uow.session, InterventionType, request.id, "Ce type n’existe pas.")
    check_version(row, request.expected_version)
    if apply_changes(row, request.changes):
        if not row.name:
            raise Invalid.field("name", "Donnez un nom.")
        touch(uow, row)
        try:
            uow.session.flush()
        except IntegrityError:
            raise Invalid.field("name", "Ce type existe déjà.") from None
    return queries.get_type(uow.session, row.id)


def create_job_site(uow: UnitOfWork, request: c.CreateJobSite) -> bytes:
    """Opens a job site."""
    if request.id and uow.session.get(JobSite, request.id) is not None:
        raise Conflict("Ce chantier existe déjà.", code="exists")
    row = JobSite(
        id=request.id or new_id(),
        number=request.number or next_number(uow, "CH", 4),
        home_client_id=request.home_client_id,
        written_client_id=request.written_client_id,
        place_id=request.place_id,
        **request.body.model_dump(),
        **stamps(uow, request.origin),
    )
    uow.session.add(row)
    _flush_number(uow)
    uow.emit(c.JobSiteCreated(**_site_facts(uow, row)))
    return queries.get_job_site(uow.session, row.id)


def update_job_site(uow: UnitOfWork, request: c.UpdateJobSite) -> bytes:
    """Changes a job site."""
    row = lock(uow.session, JobSite, request.id, "Ce chantier n’existe pas.")
    check_version(row, request.expected_version)
    changed = apply_changes(row, request.changes)
    if changed:
        if not row.title:
            raise Invalid.field("title", "Donnez un titre.")
        if row.starts_on and row.ends_on and row.ends_on < row.starts_on:
            raise Invalid.field("ends_on", "La fin doit être après le début.")
        if "address_id" in changed:
            row.place_id = request.place_id
        touch(uow, row)
        uow.session.flush()
        uow.emit(c.JobSiteUpdated(**_site_facts(uow, row)))
    return queries.get_job_site(uow.session, row.id)


def _site_facts(uow: UnitOfWork, row: JobSite) -> dict[str, Any]:
    return {
        "id": row.id,
        "home_client_id": row.home_client_id,
        "client_id": root_of(uow.session, row.home_client_id),
        "number": row.number,
        "title": row.title,
        "status": row.status,
    }


def link_document(uow: UnitOfWork, document_id: uuid.UUID, ids: list[uuid.UUID], kind: str) -> None:
    """Keeps which interventions a quote or invoice names now."""
    uow.session.execute(text("DELETE FROM linked_document WHERE document_id = :id"), {"id": document_id})
    for identifier in ids:
        uow.session.execute(
            text(
                "INSERT INTO linked_document (document_id, intervention_id, kind) VALUES (:id, :work, :kind) "
                "ON CONFLICT DO NOTHING"
            ),
            {"id": document_id, "work": identifier, "kind": kind},
        )
