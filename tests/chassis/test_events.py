"""Events between two services as processes of their own, over real PostgreSQL and RabbitMQ, while things break."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from amqp import Message
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from chassis.context import Actor, Context
from chassis.migrations import ensure_database, upgrade
from chassis.wire.amqp import AmqpWire
from chassis.wire.amqp_events import events_queue_of, exchange_of
from chassis.wire.amqp_link import connect
from chassis.wire.base import OK, Call
from contracts import clients as c
from contracts.chassis import ParkedAct
from tests.support.waiting import wait_until

pytestmark = pytest.mark.broker
ACTOR = Actor(id="0193f000-0000-7000-8000-000000000001", name="Camille Roux", roles=("office", "admin"))
NAMES = ("clients", "equipment")


class Stack:
    """`clients` and `equipment`, each with its database and its process."""

    def __init__(self, postgres_url: str, amqp_url: str, folder: Path) -> None:
        base = make_url(postgres_url).set(drivername="postgresql+psycopg2")
        run = f"events_{uuid.uuid4().hex[:8]}"
        self.engines: dict[str, Engine] = {}
        for name in NAMES:
            address = base.set(database=f"{run}_{name}")
            ensure_database(address)
            upgrade(name, address)
            self.engines[name] = create_engine(address)
        plain = make_url(postgres_url).set(drivername="postgresql", database=run)
        self._environment = {
            **os.environ,
            "FICHE_DATABASE_URL": plain.render_as_string(hide_password=False),
            "FICHE_AMQP_URL": amqp_url,
            "FICHE_DATA_DIR": str(folder),
        }
        self._folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.client = AmqpWire(amqp_url).rpc_client()

    def start(self, name: str) -> None:
        with (self._folder / f"{name}.log").open("ab") as out:
            command = [sys.executable, "-m", "cli.main", "run", name]
            self._processes[name] = subprocess.Popen(command, env=self._environment, stdout=out, stderr=out)
        wait_until(lambda: self.call(f"{name}.health", b"{}") is not None, f"{name} answers", 60)

    def end(self, name: str, number: int = signal.SIGTERM) -> int:
        process = self._processes.pop(name)
        process.send_signal(number)
        return process.wait(30)

    def close(self) -> None:
        for name in list(self._processes):
            self.end(name, signal.SIGKILL)
        self.client.close()
        for engine in self.engines.values():
            engine.dispose()

    def call(self, rpc: str, body: bytes) -> Any:
        service, _, method = rpc.partition(".")
        headers = Context(actor=ACTOR, idempotency_key=str(uuid.uuid4())).headers()
        [answer] = self.client.call_many([Call(service, method, body, headers)], 10)
        if answer.from_wire:
            return None
        assert answer.status == OK, answer.body
        return orjson.loads(answer.body)

    def company(self, name: str) -> str:
        request = c.CreateClient(body=c.ClientBody(kind="company", company_name=name))
        return str(self.call(request.rpc, request.model_dump_json(exclude_unset=True).encode())["id"])

    def sql(self, service: str, statement: str, **params: Any) -> list[Any]:
        with self.engines[service].begin() as connection:
            result = connection.execute(text(statement), params)
            return list(result) if result.returns_rows else []

    def known(self) -> set[str]:
        return {str(row.id) for row in self.sql("equipment", "SELECT id FROM known_client")}

    def caught_up(self) -> bool:
        head = self.sql("clients", "SELECT position FROM event_head")[0].position
        place = self.sql("equipment", "SELECT position FROM event_place WHERE producer = 'clients'")
        return bool(place) and place[0].position == head


@pytest.fixture(scope="module")
def stack(postgres_url: str, amqp_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    made = Stack(postgres_url, amqp_url, tmp_path_factory.mktemp("events"))
    try:
        for name in NAMES:
            made.start(name)
        yield made
    finally:
        made.close()


@pytest.fixture
def channel(amqp_url: str) -> Iterator[Any]:
    connection = connect(amqp_url)
    yield connection.channel()
    connection.close()


def test_a_client_is_known_in_equipment(stack: Stack) -> None:
    made = {stack.company(f"Client {n}") for n in range(20)}
    wait_until(lambda: made <= stack.known() and stack.caught_up(), "all known")


def test_a_consumer_killed_catches_up(stack: Stack) -> None:
    stack.end("equipment", signal.SIGKILL)
    made = {stack.company(f"Pendant l’absence {n}") for n in range(20)}
    assert not made & stack.known()
    stack.start("equipment")
    wait_until(lambda: made <= stack.known() and stack.caught_up(), "all known", 60)


def test_a_deleted_queue_loses_nothing(stack: Stack, channel: Any) -> None:
    made = {stack.company("Avant")}
    channel.queue_delete(events_queue_of("equipment", "clients"))
    made |= {stack.company(f"Après {n}") for n in range(10)}
    wait_until(lambda: made <= stack.known() and stack.caught_up(), "all known", 30)


def test_doubles_and_shuffles_change_nothing(stack: Stack, channel: Any) -> None:
    made = {stack.company(f"Double {n}") for n in range(10)}
    wait_until(lambda: made <= stack.known() and stack.caught_up(), "all known")
    columns = "id, display_name"
    before = stack.sql("equipment", f"SELECT {columns} FROM known_client ORDER BY id")
    rows = stack.sql("clients", "SELECT position, event, log_id FROM event_log, (SELECT log_id FROM event_head) AS h")
    again = [*rows, *rows]
    random.Random(7).shuffle(again)
    for row in again:
        body = row.event if isinstance(row.event, str) else orjson.dumps(row.event)
        message = Message(body, application_headers={"position": row.position, "log_id": str(row.log_id)})
        channel.basic_publish(message, exchange_of("clients"), "again")
    channel.basic_publish(Message(b"\xff\x00"), exchange_of("clients"), "nothing")
    last = stack.company("Après les doubles")
    wait_until(lambda: last in stack.known() and stack.caught_up(), "read on")
    after = stack.sql("equipment", f"SELECT {columns} FROM known_client WHERE id <> :last ORDER BY id", last=last)
    assert after == before
    unreadable = stack.sql("equipment", "SELECT raw FROM parked_event WHERE raw IS NOT NULL")
    assert [bytes(row.raw) for row in unreadable] == [b"\xff\x00"]


def test_poison_is_parked_others_go_on_and_replay_heals(stack: Stack) -> None:
    poison = "ALTER TABLE known_client ADD CONSTRAINT poison CHECK (display_name <> 'Poison')"
    stack.sql("equipment", poison)
    bad = stack.company("Poison")
    good = {stack.company(f"Sain {n}") for n in range(5)}
    wait_until(lambda: good <= stack.known() and stack.caught_up(), "the others go on", 60)
    assert bad not in stack.known()
    parked = "SELECT position FROM parked_event WHERE ordering_key = :key ORDER BY position"
    position = stack.sql("equipment", parked, key=bad)[0].position
    stack.sql("equipment", "ALTER TABLE known_client DROP CONSTRAINT poison")
    request = ParkedAct(action="replay", producer="clients", position=position)
    assert stack.call("equipment.parked_act", request.model_dump_json().encode())["replayed"] >= 1
    assert bad in stack.known()
    assert stack.sql("equipment", parked, key=bad) == []


def test_a_service_asked_to_stop_ends_by_itself(stack: Stack) -> None:
    assert stack.end("equipment") == 0
    made = stack.company("Pendant l’arrêt")
    stack.start("equipment")
    wait_until(lambda: made in stack.known() and stack.caught_up(), "known", 60)
