"""Faults planted on purpose, from the protocol's table of simpler ways: each is found by a promise that else holds.

Each fault is a variant of the real code, put in by monkeypatch; the same test without it is in `test_properties`.
"""

from __future__ import annotations

import functools
import inspect
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chassis.events import parked, place
from chassis.events.batch import Batches
from contracts.forest import FOLLOWERS
from gateway import door
from gateway import fiche as gateway_fiche
from services.clients import fields
from services.clients.commands import merges, records, told
from services.clients.model import Client, Merge
from services.clients.queries import identity
from services.kit import erasure, forest, homes, movable
from tests.merge import test_properties as promises
from tests.merge.forests import check_forests
from tests.merge.world import SERVICES, World

Plant = Callable[[pytest.MonkeyPatch, World], None]
PLANTS: dict[str, tuple[Plant, Callable[..., None]]] = {}


def plant(name: str, promise: Callable[..., None]) -> Callable[[Plant], Plant]:
    """A fault, and the promise that it breaks."""

    def keep(function: Plant) -> Plant:
        PLANTS[name] = (function, promise)
        return function

    return keep


def around(patch: pytest.MonkeyPatch, owner: Any, name: str, variant: Callable[..., Any]) -> None:
    """Puts `variant(original, …)` in place of a function."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def instead(*args: Any, **kwargs: Any) -> Any:
        return variant(original, *args, **kwargs)

    patch.setattr(owner, name, instead)


def _re_point(session: Any, kinds: Any, old: Any, new: Any, ids: Any = None) -> dict[str, list[Any]]:
    """Writes another home into rows: those of `old` records, or those given."""
    found = {}
    for model in dict.fromkeys(kinds.values()):
        if "id" in model.__table__.columns:
            table = model.__tablename__
            where, chosen = ("home_client_id", old) if ids is None else ("id", ids.get(table, []))
            update = f"UPDATE {table} SET home_client_id = :new WHERE {where} = ANY(:chosen) RETURNING id"
            found[table] = list(session.execute(text(update), {"chosen": chosen, "new": new}).scalars())
    return found


# --- rows and homes ---------------------------------------------------------------------------------------------------


@plant(
    "rows are re-pointed, remembered and put back",
    promises.test_05_merges_and_their_undos_in_any_order_leave_all_as_before,
)
def rows_re_pointed(patch: pytest.MonkeyPatch, world: World) -> None:
    remembered: dict[Any, dict[str, list[Any]]] = {}

    def client_merged(original: Any, self: Any, event: Any, envelope: Any) -> None:
        original(self, event, envelope)
        moved = _re_point(self.uow.session, self.kinds, event.duplicate_tree, event.survivor_id)
        remembered[self.name, event.merge_id] = moved

    def client_merge_undone(original: Any, self: Any, event: Any, envelope: Any) -> None:
        original(self, event, envelope)
        _re_point(self.uow.session, self.kinds, None, event.duplicate_id, remembered[self.name, event.merge_id])

    around(patch, forest.ForestService, "client_merged", client_merged)
    around(patch, forest.ForestService, "client_merge_undone", client_merge_undone)


@plant(
    "the current client is stored with the row, re-pointed by UPDATE",
    promises.test_04_a_row_on_its_way_while_its_client_is_merged_is_on_the_survivors_fiche,
)
def current_client_stored(patch: pytest.MonkeyPatch, world: World) -> None:
    def client_merged(original: Any, self: Any, event: Any, envelope: Any) -> None:
        original(self, event, envelope)
        _re_point(self.uow.session, self.kinds, event.duplicate_tree, event.survivor_id)

    around(patch, forest.ForestService, "client_merged", client_merged)
    alone = "FROM client_alias a WHERE a.root_id = r.id ORDER BY a.id"
    for name in ("_TREE", "_TREE_JSON"):
        patch.setattr(homes, name, getattr(homes, name).replace(alone, "FROM client_alias a WHERE false"))


@plant(
    "home = the id as it was written",
    promises.test_03_the_home_of_a_row_is_a_root_that_its_written_id_had_between_request_and_answer,
)
def home_as_written(patch: pytest.MonkeyPatch, world: World) -> None:
    patch.setattr(
        door.Home, "ids", lambda self: {"home_client_id": self.written, "written_client_id": self.written}
    )  # fmt: skip


@plant(
    "the service resolves at write by its own aliases",
    promises.test_03_the_home_of_a_row_is_a_root_that_its_written_id_had_between_request_and_answer,
)
def resolved_by_own_aliases(patch: pytest.MonkeyPatch, world: World) -> None:
    def ids(self: door.Home) -> dict[str, uuid.UUID]:
        known = world.sql("equipment", "SELECT root_id FROM client_alias WHERE id = :id", id=self.written)
        return {"home_client_id": known[0].root_id if known else self.written, "written_client_id": self.written}

    patch.setattr(door.Home, "ids", ids)


@plant(
    "the fiche asks by root as each service knows it",
    promises.test_04_at_any_time_the_fiche_shows_exactly_the_rows_whose_home_stands_under_it,
)
def fiche_by_each_services_root(patch: pytest.MonkeyPatch, world: World) -> None:
    true: list[list[str]] = []

    def tree(original: Any, head: bytes) -> list[str]:
        if b',"client":' in head:
            true.append(original(head))
        return true[-1]  # whatever tree a service says that it used

    around(patch, gateway_fiche, "_tree", tree)


@plant(
    "events bear the current id only",
    promises.test_02_at_rest_n_is_equal_everywhere_and_each_row_under_one_root_a_derived_one_with_its_source,
)
def events_with_the_current_id(patch: pytest.MonkeyPatch, world: World) -> None:
    def note(original: Any, uow: Any, event: Any, *more: Any) -> None:
        original(uow, event.model_copy(update={"home_client_id": event.client_id}), *more)

    around(patch, told, "_note", note)


# --- the forest -------------------------------------------------------------------------------------------------------


@plant("an old event acts again", promises.test_11_all_events_again_in_any_order_change_nothing)
def old_event_acts_again(patch: pytest.MonkeyPatch, world: World) -> None:
    patch.setattr(forest.ForestService, "_in_turn", lambda self, version: bool(self._version() + 1))

    def graft(original: Any, session: Any, merge_id: Any, survivor: Any, duplicate: Any) -> None:
        session.execute(text("DELETE FROM client_alias WHERE id = :id"), {"id": duplicate})
        original(session, merge_id, survivor, duplicate)

    around(patch, forest, "graft", graft)


@plant(
    "the place is saved before the effect",
    promises.test_11_a_service_that_dies_inside_a_batch_has_neither_lost_nor_done_anything_twice,
)
def place_before_effect(patch: pytest.MonkeyPatch, world: World) -> None:
    real_move = place.move

    def transact(original: Any, self: Any, batch: Any, *, parking: bool = False) -> None:
        producer, last = self._following.producer, batch[-1]

        def moves(service: Any) -> None:
            place.lock(service.uow.session, producer, batch[0].position - 1)
            real_move(service.uow.session, producer, last.log_id, last.position, last.id)

        def acts(service: Any) -> None:
            for entry in batch:
                parked.handle(service, self._following.handlers, entry.event)
            place.move(service.uow.session, producer, last.log_id, last.position, last.id)

        self._following.transact(moves)
        self._following.transact(acts)

    around(patch, Batches, "_transact", transact)


@plant(
    "the snapshot has neither moves nor choices",
    promises.test_14_moves_are_done_once_also_through_a_rebuild_unless_the_row_was_reassigned_since,
)
def snapshot_without_deeds(patch: pytest.MonkeyPatch, world: World) -> None:
    def forest_told(original: Any, session: Any) -> Any:
        return original(session).model_copy(update={"deeds": []})

    around(patch, identity, "forest_told", forest_told)


@plant(
    "chains are flattened",
    promises.test_01_at_any_time_in_every_service_aliases_are_the_edges_of_the_first_n_forest_events,
)
def chains_flattened(patch: pytest.MonkeyPatch, world: World) -> None:
    def graft(original: Any, session: Any, merge_id: Any, survivor: Any, duplicate: Any) -> None:
        original(session, merge_id, survivor, duplicate)
        session.execute(text("UPDATE client_alias SET parent_id = root_id WHERE root_id = :id"), {"id": survivor})

    around(patch, forest, "graft", graft)
    around(patch, merges, "graft", graft)


@plant(
    "a merge checks without locks, then writes", promises.test_the_second_of_two_merges_at_once_that_cross_is_refused
)
def check_then_write(patch: pytest.MonkeyPatch, world: World) -> None:
    def lock_forest(original: Any, uow: Any) -> int:
        return int(uow.session.scalar(text("SELECT version FROM client_forest"))) + 1

    def lock_records(original: Any, uow: Any, ids: Any) -> dict[uuid.UUID, Client]:
        return {identifier: row for identifier in ids if (row := uow.session.get(Client, identifier))}

    around(patch, merges, "lock_forest", lock_forest)
    around(patch, merges, "lock_records", lock_records)


# --- fields and other facts -------------------------------------------------------------------------------------------


def _undo_by_former_values(patch: pytest.MonkeyPatch, *, only_if_still_the_merges: bool) -> None:
    former: dict[Any, dict[str, Any]] = {}
    written: dict[Any, dict[str, Any]] = {}

    def take(original: Any, uow: Any, merge: Merge, survivor: Client, choices: Any) -> Any:
        former[merge.id] = {name: getattr(survivor, name) for name in ("email", "memo")}
        changed = original(uow, merge, survivor, choices)
        written[merge.id] = {name: getattr(survivor, name) for name in ("email", "memo")}
        return changed

    def undo(original: Any, uow: Any, request: Any) -> bytes:
        merge = uow.session.get(Merge, request.id)
        survivor = uow.session.get(Client, merge.survivor_id)
        now = {name: getattr(survivor, name) for name in former[merge.id]}
        answer: bytes = original(uow, request)
        for name, was in former[merge.id].items():
            mine = not only_if_still_the_merges or now[name] == written[merge.id][name]
            setattr(survivor, name, was if mine else now[name])
        uow.session.flush()
        return answer

    around(patch, merges, "_take", take)
    around(patch, merges, "undo_merge", undo)


_REPLAY = promises.test_06_fields_are_the_replay_of_the_history_without_the_undone_merges_and_no_later_edit_is_lost


@plant("undo writes back the former value, always", _REPLAY)
def former_value_always(patch: pytest.MonkeyPatch, world: World) -> None:
    _undo_by_former_values(patch, only_if_still_the_merges=False)


@plant("undo writes back the former value where it is still the merge’s", _REPLAY)
def former_value_if_still(patch: pytest.MonkeyPatch, world: World) -> None:
    _undo_by_former_values(patch, only_if_still_the_merges=True)


def _after_merge(patch: pytest.MonkeyPatch, work: Callable[[Any, Any], None]) -> None:
    def merge(original: Any, uow: Any, request: Any) -> bytes:
        answer: bytes = original(uow, request)
        work(uow, request.body)
        return answer

    around(patch, merges, "merge_clients", merge)


@plant(
    "the merge clears the duplicate’s main address",
    promises.test_07_there_is_one_main_address_while_there_is_an_address_and_it_is_in_the_tree,
)
def main_flag_cleared(patch: pytest.MonkeyPatch, world: World) -> None:
    def main_address(original: Any, session: Any, root: uuid.UUID, *asked: Any) -> uuid.UUID | None:
        return original(session, root, *asked) if fields.value(session, root, "main_address_id") else None

    around(patch, fields, "main_address", main_address)
    _after_merge(patch, lambda uow, body: fields.append(uow, body.duplicate_id, {"main_address_id": None}))


@plant("the relation between the two is deleted", promises.test_09_relations_shown_are_no_self_no_twin_no_loop)
def relation_deleted(patch: pytest.MonkeyPatch, world: World) -> None:
    _after_merge(
        patch,
        lambda uow, body: uow.session.execute(text("UPDATE relation SET deleted_at = now() WHERE waits = 'self'")),
    )


@plant(
    "the old reference is free again",
    promises.test_08_no_reference_twice_and_each_ever_given_finds_one_living_record,
)
def reference_freed(patch: pytest.MonkeyPatch, world: World) -> None:
    statement = text("DELETE FROM client_reference WHERE client_id = :id")
    _after_merge(patch, lambda uow, body: uow.session.execute(statement, {"id": body.duplicate_id}))


@plant("delete and archive follow an old id", promises.test_12_deletion_and_archiving_hit_only_the_id_named)
def delete_follows(patch: pytest.MonkeyPatch, world: World) -> None:
    def lock_record(original: Any, uow: Any, identifier: uuid.UUID, **more: Any) -> Client:
        found: Client = original(uow, homes.root_of(uow.session, identifier), **more)
        return found

    around(patch, records, "lock_record", lock_record)


@plant(
    "done = as many reports as services",
    promises.test_10_done_is_never_before_the_last_service_and_counts_are_the_rows_that_changed_hands,
)
def reports_counted(patch: pytest.MonkeyPatch, world: World) -> None:
    heard: Counter[uuid.UUID] = Counter()

    def reported(original: Any, uow: Any, service: str, merge_id: uuid.UUID, at: int, counts: Any) -> None:
        original(uow, service, merge_id, at, counts)
        heard[merge_id] += 1
        uow.session.flush()
        if heard[merge_id] >= len(FOLLOWERS):
            uow.session.execute(
                text("UPDATE merge_progress SET forest = :at WHERE merge_id = :id AND forest IS NULL"),
                {"at": at, "id": merge_id},
            )

    around(patch, merges, "reported", reported)


# --- erasure ----------------------------------------------------------------------------------------------------------


@plant(
    "an erased client comes back by a late event",
    promises.test_13_nothing_is_left_of_an_erased_person_also_of_what_comes_later,
)
def erased_forgotten(patch: pytest.MonkeyPatch, world: World) -> None:
    def erase_rows(original: Any, session: Any, base: Any, tree: Any) -> None:
        original(session, base, tree)
        session.execute(text("DELETE FROM erased_client WHERE id = ANY(:tree)"), {"tree": tree})

    around(patch, erasure, "erase_rows", erase_rows)


@plant(
    "an erased client’s name stays in the history of what it gave away",
    promises.test_13_nothing_is_left_of_an_erased_person_also_of_what_comes_later,
)
def name_kept_in_history(patch: pytest.MonkeyPatch, world: World) -> None:
    def root_of(original: Any, session: Any, home: Any) -> Any:
        known = text("SELECT display_name FROM known_client WHERE id = :id")
        return session.scalar(known, {"id": original(session, home)})

    around(patch, movable, "root_of", root_of)


# --- each is found ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found(pytestconfig: pytest.Config) -> Iterator[dict[str, tuple[str, str]]]:
    """What found each fault; printed at the end."""
    rows: dict[str, tuple[str, str]] = {}
    yield rows
    reporter = pytestconfig.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        reporter.write_line("")
        for name, (promise, said) in rows.items():
            reporter.write_line(f"{name:68} {promise[:60]:62} {said[:90]}")


class Ground:
    """A world for each fault: the last one's, where that has left no trace of the merges' forest, else a new one."""

    def __init__(self, postgres_url: str, folders: pytest.TempPathFactory) -> None:
        self._url, self._folders = postgres_url, folders
        self._world: World | None = None

    def world(self) -> World:
        """Where a fault may be planted. Nothing is planted now."""
        if self._world is not None and not self._sound(self._world):
            self.close()
        if self._world is None:
            self._world = World(self._url, self._folders.mktemp("data"))
        return self._world

    @staticmethod
    def _sound(world: World) -> bool:
        world.away, world.dying, world.before = set(), set(), None
        try:
            world.settle()
            check_forests(world.sql)
        except Exception:
            return False
        return not any(world.sql(name, "SELECT 1 FROM parked_event") for name in SERVICES)

    def close(self) -> None:
        """Closes what is open."""
        if self._world is not None:
            self._world.close()
        self._world = None


@pytest.fixture(scope="module")
def ground(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Where faults are planted."""
    made = Ground(postgres_url, tmp_path_factory)
    yield made
    made.close()


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_is_found(
    name: str, ground: Ground, monkeypatch: pytest.MonkeyPatch, found: dict[str, tuple[str, str]]
) -> None:
    sow, promise = PLANTS[name]
    world = ground.world()
    with monkeypatch.context() as patch:
        sow(patch, world)
        wanted = {"monkeypatch": patch} if "monkeypatch" in inspect.signature(promise).parameters else {}
        with pytest.raises((AssertionError, SQLAlchemyError)) as seen:
            promise(world, **wanted)
    found[name] = (promise.__name__, str(seen.value).partition("\n")[0])
