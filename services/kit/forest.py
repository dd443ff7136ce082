"""Following the merge forest: what each service that keeps rows of clients does with a merge, an undo, an erasure.

A row never moves by a merge; only what its home means changes (merge-protocol). Every function runs in the consumer's
transaction, so that aliases, effects, report and place are one fact.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.events import place
from chassis.service import Service, on, rpc
from chassis.stamp import touch
from contracts import clients, forest
from contracts.base import Envelope
from services.kit.erasure import Erasing, unswept
from services.kit.movable import Movable, give_away, given_away, homes_of, reassign, undo_rows


class ForestService(Erasing, Service):
    """Base of the services whose rows have a home. `kinds` lists the tables that have one, by kind."""

    kinds: ClassVar[Mapping[str, type]]
    #: Kinds that hold single facts of a record: they follow rules of their own and do not change hands.
    facts: ClassVar[frozenset[str]] = frozenset()
    #: Kinds whose rows change hands one by one, as `contracts.forest.MOVABLE` names them.
    movable: ClassVar[Mapping[str, Movable]] = {}

    @rpc(forest.CountHomes)
    def count_homes(self, request: forest.CountHomes) -> forest.HomeCounts:
        return forest.HomeCounts(counts=self._counts(request.tree))

    @rpc(forest.UndoRows)
    def undo_rows(self, request: forest.UndoRows) -> forest.UndoneRows:
        kinds = {kind: model for kind, model in self.kinds.items() if kind not in self.facts}
        return undo_rows(self.uow.session, request, kinds, self.movable, self._counts(request.branch))

    @rpc(forest.HomesOf)
    def homes_of(self, request: forest.HomesOf) -> forest.Homes:
        return forest.Homes.model_validate({"homes": homes_of(self.uow.session, request, self.kinds)})

    @rpc(forest.ReassignRow)
    def reassign_row(self, request: forest.ReassignRow) -> bytes:
        give_away(self.uow.session, request.forest, [request.id])
        row, former = reassign(self.uow, request, self.kinds, self.movable, self.check_reassignable)
        if former is not None:
            self.rehomed(request.kind, row, former)
        return b"{}"

    @on(clients.ClientMerged, since="snapshot")
    def client_merged(self, event: clients.ClientMerged, envelope: Envelope) -> None:
        if not self._in_turn(event.forest):
            return
        graft(self.uow.session, event.merge_id, event.survivor_id, event.duplicate_id)
        self._reached(event.forest)
        self.chosen(
            event.merge_id, event.forest, event.survivor_id, event.duplicate_id, event.choices.get(self.name, {})
        )
        self._report(event.merge_id, event.forest, "merge", self._counts(event.duplicate_tree))

    @on(clients.ClientMergeUndone, since="snapshot")
    def client_merge_undone(self, event: clients.ClientMergeUndone, envelope: Envelope) -> None:
        session = self.uow.session
        if not self._in_turn(event.forest):
            return
        cut(session, event.duplicate_id, event.duplicate_tree)
        self._move(event.forest, event.moves)
        self._reached(event.forest)
        self.unchosen([event.duplicate_id, *path_to_root(session, event.survivor_id)])
        self._report(event.merge_id, event.forest, "undo", self._counts(event.duplicate_tree))

    @on(clients.ClientErased, since="snapshot")
    def client_erased(self, event: clients.ClientErased, envelope: Envelope) -> None:
        if not self._in_turn(event.forest):
            return
        self.erase(event.tree)
        self._reached(event.forest)
        self._say_reached(event.forest)

    @on(clients.ForestTold, since="snapshot")
    def forest_told(self, event: clients.ForestTold, envelope: Envelope) -> None:
        """The whole forest, in place of what this service has; moves and choices of deeds that it had not seen."""
        session = self.uow.session
        version = self._version()
        if version == event.forest and not event.forest:
            return
        session.execute(text("DELETE FROM client_alias"))
        if event.aliases:
            session.execute(
                text(
                    "INSERT INTO client_alias (id, parent_id, merge_id, root_id) "
                    "SELECT id, parent_id, merge_id, root_id FROM json_to_recordset(CAST(:rows AS json)) "
                    "AS r(id uuid, parent_id uuid, merge_id uuid, root_id uuid)"
                ),
                {"rows": orjson.dumps(event.aliases).decode()},
            )
        ends = ("survivor_id", "duplicate_id")
        for at, deed, undone in _in_order(event.deeds):
            if at <= version:
                continue
            if undone:
                self._move(at, deed["moves"] or [])
            else:
                choices = (deed["choices"] or {}).get(self.name, {})
                merge_id, survivor, duplicate = (uuid.UUID(deed[name]) for name in ("merge_id", *ends))
                self.chosen(merge_id, at, survivor, duplicate, choices)
                # One that begins to follow has had no rows that could have changed hands.
                if version and deed["undone_forest"] is None and "duplicate_tree" in deed:
                    tree = [uuid.UUID(record) for record in deed["duplicate_tree"]]
                    self._report(merge_id, at, "merge", self._counts(tree))
        self._reached(event.forest)
        self.unchosen(sorted({uuid.UUID(deed[end]) for deed in event.deeds for end in ends}))
        if event.erased:
            self.erase(event.erased)
        # Where somebody is to be seen to still, that is told when it is done.
        self._say_reached(event.forest, erased=None if unswept(session) else event.forest)

    # --- what a service adds --------------------------------------------------------------------------------------

    def chosen(
        self, merge_id: uuid.UUID, at: int, survivor: uuid.UUID, duplicate: uuid.UUID, choices: dict[str, str]
    ) -> None:
        """Keeps what a merge says of single facts of this service, and materialises the survivor's. Acts once."""

    def unchosen(self, records: Sequence[uuid.UUID]) -> None:
        """Materialises single facts of these records again: merges that made them are no longer active."""

    def check_reassignable(self, kind: str, row: Any) -> None:
        """Raises `Conflict` for a row that may not be given to another client by itself."""

    def rehomed(self, kind: str, row: Any, former: uuid.UUID) -> None:
        """A row has a new home: takes along what follows it here, and tells it."""

    # --- erasures -------------------------------------------------------------------------------------------------

    def erased_upto(self) -> int:
        return int(self.uow.session.scalar(text("SELECT version FROM client_forest")) or 0)

    def seen_to(self, upto: int) -> None:
        self._say_reached(upto, erased=upto)

    def _say_reached(self, version: int, erased: int | None = None) -> None:
        self.uow.emit(forest.FOREST_REACHED[self.name](service=self.name, forest=version, erased=erased))

    # --- shared ---------------------------------------------------------------------------------------------------

    def _move(self, at: int, moves: Sequence[Mapping[str, Any]]) -> None:
        """Rows of this service that change sides with the undo of a forest version, but those re-assigned since."""
        since = given_away(self.uow.session, at) if moves and self.movable else set()
        for move in map(forest.Move.model_validate, moves):
            if move.service != self.name or move.kind not in self.movable or move.id in since:
                continue
            model = self.kinds[move.kind]
            if rehome(self.uow.session, model, move, self.movable[move.kind].alone):
                row: Any = self.uow.session.get_one(model, move.id, populate_existing=True)
                touch(self.uow, row)
                self.uow.session.flush()
                self.rehomed(move.kind, row, move.home_seen)

    def event_parked(self, raw: Mapping[str, Any], error: str) -> None:
        """A forest event put aside is told, so that its merge says that it has not ended here."""
        data = raw.get("data") or {}
        if raw.get("partitionkey") != clients.FOREST_KEY or "merge_id" not in data:
            return
        self.uow.emit(
            forest.REPOINT_FAILED[self.name](merge_id=data["merge_id"], forest=data["forest"], error=error[:300])
        )

    def _counts(self, tree: Sequence[uuid.UUID]) -> dict[str, int]:
        kinds = {kind: model for kind, model in self.kinds.items() if kind not in self.facts}
        return count_homes(self.uow.session, kinds, tree)

    def _version(self) -> int:
        return int(self.uow.session.execute(text("SELECT version FROM client_forest FOR UPDATE")).scalar_one())

    def _in_turn(self, version: int) -> bool:
        """Whether this is the next version. An older one was applied; a hole is filled from a snapshot."""
        known = self._version()
        if version > known + 1:
            place.ask_rebuild(self.uow.session, clients.OWNER)
        return version == known + 1

    def _reached(self, version: int) -> None:
        self.uow.session.execute(text("UPDATE client_forest SET version = :version"), {"version": version})
        if self.movable:
            self.uow.session.execute(text("DELETE FROM given_away WHERE forest <= :version"), {"version": version})

    def _report(self, merge_id: uuid.UUID, version: int, direction: Any, counts: dict[str, int]) -> None:
        self.uow.emit(
            forest.REPOINTED[self.name](merge_id=merge_id, forest=version, direction=direction, counts=counts)
        )


