"""How long a merge can be undone and a client restored is a setting; pages say the time that is set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import render_template

from chassis.objects import FolderStore
from chassis.settings import load_settings
from chassis.wire.local import LocalWire
from gateway.app import create_app

RECORD = {"id": "0193f000-0000-7000-8000-000000000001", "display_name": "Morel", "reference": "CLI-1", "version": 1,
          "kind": "company", "status": "active", "created_at": "2026-01-05T08:00:00Z"}  # fmt: skip
LISTS = ("later", "fields", "same", "tags", "tags_added", "lines", "away", "conflicts", "suggested")


@pytest.mark.parametrize(
    ("days", "undone", "restored"),
    [
        (10, "annuler la fusion pendant 10 jours.", "Restaurable pendant 10 jours"),
        (1, "annuler la fusion pendant 1 jour.", "Restaurable pendant 1 jour"),
        (0, "Une fusion faite ne s’annule pas.", ""),
    ],
)
def test_pages_say_the_time_that_is_set(tmp_path: Path, days: int, undone: str, restored: str) -> None:
    settings = load_settings(undo_days=days)
    app = create_app(settings, (wire := LocalWire()).rpc_client(), FolderStore(tmp_path), wire)
    with app.test_request_context("/"):
        told: dict[str, Any] = {name: [] for name in LISTS} | {
            "survivor": RECORD,
            "duplicate": RECORD,
            "like": None,
            "swapped": "/",
            "told_only": set(),
        }
        assert undone in render_template("merges/new.html", **told)
        menu = render_template("clients/_delete.html", c=RECORD, ties={"count": 0, "said": ""})
        assert restored in menu
        assert days or "Restaurable" not in menu
