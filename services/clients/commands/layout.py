"""The company's layout of its fiches; what a single fiche has otherwise is a field of its record."""

from __future__ import annotations

from sqlalchemy import select, text

from chassis.ids import new_id
from chassis.stamp import check_version, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts import clients as c
from services.clients.model import FicheLayout
from services.clients.queries import settings as queries


def set_layout(uow: UnitOfWork, request: c.SetLayout) -> bytes:
    """Writes the company's layout. Raises `Stale`."""
    # The first two writes have no row to lock.
    uow.session.execute(text("SELECT pg_advisory_xact_lock(5021983)"))
    row = uow.session.scalar(select(FicheLayout).with_for_update())
    if row is None:
        row = FicheLayout(id=new_id(), sections=[], custom_fields=[], **stamp_new(uow) | {"version": 0})
        uow.session.add(row)
    check_version(row, request.expected_version)
    wanted = request.body.model_dump(mode="json")
    if (row.sections, row.custom_fields) != (wanted["sections"], wanted["custom_fields"]) or row.version == 0:
        row.sections, row.custom_fields = wanted["sections"], wanted["custom_fields"]
        touch(uow, row)
        uow.session.flush()
        uow.emit(c.LayoutUpdated(id=row.id, version=row.version))
    return queries.get_layout(uow.session)
