"""Processes killed and frozen."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from chassis.settings import SERVICES
from tests.faults.registry import FAULTS, Fault, fault, kill_and_start
from tests.faults.world import World


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


def _frozen(point: str, services: tuple[str, ...]) -> Fault:
    def run(world: World) -> Iterator[str | None]:
        service = world.random.choice(services)
        other = world.stack.start_service(service, 2)
        try:
            world.stack.at(service, point, "stop")
            [held] = world.wait(
                lambda: [each for each in (service, other) if world.stack.frozen(each)], f"{service} is frozen"
            )
            yield f"{held} at {point}"
            world.stack.thaw(held)
            world.work_for(1)
        finally:
            world.stack.end(other)

    return contextlib.contextmanager(run)


FAULTS["a process frozen while it holds the head of its log"] = (_frozen("numbered", ("clients", "interventions")), 8)
FAULTS["a process frozen while it holds its place"] = (_frozen("placed", ("clients", "interventions", "billing")), 8)
FAULTS["a frozen relay that wakes up"] = (_frozen("publishing", ("clients", "interventions")), 8)


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
