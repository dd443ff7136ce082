"""docker-compose.yml as data: what each container runs, in which environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
_VARIABLE = re.compile(r"\$\{(\w+)(:\?|:-([^}]*))?\}")


@cache
def services() -> dict[str, Any]:
    """The services of the file, its variables as they stand there."""
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])


@cache
def wanted() -> tuple[str, ...]:
    """Variables without which `docker compose` refuses to start."""
    text = (ROOT / "docker-compose.yml").read_text()
    return tuple(dict.fromkeys(found[1] for found in _VARIABLE.finditer(text) if found[2] == ":?"))


def environment(service: str, secrets: Mapping[str, str]) -> dict[str, str]:
    """A container's environment, with the variables filled in as `docker compose` does. Raises `KeyError`."""

    def value(found: re.Match[str]) -> str:
        return secrets[found[1]] if found[2] == ":?" else secrets.get(found[1]) or (found[3] or "")

    return {name: _VARIABLE.sub(value, str(text)) for name, text in services()[service]["environment"].items()}


def command(service: str) -> list[str]:
    """What a container runs, behind its image's entry point."""
    return list(services()[service]["command"])
