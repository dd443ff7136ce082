"""Waiting for a condition, with a deadline, instead of for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], what: str, timeout: float = 20.0) -> T:
    """What `condition` returns once it is true; fails with `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    never = threading.Event()
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        never.wait(0.01)
    return value
