"""What runs whenever something was told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_it_runs_at_start_and_once_for_all_that_was_told_meanwhile_and_ends_when_asked_to() -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tests.chassis.told_service"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "True\nFalse\n"
