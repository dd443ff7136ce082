"""What the documents promise is there: targets of make, commands of the README, contracts that name every service."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any, get_args

from typer.main import get_command

from chassis.settings import SERVICES
from cli.app import app
from contracts.accounts import Role

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()

#: Indented lines of the README, and what stands between backquotes, that name a command of ours.
COMMANDS = sorted(
    {
        line.strip("`").strip()
        for line in re.findall(r"^ {4}\S.*$|`[^`\n]+`", README, re.M)
        if re.match(r"(\.venv/bin/)?fiche |make |scripts/", line.strip("`").strip())
    }
)
_TYPED = "tests/embedded/test_readme.py::test_a_command_of_the_readme_does_it"
_COMPOSE = "tests/structure/test_compose.py"
_STACK = "tests/stack/test_stack.py::test_a_fact_of_one_service_reaches_the_others_by_events"
#: Who runs each of them: a test, or CI.
RUN_BY = {
    "make run": "tests/embedded/test_readme.py::test_the_second_start_takes_little_time_and_all_is_there",
    "make demo": "tests/embedded/test_readme.py::test_the_demo_company_comes_in_by_itself_and_is_read",
    "make test": ".ci/run",
    "make help": "tests/structure/test_house.py::test_make_help_names_every_target_and_every_target_is_phony",
    ".venv/bin/fiche import dolibarr FOLDER": _TYPED,
    ".venv/bin/fiche generate --clients 200 --seed 7": _TYPED,
    '.venv/bin/fiche api-keys add "My program" --scope read --scope write': _TYPED,
    'fiche partners add example --types "fiche.clients.client.#"': (
        "tests/stack/broker_rights.py::test_the_readmes_subscriber_hears_with_a_partners_login_that_may_nothing_else"
    ),
    "make stack": f"{_COMPOSE}::test_make_stack_runs_a_containers_command_in_its_environment_but_for_addresses",
    "scripts/secrets": f"{_COMPOSE}::test_no_secret_has_a_default_and_a_script_makes_all_up",
    "fiche log status": _TYPED,
    "fiche dead-letters list": _TYPED,
    "fiche restore SERVICE": (
        "tests/chassis/events/test_restored.py::"
        "test_a_producer_restored_from_an_older_backup_is_noticed_and_its_readers_rebuilt"
    ),
    "fiche projections rebuild SERVICE": (
        "tests/gateway/test_operations.py::test_copies_are_rebuilt_and_told_when_they_are"
    ),
    "fiche log prune SERVICE": (
        "tests/gateway/test_operations.py::test_a_log_is_pruned_of_what_is_old_and_read_by_all"
    ),
    "fiche run SERVICE": _STACK,
    "fiche gateway": _STACK,
    "fiche migrate": _STACK,
}


def test_every_command_of_the_readme_is_run_by_a_test_or_by_ci() -> None:
    assert set(COMMANDS) == set(RUN_BY)
    for command, where in RUN_BY.items():
        path, _, test = where.partition("::")
        text = (ROOT / path).read_text()
        assert (f"def {test}(" in text) if test else (command in text), f"{command}: {where}"


def test_the_operators_book_types_commands_roles_and_scripts_that_there_are() -> None:
    book = (ROOT / "docs" / "operations.md").read_text()
    typed = [span.strip("`") for span in re.findall(r"^ {4}\S.*$|`[^`]+`", book, re.M)]
    seen = set()
    for command in re.findall(r"(?:^|[ =\n])fiche ([a-z].*)", "\n".join(typed)):
        if command.startswith("deploy/helm"):  # helm upgrade fiche deploy/helm
            continue
        found: Any = get_command(app)
        words = command.split()
        while words and hasattr(found, "commands"):
            seen.add(word := words.pop(0))
            assert word in found.commands, command
            found = found.commands[word]
        options = {option for each in found.params for option in each.opts}
        assert {word for word in words if word.startswith("--")} <= options, command
    assert seen >= {"users", "partners", "restore", "log", "status"}
    assert set(re.findall(r"--role (\w+)", book)) <= set(get_args(Role))
    for script in re.findall(r"(?:scripts|deploy)/[\w/]+(?:\.\w+)?", book):
        assert (ROOT / script).exists(), script


def test_make_help_names_every_target_and_every_target_is_phony() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.M))
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.M)
    assert phony
    assert set(phony[1].split()) == targets
    # Under `make test` the inner make would tell the folder it enters.
    command = ["make", "--no-print-directory", "help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    inner = {name for name in targets if name.startswith("setup-")}
    assert {line.split()[0] for line in shown.splitlines()} == targets - inner


def test_import_contracts_name_every_service() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    named = {contract["type"]: contract for contract in contracts}
    services = {f"services.{name}" for name in SERVICES}
    assert set(named["independence"]["modules"]) == services
    assert set(named["layers"]["containers"]) == services
    chassis = next(contract for contract in contracts if contract.get("source_modules") == ["chassis"])
    assert {f"contracts.{name}" for name in SERVICES} <= set(chassis["forbidden_modules"])


def test_every_decision_has_a_number_of_its_own_and_a_title() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    numbers = [int(path.name[:4]) for path in records]
    assert numbers == list(range(1, len(records) + 1))
    for path in records:
        assert path.read_text().startswith(f"# {int(path.name[:4])}. "), path.name
