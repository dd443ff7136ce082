"""`make bench`: what a user gets, as ratios to the floor of the same run, with the targets beside.

On private servers unless told otherwise: `FICHE_BENCH_AMQP_URL` measures on that broker, `FICHE_URL` with
`FICHE_TOKEN` reads the fullest fiche of a running product (changing nothing) instead of starting one. Groups of
measures may be named; without names, all of them. Writes `build/bench.json` too.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import browser, calls, duplicates, events, floors, measure, memory, merging, page, volume
from bench.ground import Ground
from bench.measure import Measure
from bench.raw import connect

#: To add rows: write a function that makes measures of the ground (a module of its own), and name it here.
GROUPS: dict[str, Callable[[Ground], Sequence[Measure]]] = {
    "calls": calls.measures,
    "memory": memory.measures,  # before what works on the product, so that it sees it idle
    "page": page.measures,
    "browser": browser.measures,
    "events": events.measures,
    "merge": merging.measures,
    "volume": volume.measures,
    "duplicates": duplicates.measures,
}
#: Measured only when named: a company of 100,000 clients takes minutes; a browser needs Chromium.
ASKED_FOR = {"duplicates", "browser", "volume"}
out = Console(width=180)


def main() -> None:
    """Measures, prints the table, keeps the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("groups", nargs="*", choices=[*GROUPS, []], help="which groups (all but browser and volume)")
    parser.add_argument("--rounds", type=int, default=20, help="rounds of each measure, taking turns (20)")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"), help="where the figures are kept")
    given = parser.parse_args()
    with Ground() as ground:
        measures = list(floors.measures(ground))
        for name in given.groups or [name for name in GROUPS if name not in ASKED_FOR]:
            measures += GROUPS[name](ground)
        load = os.getloadavg()[0]
        measure.run(measures, given.rounds)
        report: dict[str, Any] = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "rabbitmq": broker_version(ground.amqp_url),
            "cpus": os.cpu_count(),
            "load_before": round(load, 2),
            "load_after": round(os.getloadavg()[0], 2),
            "rounds": given.rounds,
            **ground.facts,
            "rows": measure.rows(measures),
        }
        show(report, ground.notes)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    out.print(f"→ {given.out}")


def broker_version(url: str) -> str:
    """Version that the broker tells of itself."""
    connection = connect(url)
    version = connection.server_properties.get("version", "?")
    connection.close()
    return str(version)


def show(report: dict[str, Any], notes: Sequence[str]) -> None:
    """The table a person reads."""
    table = Table(
        title=f"RabbitMQ {report['rabbitmq']}, Python {report['python']}, {report['cpus']} CPU, "
        f"load {report['load_before']} before and {report['load_after']} after"
    )
    table.add_column("", no_wrap=True)
    for title in ("p10", "p50", "p99", "", "p50 ×", "p99 ×", "p10 × p10", "p99 × p99"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("of", no_wrap=True)
    table.add_column("target", no_wrap=True)
    for row in report["rows"]:
        own = row["name"] == row["floor"]
        digits = 2 if row["unit"] == "ms" else 0
        figures = (f"{row[key]:.{digits}f}" for key in ("p10", "p50", "p99"))
        ratios = ("" if own else f"{row[key]:.2f}" for key in ("p50_ratio", "p99_ratio", "quiet_ratio", "worst_ratio"))
        targets = (
            f"[{'green' if each['met'] else 'red'}]{each['target']}: {each['got']}[/]" for each in row["targets"]
        )
        floor = "" if own else row["floor"]
        table.add_row(row["name"], *figures, row["unit"], *ratios, floor, ", ".join(targets))
    out.print(table)
    for note in notes:
        out.print(note)
    if max(report["load_before"], report["load_after"]) > 3 * report["cpus"]:
        out.print("Others kept this machine busy: only ratios say something, p10 and p50 more than p99.")


if __name__ == "__main__":
    main()
