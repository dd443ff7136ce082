"""docker-compose.yml names the images of the suite and runs every service as the command line knows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from chassis.settings import SERVICES
from tests.support.servers import IMAGES

ROOT = Path(__file__).resolve().parents[2]


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])


def test_images_are_those_of_the_suites_containers() -> None:
    services = compose()
    assert {name: services[name]["image"] for name in IMAGES} == IMAGES


def test_every_service_runs_behind_its_migration_with_its_own_login() -> None:
    services = compose()
    for name in SERVICES:
        assert services[name]["command"] == ["run", name]
        assert services[f"migrate-{name}"]["command"] == ["migrate", name]
        assert f"fiche_{name}:" in services[name]["environment"]["FICHE_DATABASE_URL"]
    assert services["gateway"]["command"] == ["gateway"]


def test_no_password_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert "PASSWORD:-" not in text
    assert "SECRET_KEY:-" not in text
