"""The same deeds while events come doubled, shuffled and late, and services die: in one thread, and as processes."""

from __future__ import annotations

import random
from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from chassis.settings import SERVICES
from contracts.forest import FOLLOWERS
from tests.faults.menu import FAULTS
from tests.faults.world import World as Servers
from tests.merge.forests import check_forests
from tests.merge.machine import MergeMachine
from tests.merge.world import World
from tests.support.waiting import wait_until

SEEDS = st.integers(0, 2**16)
SERVICE = st.sampled_from(("clients", "billing", "equipment", "interventions"))
POINT = st.sampled_from(("numbered", "publishing", "published", "placed", "effective"))


class SteppedMachine(MergeMachine):
    """On a `World`: events go on only where a rule says so, and every service's forest is looked at after each deed."""

    world: World

    def until(self, condition: Callable[[], bool], what: str) -> None:  # type: ignore[override]
        self.world.settle()
        assert condition(), what

    @rule(service=st.sampled_from(("clients", *FOLLOWERS)))
    def events_go_on(self, service: str) -> None:
        self.world.settle(service)

    @rule(service=st.sampled_from(FOLLOWERS), seed=SEEDS)
    def events_come_again_and_shuffled(self, service: str, seed: int) -> None:
        rng = random.Random(seed)
        self.world.deliver_again(service, "clients", rng)
        self.world.deliver_again("clients", service, rng)
        self.world.step(service, "clients")

    @rule(service=st.sampled_from(FOLLOWERS), seed=SEEDS)
    def old_events_act_again(self, service: str, seed: int) -> None:
        if service != self.away:
            self.world.settle(service)
            self.world.act_again(service, "clients", random.Random(seed))

    @rule(service=st.sampled_from(("clients", *FOLLOWERS)))
    def a_service_dies_inside_a_batch(self, service: str) -> None:
        self.world.dying = {service}
        self.world.settle(service)
        self.world.dying = set()

    @rule(service=st.sampled_from(FOLLOWERS))
    def a_service_is_rebuilt(self, service: str) -> None:
        if service != self.away:
            self.world.rebuild(service)
            self.world.settle(service)

    @precondition(lambda self: self.away != "equipment")
    @rule(data=st.data())
    def undo_with_moves(self, data: st.DataObject) -> None:
        """Rows that the user has ticked change sides with the undo."""
        active = [merge for merge in self.oracle.merges.values() if not (merge.undone or merge.sealed)]
        if not active:
            return
        merge = data.draw(st.sampled_from(active))
        sides = (merge.survivor, merge.duplicate)
        rows = {row: home for row, (kind, home) in self.oracle.rows.items() if kind == "equipment" and home in sides}
        ticked = data.draw(st.lists(st.sampled_from(sorted(rows)), unique=True, max_size=3)) if rows else []
        moves = [
            {"service": "equipment", "kind": "equipment", "id": row, "home_seen": rows[row], "home": home}
            for row in ticked
            for home in sides
            if home != rows[row]
        ]
        if self._undone(merge.id, moves):
            for move in moves:
                self.oracle.rows[move["id"]] = ("equipment", move["home"])
            self.world.settle("equipment")

    @invariant()
    def every_fiche_is_whole(self) -> None:
        super().every_fiche_is_whole()
        check_forests(self.world.sql)

    def at_rest(self) -> None:
        self.world.settle()
        self.world.see_to_erased()
        super().at_rest()

    def nothing_is_left_of_who_was_erased(self) -> None:
        """Once what rings by itself on processes was done."""
        self.world.settle()
        self.world.see_to_erased()
        super().nothing_is_left_of_who_was_erased()


class ServersMachine(MergeMachine):
    """On processes, PostgreSQL and RabbitMQ: services are killed, by the outside or at named points of theirs."""

    killer: Killer

    @initialize(service=SERVICE, point=POINT)
    def the_first_will_be_killed(self, service: str, point: str) -> None:
        self.killer.servers.stack.at(service, point, "kill")

    @precondition(lambda self: self.away is None)
    @rule(service=SERVICE, point=POINT)
    def a_service_will_be_killed(self, service: str, point: str) -> None:
        """At its next coming to a point, whatever deed that is; then it is started again."""
        self.killer.servers.stack.at(service, point, "kill")

    @rule()
    def every_event_comes_five_times_more_and_shuffled(self) -> None:
        enter, _ = FAULTS["every event delivered five times more, shuffled"]
        with enter(self.killer.servers):
            pass

    @invariant()
    def every_fiche_is_whole(self) -> None:
        """Whoever was killed at a point comes back first; what was asked meanwhile has been asked again."""
        self.killer.revive()
        super().every_fiche_is_whole()

    def until(self, condition: Callable[[], bool], what: str) -> None:  # type: ignore[override]
        def holds() -> bool:
            self.killer.revive()
            return condition()

        wait_until(holds, what, 90)

    def teardown(self) -> None:
        self.killer.servers.stack.mend()
        self.away = None
        self.killer.revive()
        super().teardown()
        check_forests(self.killer.servers.checker.sql)


class Killer:
    """Kills services and starts them again; `deaths` tells whom, and where a point was named."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.deaths: list[str] = []

    def kill(self, service: str) -> None:
        """`kill -9`; returns when the gateway has noticed."""
        stack = self.servers.stack
        stack.kill(service)
        self.deaths.append(service)
        wait_until(lambda: service in (stack.away() or []), f"{service} to be away", 30)

    def start(self, service: str) -> None:
        """Starts it again; returns when it answers."""
        self.servers.stack.start_service(service)
        self.servers.wait(lambda: self.servers.stack.away() == [], f"{service} to be back")

    def revive(self) -> bool:
        """Starts what has ended at a point; returns when the gateway hears everyone but those that were stopped.

        Says whether it is worth asking again: some had ended, or nobody was stopped.
        """
        stack = self.servers.stack
        stopped = sorted(set(SERVICES) - set(stack.running))

        def start_those_gone() -> bool:
            gone = [name for name in stack.running if stack.gone(name)]
            for name in gone:
                self.deaths.append(f"{name} at a point")
                stack.start_service(name)
            return bool(gone)

        def all_back() -> bool:
            # What one catches up with may bring another to its point.
            start_those_gone()
            away = stack.away()
            return away is not None and sorted(away) == stopped

        gone = start_those_gone()
        if gone:
            self.servers.wait(all_back, "all back")
        return gone or not stopped
