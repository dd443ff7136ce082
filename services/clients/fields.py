"""What a field's value is: one rule, for edits today and for merges (merge-protocol, *Rules for each kind of data*).

A value is the last write whose merge is active, or that has none. `take` is another record's value as it was at that
write, read by the same rule; `join` both texts under a line saying whence. A pointer's write counts only while its
target is living and in the tree, a reference's only while its bearer is in the tree.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from chassis.uow import UnitOfWork
from contracts.fields import phone_forms
from services.clients.model import Client, ClientFieldWrite
from services.clients.text import display_name, fold, phone_digits, reference_key, search_text
from services.kit.homes import tree_of

#: Fields with one value each; a custom field is `custom_fields.<key>`.
SINGLE = (
    "kind", "first_name", "last_name", "company_name", "own_name", "registration_number", "stage", "siret",
    "vat_number", "email", "phone", "secondary_phone", "website", "sales_rep_id",
)  # fmt: skip
CUSTOM = "custom_fields."
#: Lines of the history that tell of a merge and its undo: the merge's id, on both records, for ever.
MERGED, UNDONE = "merge", "merge_undone"

_WRITES = text(
    """
    SELECT w.seq, w.op, w.value->'v' AS value, w.source_client_id AS source FROM client_field_write w
    LEFT JOIN merge m ON m.id = w.merge_id
    WHERE w.client_id = :record AND w.field = :field AND w.seq < :before AND m.undone_forest IS NULL
    AND (CAST(:without AS uuid) IS NULL OR w.merge_id IS DISTINCT FROM :without) ORDER BY w.seq DESC
    """
)
_NOW = 2**62


def append(
    uow: UnitOfWork,
    record: uuid.UUID,
    values: dict[str, Any],
    *,
    before: dict[str, Any] | None = None,
    **more: Any,
) -> None:
    """Appends one write a field: the record's history, and what its value is made of.

    `before`: what was, where no earlier write tells it: of a row, or after a merge. `more`: `op`, `at`, `row_id`, what
    a merge says of itself.
    """
    if not values:
        return
    actor = uow.context.actor
    common = {"op": "set", "row_id": None, "source_client_id": None, "merge_id": None, "at": uow.now} | more
    uow.session.execute(
        insert(ClientFieldWrite),
        [
            {
                "client_id_of_record": record,
                "field": name,
                "value": {"v": str(value) if isinstance(value, uuid.UUID) else value}
                | ({} if before is None else {"p": before[name]}),
                "actor_id": actor.id,
                "actor_name": actor.name,
                **common,
            }
            for name, value in values.items()
        ],
    )


def values(
    session: Session, record: uuid.UUID, field: str, before: int = _NOW, without: uuid.UUID | None = None
) -> Iterator[Any]:
    """Values that a field had, newest first, before a write; as if the merge `without` were undone."""
    asked = {"record": record, "field": field, "before": before, "without": without}
    for write in session.execute(_WRITES, asked).all():
        if write.op == "set":
            yield write.value
            continue
        taken = value(session, write.source, field, write.seq, without)
        if write.op == "take":
            yield taken
        else:
            mine = value(session, record, field, write.seq, without)
            yield joined(mine or "", taken or "", _name(session, write.source))


def value(session: Session, record: uuid.UUID, field: str, before: int = _NOW, without: uuid.UUID | None = None) -> Any:
    """A field's value as it was before a write (now, without one); None when it was never written."""
    return next(values(session, record, field, before, without), None)


def joined(mine: str, theirs: str, name: str) -> str:
    """Two memos in one, with a line that says whence the second comes."""
    return "\n".join(part for part in (mine, f"— Mémo de {name} —" if theirs else "", theirs) if part)


def _name(session: Session, record: uuid.UUID) -> str:
    return str(session.scalar(text("SELECT display_name FROM client WHERE id = :id"), {"id": record}))


def materialise(session: Session, row: Client, fields: Iterable[str]) -> None:
    """Sets columns of a record from its writes, and what is derived from them. The row is locked by the caller."""
    for name in fields:
        if name.startswith(CUSTOM):
            key, found = name.removeprefix(CUSTOM), value(session, row.id, name)
            kept = {k: v for k, v in row.custom_fields.items() if k != key}
            row.custom_fields = kept if found is None else kept | {key: found}
        elif name == "main_address_id":
            row.main_address_id = main_address(session, row.id)
        elif name == "reference":
            row.reference = reference(session, row.id) or row.reference
        elif name == "sales_rep_id":
            found = value(session, row.id, name)
            row.sales_rep_id = None if found is None else uuid.UUID(found)
        elif name == "layout":
            row.layout = value(session, row.id, name)
        else:
            setattr(row, name, value(session, row.id, name) or "")
    derive(row)


def main_address(
    session: Session, root: uuid.UUID, tree: Sequence[uuid.UUID] | None = None, without: uuid.UUID | None = None
) -> uuid.UUID | None:
    """The last address made main that is living and in the tree; none left: the oldest.

    As if the merge `without` were undone, where `tree` is what is left of it then.
    """
    living = [
        uuid.UUID(str(row.id))
        for row in session.execute(
            text(
                "SELECT id FROM address WHERE home_client_id = ANY(:tree) AND retired_at IS NULL "
                "AND deleted_at IS NULL ORDER BY created_at, id"
            ),
            {"tree": list(tree or tree_of(session, root))},
        )
    ]
    if not living:
        return None
    known = {str(identifier): identifier for identifier in living}
    made = values(session, root, "main_address_id", without=without)
    return next((known[v] for v in made if v in known), living[0])


def reference(
    session: Session, root: uuid.UUID, tree: Sequence[uuid.UUID] | None = None, without: uuid.UUID | None = None
) -> str | None:
    """The last reference whose bearer is in the tree; `tree` and `without` as for `main_address`."""
    borne = session.execute(
        text("SELECT reference FROM client_reference WHERE client_id = ANY(:tree)"),
        {"tree": list(tree or tree_of(session, root))},
    ).scalars()
    keys = set(borne)
    given = values(session, root, "reference", without=without)
    return next((v for v in given if reference_key(v) in keys), None)


def derive(row: Client) -> None:
    """Recomputes what comes from the fields: name shown, what it is found by, how it is sorted, forms of phones."""
    row.display_name = row.own_name or display_name(row.kind, row.first_name, row.last_name, row.company_name)
    row.sort_name = fold(row.display_name) or row.display_name.lower()
    row.search = search_text(
        f"{row.first_name} {row.last_name}", row.company_name, row.own_name, row.reference, row.registration_number
    )
    row.phone_e164, row.phone_display = phone_forms(row.phone)
    row.secondary_phone_e164, row.secondary_phone_display = phone_forms(row.secondary_phone)
    row.phones = phone_digits(row.phone, row.secondary_phone)
