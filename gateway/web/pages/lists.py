"""Lists over all clients."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from chassis.errors import Unavailable
from contracts import equipment
from gateway.web.backend import Backend

#: Path → title, blocks of (name of the cursor in the address, heading, macro, request).
_LISTINGS: dict[str, tuple[str, tuple[tuple[str, str, str, Any], ...]]] = {
    "/equipements": ("Équipements", (("cursor", "", "equipment", equipment.ListEquipment),)),
}


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""

    def listing() -> str:
        title, parts = _LISTINGS[request.path]
        blocks = []
        for name, heading, macro, kind in parts:
            block: dict[str, Any] = {"name": name, "title": heading, "macro": macro, "away": False}
            try:
                block["page"] = backend.ask(kind(cursor=request.args.get(name) or None))
            except Unavailable:
                block["away"] = True
            blocks.append(block)
        return render_template("listing.html", title=title, blocks=blocks)

    for path in _LISTINGS:
        web.add_url_rule(path, f"list_{path.strip('/')}", listing)
