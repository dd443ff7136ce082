"""Use cases of the fields of one's own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from chassis.errors import Invalid
from chassis.ids import new_id
from chassis.stamp import stamp_new
from chassis.uow import UnitOfWork
from contracts import clients as c
from services.clients.commands.shared import check_new
from services.clients.model import CustomField
from services.clients.queries import history as queries


def check_custom_fields(uow: UnitOfWork, values: dict[str, Any]) -> None:
    """A value of a defined field must fit its definition; keys without definition are kept as they are (imports)."""
    for definition in uow.session.scalars(select(CustomField).where(CustomField.key.in_(list(values)))):
        value = values[definition.key]
        if value in (None, ""):
            continue
        fits = {
            "number": isinstance(value, int | float) and not isinstance(value, bool),
            "boolean": isinstance(value, bool),
            "choice": value in definition.choices,
        }.get(definition.type, isinstance(value, str))
        if not fits:
            raise Invalid.field(f"custom_fields.{definition.key}", f"Valeur refusée pour « {definition.label} ».")


def create_custom_field(uow: UnitOfWork, request: c.CreateCustomField) -> bytes:
    """Defines a field. Raises `Invalid` when the key is taken or a choice field has none."""
    body = request.body
    if body.type == "choice" and not body.choices:
        raise Invalid.field("choices", "Donnez au moins un choix.")
    check_new(uow, CustomField, request.id)
    if uow.session.scalar(select(CustomField.id).where(CustomField.key == body.key)):
        raise Invalid.field("key", "Cette clé existe déjà.", code="key_taken")
    row = CustomField(id=request.id or new_id(), **body.model_dump(), **stamp_new(uow))
    uow.session.add(row)
    uow.session.flush()
    return queries.get_custom_field(uow.session, row.id)