def graft(session: Session, merge_id: uuid.UUID, survivor: uuid.UUID, duplicate: uuid.UUID) -> None:
    """A record and all below it mean another, living one."""
    ids = {"duplicate": duplicate, "survivor": survivor, "merge": merge_id}
    session.execute(text("UPDATE client_alias SET root_id = :survivor WHERE root_id = :duplicate"), ids)
    session.execute(
        text(
            "INSERT INTO client_alias (id, parent_id, merge_id, root_id) "
            "VALUES (:duplicate, :survivor, :merge, :survivor)"
        ),
        ids,
    )


def cut(session: Session, duplicate: uuid.UUID, branch: Sequence[uuid.UUID]) -> None:
    """A record stands by itself again, with all below it (`branch`, itself included)."""
    session.execute(text("DELETE FROM client_alias WHERE id = :id"), {"id": duplicate})
    session.execute(
        text("UPDATE client_alias SET root_id = :id WHERE id = ANY(:tree) AND id <> :id"),
        {"id": duplicate, "tree": list(branch)},
    )


def rehome(session: Session, model: type, move: forest.Move, alone: str = "true") -> bool:
    """Gives a row its new home. One that has another home by now was re-assigned since, and stays: False.

    So does one that follows another row; `alone` is the condition of those that do not.
    """
    found = session.execute(
        text(
            f"UPDATE {_table_of(model)} x SET home_client_id = :home "
            f"WHERE x.id = :id AND x.home_client_id = :seen AND ({alone})"
        ),
        {"home": move.home, "id": move.id, "seen": move.home_seen},
    )
    return bool(getattr(found, "rowcount", 0))


