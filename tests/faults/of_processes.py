"""Processes killed and frozen."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from chassis.settings import SERVICES
from tests.faults.checker import ROWS
from tests.faults.registry import FAULTS, Fault, fault, kill_and_start
from tests.faults.world import TIMEOUTS, World


@fault("kill -9 of each service and the gateway, at random moments")
def kill_each(world: World) -> Iterator[str | None]:
    processes = [*SERVICES, "gateway"]
    world.random.shuffle(processes)
    for process in processes:
        world.work_for(0.5 * world.random.random())
        kill_and_start(world, process)
    yield f"{len(processes)} kills"


@fault("kill -9 of half the services at once")
def kill_many(world: World) -> Iterator[str | None]:
    processes = world.random.sample(SERVICES, 4)
    for process in processes:
        world.stack.kill(process)
    world.work_for(2 * world.random.random())
    yield ", ".join(processes)
    for process in processes:
        world.stack.start_service(process)
    world.wait(lambda: world.stack.away() == [], "all are back")


#: Point of `tests.chassis.events.faulty` → services that come to it under the load.
POINTS = {
    "numbered": ("clients", "interventions", "billing", "equipment", "maintenance", "documents"),
    "publishing": ("clients", "interventions", "billing", "equipment", "maintenance", "documents"),
    "published": ("clients", "interventions", "billing"),
    "placed": ("clients", "interventions", "billing", "maintenance", "accounts"),
    "effective": ("clients", "interventions", "equipment"),
}


def _killed_at(point: str, count: int) -> Fault:
    def run(world: World) -> Iterator[str | None]:
        services = world.random.sample(POINTS[point], count)
        for service in services:
            world.stack.at(service, point, "kill")
            world.wait(lambda: world.stack.gone(service), f"{service} is killed at {point}")  # noqa: B023
            kill_and_start(world, service)
        yield ", ".join(services)

    return contextlib.contextmanager(run)


for _point, _said in (
    ("numbered", "kill -9 before the commit"),
    ("publishing", "kill -9 between commit and publish"),
    ("published", "kill -9 between publish and marking"),
    ("placed", "kill -9 inside a consumer’s batch"),
    ("effective", "kill -9 between effect and acknowledge"),
):
    FAULTS[_said] = (_killed_at(_point, 2), 0.5)


#: Seconds within which the others go on: those after which PostgreSQL frees what a frozen process holds, those that a
#: caller waits for the frozen process in vain, a few times over.
GO_ON_S = sum(map(float, TIMEOUTS.values())) + 20


def _frozen(point: str, services: tuple[str, ...], others: Callable[[World, str], Callable[[], bool]]) -> Fault:
    """One of two replicas frozen. `others`: what the other one must come to meanwhile, beside answering calls."""

    def run(world: World) -> Iterator[str | None]:
        assert world.load is not None
        load, service = world.load, world.random.choice(services)
        own = {kind for kind, (owner, _, _) in ROWS.items() if owner == service}
        other = world.stack.start_service(service, 2)
        try:
            world.stack.at(service, point, "stop")
            [held] = world.wait(
                lambda: [each for each in (service, other) if world.stack.frozen(each)], f"{service} is frozen"
            )
            frozen = time.monotonic()
            reached = others(world, service)
            world.wait(lambda: load.kinds_since(frozen) & own, f"{service} answers without {held}", GO_ON_S)
            world.wait(reached, f"the other replica of {service} does the work of {held}", GO_ON_S)
            yield f"{held} at {point}, the others went on after {time.monotonic() - frozen:.1f} s"
            world.stack.thaw(held)
            world.work_for(1)
        finally:
            world.stack.thaw(service)  # else a row that failed would wait for the deeds that it holds
            world.stack.end(other)

    return contextlib.contextmanager(run)


def _answers(world: World, service: str) -> Callable[[], bool]:
    return lambda: True


def _reads_on(world: World, service: str) -> Callable[[], bool]:
    heads = world.checker.heads()
    return lambda: world.checker.reached(heads)


def _publishes(world: World, service: str) -> Callable[[], bool]:
    published = "SELECT published FROM event_head"
    before = world.checker.sql(service, published)[0].published
    return lambda: bool(world.checker.sql(service, published)[0].published > before)


FAULTS["a process frozen while it holds the head of its log"] = (
    _frozen("numbered", ("clients", "interventions"), _answers),
    8,
)
FAULTS["a process frozen while it holds its place"] = (
    _frozen("placed", ("clients", "interventions", "billing"), _reads_on),
    8,
)
FAULTS["a frozen relay that wakes up"] = (_frozen("publishing", ("clients", "interventions"), _publishes), 8)


@fault("two relays at once in two services", hold=6)
def two_relays(world: World) -> Iterator[str | None]:
    services = ("clients", "interventions")
    for service in services:
        (world.stack.points / service / "every-relay-leads").touch()
        world.stack.start_service(service, 2)
    try:
        for service in services:
            kill_and_start(world, service)  # so that the first leads as well
        yield ", ".join(services)
    finally:
        for service in services:
            (world.stack.points / service / "every-relay-leads").unlink()
            world.stack.end(f"{service}-2")
            kill_and_start(world, service)
