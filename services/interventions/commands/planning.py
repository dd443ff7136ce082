"""Work is recorded, planned and changed."""

from __future__ import annotations

from sqlalchemy import update

from chassis.errors import Conflict, Invalid
from chassis.ids import new_id
from chassis.stamp import apply_changes, check_version, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts import interventions as c
from contracts import maintenance
from services.interventions import queries
from services.interventions.commands.reports import write_report
from services.interventions.commands.shared import facts, flush_number, living, next_number
from services.interventions.model import Intervention, InterventionType
from services.kit.history import note, state_of
from services.kit.stamps import stamps

_IDS = frozenset({"technician_ids", "equipment_ids"})
_FIELDS = frozenset(c.InterventionFields.model_fields)


def create_intervention(uow: UnitOfWork, request: c.CreateIntervention) -> bytes:
    """Records work; with a start it is planned. Raises `Conflict` for an id or number that is taken."""
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
    if row.billable:
        row.billable_reason = ""
    if row.state == "done":
        row.finished_at = row.ends_at or row.starts_at or row.created_at
    if request.report is not None:
        write_report(uow, row, request.report)
    uow.session.add(row)
    flush_number(uow)
    note(uow, row, "created")
    uow.emit(c.InterventionCreated(**facts(uow, row)))
    if row.state == "planned" and request.state is None:
        uow.emit(c.InterventionPlanned(**facts(uow, row)))
    return queries.get_intervention(uow.session, row.id)


def create_from_visit(uow: UnitOfWork, event: maintenance.VisitScheduled) -> None:
    """A planned visit's intervention exists with the id that the visit was answered with; told twice, it is one."""
    if uow.session.get(Intervention, event.intervention_id) is not None:
        return
    # Work that had begun when its planning was taken back keeps going, but is this visit's no more.
    uow.session.execute(
        update(Intervention)
        .where(Intervention.visit_id == event.id)
        .values(visit_id=None, released_visit_id=Intervention.visit_id)
    )
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
        billable=event.billable,
        billable_reason=event.billable_reason,
        priority="normal",
        client_reference="",
        description="",
        visit_id=event.id,
        state="planned",
        **stamp_new(uow),
    )
    uow.session.add(row)
    uow.session.flush()
    note(uow, row, "created")
    uow.emit(c.InterventionCreated(**facts(uow, row)), c.InterventionPlanned(**facts(uow, row)))


def withdraw_with_visit(uow: UnitOfWork, event: maintenance.VisitUnscheduled) -> None:
    """The planning of a visit was taken back: its intervention goes, unless somebody began it or wrote of it."""
    row = uow.session.get(Intervention, event.intervention_id, with_for_update=True)
    if row is None or row.deleted_at is not None or row.state not in ("to_plan", "planned") or row.report:
        return
    row.deleted_at = uow.now
    row.released_visit_id, row.visit_id = row.visit_id, None
    touch(uow, row)
    uow.session.flush()
    note(uow, row, "delete")
    uow.emit(c.InterventionCancelled(**facts(uow, row)))


def move_with_visit(uow: UnitOfWork, event: maintenance.VisitRescheduled) -> None:
    """A planned visit went to another day: its intervention goes there too, as long as it was."""
    row = uow.session.get(Intervention, event.intervention_id, with_for_update=True)
    if row is None or row.deleted_at is not None or row.state != "planned" or row.starts_at == event.starts_at:
        return
    before = state_of(row, _FIELDS)
    if row.starts_at and row.ends_at:
        row.ends_at = event.starts_at + (row.ends_at - row.starts_at)
    row.starts_at = event.starts_at
    touch(uow, row)
    uow.session.flush()
    note(uow, row, "changed", before)
    uow.emit(c.InterventionPlanned(**facts(uow, row)))


def update_intervention(uow: UnitOfWork, request: c.UpdateIntervention) -> bytes:
    """Changes work. A new date plans it, no date puts it back into the tray; done work keeps its dates.

    Raises `Stale`, `Conflict` for new dates of closed work, `Invalid` at the field.
    """
    row = living(uow, request.id)
    check_version(row, request.expected_version)
    before = state_of(row, _FIELDS)
    changed = _apply(row, request.changes)
    if not changed:
        return queries.get_intervention(uow.session, row.id)
    if not row.title:
        raise Invalid.field("title", "Donnez un titre.")
    if row.state in ("done", "cancelled") and changed & {"starts_at", "ends_at"}:
        raise Conflict("Cette intervention est close\u202f: ses dates ne changent plus.", code="closed")
    _check(uow, row)
    if "address_id" in changed:
        row.place_id = request.place_id
    if row.state in ("to_plan", "planned"):
        row.state = "planned" if row.starts_at else "to_plan"
    touch(uow, row)
    uow.session.flush()
    note(uow, row, "changed", before)
    planned = row.state == "planned" and changed & {"starts_at", "ends_at"}
    uow.emit((c.InterventionPlanned if planned else c.InterventionUpdated)(**facts(uow, row)))
    return queries.get_intervention(uow.session, row.id)


def _apply(row: Intervention, changes: c.InterventionChanges) -> set[str]:
    changed = apply_changes(row, changes, skip=_IDS)
    if row.billable and row.billable_reason:
        row.billable_reason = ""
        changed.add("billable_reason")
    for name in _IDS & changes.model_fields_set:
        value = [str(one) for one in getattr(changes, name)]
        if value != getattr(row, name):
            setattr(row, name, value)
            changed.add(name)
    return changed


def _check(uow: UnitOfWork, row: Intervention) -> None:
    try:
        c.check_period(row.starts_at, row.ends_at)
    except ValueError as error:
        raise Invalid.field("ends_at", str(error)) from None
    if row.type_id is not None and uow.session.get(InterventionType, row.type_id) is None:
        raise Invalid.field("type_id", "Ce type d’intervention n’existe pas.")
