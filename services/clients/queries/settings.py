"""What an administrator sets: the fields of one's own, and how fiches are laid out."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, get_args

import orjson
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.page import First, Listing, meta
from contracts import clients as c
from services.clients.model import CustomField, FicheLayout

_USED = (
    "(SELECT count(*) FROM client c WHERE c.merged_into IS NULL AND c.deleted_at IS NULL AND c.custom_fields ? f.key)"
)
FIELDS = Listing(
    source="custom_field f",
    item=(
        f"json_build_object({meta('f')}, 'key', f.key, 'label', f.label, 'type', f.type, 'required', f.required, "
        f"'choices', f.choices, 'position', f.position, 'used_by', {_USED}, 'deleted', f.deleted_at IS NOT NULL)"
    ),
    key="f.id",
    sorts={"position": ("f.position", "integer"), "created_at": ("f.created_at", "timestamptz")},
    default="position",
)
_LIVING = "f.deleted_at IS NULL"


def list_custom_fields(session: Session, request: c.ListCustomFields) -> bytes:
    """Definitions in their order."""
    return FIELDS.page(session, ["f.deleted_at IS NOT NULL" if request.deleted else _LIVING], {}, request)


def get_custom_field(session: Session, identifier: uuid.UUID) -> bytes:
    """One living definition. Raises `NotFound`."""
    body = FIELDS.one(session, ["f.id = :id", _LIVING], {"id": identifier})
    if body is None:
        raise NotFound("Ce champ n’existe pas.")
    return body


def used_by(session: Session, row: CustomField) -> int:
    """How many records have a value of this field, whatever became of them."""
    return int(session.scalar(text("SELECT count(*) FROM client WHERE custom_fields ? :key"), {"key": row.key}) or 0)


def get_layout(session: Session) -> bytes:
    """The company's layout, complete. Version 0 where nothing was ever written."""
    row = session.scalar(select(FicheLayout))
    keys = session.scalars(
        select(CustomField.key).where(CustomField.deleted_at.is_(None)).order_by(CustomField.position, CustomField.id)
    ).all()
    system = {"id": "system", "name": "Fiche"}
    answer: dict[str, Any] = {
        "id": "00000000-0000-0000-0000-000000000000",
        "version": 0,
        "created_at": "1970-01-01T00:00:00+00:00",
        "created_by": system,
        "updated_at": "1970-01-01T00:00:00+00:00",
        "updated_by": system,
    }
    if row is not None:
        answer = {
            "id": row.id,
            "version": row.version,
            "created_at": row.created_at,
            "created_by": {"id": row.created_by_id, "name": row.created_by_name},
            "updated_at": row.updated_at,
            "updated_by": {"id": row.updated_by_id, "name": row.updated_by_name},
        }
    answer["sections"] = _complete(row.sections if row else [], get_args(c.Section))
    answer["custom_fields"] = _complete(row.custom_fields if row else [], keys)
    return orjson.dumps(answer)


def _complete(told: list[dict[str, Any]], known: Iterable[str]) -> list[dict[str, Any]]:
    """What was told, without what is no more, and behind it what came since."""
    known = list(known)
    kept = [each for each in told if each["key"] in known]
    named = {each["key"] for each in kept}
    return kept + [{"key": key, "shown": True} for key in known if key not in named]


def fiche_settings(session: Session) -> bytes:
    """`{"layout", "custom_fields"}`: all that a fiche page asks about its own form."""
    fields = FIELDS.page(session, [_LIVING], {}, First(200))
    items = orjson.loads(fields)["items"]
    return orjson.dumps({"layout": orjson.loads(get_layout(session)), "custom_fields": items})
