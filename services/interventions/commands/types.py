"""Types of intervention."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from chassis.errors import Conflict, Invalid
from chassis.ids import new_id
from chassis.stamp import apply_changes, check_version, lock, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts import interventions as c
from services.interventions import queries
from services.interventions.model import InterventionType


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
