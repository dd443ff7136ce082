"""What operators do by the command line, over the product's own API."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

import httpx

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
    # Who has just read something soon says how far; who has nothing to read says so once a minute.
    whose = {"client_id": product.new_client()["id"]}
    sent = product.http.post("/documents", data=whose, files={"file": ("Notice.txt", b"bonjour")})
    assert sent.status_code == 201, sent.text

    def read_by_all() -> bool:
        services = product.http.get("/operations/services").json()["items"]
        [documents] = [each for each in services if each["service"] == "documents"]
        return all(reader["position"] == documents["position"] for reader in documents["followers"])

    wait_until(read_by_all, "whoever follows has read it", 60)
    # A partner who has read nothing of it since: its cursor stands before what goes.
    cursor = product.http.get("/events", params={"limit": 200}).json()["next"]
    places = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    behind = base64.urlsafe_b64encode(json.dumps(places | {"documents": [places["documents"][0], 0]}).encode()).decode()
    assert product.http.get("/events", params={"after": behind}).status_code == 200
    told = fiche(product, "log", "prune", "documents", "--older-than-days", "365")
    # Whatever else was old enough goes too: the product is shared by the run.
    found = re.search(r"(\d+) événement\(s\) retiré\(s\)", told)
    assert found
    assert int(found[1]) >= 1
    assert "0 événement(s) retiré(s)" in fiche(product, "log", "prune", "documents")
    refused = product.http.get("/events", params={"after": behind})
    assert refused.status_code == 410
    assert refused.headers["Content-Type"].startswith("application/problem+json")
    problem = refused.json()
    assert (problem["code"], problem["data"]["services"]) == ("events_pruned", ["documents"])
    assert product.http.get("/events", params={"after": problem["data"]["restart"]}).status_code == 200
    # Nor may a partner miss in silence what a restore has changed.
    restored = {**places, "documents": [str(uuid.uuid4()), 0]}
    cursor = base64.urlsafe_b64encode(json.dumps(restored).encode()).decode()
    problem = product.http.get("/events", params={"after": cursor}).json()
    assert (problem["status"], problem["code"]) == (410, "log_restored")
    assert product.http.get("/events", params={"after": problem["data"]["restart"]}).status_code == 200
    assert "documents" in fiche(product, "log", "status")


def page(product: Product, path: str) -> httpx.Response:
    return product.http.get(f"{product.url}{path}")


def test_an_operator_sees_what_is_alive_and_what_waits_for_a_hand(product: Product) -> None:
    product.sql(
        "equipment",
        "INSERT INTO parked_event (producer, position, ordering_key, event, error, attempts) VALUES "
        "('clients', 900001, 'k', :event, 'KeyError: <b>', 5), ('clients', 900002, 'k', :event, 'attend', 0)",
        event=json.dumps({"type": "fiche.clients.client.updated.v1", "data": {"n": 1}}),
    )
    try:
        shown = page(product, "/exploitation")
        assert shown.status_code == 200
        assert shown.text.count("En marche") == 8
        assert "Une fiche client a changé." in shown.text
        assert "1 en attente derrière" in shown.text
        assert "KeyError: &lt;b&gt;" in shown.text
        wait_until(  # a reader may say how far it is between the two
            lambda: page(product, "/exploitation/etat").text in page(product, "/exploitation").text,
            "what is asked for again and again is what the page begins with",
        )
        at = "/exploitation/evenements/equipment/clients/900001"
        assert "&#34;n&#34;: 1" in page(product, at).text
        assert "Pourquoi" in page(product, f"{at}/abandonner").text
        assert page(product, "/exploitation/evenements/equipment/clients/900003").status_code == 404
        assert page(product, "/exploitation/evenements/nobody/clients/1").status_code == 404
        listed = json.loads(fiche(product, "dead-letters", "list", "--json"))
        assert [each["position"] for each in listed if each["position"] > 900000] == [900001, 900002]
        assert "900001" in fiche(product, "dead-letters", "list")
        assert '"n": 1' in fiche(product, "dead-letters", "show", "equipment", "clients", "900001")
        # The event is no whole one: it stays where it is until somebody gives it up.
        assert "toujours refusé" in fiche(product, "dead-letters", "replay", "equipment", "clients", "900001", code=1)
        dropped = fiche(product, "dead-letters", "drop", "equipment", "clients", "900001", "--reason", "essai")
        assert "2 événement(s) abandonné(s)" in dropped
        [(reason, count)] = product.sql(
            "equipment", "SELECT reason, count(*) FROM dropped_event WHERE position > 900000 GROUP BY 1"
        )
        assert (reason, count) == ("essai", 2)
        assert "KeyError" not in page(product, "/exploitation").text
    finally:
        product.sql("equipment", "DELETE FROM parked_event WHERE position > 900000")


def test_a_list_of_parked_events_says_whose_are_not_in_it(product: Product) -> None:
    """Silence of a service that is away would read as nothing parked."""
    product.command("stop", "equipment")
    try:
        answer = product.http.get("/operations/dead-letters").json()
        assert answer["away"] == ["equipment"]
        told = fiche(product, "dead-letters", "list", code=1)
        assert "Sans réponse, donc absents de cette liste\u202f: equipment." in told
    finally:
        product.command("start", "equipment")
    assert product.http.get("/operations/dead-letters").json()["away"] == []


def test_a_message_that_could_not_be_read_is_shown_and_dropped_by_its_position_below_zero(product: Product) -> None:
    product.sql(
        "equipment",
        "INSERT INTO parked_event (producer, position, ordering_key, event, raw, error, attempts) VALUES "
        "('clients', -900001, '', '{}', :raw, 'ValueError: [type=json] [/x]', 0)",
        raw=b"\xff\x00",
    )
    try:
        listed = fiche(product, "dead-letters", "list")
        assert "-900001" in listed
        assert "(illisible)" in listed
        # The error as it is, whatever its brackets look like.
        assert "ValueError: [type=json] [/x]" in listed
        at = ("equipment", "clients", "-900001")
        assert '"raw": "ff00"' in fiche(product, "dead-letters", "show", *at)
        assert "illisible" in fiche(product, "dead-letters", "replay", *at, code=1)
        dropped = fiche(product, "dead-letters", "drop", *at, "--reason", "essai")
        assert "1 événement(s) abandonné(s)" in dropped
    finally:
        product.sql("equipment", "DELETE FROM parked_event WHERE position < -900000")


def test_who_is_no_administrator_sees_none_of_it(product: Product) -> None:
    office = product.as_key("read", "write")
    for path in ("/exploitation", "/exploitation/etat", "/exploitation/evenements/equipment/clients/1"):
        assert office.get(f"{product.url}{path}").status_code == 403
