"""One stack for the whole folder; each test leaves both services running and caught up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chassis.events.stack import NAMES, EventsStack


@pytest.fixture(scope="package")
def stack(run_folder: Path) -> Iterator[EventsStack]:
    """Both services, running."""
    folder = run_folder / "events"
    folder.mkdir(mode=0o755)
    made = EventsStack(folder)
    try:
        for name in NAMES:
            made.start(name)
        yield made
    finally:
        made.close()
