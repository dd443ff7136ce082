"""What nearly every service has work with, they take turns at; nothing else waits, and nothing of long ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from chassis.events.ahead import Entry
from chassis.events.consumer import TURN_S, Consumer
from chassis.events.following import Following
from contracts import clients
from contracts.forest import FOLLOWERS

MERGED, UPDATED = clients.ClientMerged.event_type(), clients.ClientUpdated.event_type()


def consumer_of(name: str) -> Consumer:
    """A consumer of `clients` that is not at work."""
    unused: Any = None
    return Consumer(Following(name, "clients", {MERGED: "x", UPDATED: "y"}, {}, unused, unused))


def told(kind: str, ago: float = 0.0) -> Entry:
    """An event told so many seconds ago."""
    at = datetime.now(UTC) - timedelta(seconds=ago)
    return Entry("log", 1, {"type": kind, "time": at.isoformat()})


def test_each_service_has_a_turn_of_its_own_within_half_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = [told(UPDATED), told(MERGED)]
    now = batch[1].told_at
    monkeypatch.setattr("chassis.events.consumer.time", SimpleNamespace(time=lambda: now))
    waits = sorted(consumer_of(name)._turn(batch) for name in FOLLOWERS)
    assert waits[0] > 0
    assert all(later - sooner > TURN_S / 2 for sooner, later in pairwise(waits))
    assert waits[-1] < 0.5


@pytest.mark.parametrize("batch", [[told(UPDATED)], [told(MERGED, ago=10)]], ids=["another event", "of long ago"])
def test_nothing_else_waits(batch: list[Entry]) -> None:
    assert consumer_of("documents")._turn(batch) <= 0


def test_a_clock_that_is_ahead_makes_nobody_wait_longer() -> None:
    assert consumer_of("accounts")._turn([told(MERGED, ago=-3600)]) <= TURN_S
