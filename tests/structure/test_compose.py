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
        # The image of the service's own lock, the same for its migration, which is done before it runs.
        for process in (name, f"migrate-{name}"):
            assert services[process]["build"]["args"] == {"SERVICE": name}
            assert (ROOT / "requirements" / f"image-{name}.txt").exists()
        assert services[name]["depends_on"][f"migrate-{name}"] == {"condition": "service_completed_successfully"}
    assert services["gateway"]["command"] == ["gateway"]
    assert services["gateway"]["build"]["args"] == {"SERVICE": "gateway"}


def test_whatever_runs_on_says_whether_it_is_well() -> None:
    for name, service in compose().items():
        if not name.startswith("migrate-"):
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "unless-stopped", name


def test_the_administrators_first_key_is_given_to_the_service_that_makes_it() -> None:
    assert "FICHE_BOOTSTRAP_TOKEN" in compose()["accounts"]["environment"]


def test_only_the_loopback_address_is_published() -> None:
    for name, service in compose().items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_no_password_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert "PASSWORD:-" not in text
    assert "SECRET_KEY:-" not in text
    assert "TOKEN:-" not in text
