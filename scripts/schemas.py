"""The published schemas. `make schemas` writes contracts/schemas/<event type>.json from the models;
`make release-schemas` freezes them under the version of pyproject.toml, for the compatibility check of later ones."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from contracts.catalogue import events, schema  # noqa: E402

FOLDER = ROOT / "contracts" / "schemas"
RELEASED = ROOT / "contracts" / "released"


def text_of(value: Any) -> str:
    """JSON as it is kept in the repository."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def schemas() -> dict[str, str]:
    """File name → text of the schema of each event and version."""
    return {f"{name}.json": text_of(schema(model)) for name, model in events().items()}


def last_released() -> tuple[str, dict[str, Any]]:
    """Version and schemas (by event type) of the last release."""
    path = max(RELEASED.glob("*.json"), key=lambda each: [int(part) for part in each.stem.split(".")])
    return path.stem, dict(json.loads(path.read_text()))


def release() -> None:
    """Freezes the schemas of today. A version that is out is never written again. Raises `SystemExit`."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    path = RELEASED / f"{version}.json"
    if path.exists():
        raise SystemExit(f"{path.name} is out already: raise the version of pyproject.toml first")
    RELEASED.mkdir(exist_ok=True)
    path.write_text(text_of({name: schema(model) for name, model in events().items()}))


def main() -> None:
    """Writes what differs; tells which examples are to be written by hand."""
    FOLDER.mkdir(exist_ok=True)
    wanted = schemas()
    for path in FOLDER.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text)
        if not (FOLDER.parent / "examples" / name).exists():
            sys.stderr.write(f"contracts/examples/{name} is to be written\n")


if __name__ == "__main__":
    release() if sys.argv[1:] == ["release"] else main()
