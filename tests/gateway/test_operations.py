"""What operators do by the command line, over the product's own API."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

from tests.gateway.conftest import TOKEN, Product
from tests.support.waiting import wait_until


def fiche(product: Product, *arguments: str, code: int = 0) -> str:
    """What the command line says."""
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"FICHE_URL": product.url, "FICHE_TOKEN": TOKEN, "COLUMNS": "250"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_copies_are_rebuilt_and_told_when_they_are(product: Product) -> None:
    client = product.new_client()
    made = product.http.post("/equipment", json={"client_id": client["id"], "name": "Chaudière"}).json()

    def name() -> str:
        return str(product.http.get(f"/equipment/{made['id']}").json()["client"]["name"])

    wait_until(lambda: name() == client["display_name"], "the name has come")
    product.sql("equipment", "UPDATE known_client SET display_name = 'abîmé' WHERE id = :id", id=client["id"])
    assert "equipment ← clients" in fiche(product, "projections", "rebuild", "equipment", "--producer", "clients")
    assert name() == client["display_name"]
    assert "ne lit pas" in fiche(product, "projections", "rebuild", "equipment", "--producer", "imports", code=1)


def test_a_log_is_pruned_of_what_is_old_and_read_by_all(product: Product) -> None:
    product.sql("documents", "UPDATE event_head SET position = position + 1")
    product.sql(
        "documents",
        "INSERT INTO event_log (position, id, type, subject, ordering_key, event, recorded_at) SELECT position, :id, "
        "'t', 's', 's', '{}', now() - interval '400 days' FROM event_head",
        id=uuid.uuid4(),
    )

    def read_by_all() -> bool:
        services = product.http.get("/operations/services").json()["items"]
        [documents] = [each for each in services if each["service"] == "documents"]
        return all(reader["position"] == documents["position"] for reader in documents["followers"])

    wait_until(read_by_all, "whoever follows has read it", 60)
    told = fiche(product, "log", "prune", "documents", "--older-than-days", "365")
    # Whatever else was old enough goes too: the product is shared by the run.
    found = re.search(r"(\d+) événement\(s\) retiré\(s\)", told)
    assert found
    assert int(found[1]) >= 1
    assert "0 événement(s) retiré(s)" in fiche(product, "log", "prune", "documents")
    assert "documents" in fiche(product, "log", "status")
