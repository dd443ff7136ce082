"""Both wires under eventlet: the same suite, run again in a process with green threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.broker
@pytest.mark.timeout(400)
def test_the_suite_of_the_wires_holds_with_green_threads(amqp_url: str) -> None:
    files = [str(HERE / name) for name in ("test_rpc.py", "test_amqp.py")]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.chassis.wire.patched", "-q", "-p", "no:cacheprovider", *files],
        cwd=HERE.parents[2],
        env={**os.environ, "FICHE_TEST_AMQP_URL": amqp_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        told, _ = process.communicate(timeout=350)
    except subprocess.TimeoutExpired:
        process.terminate()  # it stops the servers that it started
        told, _ = process.communicate(timeout=40)
    assert process.returncode == 0, told[-5000:]
