"""The folders of Dolibarr tables the import is tried on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SMALL = Path(__file__).parent.parent / "data" / "dolibarr-small"


def folders() -> list[Path]:
    """Our own small one, and those named in FICHE_DOLIBARR_DIRS."""
    named = os.environ.get("FICHE_DOLIBARR_DIRS", "")
    return [SMALL, *(Path(part) for part in named.split(os.pathsep) if part)]


@pytest.fixture(params=folders(), ids=lambda folder: folder.name)
def folder(request: pytest.FixtureRequest) -> Path:
    """Each folder in turn."""
    found: Path = request.param
    return found
