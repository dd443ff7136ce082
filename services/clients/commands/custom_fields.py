"""Use cases of the fields of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, select, text

from chassis.errors import Conflict, Gone, Invalid
from chassis.ids import new_id
from chassis.stamp import apply_changes, check_version, lock, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts import clients as c
from services.clients.commands.shared import check_new
from services.clients.model import CustomField
from services.clients.queries import settings as queries
from services.clients.text import fold

ABSENT = "Ce champ n’existe pas."
#: Definitions are few and change seldom: those who define are serial, so that places stay 1, 2, 3.
_DEFINING = 5_021_982


def check_custom_fields(
    uow: UnitOfWork, values: Mapping[str, Any], *, before: Mapping[str, Any] | None = None, whole: bool = False
) -> None:
    """A value of a defined field must fit its definition; keys without definition are kept as they are (imports).

    A value that stood there before is not looked at again: its choice may have been taken away since. A required
    field cannot be emptied; with `whole` (a record opened by a person) none may lack. Raises `Invalid`.
    """
    errors = []
    for definition in uow.session.scalars(
        select(CustomField).where(CustomField.deleted_at.is_(None)).order_by(CustomField.position)
    ):
        name, shown = f"custom_fields.{definition.key}", f"«\u202f{definition.label}\u202f»"
        if definition.key not in values:
            if whole and definition.required:
                errors.append({"field": name, "message": f"Renseignez {shown}."})
            continue
        value = values[definition.key]
        if before is not None and before.get(definition.key) == value:
            continue
        if value in (None, ""):
            if definition.required:
                errors.append({"field": name, "message": f"Renseignez {shown}."})
        elif not fits(definition, value):
            errors.append({"field": name, "message": f"{_ASKED[definition.type]} pour {shown}."})
    if errors:
        raise Invalid("Certaines valeurs sont refusées.", errors=errors)


_ASKED = {
    "number": "Donnez un nombre",
    "boolean": "Dites oui ou non",
    "choice": "Choisissez une des valeurs proposées",
    "date": "Donnez une date (2026-11-25)",
    "text": "Donnez un texte",
}


def fits(definition: CustomField, value: Any) -> bool:
    """Whether a value is one of the field's type."""
    match definition.type:
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "choice":
            return value in definition.choices
        case "date":
            return isinstance(value, str) and _is_day(value)
        case _:
            return isinstance(value, str)


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def create_custom_field(uow: UnitOfWork, request: c.CreateCustomField) -> bytes:
    """Defines a field, behind the others. Raises `Invalid` when the key is taken or a choice field has none."""
    body = request.body
    _defining(uow)
    check_new(uow, CustomField, request.id)
    key = body.key or _free_key(uow, body.label)
    if _named(uow, key):
        raise Invalid.field("key", "Cette clé existe déjà.", code="key_taken")
    last = uow.session.scalar(select(func.max(CustomField.position)).where(CustomField.deleted_at.is_(None))) or 0
    row = CustomField(
        id=request.id or new_id(),
        position=last + 1,
        **body.model_dump(exclude={"key"}),
        key=key,
        **stamp_new(uow),
    )
    _check(row)
    uow.session.add(row)
    uow.session.flush()
    uow.emit(c.CustomFieldCreated(**_facts(row)))
    return queries.get_custom_field(uow.session, row.id)


def update_custom_field(uow: UnitOfWork, request: c.UpdateCustomField) -> bytes:
    """Changes a definition. Raises `Conflict` (`field_in_use`) for another type while clients have values."""
    _defining(uow)
    row = _living(uow, request.id)
    check_version(row, request.expected_version)
    changes = request.changes
    if "type" in changes.model_fields_set and changes.type != row.type and (used := queries.used_by(uow.session, row)):
        fiches = "1 fiche a" if used == 1 else f"{used} fiches ont"
        raise Conflict(
            f"Le type de ce champ ne peut plus changer\u202f: {fiches} une valeur. Définissez plutôt un autre champ.",
            code="field_in_use",
            data={"used_by": used},
        )
    changed = apply_changes(row, changes, skip=frozenset({"position"}))
    if not row.label:
        raise Invalid.field("label", "Donnez le nom du champ.")
    _check(row)
    if "position" in changes.model_fields_set and _place(uow, row, changes.position):
        changed.add("position")
    if changed:
        touch(uow, row)
        uow.session.flush()
        uow.emit(c.CustomFieldUpdated(**_facts(row)))
    return queries.get_custom_field(uow.session, row.id)