def _table_of(model: type) -> str:
    return str(model.__tablename__)  # type: ignore[attr-defined]


def count_homes(session: Session, kinds: Mapping[str, type], tree: Sequence[uuid.UUID]) -> dict[str, int]:
    """Rows by kind whose home is one of these records, deleted ones too: all that a merge changes hands of."""
    if not kinds:
        return {}
    parts = [
        f"SELECT '{kind}' AS kind, count(*) AS n FROM {_table_of(model)} WHERE home_client_id = ANY(:tree)"
        for kind, model in kinds.items()
    ]
    found = session.execute(text(" UNION ALL ".join(parts)), {"tree": list(tree)})
    return {row.kind: row.n for row in found if row.n}


def path_to_root(session: Session, record: uuid.UUID) -> list[uuid.UUID]:
    """A record and those above it, up to its root."""
    found = session.execute(
        text(
            "WITH RECURSIVE up(id) AS (SELECT CAST(:id AS uuid) UNION "
            "SELECT a.parent_id FROM client_alias a JOIN up ON a.id = up.id) SELECT id FROM up"
        ),
        {"id": record},
    )
    return [uuid.UUID(str(row.id)) for row in found]


def _in_order(deeds: Sequence[dict[str, Any]]) -> list[tuple[int, dict[str, Any], bool]]:
    """Merges and undos of a snapshot, each at its forest version."""
    steps = [(deed["forest"], deed, False) for deed in deeds]
    steps += [(deed["undone_forest"], deed, True) for deed in deeds if deed["undone_forest"] is not None]
    return sorted(steps, key=lambda step: step[0])
