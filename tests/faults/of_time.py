"""Backups put back, and clocks that jump."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.registry import fault, kill_and_start
from tests.faults.world import World
from tests.support.servers.machine import need


@fault("a service restored from an older backup", hold=3)
def restored(world: World) -> Iterator[str | None]:
    service, stack, checker = "equipment", world.stack, world.checker
    stack.end(service)
    checker.copy_database(service, "backup")
    taken = time.monotonic()
    stack.start_service(service)
    world.wait(lambda: world.stack.away() == [], f"{service} is back")
    world.work_for(4)
    stack.end(service)
    # Nothing that it acknowledged since the backup can be kept: that is what a backup is. All others' is.
    lost = {ack.id for book in world.books for ack in book.acks if ack.kind == service and ack.at > taken}
    checker.put_back(service, "backup")
    world.gone |= lost
    world.fiche("restore", service)
    stack.start_service(service)
    world.wait(lambda: world.stack.away() == [], f"{service} is back")
    told = world.wait(lambda: checker.halted(service), "its readers say that they stop")
    for reader in told:
        world.fiche("projections", "rebuild", reader, "--producer", service)
    checker.forgive(service)
    world.partner.meet_restored(service)
    yield f"{service}, {len(lost)} acknowledged since the backup, rebuilt: {', '.join(told)}"


def _clock(folder: Path) -> str:
    """A library that shifts the wall clock of a process that loads it first."""
    made = folder / "clock.so"
    source = Path(__file__).with_name("clock.c")
    compiler = need("cc", "gcc", "apt install gcc")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(source)], check=True)
    return str(made)


def _shifted(world: World, seconds: int) -> bool:
    """Whether the events of deeds done now bear a time that is shifted so. The clerks may all be waiting for the object
    store, which refuses whoever's clock is too far from its own.
    """
    client = world.http.post("/api/v1/clients", json={"kind": "company", "company_name": "Horloge"}).json()["id"]
    work = world.http.post("/api/v1/interventions", json={"client_id": client, "title": "Horloge"}).json()["id"]
    latest = "SELECT event::json->>'time' AS time FROM event_log WHERE subject = :id"
    for service, subject in (("clients", client), ("interventions", work)):
        told = datetime.fromisoformat(world.checker.sql(service, latest, id=subject)[0].time)
        if abs((told - datetime.now(UTC)).total_seconds() - seconds) > 60:
            return False
    return True


@fault("clocks jump: an hour ahead, an hour back, a day ahead", hold=1)
def clocks(world: World) -> Iterator[str | None]:
    library = _clock(world.stack.folder)
    processes = ("clients", "interventions", "maintenance", "documents", "gateway")
    shift = world.stack.folder / "shift"
    shift.write_text("0")
    for process in processes:
        world.stack.own[process] = {"LD_PRELOAD": library, "CLOCK_SHIFT": str(shift)}
        kill_and_start(world, process)
    try:
        for seconds in (3_600, -3_600, 86_400, -86_400, 0):
            changed = shift.with_suffix(".new")
            changed.write_text(str(seconds))
            changed.rename(shift)
            world.wait(lambda: _shifted(world, seconds), f"events tell the time {seconds} s on")  # noqa: B023
            world.work_for(3)
        yield ", ".join(processes)
    finally:
        for process in processes:
            world.stack.own.pop(process)
            kill_and_start(world, process)
