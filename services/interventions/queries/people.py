"""Types of intervention, and who works in the field."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from chassis.errors import NotFound
from contracts import interventions as c
from services.interventions.queries.listings import TECHNICIANS, TYPES


def get_type(session: Session, identifier: uuid.UUID) -> bytes:
    """One type. Raises `NotFound`."""
    body = TYPES.one(session, ["x.id = :id"], {"id": identifier})
    if body is None:
        raise NotFound("Ce type n’existe pas.")
    return body


def list_types(session: Session, request: c.ListTypes) -> bytes:
    """A page of types by name."""
    return TYPES.page(session, [], {}, request)


def list_technicians(session: Session, request: c.ListTechnicians) -> bytes:
    """Active staff who work in the field."""
    field = "x.active AND x.roles ?| ARRAY['technician', 'lead_technician', 'subcontractor']"
    return TECHNICIANS.page(session, [field], {}, request)
