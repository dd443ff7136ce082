"""One stack for the whole folder; each test leaves both services running and caught up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chassis.events.stack import EventsStack


@pytest.fixture(scope="package")
def running(run_folder: Path) -> Iterator[EventsStack]:
    """The stack of the folder."""
    folder = run_folder / "events"
    folder.mkdir(mode=0o755)
    made = EventsStack(folder)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def stack(running: EventsStack) -> EventsStack:
    """Both services, running, whatever another test left."""
    running.mend()
    return running
