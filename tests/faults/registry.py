"""The list of faults, filled by the modules of `tests.faults.menu`.

A fault is a context: entered when it begins, left when it ends. It may give a note for the report.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from tests.faults.world import World

Fault = Callable[[World], AbstractContextManager[str | None]]
FAULTS: dict[str, tuple[Fault, float]] = {}


def fault(name: str, *, hold: float = 1.0) -> Callable[[Callable[[World], Iterator[str | None]]], Fault]:
    """Puts a fault on the menu; it goes on for `hold` seconds beside what it takes by itself."""

    def enter(function: Callable[[World], Iterator[str | None]]) -> Fault:
        made = contextlib.contextmanager(function)
        FAULTS[name] = (made, hold)
        return made

    return enter


@fault("nothing")
def nothing(world: World) -> Iterator[str | None]:
    yield None


def kill_and_start(world: World, process: str) -> None:
    """Kills a process, starts it a moment later, and waits until it answers."""
    world.stack.kill(process)
    world.work_for(world.random.random())
    world.stack.start_service(process)
    world.wait(lambda: world.stack.away() == [], f"{process} is back")
