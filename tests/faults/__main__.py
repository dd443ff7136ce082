"""`make faults`: every fault of the menu under load, on real servers of its own.

`--seed` repeats a run; `--only TEXT` (repeatable) takes the faults whose name holds it; `--hold` shortens long ones.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import signal
import sys
import time
import warnings
import zlib
from pathlib import Path

from rich.console import Console

from tests.faults import report
from tests.faults.menu import FAULTS
from tests.faults.world import Row, World, private_world
from tests.gateway.fuzz import PHASES, fuzz
from tests.support import servers


def main() -> int:
    """Entry point; 1 where something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default=secrets.token_hex(3))
    parser.add_argument("--only", action="append", default=[], metavar="TEXT")
    parser.add_argument("--hold", type=float, default=60.0, help="seconds that a fault is held at most")
    parser.add_argument("--rounds", type=int, default=1, help="times that the menu is gone through")
    parser.add_argument("--clerks", type=int, default=4)
    parser.add_argument("--json", type=Path, default=Path("var/faults.json"))
    parser.add_argument("--fuzz", type=int, default=180, help="seconds of Schemathesis at the end; 0: none")
    parser.add_argument("--keep", action="store_true", help="keep the folder of logs")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped then as well
    chosen = [name for name in FAULTS if not asked.only or any(text in name for text in asked.only)]
    console = Console(width=150 if not sys.stdout.isatty() else None)
    console.print(f"seed {asked.seed}")
    rows: list[Row] = []
    fuzzed = True
    folder = servers.run_folder()
    try:
        with private_world(folder, asked.seed, asked.clerks) as world:
            for turn in range(asked.rounds):
                world.seed = asked.seed if not turn else f"{asked.seed}+{turn}"
                for name in chosen:
                    fault, hold = FAULTS[name]
                    console.print(f"{time.strftime('%H:%M:%S')} {name}…")
                    rows.append(world.round(name, fault, min(hold, asked.hold)))
                    report.write(rows, asked.json)
                    if not rows[-1].holds:
                        report.show(rows[-1:], console)
            fuzzed = _fuzz(world, asked.fuzz, console)
    finally:
        if asked.keep:
            console.print(f"logs: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    report.show(rows, console)
    return 0 if rows and fuzzed and all(row.holds for row in rows) else 1


def _fuzz(world: World, seconds: int, console: Console) -> bool:
    """Tries the API with whatever its document allows and forbids; whether it always answered as documented."""
    held = True
    for phases in PHASES if seconds else ():
        console.print(f"{time.strftime('%H:%M:%S')} Schemathesis, {phases}…")
        number = zlib.crc32(world.seed.encode())
        holds, said = fuzz(world.stack.url, world.stack.token, seed=number, seconds=seconds // 3, phases=phases)
        held = held and holds
        console.print(said if not holds else "\n".join(said.splitlines()[-8:]), markup=False, highlight=False)
    return held


if __name__ == "__main__":
    sys.exit(main())
