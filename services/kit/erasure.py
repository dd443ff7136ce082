"""Erasing a person in a service: its rows in the transaction that says so, and after it what else was said of them.

What is written later is blanked as it comes, by the triggers of `services.kit.erased`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import orjson
from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase, Session

from chassis.runtime import Runtime
from chassis.service import rpc, whenever_told
from chassis.uow import UnitOfWork
from contracts import forest
from services.kit.erased import LOCKS, SHARES, of_tree, owned, specs

#: Rung when somebody was erased.
BELL = "erased"
#: Events of the log that are looked through in one transaction.
BATCH = 10_000


class Erasing:
    """What a service does with the persons erased, beside blanking their rows: a mixin of `Service`."""

    base: ClassVar[type[DeclarativeBase]]
    kinds: ClassVar[Mapping[str, type]]
    name: ClassVar[str]
    uow: UnitOfWork
    runtime: Runtime

    def erase(self, tree: Sequence[uuid.UUID]) -> None:
        """Blanks the rows of these records in this transaction, and what was said of them after it."""
        erase_rows(self.uow.session, self.base, tree)
        self.ring_erased()

    def ring_erased(self) -> None:
        """Has what was said of persons erased by this transaction seen to, once it is committed."""
        self.uow.after_commit(self.runtime.bell(f"{self.name}.{BELL}").ring)

    @whenever_told(600, of=BELL)
    def see_to_erased(self) -> None:
        """Events, answers and files of persons erased. Harmless when replicas do it at once, or do it again."""
        # Read before the files are looked for: whoever is erased meanwhile is seen to, and told of, the next time.
        upto = int(self.uow.run(None, self.erased_upto))
        self.erase_files()
        for _ in sweep(self.uow, self.base, self.taken_over, lambda: self.seen_to(upto)):
            time.sleep(0)  # other calls and heartbeats go on

    def someone_to_see_to(self) -> bool:
        """Whether somebody was erased since the last time."""
        return bool(self.uow.run(None, lambda: unswept(self.uow.session)))

    def erased_upto(self) -> int:
        """The forest version up to which the rows of everybody erased are blank here; 0 where it is not followed."""
        return 0

    def seen_to(self, upto: int) -> None:
        """Nothing is left here of anybody erased up to a version, no file either: told in the last transaction."""

    def erase_files(self) -> None:
        """Takes away what the store holds of persons erased, in transactions of its own."""

    def taken_over(self, erased: Sequence[uuid.UUID]) -> Sequence[Taken]:
        """What other records had taken over from these, by merges that were undone since."""
        return []

    @rpc(forest.PreviewErasure)
    def preview_erasure(self, request: forest.PreviewErasure) -> forest.ErasureCounts:
        blanked, kept = count_rows(self.uow.session, self.base, self.kinds, request.tree)
        return forest.ErasureCounts(blanked=blanked, kept=kept)


# --- rows -------------------------------------------------------------------------------------------------------------


def erase_rows(session: Session, base: type[DeclarativeBase], tree: Sequence[uuid.UUID]) -> None:
    """Remembers the persons and blanks their rows. Writers of these rows end before, or find them erased."""
    params = {"tree": list(tree)}
    session.flush()
    session.execute(
        text(
            f"SELECT pg_advisory_xact_lock({LOCKS}, n) FROM (SELECT DISTINCT uuid_hash(id) & {SHARES} AS n "
            "FROM unnest(CAST(:tree AS uuid[])) id ORDER BY n) shares"
        ),
        params,
    )
    session.execute(
        text("INSERT INTO erased_client (id) SELECT unnest(CAST(:tree AS uuid[])) ON CONFLICT DO NOTHING"), params
    )
    tables = specs(base)
    for table, spec in tables.items():
        column = next(iter(spec.blanks), "")
        deed = f"DELETE FROM {table} x" if spec.drop else f"UPDATE {table} x SET {column} = x.{column}"
        for condition in of_tree(tables, spec):
            session.execute(text(f"{deed} WHERE {condition}"), params)
    session.expire_all()


def count_rows(session: Session, base: type[DeclarativeBase], kinds: Mapping[str, type], tree: Sequence[uuid.UUID]
               ) -> tuple[dict[str, int], dict[str, int]]:  # fmt: skip
    """Rows by kind that an erasure would blank, and those that the law keeps; kinds without any are absent.

    Kinds that hold nothing of a person (the visits of a plan: ids and days) are not counted.
    """
    tables = specs(base)
    blanked, kept = {}, {}
    for kind, model in kinds.items():
        table = str(model.__tablename__)  # type: ignore[attr-defined]
        if (spec := tables.get(table)) is None:
            continue
        stays = f"({spec.unless.format(x='x')})" if spec.unless else "false"
        own = " OR ".join(f"x.{home} = ANY(:tree)" for home in spec.homes)
        row = session.execute(
            text(
                f"SELECT count(*) FILTER (WHERE NOT {stays}) AS goes, count(*) FILTER (WHERE {stays}) AS stays "
                f"FROM {table} x WHERE {own}"
            ),
            {"tree": list(tree)},
        ).one()
        if row.goes:
            blanked[kind] = row.goes
        if row.stays:
            kept[kind] = row.stays
    return blanked, kept


# --- what was said of them --------------------------------------------------------------------------------------------


def sweep(
    uow: UnitOfWork,
    base: type[DeclarativeBase],
    taken_over: Callable[[Sequence[uuid.UUID]], Sequence[Taken]],
    ended: Callable[[], None],
) -> Iterator[None]:
    """Blanks what lies about of persons erased since the last time: answers, parked events, snapshots, the log.

    A step is one transaction, the last of which calls `ended`; asked again after a crash, it begins anew, and what is
    blank stays so.
    """
    found = uow.run(None, lambda: unswept(uow.session))
    if not found:
        return
    taken: Sequence[Taken] = uow.run(None, lambda: taken_over(found))  # type: ignore[assignment,arg-type]
    rows: list[str] = uow.run(None, lambda: _rows_of(uow.session, base, found))  # type: ignore[assignment,arg-type]
    ids = {"ids": [f"%{each}%" for each in found], "rows": rows}
    for statement in _STATEMENTS:
        uow.run(None, lambda statement=statement: uow.session.execute(text(statement), ids) and None)  # type: ignore[misc]
        yield
    if uow.database.settings.erase_event_log:
        after: int | None = 0
        while after is not None:
            after = uow.run(None, lambda after=after: _blank_log(uow.session, after, ids))  # type: ignore[misc,assignment]
            yield
    for one in taken:
        uow.run(None, lambda one=one: blank_taken(uow.session, one, uow.database.settings.erase_event_log))  # type: ignore[misc]
        yield

    def end() -> None:
        swept = text("UPDATE erased_client SET swept_at = now() WHERE id = ANY(:found)")
        uow.session.execute(swept, {"found": found})
        ended()

    uow.run(None, end)


def unswept(session: Session) -> list[uuid.UUID]:
    """Persons of whom something may lie about still."""
    return list(session.execute(text("SELECT id FROM erased_client WHERE swept_at IS NULL")).scalars())


def _rows_of(session: Session, base: type[DeclarativeBase], persons: Sequence[uuid.UUID]) -> list[str]:
    """Ids of what is theirs by now: told of others, where somebody gave it away or an undo moved it."""
    found: list[str] = []
    for table, spec in specs(base).items():
        if spec.homes and "id" in base.metadata.tables[table].c:
            statement = text(f"SELECT x.id::text FROM {table} x WHERE {owned('x', spec)}")
            found += session.execute(statement, {"tree": list(persons)}).scalars()
    return found


_STATEMENTS = (
    "UPDATE idempotent_answer SET answer = erased_answer(answer) "
    "WHERE answer LIKE ANY(:ids) OR CASE WHEN answer LIKE '{%' THEN answer::jsonb->>'id' END = ANY(:rows)",
    "UPDATE parked_event SET event = erased_event(event), error = erased_error(error, event) "
    "WHERE event LIKE ANY(:ids)",
    "UPDATE dropped_event SET event = erased_event(event), error = erased_error(error, event), reason = '' "
    "WHERE event LIKE ANY(:ids) AND is_of_erased(event::jsonb->'data')",
    # Whoever reads pages of such a snapshot is told to ask for another.
    "DELETE FROM event_snapshot WHERE id IN (SELECT id FROM event_snapshot WHERE body LIKE ANY(:ids))",
)


def _blank_log(session: Session, after: int, ids: Mapping[str, Sequence[str]]) -> int | None:
    """Blanks the persons' events of a part of the log, each in its place; where the next part begins."""
    part = {"after": after, "upto": after + BATCH}
    for change in (
        "erased_event(event) WHERE event LIKE ANY(:ids)",
        "(event::jsonb || jsonb_build_object('data', erased_json(event::jsonb->'data', '')))::text "
        "WHERE subject = ANY(:rows) AND NOT is_of_erased(event::jsonb->'data')",
    ):
        statement = text(f"UPDATE event_log SET event = {change} AND position > :after AND position <= :upto")
        session.execute(statement, {**ids, **part})
    # Nobody asks for positions one by one: the log may begin anywhere.
    last = session.scalar(text("SELECT position FROM event_head"))
    return after + BATCH if after + BATCH < int(last or 0) else None


