"""Memory of the services' processes: before any work, and while they work. For hours: `memory --rounds 2000`."""

from __future__ import annotations

from pathlib import Path

from bench import page
from bench.ground import Ground
from bench.measure import Measure, Target
from chassis.settings import SERVICES

IDLE, BUSY = "largest service process, idle", "largest service process, at work"
#: Requests between two looks.
REQUESTS = 100


def resident(ground: Ground) -> dict[str, float]:
    """Resident memory of each service's process, in MB (10⁶ bytes)."""
    found = {}
    for name, pid in ground.product.pids().items():
        if name in SERVICES:
            status = Path(f"/proc/{pid}/status").read_text()
            found[name] = int(status.partition("VmRSS:")[2].split()[0]) * 1024 / 1e6
    return found


def measures(ground: Ground) -> list[Measure]:
    """The largest process of all services, since each of them has the same bound."""
    idle = resident(ground)
    api = page.Api(ground.product.url, ground.product.token)
    ground.stack.callback(api.close)
    client = page.full_client(api)
    paths = [f"/clients/{client}/fiche", f"/clients/{client}", "/clients?limit=50&q=mesure", "/interventions?limit=50"]

    def work() -> float:
        for number in range(REQUESTS):
            if number % 20:
                api.ask("GET", paths[number % len(paths)])
            else:
                api.ask("POST", f"/clients/{client}/activities", {"kind": "call", "subject": f"Mesure {number}"})
        busy = resident(ground)
        ground.facts["memory"] = {"idle_mb": idle, "busy_mb": busy}
        return max(busy.values())

    bound = [Target(100, percent=99, of_floor=False)]
    return [
        Measure(IDLE, lambda: max(idle.values()), 1, IDLE, "MB", bound),
        Measure(BUSY, work, 1, IDLE, "MB", [*bound, Target(1.3, percent=99)]),
    ]
