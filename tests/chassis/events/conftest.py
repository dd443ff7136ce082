"""One stack for the whole folder; each test leaves both services running and caught up."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chassis.events.stack import EventsStack


@pytest.fixture(scope="package")
def running(run_folder: Path) -> Iterator[EventsStack]:
    """The stack of the folder."""
    # Made again where other tests come between those of this folder.
    folder = Path(tempfile.mkdtemp(prefix="events-", dir=run_folder))
    folder.chmod(0o755)
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
