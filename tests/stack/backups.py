"""A backup taken while all runs, and a service put back from it as docs/operations.md says; run by test_stack.py."""

from __future__ import annotations

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from chassis.settings import SERVICES
from tests.stack.commands import ROOT, fiche
from tests.support import servers
from tests.support.stack import Stack
from tests.support.waiting import wait_until


def script(postgres: servers.PostgresServer, name: str, *arguments: str) -> list[str]:
    """Runs a script of deploy/postgres; the lines it says."""
    server = postgres.server
    done = subprocess.run(
        ["sh", str(ROOT / "deploy" / "postgres" / name), *arguments],
        env=os.environ
        | {"PATH": f"{server.bin_dir}:{os.environ['PATH']}", "PGHOST": "127.0.0.1"}
        | {"PGPORT": str(server.port), "PGUSER": "fiche"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_service_put_back_from_a_backup_is_read_anew_by_the_others(
    stack: Stack, postgres: servers.PostgresServer, tmp_path: Path
) -> None:
    with stack.client() as http:

        def client(name: str) -> dict[str, Any]:
            answer = http.post("/api/v1/clients", json={"kind": "company", "company_name": name})
            assert answer.status_code == 201, answer.text
            return dict(answer.json())

        def work(client_id: str) -> str:
            made = http.post("/api/v1/interventions", json={"client_id": client_id, "title": "Entretien"})
            assert made.status_code == 201, made.text
            return str(made.json()["id"])

        def name_at(work_id: str) -> str | None:
            try:
                answer = http.get(f"/api/v1/interventions/{work_id}")
                return str(answer.json()["client"]["name"]) if answer.status_code == 200 else None
            except (httpx.HTTPError, KeyError, TypeError):
                return None

        before = client("Avant la sauvegarde")
        before_work = work(before["id"])
        wait_until(lambda: name_at(before_work) == "Avant la sauvegarde", "its name has come")
        assert script(postgres, "backup.sh", str(tmp_path)) == list(SERVICES)
        assert {path.name for path in tmp_path.iterdir()} == {f"{name}.dump" for name in SERVICES}
        lost = client("Après la sauvegarde")

        stack.stop_service("clients")
        assert script(postgres, "restore.sh", str(tmp_path), "clients") == ["clients"]
        own = stack.environment_of("clients")["FICHE_DATABASE_URL"]
        told = fiche({"FICHE_DATABASE_URL": own}, "restore", "clients")
        asked = re.findall(r"fiche (projections rebuild \w+ --producer clients)", told)
        assert len(asked) > 4
        stack.start_service("clients")
        wait_until(lambda: stack.ready("clients"), "it runs again", 90)
        way = {"FICHE_URL": stack.url, "FICHE_TOKEN": stack.token}
        with ThreadPoolExecutor(2) as pool:
            said = list(pool.map(lambda command: fiche(way, *command.split()), asked))
        assert all("← clients" in each for each in said), said

        assert http.get(f"/api/v1/clients/{before['id']}").json()["display_name"] == "Avant la sauvegarde"
        # What was written after the backup is gone with the database, and is gone for all.
        assert http.get(f"/api/v1/clients/{lost['id']}").status_code == 404
        assert name_at(before_work) == "Avant la sauvegarde"
        after = work(client("Après le retour")["id"])
        wait_until(lambda: name_at(after) == "Après le retour", "events go on")
        services = http.get("/api/v1/operations/services").json()["items"]
        assert [place for each in services for place in each["places"] if place["halted"]] == []
