"""Writes contracts/schemas/<event type>.json from the models: what a partner validates against. `make schemas`."""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import contracts  # noqa: E402
from contracts.base import Event  # noqa: E402

FOLDER = ROOT / "contracts" / "schemas"


def schemas() -> dict[str, str]:
    """File name → text of the schema of each event and version."""
    for module in pkgutil.walk_packages(contracts.__path__, "contracts."):
        importlib.import_module(module.name)
    found = {}
    for name, model in sorted(Event.registry.items()):
        schema = model.model_json_schema() | {"$id": f"/schemas/{name}.json", "x-public": model.public}
        found[f"{name}.json"] = json.dumps(schema, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return found


def main() -> None:
    """Writes what differs."""
    FOLDER.mkdir(exist_ok=True)
    wanted = schemas()
    for path in FOLDER.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
