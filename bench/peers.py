"""The processes that answer."""

from __future__ import annotations

import secrets
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Services that feed a fiche beside `clients`: the fan-out of `facts` went to as many.
FAN_OUT = 6


class Peers:
    """Processes of one kind; `names` are the queues or services in which they answer."""

    def __init__(self, kind: str, url: str, count: int = FAN_OUT) -> None:
        token = secrets.token_hex(4)
        self.names = [f"bench_{kind}_{token}_{number}" for number in range(count)]
        module = ["bench.raw"] if kind == "raw" else ["bench.service", kind]
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", *module, url, name],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                text=True,
            )
            for name in self.names
        ]
        for process in self._processes:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                self.close()
                raise RuntimeError(f"an answering process ({kind}) did not start")

    def close(self) -> None:
        """Ends them."""
        for process in self._processes:
            process.kill()
            process.wait(10)
            if process.stdout is not None:
                process.stdout.close()
