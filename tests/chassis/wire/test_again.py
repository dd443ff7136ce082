"""The suite of the wires again: with green threads, and with py-amqp alone, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chassis.wire.wires import PLAIN

HERE = Path(__file__).parent
FILES = [str(HERE / name) for name in ("test_rpc.py", "test_amqp.py")]


def run(amqp_url: str, module: str, *arguments: str, **environment: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", module, "-q", "-p", "no:cacheprovider", *arguments, *FILES],
        cwd=HERE.parents[2],
        env={**os.environ, "FICHE_TEST_AMQP_URL": amqp_url, **environment},
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


@pytest.mark.broker
@pytest.mark.timeout(400)
def test_the_suite_of_the_wires_holds_with_green_threads(amqp_url: str) -> None:
    run(amqp_url, "tests.chassis.wire.patched")


@pytest.mark.broker
@pytest.mark.timeout(400)
def test_the_suite_of_the_wires_holds_with_py_amqp_alone(amqp_url: str) -> None:
    run(amqp_url, "pytest", "-k", "not local", **{PLAIN: "1"})
