"""What each login may do on a real RabbitMQ; collected by test_stack.py, whose broker it is tried on."""

from __future__ import annotations

import json
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from amqp.exceptions import AccessRefused
from kombu import Connection

from chassis.broker import PROCESSES, login_of, password_variable
from chassis.settings import SERVICES
from tests.stack.commands import fiche
from tests.support import servers
from tests.support.stack import Stack
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


def as_login(rabbit: servers.RabbitServer, login: str, password: str) -> str:
    return f"amqp://{login}:{password}@{rabbit.url.rpartition('@')[2]}"


def refused(url: str, deed: Callable[[Any], Any]) -> bool:
    """Whether the broker refuses a deed to a login for want of rights."""
    with Connection(url) as connection:
        channel = connection.channel()
        try:
            deed(channel)
            # What is only sent is refused when the next answer is asked for.
            channel.basic_qos(0, 1, False)
        except AccessRefused:
            return True
        channel.close()
        return False


def publish(exchange: str, routing_key: str) -> Callable[[Any], Any]:
    return lambda channel: channel.basic_publish(
        channel.prepare_message(b"{}"), exchange=exchange, routing_key=routing_key
    )


def test_a_services_login_reads_no_queue_but_its_own(
    stack: Stack, rabbit: servers.RabbitServer, secrets: dict[str, str]
) -> None:
    with Connection(rabbit.url) as connection:
        # They are there: what is refused is refused for want of rights.
        for name in SERVICES:
            connection.default_channel.queue_declare(f"rpc.{name}.v1", passive=True)
    for process in PROCESSES:
        url = as_login(rabbit, login_of(process), secrets[password_variable(process)])
        other = "clients" if process != "clients" else "billing"
        deeds: list[Callable[[Any], Any]] = [
            lambda channel, other=other: channel.basic_get(f"rpc.{other}.v1"),  # type: ignore[misc]
            lambda channel, other=other: channel.basic_consume(f"{other}.interventions.v1", callback=print),  # type: ignore[misc]
            lambda channel, other=other: channel.queue_purge(f"rpc.{other}.v1"),  # type: ignore[misc]
            lambda channel, other=other: channel.queue_delete(f"{other}.interventions.v1"),  # type: ignore[misc]
            lambda channel, other=other: channel.exchange_delete(f"fiche.{other}"),  # type: ignore[misc]
            lambda channel: channel.exchange_delete("fiche.public"),
            lambda channel: channel.queue_declare("mine"),
            publish(f"fiche.{other}", f"fiche.{other}.client.created.v1"),
            publish("fiche.public", f"fiche.{other}.client.created.v1"),
        ]
        for number, deed in enumerate(deeds):
            assert refused(url, deed), (process, number)
        if process != "gateway":
            assert not refused(url, lambda channel: channel.queue_declare(f"rpc.{process}.v1", passive=True))  # noqa: B023
            assert not refused(url, publish("fiche.public", f"fiche.{process}.nothing.v1"))


def test_the_logins_are_put_in_place_again_over_a_broker_that_runs(
    stack: Stack, rabbit: servers.RabbitServer, secrets: dict[str, str]
) -> None:
    management = httpx.Client(base_url=rabbit.management_url)
    began = _now()
    with management:
        management.delete("/api/permissions/%2F/fiche_billing").raise_for_status()
        assert "9 comptes" in fiche(secrets | {"FICHE_BROKER_ADMIN_URL": rabbit.management_url}, "broker", "setup")
        found = management.get("/api/permissions/%2F/fiche_billing").json()
    file = json.loads((ROOT / "deploy" / "rabbitmq" / "definitions.json").read_text())
    [asked] = [each for each in file["permissions"] if each["user"] == "fiche_billing"]
    assert found == asked
    url = as_login(rabbit, "fiche_billing", secrets["FICHE_BILLING_PASSWORD"])
    assert not refused(url, lambda channel: channel.queue_declare("rpc.billing.v1", passive=True))
    _WITHOUT_RIGHTS["billing"] = began, _now()


#: Process → from when to when its login had no rights, by a test's doing.
_WITHOUT_RIGHTS: dict[str, tuple[str, str]] = {}


def _now() -> str:
    """As the logs write it."""
    return datetime.now(UTC).isoformat()


@contextmanager
def listening(program: Path, amqp_url: str) -> Iterator[queue.Queue[str]]:
    """Runs a subscriber; gives the lines it writes as they come."""
    lines: queue.Queue[str] = queue.Queue()
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", str(program)],
        env=os.environ | {"AMQP_URL": amqp_url},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    output = process.stdout
    reader = threading.Thread(target=lambda: [lines.put(line.strip()) for line in output], daemon=True)
    reader.start()
    try:
        yield lines
    finally:
        process.terminate()
        process.wait(10)
        reader.join(10)
        output.close()


