"""Who changed what of a row, and when: kept for ever, field by field, beside the row itself."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from chassis.ids import new_id
from chassis.page import Listing, PageLike
from chassis.tables import add_tables
from chassis.uow import UnitOfWork
from services.kit.erased import Erased

#: A row has become another client's. Both are kept by their ids: either may be erased one day.
REASSIGNED = "reassigned"


def _named(value: str) -> str:
    """SQL: the name of a client that a row came from or went to, as it is now; any other value as it was kept."""
    return (
        f"CASE WHEN h.action = '{REASSIGNED}' THEN coalesce((SELECT to_jsonb(k.display_name) FROM known_client k "
        f"WHERE k.id::text = {value} #>> '{{}}'), {value}) ELSE {value} END"
    )


HISTORY = Listing(
    source="row_change h",
    item=(
        "json_build_object('id', h.id, 'at', h.at, 'by', json_build_object('id', h.by_id, 'name', h.by_name), "
        f"'action', h.action, 'field', h.field, 'before', {_named('h.before')}, 'after', {_named('h.after')})"
    ),
    key="h.id",
    sorts={"-at": ("h.at", "timestamptz")},
    default="-at",
)


class RowChangeMixin:
    """One change: an action by itself, or one field with its value before and after."""

    __tablename__ = "row_change"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    row_id: Mapped[uuid.UUID] = mapped_column(index=True)
    at: Mapped[datetime]
    by_id: Mapped[str]
    by_name: Mapped[str]
    action: Mapped[str]
    field: Mapped[str] = mapped_column(server_default="")
    before: Mapped[Any] = mapped_column(JSONB, nullable=True)
    after: Mapped[Any] = mapped_column(JSONB, nullable=True)


def attach_history(base: type[DeclarativeBase], *tables: str) -> None:
    """Adds the table of changes to a service's base; `tables` are those whose rows have one."""
    add_tables(base, RowChangeMixin)
    # What was done stays, without what was said.
    base.metadata.tables["row_change"].info["erased"] = Erased(
        {"before": "NULL", "after": "NULL"},
        kept=("by_id", "by_name", "action", "field"),
        homes=(),
        parents=tuple((table, "row_id") for table in tables),
    )


def state_of(row: Any, fields: frozenset[str]) -> dict[str, Any]:
    """The values of these fields now, to be compared after a change."""
    return {name: getattr(row, name) for name in fields}


def note(
    uow: UnitOfWork,
    row: Any,
    action: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Keeps an action on a row. With `before`, one line for each of its fields whose value in `after` (the row
    itself where None) differs, and none where nothing differs.
    """
    fields: list[tuple[str, Any, Any]] = [("", None, None)]
    if before is not None:
        now = after if after is not None else {name: getattr(row, name) for name in before}
        fields = [(name, old, now[name]) for name, old in sorted(before.items()) if now[name] != old]
    actor = uow.context.actor
    table = row.metadata.tables["row_change"]
    for name, old, new in fields:
        uow.session.execute(
            table.insert().values(
                id=new_id(),
                row_id=row.id,
                at=uow.now,
                by_id=actor.id,
                by_name=actor.name,
                action=action,
                field=name,
                before=_plain(old),
                after=_plain(new),
            )
        )


def history(session: Session, row_id: uuid.UUID, page: PageLike) -> bytes:
    """A page of what happened to a row, newest first."""
    return HISTORY.page(session, ["h.row_id = :row"], {"row": row_id}, page)


def known(session: Session, table: str, row_id: uuid.UUID) -> bool:
    """Whether the table holds the row, deleted or not: its history can be asked for."""
    found = session.execute(text(f"SELECT 1 FROM {table} WHERE id = :id"), {"id": row_id})
    return found.first() is not None


def _plain(value: Any) -> Any:
    """The value as JSON has it."""
    return str(value) if isinstance(value, uuid.UUID | date | Decimal) else value