def delete_custom_field(uow: UnitOfWork, request: c.DeleteCustomField) -> bytes:
    """Takes a field off the fiches. Values stay with the clients, and come back with it."""
    _defining(uow)
    row = _living(uow, request.id)
    check_version(row, request.expected_version)
    row.deleted_at = uow.now
    touch(uow, row)
    uow.session.flush()
    uow.session.execute(
        text("UPDATE custom_field SET position = position - 1 WHERE deleted_at IS NULL AND position > :position"),
        {"position": row.position},
    )
    uow.emit(c.CustomFieldDeleted(**_facts(row)))
    return b"{}"


def restore_custom_field(uow: UnitOfWork, request: c.RestoreCustomField) -> bytes:
    """Puts a deleted field back in its place. Raises `Conflict` when another one has taken its key."""
    _defining(uow)
    row = lock(uow.session, CustomField, request.id, ABSENT)
    if row.deleted_at is not None:
        if _named(uow, row.key):
            raise Conflict("Un autre champ a pris cette clé depuis.", code="key_taken")
        uow.session.execute(
            text("UPDATE custom_field SET position = position + 1 WHERE deleted_at IS NULL AND position >= :position"),
            {"position": row.position},
        )
        row.deleted_at = None
        touch(uow, row)
        uow.session.flush()
        uow.emit(c.CustomFieldCreated(**_facts(row)))
    return queries.get_custom_field(uow.session, row.id)


def _defining(uow: UnitOfWork) -> None:
    uow.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _DEFINING})


def _living(uow: UnitOfWork, identifier: Any) -> CustomField:
    row = lock(uow.session, CustomField, identifier, ABSENT)
    if row.deleted_at is not None:
        raise Gone("Ce champ a été supprimé.")
    return row


def _named(uow: UnitOfWork, key: str) -> bool:
    living = select(CustomField.id).where(CustomField.key == key, CustomField.deleted_at.is_(None))
    return uow.session.scalar(living) is not None


def _free_key(uow: UnitOfWork, label: str) -> str:
    """`Date d’inscription` → `date_d_inscription`; a number behind it where a field, also a deleted one, bore it."""
    words = fold(label.replace("’", " ").replace("'", " ")).replace(" ", "_")[:40].strip("_")
    wanted = words if words[:1].isalpha() else f"champ_{words}".strip("_")
    borne = set(uow.session.scalars(select(CustomField.key)))
    return next(key for n in range(1, 10_000) if (key := wanted if n == 1 else f"{wanted}_{n}") not in borne)


def _check(row: CustomField) -> None:
    if row.type == "choice" and not row.choices:
        raise Invalid.field("choices", "Donnez au moins un choix.")
    if row.type != "choice" and row.choices:
        raise Invalid.field("choices", "Seul un champ à choix a des choix.")


def _place(uow: UnitOfWork, row: CustomField, wanted: int) -> bool:
    """Moves a field to a place; those between make room."""
    rows = list(
        uow.session.scalars(
            select(CustomField).where(CustomField.deleted_at.is_(None)).order_by(CustomField.position, CustomField.id)
        )
    )
    before = rows.index(row)
    rows.remove(row)
    rows.insert(wanted - 1, row)
    for position, each in enumerate(rows, 1):
        each.position = position
    return rows.index(row) != before


def _facts(row: CustomField) -> dict[str, Any]:
    return {
        "id": row.id,
        "key": row.key,
        "label": row.label,
        "type": row.type,
        "required": row.required,
        "choices": list(row.choices),
    }