# --- what others had taken over from them -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Taken:
    """What a record says of a person it was merged with once: `keys` of its state, in events between two positions.

    After the merge was undone it says its own again; what was said until then would say the person's for ever.
    """

    record: uuid.UUID
    keys: frozenset[str]
    first: int
    before: int


def takers(
    session: Session, table: str, home: str, erased: Sequence[uuid.UUID]
) -> dict[uuid.UUID, dict[str, set[uuid.UUID]]]:
    """Record → field → merges by which it took the field over from one of these, be it through records between.

    `table` keeps every write: `op`, `source_client_id`, `merge_id`, and the record under `home`.
    """
    statement = text(
        f"SELECT {home} AS record, field, source_client_id AS source, merge_id FROM {table} "
        "WHERE op <> 'set' AND source_client_id = ANY(:sources)"
    )
    found: dict[uuid.UUID, dict[str, set[uuid.UUID]]] = {}
    sources = set(erased)
    while sources:
        rows = session.execute(statement, {"sources": list(sources)}).all()
        sources = set()
        for row in rows:
            before = set() if row.source in erased else found[row.source].get(row.field)
            if before is None or row.record in erased:
                continue
            merges = found.setdefault(row.record, {}).setdefault(row.field, set())
            if not merges >= before | {row.merge_id}:
                merges |= before | {row.merge_id}
                sources.add(row.record)
    return found


