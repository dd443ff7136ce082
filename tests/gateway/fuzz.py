"""Schemathesis over the OpenAPI document of a running gateway: all checks, stateful links.

`python -m tests.gateway.fuzz URL TOKEN [--seconds N] [--seed N]` tries a product that runs on this machine.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

PHASES = ("examples,coverage", "fuzzing", "stateful")


def fuzz(url: str, token: str, *, seed: int, seconds: int, phases: str) -> tuple[bool, str]:
    """Tries the API for about `seconds`; whether all held, and what was said. The same seed asks the same."""
    assert urlsplit(url).hostname == "127.0.0.1", "only what runs on this machine is tried"
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file"),
        *(str(Path(__file__).with_name("schemathesis.toml")), "run", f"{url}/api/openapi.json"),
        *("--header", f"Authorization: Bearer {token}"),
        *("--checks", "all", "--phases", phases, "--max-time", str(seconds), "--seed", str(seed), "--no-shrink"),
        *("--continue-on-failure", "--request-timeout", "20", "--no-color"),
        *("--suppress-health-check", "all", "--warnings", "off", "--generation-database", "none"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode == 0, f"seed {seed}, {phases}:\n{done.stdout}{done.stderr}"


def main() -> int:
    """Entry point: each phase for a third of the time; 1 where something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked = parser.parse_args()
    held = True
    for phases in PHASES:
        holds, said = fuzz(asked.url, asked.token, seed=asked.seed, seconds=asked.seconds // 3, phases=phases)
        sys.stdout.write(said)
        held = held and holds
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