def event_by_both_ways(http: httpx.Client, url: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """One event as a partner's queue brings it, and as the feed has it."""
    created = "fiche.clients.client.created.v1"
    with Connection(url) as connection:
        channel = connection.default_channel
        channel.queue_declare("partner.example.same", durable=True)
        channel.queue_bind("partner.example.same", "fiche.public", created)
        http.post("/api/v1/clients", json={"kind": "company", "company_name": "Deux voies"}).raise_for_status()
        message = wait_until(lambda: channel.basic_get("partner.example.same", no_ack=True), "it is told")
    told = json.loads(message.body)
    cursor = ""
    while page := http.get("/api/v1/events", params={"after": cursor, "types": created, "limit": 200}).json():
        for event in page["items"]:
            if event["id"] == told["id"]:
                return told, event
        assert page["items"], "the feed has it too"
        cursor = page["next"]
    raise AssertionError("no page")


def test_the_readmes_subscriber_hears_with_a_partners_login_that_may_nothing_else(
    stack: Stack, rabbit: servers.RabbitServer, tmp_path: Path
) -> None:
    admin = {"FICHE_BROKER_ADMIN_URL": rabbit.management_url}
    readme = (ROOT / "README.md").read_text()
    found = re.search(r"^```python\n(.*?)^```", readme, re.M | re.S)
    assert found
    (program := tmp_path / "partner.py").write_text(found[1])
    assert "fiche.nothing.#" in fiche(admin, "partners", "add", "example", "--types", "fiche.nothing.#", code=1)
    told = fiche(admin, "partners", "add", "example", "--types", "fiche.clients.client.#", "--json")
    made = json.loads(told)
    url = as_login(rabbit, made["login"], made["password"])

    with stack.client() as http, listening(program, url) as heard:
        # Its queue is its own to declare: what happened before is read at /api/v1/events.
        name = "Régie du Parc"

        def hears() -> bool:
            http.post("/api/v1/clients", json={"kind": "company", "company_name": name}).raise_for_status()
            try:
                return heard.get(timeout=1) == f"fiche.clients.client.created.v1 {name}"
            except queue.Empty:
                return False

        wait_until(hears, "the partner hears of a client")
        told, read = event_by_both_ways(http, url)
        assert told == read
        bind = "queue_bind"
        own = "partner.example.v1"
        for deed in (
            lambda channel: getattr(channel, bind)(own, "fiche.public", "fiche.billing.#"),
            lambda channel: getattr(channel, bind)(own, "fiche.public", "#"),
            lambda channel: getattr(channel, bind)(own, "fiche.clients", "fiche.clients.client.#"),
            lambda channel: channel.queue_declare("partner.examples.v1"),
            lambda channel: channel.queue_declare("partner.other.v1"),
            lambda channel: channel.basic_get("rpc.clients.v1"),
            lambda channel: channel.basic_get("billing.clients.v1"),
            lambda channel: channel.exchange_declare("fiche.mine", "topic"),
            publish("", "rpc.clients.v1"),
            publish("fiche.public", "fiche.clients.client.created.v1"),
            publish("fiche.clients", "fiche.clients.client.created.v1"),
        ):
            assert refused(url, deed)
        narrower = "fiche.clients.client.created.v1"
        assert not refused(url, lambda channel: channel.queue_bind(own, "fiche.public", narrower))

        # Fewer types: what was bound before and is no longer allowed is undone, an exchange of its own included.
        exchange = "partner.example.between"
        assert not refused(url, lambda channel: channel.exchange_declare(exchange, "fanout", auto_delete=False))
        wide = "fiche.clients.client.#"
        assert not refused(url, lambda channel: channel.exchange_bind(exchange, "fiche.public", wide))
        fiche(admin, "partners", "add", "example", "--types", narrower)
        with httpx.Client(base_url=rabbit.management_url) as management:
            bound = management.get(f"/api/queues/%2F/{own}/bindings").json()
            assert management.get(f"/api/exchanges/%2F/{exchange}/bindings/destination").json() == []
        assert {each["routing_key"] for each in bound if each["source"]} == {narrower}
        [listed] = json.loads(fiche(admin, "partners", "list", "--json"))
        assert listed["name"] == "example"
        assert own in listed["waiting"]

    assert "hôte virtuel" in fiche(admin, "partners", "remove", "example", "--vhost", "typo", code=1)
    fiche(admin, "partners", "remove", "example")
    assert "pas de partenaire" in fiche(admin, "partners", "remove", "example", code=1)
    assert json.loads(fiche(admin, "partners", "list", "--json")) == []
    with Connection(rabbit.url) as connection, httpx.Client(base_url=rabbit.management_url) as management:
        assert connection.connected or connection.connect()
        assert management.get(f"/api/queues/%2F/{own}").status_code == 404
        assert management.get(f"/api/exchanges/%2F/{exchange}").status_code == 404


def test_nothing_that_a_service_asked_of_the_broker_was_refused(stack: Stack, rabbit: servers.RabbitServer) -> None:
    """Each process says when its connection is lost, and why."""
    for process in PROCESSES:
        lines = (stack.folder / f"{process}.log").read_text().splitlines()
        began, ended = _WITHOUT_RIGHTS.get(process, ("", ""))
        said = [json.loads(line) for line in lines if "ACCESS_REFUSED" in line]
        assert [each for each in said if not began <= each["timestamp"] <= ended] == [], process
