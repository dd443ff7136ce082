"""What an administrator sets for all fiches: fields of one's own, and how they are laid out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, g, render_template

from chassis.errors import Forbidden
from contracts import clients
from gateway.rights import may
from gateway.web import fiche_layout
from gateway.web.backend import Backend

#: Type of a field → words.
TYPES = {"text": "Texte", "number": "Nombre", "date": "Date", "choice": "Choix", "boolean": "Oui ou non"}


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""

    @web.get("/reglages/champs")
    def custom_fields() -> str:
        _administrator()
        return render_template(
            "clients/fields.html",
            fields=backend.ask(clients.ListCustomFields(limit=200))["items"],
            deleted=backend.ask(clients.ListCustomFields(limit=200, deleted=True))["items"],
            types=TYPES,
        )

    @web.get("/reglages/champs/nouveau")
    def new_custom_field() -> str:
        _administrator()
        return render_template("clients/field.html", field=None, types=TYPES)

    @web.get("/reglages/champs/<uuid:field_id>")
    def edit_custom_field(field_id: UUID) -> str:
        _administrator()
        return render_template(
            "clients/field.html", field=backend.ask(clients.GetCustomField(id=field_id)), types=TYPES
        )

    @web.get("/reglages/fiche")
    def company_layout() -> str:
        _administrator()
        known: dict[str, Any] = backend.ask(clients.FicheSettings())
        return render_template(
            "clients/layout.html",
            layout=known["layout"],
            **fiche_layout.words(),
            labels_of={field["key"]: field["label"] for field in known["custom_fields"]},
        )


def _administrator() -> None:
    if not may(g.user, "admin"):
        raise Forbidden("Seul un administrateur peut régler cela.", code="role")
