"""Job sites are opened, by hand or by an accepted quote, and changed."""

from __future__ import annotations

from sqlalchemy import text

from chassis.errors import Conflict, Invalid
from chassis.ids import new_id
from chassis.stamp import apply_changes, check_version, lock, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts import billing
from contracts import interventions as c
from services.interventions import queries
from services.interventions.commands.shared import flush_number, next_number, site_facts
from services.interventions.model import JobSite
from services.kit.history import note, state_of
from services.kit.stamps import stamps


def create_job_site(uow: UnitOfWork, request: c.CreateJobSite) -> bytes:
    """Opens a job site. Raises `Conflict` for an id or number that is taken."""
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
    flush_number(uow)
    note(uow, row, "created")
    uow.emit(c.JobSiteCreated(**site_facts(uow, row), imported=request.origin is not None))
    return queries.get_job_site(uow.session, row.id)


def create_from_quote(uow: UnitOfWork, event: billing.QuoteJobSiteRequested) -> None:
    """The job site of an accepted quote exists with the id that the quote was answered with; told twice, it is one."""
    if uow.session.get(JobSite, event.job_site_id) is not None:
        return
    place = uow.session.scalar(text("SELECT place_id FROM known_address WHERE id = :id"), {"id": event.address_id})
    row = JobSite(
        id=event.job_site_id,
        number=next_number(uow, "CH", 4),
        home_client_id=event.home_client_id,
        written_client_id=event.home_client_id,
        address_id=event.address_id,
        place_id=place,
        title=event.title or f"Chantier du devis {event.number}",
        status="not_started",
        description="",
        quote_id=event.id,
        **stamp_new(uow),
    )
    uow.session.add(row)
    uow.session.flush()
    note(uow, row, "created")
    uow.emit(c.JobSiteCreated(**site_facts(uow, row)))


def update_job_site(uow: UnitOfWork, request: c.UpdateJobSite) -> bytes:
    """Changes a job site. Raises `Stale`, `Invalid` at the field."""
    row = lock(uow.session, JobSite, request.id, "Ce chantier n’existe pas.")
    check_version(row, request.expected_version)
    before = state_of(row, frozenset(c.JobSiteChanges.model_fields))
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
        note(uow, row, "changed", before)
        uow.emit(c.JobSiteUpdated(**site_facts(uow, row), changed=sorted(changed)))
    return queries.get_job_site(uow.session, row.id)
