"""docker-compose.yml runs every service as the command line knows it, each with logins of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chassis.broker import PROCESSES, login_of, password_variable, rights_of, template
from chassis.host import service_class
from chassis.service import followed_producers
from chassis.settings import SERVICES, Settings
from chassis.wire.amqp_client import queue_of
from chassis.wire.amqp_events import events_queue_of, exchange_of
from cli.app import app
from tests.support import compose
from tests.support.servers import IMAGES
from tests.support.stack import Stack, made_secrets

ROOT = Path(__file__).resolve().parents[2]
S3 = {"s3_url": "http://127.0.0.1:1", "s3_access_key": "access", "s3_secret_key": "secret"}
#: What containers and processes on one machine cannot have in common.
PLACES = {"FICHE_HOST", "FICHE_PORT", "FICHE_OPS_PORT", "FICHE_S3_URL"}
_FIXED = "the same in every container; what is published is said by `ports`"
_ADDRESS = "the address of another container, with this one's login"
_COMMAND_LINE = "for the command line only"
#: Variables of .env.example that say nothing to a container, and why.
NOT_PASSED = {
    "FICHE_HOST": _FIXED,
    "FICHE_PORT": _FIXED,
    "FICHE_OPS_PORT": _FIXED,
    "FICHE_DATABASE_URL": _ADDRESS,
    "FICHE_AMQP_URL": _ADDRESS,
    "FICHE_S3_URL": _ADDRESS,
    "FICHE_TOKEN": _COMMAND_LINE,
    "FICHE_BROKER_ADMIN_URL": _COMMAND_LINE,
    "FICHE_DEMO_CLIENTS": _COMMAND_LINE,
    "FICHE_DATA_DIR": "files are in S3, rows in PostgreSQL",
}


def test_images_are_those_of_the_suites_containers() -> None:
    services = compose.services()
    assert {name: services[name]["image"] for name in IMAGES} == IMAGES


def test_every_service_runs_behind_its_migration_with_its_own_login() -> None:
    services = compose.services()
    for name in SERVICES:
        assert services[name]["command"] == ["run", name]
        assert services[f"migrate-{name}"]["command"] == ["migrate", name]
        assert services[name]["environment"] == services[f"migrate-{name}"]["environment"]
        # The image of the service's own lock, the same for its migration, which is done before it runs.
        for process in (name, f"migrate-{name}"):
            assert services[process]["build"]["args"] == {"SERVICE": name}
            assert (ROOT / "requirements" / f"image-{name}.txt").exists()
        assert services[name]["depends_on"][f"migrate-{name}"] == {"condition": "service_completed_successfully"}
    assert services["gateway"]["command"] == ["gateway"]
    assert services["gateway"]["build"]["args"] == {"SERVICE": "gateway"}
    for name in PROCESSES:
        login = f"{login_of(name)}:${{{password_variable(name)}:?}}"
        found = services[name]["environment"]
        assert found["FICHE_AMQP_URL"] == f"amqp://{login}@rabbitmq/"
        if name != "gateway":
            assert found["FICHE_DATABASE_URL"] == f"postgresql://{login}@postgres/fiche_{{service}}"
        # Nobody else's password is in its environment.
        others = {password_variable(other) for other in PROCESSES if other != name}
        assert not any(other in str(found) for other in others)


def test_what_stores_or_reads_files_has_the_object_stores_keys_and_nobody_else() -> None:
    for name in PROCESSES:
        folder = ROOT / ("gateway" if name == "gateway" else f"services/{name}")
        stores = any("object_store(" in path.read_text() for path in folder.rglob("*.py"))
        assert stores == ("FICHE_S3_SECRET_KEY" in compose.services()[name]["environment"]), name


@pytest.mark.parametrize("name", [*PROCESSES, *(f"migrate-{name}" for name in SERVICES)])
def test_make_stack_runs_a_containers_command_in_its_environment_but_for_addresses(name: str, tmp_path: Path) -> None:
    secrets = made_secrets(S3)
    stack = Stack(
        tmp_path,
        database_url="postgresql://admin@127.0.0.1:5/postgres",
        amqp_url="amqp://admin:word@127.0.0.1:6/",
        s3=S3,
        given=secrets,
    )
    there, here = compose.environment(name, secrets), stack.environment_of(name)
    assert set(here) == set(there)
    for key in set(there) - PLACES:
        assert here[key] == there[key].replace("@postgres/", "@127.0.0.1:5/").replace("@rabbitmq/", "@127.0.0.1:6/")
    # What is set is a setting, and the command is one that `fiche` knows.
    known = {f"FICHE_{field.upper()}" for field in Settings.model_fields}
    assert set(there) <= known
    told = CliRunner().invoke(app, [*compose.command(name), "--help"])
    assert told.exit_code == 0, told.output


def test_every_variable_of_the_example_reaches_a_container_or_is_excluded_with_a_reason() -> None:
    example = set(re.findall(r"^(FICHE_\w+)=", (ROOT / ".env.example").read_text(), re.M))
    passed = set(re.findall(r"\$\{(\w+)", str([compose.services()[name] for name in PROCESSES])))
    assert example - passed == set(NOT_PASSED)


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_is_given_every_setting_that_its_code_reads(name: str) -> None:
    folder = ROOT / ("gateway" if name == "gateway" else f"services/{name}")
    read = {
        f"FICHE_{field.upper()}"
        for path in folder.rglob("*.py")
        for field in re.findall(r"\bsettings\.(\w+)", path.read_text())
        if field in Settings.model_fields
    }
    assert read <= set(compose.services()[name]["environment"])


@pytest.mark.parametrize("name", PROCESSES)
def test_a_setting_left_out_or_empty_is_the_codes_own_default_and_one_given_arrives(name: str) -> None:
    secrets = made_secrets(S3)
    texts = compose.services()[name]["environment"]
    passed = {key for key, text in texts.items() if ":-" in str(text)}
    assert {"FICHE_LOG_LEVEL", "FICHE_OTLP_URL"} <= passed
    empty = dict.fromkeys(passed, "")
    for left in ({}, empty):
        found = compose.environment(name, secrets | left)
        for key in passed:
            field = key.removeprefix("FICHE_").lower()
            assert getattr(Settings(**{field: found[key]}), field) == Settings.model_fields[field].default, key
    given = {key: f"given {key}" for key in passed}
    found = compose.environment(name, secrets | given)
    assert {key: found[key] for key in passed} == given


def test_what_is_set_where_the_stack_is_started_does_not_reach_its_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FICHE_PURGE_DAYS", "7")
    stack = Stack(tmp_path, database_url="postgresql://a@b/c", amqp_url="amqp://a:b@c/", s3=S3)
    assert stack.environment_of("clients")["FICHE_PURGE_DAYS"] == "30"


def test_whatever_runs_on_says_whether_it_is_well() -> None:
    for name, service in compose.services().items():
        if not name.startswith("migrate-"):
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "unless-stopped", name


def test_the_administrators_first_key_is_given_to_the_service_that_makes_it() -> None:
    assert "FICHE_BOOTSTRAP_TOKEN" in compose.services()["accounts"]["environment"]


def test_only_the_loopback_address_is_published_and_every_service_but_the_gateway_can_be_scaled() -> None:
    for name, service in compose.services().items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert "container_name" not in service
        # How many is kept in .env: a `--scale` is forgotten by the next `up`. A port of the machine is for one only.
        replicas = {"replicas": f"${{FICHE_{name.upper()}_REPLICAS:-1}}"} if name in SERVICES else None
        assert service.get("deploy") == replicas, name
        if name in SERVICES:
            assert "ports" not in service


def test_no_secret_has_a_default_and_a_script_makes_all_up(tmp_path: Path) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for variable in re.findall(r"\$\{(\w*(?:PASSWORD|KEY|TOKEN)\w*)([^}]*)\}", text):
        assert variable[1] == ":?", variable
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "secrets").write_text((ROOT / "scripts" / "secrets").read_text())
    (tmp_path / "docker-compose.yml").write_text(text)
    (tmp_path / ".env").write_text("FICHE_CLIENTS_PASSWORD=kept\nOTHER=1")
    for _ in range(2):
        subprocess.run([sys.executable, str(tmp_path / "scripts" / "secrets")], check=True, capture_output=True)
    made = dict(line.split("=") for line in (tmp_path / ".env").read_text().split())
    assert set(made) == {*compose.wanted(), "OTHER"}
    assert made["FICHE_CLIENTS_PASSWORD"] == "kept"
    assert len({*made.values()}) == len(made)
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0


def test_the_brokers_definitions_are_those_of_the_code_and_reach_every_queue_that_a_service_has() -> None:
    file = json.loads((ROOT / "deploy" / "rabbitmq" / "definitions.json").read_text())
    assert file == template(), "fiche broker definitions --template > deploy/rabbitmq/definitions.json"
    for name in SERVICES:
        rights = {right: re.compile(pattern) for right, pattern in rights_of(name).items()}
        queues = [queue_of(name), *(events_queue_of(name, each) for each in followed_producers(service_class(name)))]
        for queue in queues:
            assert all(pattern.match(queue) for pattern in rights.values()), queue
        for producer in followed_producers(service_class(name)):
            assert rights["read"].match(exchange_of(producer))


def test_scripts_of_the_servers_name_every_login() -> None:
    names = " ".join(SERVICES)
    assert f"for service in {names}; do" in (ROOT / "deploy" / "postgres" / "init.sh").read_text()
    start = (ROOT / "deploy" / "rabbitmq" / "start.sh").read_text()
    assert f"for name in BROKER {' '.join(name.upper() for name in PROCESSES)}; do" in start


def test_a_password_that_cannot_stand_in_an_address_is_refused(tmp_path: Path) -> None:
    words = {password_variable(name): "word" for name in (*PROCESSES, "broker")}
    for word in ("", "a/b", 'a"b', "a b"):
        done = subprocess.run(
            ["sh", str(ROOT / "deploy" / "rabbitmq" / "start.sh"), "true"],
            env={"PATH": "/usr/bin:/bin", **words, "FICHE_BILLING_PASSWORD": word}
            | {"FICHE_DEFINITIONS": str(tmp_path / "definitions.json")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        assert not (tmp_path / "definitions.json").exists()
