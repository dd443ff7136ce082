"""All events of the published language, their JSON schemas and examples: what a partner reads and checks against."""

from __future__ import annotations

import importlib
import json
import pkgutil
from pathlib import Path
from typing import Any

import contracts
from contracts.base import Event

FOLDER = Path(__file__).resolve().parent


def events() -> dict[str, type[Event]]:
    """Event type on the wire → model, by type; every version that is published."""
    for module in pkgutil.walk_packages(contracts.__path__, "contracts."):
        importlib.import_module(module.name)
    return {name: model for name, model in sorted(Event.registry.items()) if model.__module__.startswith("contracts.")}


def schema(model: type[Event]) -> dict[str, Any]:
    """JSON schema of the `data` of an event as it is told. Open: a later release may add fields, readers skip them."""
    made = _opened(model.model_json_schema(mode="serialization"))
    return dict(made) | {"$id": f"/schemas/{model.event_type()}.json", "x-public": model.public}


def example(model: type[Event]) -> dict[str, Any]:
    """The example kept for an event: its `data`, valid against its schema. Raises `FileNotFoundError` without one."""
    return dict(json.loads((FOLDER / "examples" / f"{model.event_type()}.json").read_text("utf-8")))


def _opened(node: Any) -> Any:
    """Our models refuse unknown fields so that we tell none by mistake; whoever reads must not refuse them."""
    if isinstance(node, dict):
        return {
            key: _opened(value) for key, value in node.items() if not (key == "additionalProperties" and value is False)
        }
    return [_opened(each) for each in node] if isinstance(node, list) else node
