"""The processes that answer, and those that ask as fast as they can."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Services that feed a fiche beside `clients`: the fan-out of `facts` went to as many.
FAN_OUT = 6


def _start(module: Sequence[str]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", *module],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    if process.stdout.readline() != "ready\n":
        process.kill()
        raise RuntimeError(f"a process of the bench ({' '.join(module)}) did not start")
    return process


def _end(processes: Sequence[subprocess.Popen[str]]) -> None:
    for process in processes:
        process.kill()
        process.wait(10)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


class Peers:
    """Processes of one kind that answer; `names` are the queues or services in which they do."""

    def __init__(self, kind: str, url: str, count: int = FAN_OUT) -> None:
        token = secrets.token_hex(4)
        self.names = [f"bench_{kind}_{token}_{number}" for number in range(count)]
        module = {"raw": ["bench.raw"], "limit": ["bench.limit"]}.get(kind, ["bench.service", kind])
        self._processes: list[subprocess.Popen[str]] = []
        try:
            for name in self.names:
                self._processes.append(_start([*module, url, name]))
        except RuntimeError:
            self.close()
            raise

    def close(self) -> None:
        """Ends them."""
        _end(self._processes)


class Callers:
    """Processes that ask without a pause while they are told to, so that the one who measures is not the limit.

    Each is a program that prints `ready`, then for each line of its input (seconds) asks for so long and prints how
    many answers it got; it checks them, and ends at a wrong one.
    """

    def __init__(self, module: Sequence[str], count: int) -> None:
        self._processes = [_start(module) for _ in range(count)]

    def a_second(self, seconds: float) -> float:
        """Answers a second, of all of them together. Raises `RuntimeError` when one has ended."""
        started = time.perf_counter()
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(f"{seconds}\n")
            process.stdin.flush()
        done = 0
        for process in self._processes:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("a process that asks has ended")
            done += int(line)
        return done / (time.perf_counter() - started)

    def close(self) -> None:
        """Ends them."""
        _end(self._processes)


def ask_while_told(once: Callable[[], None]) -> None:
    """The loop of a program that `Callers` starts: `once()` asks one time and checks the answer."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        until, done = time.perf_counter() + float(line), 0
        while time.perf_counter() < until:
            once()
            done += 1
        sys.stdout.write(f"{done}\n")
        sys.stdout.flush()
