"""scripts/roll: which commands it gives Docker, and in which order.

There need be no Docker: `docker` is a program of ours that writes down what it is asked and keeps a list of containers.
That Docker does what it is asked is not tried here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chassis.settings import SERVICES
from tests.support import compose

ROOT = Path(__file__).resolve().parents[2]
#: What .env says of each service.
REPLICAS = 3
FAKE = """
import json, os, re, signal, sys
path = os.environ["FAKE_DOCKER"]
state = json.load(open(path))
asked = sys.argv[1:]
words = [word for word in asked if not word.startswith("-")]
running = state["running"]
if asked[:2] == ["compose", "ps"]:
    print(*running.get(words[-1], []), sep="\\n", end="\\n" if running.get(words[-1]) else "")
elif asked[:2] == ["compose", "up"] and "--scale" in asked:
    service, count = re.fullmatch(r"(\\w+)=(\\d+)", asked[asked.index("--scale") + 1]).groups()
    there = running.setdefault(service, [])
    there += [f"{service}-new-{number}" for number in range(len(there), int(count))]
elif asked[:2] == ["compose", "up"] and "--no-recreate" in asked:
    running[words[-1]] = [f"{words[-1]}-new-{number}" for number in range(state["replicas"])]
elif asked[0] == "inspect":
    for one in asked[3:]:
        print("unhealthy" if one.startswith(state["ill"] + "-new") else "healthy")
elif asked[0] == "rm":
    for one in words[1:]:
        running[one.split("-")[0]].remove(one)
state["asked"].append(" ".join(asked))
with open(path, "w") as file:
    json.dump(state, file)
if state["interrupted"] and re.search(state["interrupted"], " ".join(asked)):
    os.killpg(0, signal.SIGINT)  # as the terminal does
    os._exit(0)  # what took it for its end, or was done already
"""


def roll(
    folder: Path, running: dict[str, list[str]], ill: str = "-", interrupted: str = ""
) -> tuple[int, dict[str, Any]]:
    """Runs the script beside these containers; new ones of `ill` never become healthy; Ctrl-C is typed while Docker
    does what matches `interrupted`. Returns its exit code, and what Docker was asked and has then."""
    fake = folder / "docker"
    fake.write_text(f"#!{sys.executable}{FAKE}")
    fake.chmod(0o755)
    state = folder / "state.json"
    state.write_text(
        json.dumps({"running": running, "asked": [], "ill": ill, "replicas": REPLICAS, "interrupted": interrupted})
    )
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "FAKE_DOCKER": str(state)}
    done = subprocess.run(
        [str(ROOT / "scripts" / "roll")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        # Whoever runs the suite in the background has it ignored, which children inherit.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    return done.returncode, json.loads(state.read_text())


def at(asked: list[str], start: str) -> int:
    """Where the one command that begins like this stands."""
    [found] = [number for number, command in enumerate(asked) if command.startswith(start)]
    return found


def test_images_then_schemas_then_service_after_service_and_the_gateway_last(tmp_path: Path) -> None:
    running = {name: [f"{name}-old-1"] for name in SERVICES} | {"clients": ["clients-old-1", "clients-old-2"]}
    del running["imports"]  # one that the release before did not have
    code, told = roll(tmp_path, running)
    asked = told["asked"]
    assert code == 0
    assert asked[0] == "compose build"
    migrated = [at(asked, f"compose run --rm migrate-{name}") for name in SERVICES]
    replaced = [
        at(asked, f"compose up --detach --no-deps --no-recreate {wanted}{name}")
        for name, wanted in (
            (name, {"clients": "--scale clients=4 ", "imports": ""}.get(name, f"--scale {name}=2 "))
            for name in SERVICES
        )
    ]
    assert at(asked, "compose up --detach --wait postgres rabbitmq s3") < min(migrated)
    assert max(migrated) < min(replaced)
    assert at(asked, "compose up --detach --no-deps --wait gateway") == len(asked) - 1
    # An old container is stopped once the new ones are healthy.
    order = [asked[number].split()[0] for number in range(replaced[1], at(asked, "rm clients-old-1") + 1)]
    assert order == ["compose", "compose", "inspect", "stop", "rm"]
    counts = dict.fromkeys(SERVICES, 1) | {"clients": 2, "imports": REPLICAS}
    assert {name: len(ids) for name, ids in told["running"].items()} == counts
    assert not any("old" in one for ids in told["running"].values() for one in ids)


def test_a_service_that_does_not_become_ready_stays_as_it_was_and_stops_all(tmp_path: Path) -> None:
    running = {name: [f"{name}-old-1"] for name in SERVICES}
    code, told = roll(tmp_path, running, ill="interventions")
    assert code == 1
    before, after = SERVICES[: SERVICES.index("interventions")], SERVICES[SERVICES.index("interventions") :]
    assert {name: told["running"][name] for name in after} == {name: running[name] for name in after}
    assert all(len(told["running"][name]) == 1 and "new" in told["running"][name][0] for name in before)
    assert not any("gateway" in command for command in told["asked"])


@pytest.mark.parametrize("moment", ["no-recreate.* interventions", "inspect.*interventions-new"])
def test_interrupted_before_the_new_ones_are_healthy_they_go(tmp_path: Path, moment: str) -> None:
    """The next run would take them for replicas."""
    running = {name: [f"{name}-old-1"] for name in SERVICES}
    code, told = roll(tmp_path, running, interrupted=moment)
    assert code != 0
    assert told["running"]["interventions"] == running["interventions"]
    assert not any("gateway" in command for command in told["asked"])


def test_interrupted_afterwards_the_old_ones_go(tmp_path: Path) -> None:
    running = {name: [f"{name}-old-1"] for name in SERVICES}
    _, told = roll(tmp_path, running, interrupted="^stop .*interventions-old")
    assert told["running"]["interventions"] == ["interventions-new-1"]


def test_every_container_of_the_compose_file_is_brought_up(tmp_path: Path) -> None:
    _, told = roll(tmp_path, {})
    for name in compose.services():
        assert any(name in command.split() for command in told["asked"]), name


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_stand_beside_itself(name: str) -> None:
    """It has no port of the machine and no name of its own; and its health says when the next may go."""
    service = compose.services()[name]
    assert not {"ports", "container_name"} & set(service)
    assert service["healthcheck"]
