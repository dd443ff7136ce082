"""Every component of the pages in its states, for who builds them."""

from __future__ import annotations

from flask import Blueprint, render_template

from gateway.web.backend import Backend


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""

    @web.get("/composants")
    def gallery() -> str:
        return render_template("kit/gallery.html")

    @web.get("/composants/panneau")
    def gallery_panel() -> str:
        return render_template("kit/gallery_panel.html")
