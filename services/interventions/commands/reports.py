"""What was done is told: the report and its versions."""

from __future__ import annotations

from chassis.errors import Conflict
from chassis.stamp import check_version, touch
from chassis.uow import UnitOfWork
from contracts import interventions as c
from services.interventions import queries
from services.interventions.commands.shared import facts, living
from services.interventions.model import Intervention, ReportVersion
from services.kit.history import note


def fill_report(uow: UnitOfWork, request: c.FillReport) -> bytes:
    """Writes the report as its next version; every version is kept. Raises `Stale`, `Conflict` for cancelled work."""
    row = living(uow, request.id)
    check_version(row, request.expected_version)
    if row.state == "cancelled":
        raise Conflict("Cette intervention est annulée.", code="cancelled")
    number = write_report(uow, row, request.body)
    if request.body.needs_quote is not None:
        row.needs_quote = request.body.needs_quote
    touch(uow, row)
    uow.session.flush()
    note(uow, row, "report" if number == 1 else "report_corrected")
    uow.emit(
        c.ReportFilled(
            **facts(uow, row), report_version=number, minutes=request.body.minutes, needs_quote=row.needs_quote
        )
    )
    return queries.get_intervention(uow.session, row.id)


def write_report(uow: UnitOfWork, row: Intervention, body: c.ReportBody) -> int:
    """Keeps the report as its next version, whose number is returned."""
    number = int((row.report or {}).get("version", 0)) + 1
    report = body.model_dump(mode="json", exclude={"needs_quote"}) | {"version": number}
    row.report = report
    actor = uow.context.actor
    uow.session.add(
        ReportVersion(
            intervention_id=row.id,
            number=number,
            report=report,
            written_at=uow.now,
            written_by_id=actor.id,
            written_by_name=actor.name,
        )
    )
    return number
