"""Random creates, edits, merges, undos… on every service, against an oracle written from the protocol.

Three ways: through HTTP on the running product; in this thread, where events come doubled, shuffled, late or from a
snapshot, and services die inside a batch; on processes with PostgreSQL and RabbitMQ, killed with `kill -9`, also at
named points. `make merge-soak` asks each for thousands of deeds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.world import FaultyStack
from tests.faults.world import World as Servers
from tests.gateway.conftest import Product
from tests.merge.hostile import Killer, ServersMachine, SteppedMachine
from tests.merge.machine import MergeMachine
from tests.merge.support import AskedAgain, patient
from tests.merge.world import World
from tests.support import servers

ASKED = "FICHE_MERGE_RUNS" in os.environ


def _run(machine: type[MergeMachine], runs: int, steps: int) -> None:
    """So many runs of so many deeds, or as many as the environment asks for."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=int(os.environ.get("FICHE_MERGE_RUNS", runs)),
            stateful_step_count=int(os.environ.get("FICHE_MERGE_STEPS", steps)),
            deadline=None,
            database=None,
            derandomize=not ASKED,
            # To make a failure smaller takes longer than a test may: a soak does, and has the time.
            phases=(Phase.generate, Phase.shrink) if ASKED else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert machine.tally["deeds"] > runs, "a machine looks at every fiche after each deed"


@pytest.fixture(autouse=True)
def told(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tells at the end what was done, shrinking included."""
    MergeMachine.tally.clear()
    yield
    done = ", ".join(f"{count} {deed}" for deed, count in sorted(MergeMachine.tally.items()))
    plugins = request.config.pluginmanager
    if reporter := plugins.getplugin("terminalreporter"):
        with plugins.getplugin("capturemanager").global_and_fixture_disabled():
            reporter.write_line(f"\n{request.node.name}: {done}")


def test_whatever_is_merged_and_undone_every_fiche_is_what_the_history_says(product: Product) -> None:
    stopped: set[str] = set()

    def stop(service: str) -> None:
        product.command("stop", service)
        stopped.add(service)

    def start(service: str) -> None:
        product.command("start", service)
        stopped.discard(service)

    class Machine(MergeMachine):
        http = patient(product, lambda: not stopped)
        sql = staticmethod(product.sql)

    Machine.stop, Machine.start = staticmethod(stop), staticmethod(start)

    _run(Machine, 3, 20)


def test_events_that_come_doubled_shuffled_late_or_from_a_snapshot_change_nothing_of_that(world: World) -> None:
    class Machine(SteppedMachine):
        http = world.http
        sql = staticmethod(world.sql)
        services = tuple(world.services)
        stop = staticmethod(world.away.add)
        start = staticmethod(world.away.discard)

    Machine.world = world
    _run(Machine, 6, 25)


@pytest.fixture(scope="module")
def processes(run_folder: Path, postgres_url: str, s3: dict[str, str]) -> Iterator[Servers]:
    """The product as processes; its broker is its own, to be broken."""
    rabbit = servers.RabbitServer(run_folder / "merges")
    rabbit.start()
    stack = FaultyStack(run_folder / "merges-logs", database_url=postgres_url, amqp_url=rabbit.url, s3=s3)
    try:
        stack.start()
        with closing(Servers(stack, rabbit=rabbit, seed="merges")) as made:
            yield made
    finally:
        stack.stop()
        rabbit.close()


@pytest.mark.broker
@pytest.mark.timeout(0 if ASKED else 300)
def test_services_killed_at_any_moment_and_started_again_change_nothing_of_that(processes: Servers) -> None:
    killed = Killer(processes)
    http = httpx.Client(
        transport=AskedAgain(killed.revive),
        base_url=f"{processes.stack.url}/api/v1",
        headers={"Authorization": f"Bearer {processes.stack.token}"},
        timeout=30,
    )

    class Machine(ServersMachine):
        killer = killed
        sql = staticmethod(processes.checker.sql)
        stop, start = staticmethod(killed.kill), staticmethod(killed.start)

    Machine.http = http
    with http:
        _run(Machine, 5, 14)
    assert any("point" in death for death in killed.deaths), killed.deaths
