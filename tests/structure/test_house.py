"""What the documents promise is there: targets of make, commands of the README, contracts that name every service."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from chassis.settings import SERVICES

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()

#: Indented lines of the README, and what stands between backquotes, that name a command of ours.
COMMANDS = sorted(
    {
        line.strip("`").strip()
        for line in re.findall(r"^ {4}\S.*$|`[^`\n]+`", README, re.M)
        if re.match(r"(\.venv/bin/)?fiche |make ", line.strip("`").strip())
    }
)


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


def test_the_readme_has_commands_to_check() -> None:
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_exists_with_its_arguments(command: str) -> None:
    words = shlex.split(command)
    if words[0] == "make":
        for target in words[1:]:
            assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(), re.M), command
        return
    # Up to the first word that is the reader's own; options must be known to that command.
    path = []
    for word in words[1:]:
        if word.startswith("-") or word.isupper() or " " in word or word.isdigit():
            break
        path.append(word)
    shown = subprocess.run(
        [sys.executable, "-m", "cli.main", *path, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"COLUMNS": "200", "PATH": "/usr/bin:/bin", "TERM": "dumb"},
    )
    assert shown.returncode == 0, f"{command}: {shown.stderr}"
    for option in [word for word in words if word.startswith("--")]:
        assert option in shown.stdout, f"{command}: {option}"


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
