"""Schemathesis over the OpenAPI document of a running gateway: all checks, stateful links."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Found:
    """What a run gave: whether all held, and what it said (failures with a command that repeats each)."""

    holds: bool
    said: str
    seconds: float


def fuzz(
    url: str, token: str, folder: Path, *, seed: int, seconds: int, phases: str, more: tuple[str, ...] = ()
) -> Found:
    """Tries the API for about `seconds`; the same seed gives the same requests."""
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/api/openapi.json"),
        *("--header", f"Authorization: Bearer {token}"),
        *("--checks", "all", "--phases", phases, "--max-time", str(seconds), "--seed", str(seed), "--no-shrink"),
        *("--continue-on-failure", "--request-timeout", "20", "--workers", "2", "--no-color"),
        *("--suppress-health-check", "all", "--warnings", "off", "--generation-database", "none"),
        *more,
    ]
    began = time.monotonic()
    done = subprocess.run(command, cwd=folder, env=os.environ, capture_output=True, text=True, check=False)
    return Found(done.returncode == 0, done.stdout + done.stderr, time.monotonic() - began)
