"""Waiting for a condition, with a deadline, instead of for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_one_of(tries: int, attempt: Callable[[], None]) -> None:
    """Runs `attempt` until it holds, so often at most: what is wrong fails each time, a machine that stood still once.

    For bounds of time only, with all that is measured for them inside of the attempt.
    """
    for left in reversed(range(tries)):
        try:
            attempt()
        except AssertionError:
            if not left:
                raise
        else:
            return


def wait_until(condition: Callable[[], T], what: str, timeout: float = 60.0) -> T:
    """What `condition` returns once it is true; fails with `what` after `timeout` seconds.

    Asks ever more rarely, down to ten times a second: who asks takes the processor from what is waited for.
    """
    began = time.monotonic()
    never = threading.Event()
    while not (value := condition()):
        waited = time.monotonic() - began
        if waited > timeout:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        never.wait(min(0.01 + waited / 20, 0.1))
    return value