def blank_taken(session: Session, taken: Taken, log: bool) -> None:
    """Empties what answers and, with `log`, events said of the record: all texts of those, of these the keys'."""
    params = {
        "like": f"%{taken.record}%",
        "subject": str(taken.record),
        "first": taken.first,
        "before": taken.before,
    }
    session.execute(
        text(
            "UPDATE idempotent_answer SET answer = erased_answer(answer) WHERE answer LIKE :like "
            "AND recorded_at BETWEEN "
            "coalesce((SELECT recorded_at FROM event_log WHERE position = :first), '-infinity') "
            "AND coalesce((SELECT recorded_at FROM event_log WHERE position = :before), now())"
        ),
        params,
    )
    if not log:
        return
    rows = session.execute(
        text(
            "SELECT position, event FROM event_log "
            "WHERE subject = :subject AND position >= :first AND position < :before"
        ),
        params,
    )
    for row in rows.all():
        event = orjson.loads(row.event)
        states = [state for state in (event["data"], event["data"].get("survivor")) if isinstance(state, dict)]
        said = [(state, key) for state in states for key in taken.keys if state.get(key)]
        for state, key in said:
            state[key] = ""
        if said:
            session.execute(
                text("UPDATE event_log SET event = :event WHERE position = :position"),
                {"event": orjson.dumps(event).decode(), "position": row.position},
            )
