"""What a partner reads of the events without signing in: the AsyncAPI document, a page of it, the schemas."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import orjson
from flask import Flask, Response, render_template
from werkzeug.exceptions import NotFound

from contracts import catalogue
from gateway import asyncapi
from gateway.event_words import OWNERS


def publish_events(app: Flask) -> None:
    """Adds the routes. The document is made when first asked for: nobody waits for it at the start."""

    @app.get("/api/asyncapi.json", endpoint="asyncapi")
    def document() -> Response:
        return Response(_document(), content_type="application/json")

    @app.get("/schemas/<name>.json", endpoint="event_schema")
    def schema(name: str) -> Response:
        model = catalogue.events().get(name)
        if model is None:
            raise NotFound
        return Response(orjson.dumps(catalogue.schema(model)), content_type="application/schema+json")

    @app.get("/api/events-docs", endpoint="events_docs")
    def page() -> str:
        return render_template("events_docs.html", groups=_groups(), exchange=asyncapi.EXCHANGE)


@cache
def _document() -> bytes:
    return orjson.dumps(asyncapi.document())


@cache
def _groups() -> list[tuple[str, list[dict[str, Any]]]]:
    """By service, what the page shows of each event."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for name, model in asyncapi.public_events().items():
        schema = catalogue.schema(model)
        shown = {
            "type": name,
            "sentence": asyncapi.summary(model),
            "fields": [
                (field, _kind(told), field in schema.get("required", []))
                for field, told in schema["properties"].items()
            ],
            "example": json.dumps(asyncapi.example(model), ensure_ascii=False, indent=2),
        }
        groups.setdefault(OWNERS[model.event_owner], []).append(shown)
    return sorted(groups.items(), key=lambda group: list(OWNERS.values()).index(group[0]))


_KINDS = {
    "string": "texte",
    "uuid": "identifiant",
    "date": "date",
    "date-time": "moment (UTC)",
    "integer": "entier",
    "number": "nombre",
    "boolean": "oui ou non",
    "object": "objet",
    "null": "vide",
}


def _kind(told: dict[str, Any]) -> str:
    if "anyOf" in told:
        return " ou ".join(_kind(each) for each in told["anyOf"])
    if "enum" in told:
        return " ou ".join(f"«\u202f{value}\u202f»" for value in told["enum"])
    if told.get("type") == "array":
        return f"liste ({_kind(told.get('items', {}))})"
    if "pattern" in told:
        return "nombre exact, en texte"
    return _KINDS.get(told.get("format", ""), _KINDS.get(told.get("type", ""), "objet"))
