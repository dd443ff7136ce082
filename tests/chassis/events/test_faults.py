"""What breaks at the worst moment: whatever was acknowledged is applied once in the consumer, in order per key."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from chassis.wire.amqp_events import QUEUE_LENGTH, events_queue_of
from chassis.wire.amqp_link import connect
from contracts import clients as c
from tests.chassis.events.stack import NAMES, EventsStack
from tests.support.waiting import wait_until

#: The first test of the folder also starts servers and services.
pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]
#: How far behind the consumer is: more than its queue holds; `make soak` asks for a million.
BEHIND = int(os.environ.get("FICHE_SOAK_EVENTS", "12000"))


@pytest.mark.parametrize("point", ["numbered", "publishing", "published"])
def test_a_producer_killed(stack: EventsStack, point: str) -> None:
    """Before commit, between commit and publish, between publish and marking."""
    made = stack.killed("clients", point, lambda: _begin(stack, f"Tué à {point}"), _Asked.once)
    stack.settle({made(), stack.company("Après")}, 60)
    assert len(stack.sql("clients", "SELECT 1 FROM client WHERE company_name = :name", name=f"Tué à {point}")) == 1


@pytest.mark.parametrize("point", ["placed", "effective"])
def test_a_consumer_killed(stack: EventsStack, point: str) -> None:
    """Inside a batch, between effect and acknowledge."""
    made = stack.killed("equipment", point, lambda: {stack.company(f"Lot {point} {n}") for n in range(10)})
    stack.settle(made, 60)


def test_a_frozen_relay_that_wakes_up(stack: EventsStack) -> None:
    stack.start("clients", "2")
    try:
        stack.at("clients", "publishing", "stop")
        made = {stack.company("Le relais gèle")}
        frozen = _frozen(stack, "clients", "clients2")
        # Calls that the broker gives to the frozen replica are asked again; its events are read from the log.
        made |= {stack.company(f"Relais gelé {n}") for n in range(5)}
        stack.settle(made, 60)
        stack.signal(frozen, signal.SIGCONT)
        made |= {stack.company(f"Relais réveillé {n}") for n in range(5)}
        stack.settle(made, 60)
    finally:
        stack.dismiss("clients2")


def test_two_relays_at_once(stack: EventsStack) -> None:
    (stack.faults["clients"] / "every-relay-leads").touch()
    stack.start("clients", "2")
    try:
        stack.settle({stack.company(f"Deux relais {n}") for n in range(30)})
        published = "SELECT published = position AS all FROM event_head"
        wait_until(lambda: stack.sql("clients", published)[0].all, "both have published all")
        stack.settle(set())
    finally:
        (stack.faults["clients"] / "every-relay-leads").unlink()
        stack.dismiss("clients2")


def test_a_process_frozen_while_it_holds_the_head_row(stack: EventsStack) -> None:
    stack.start("clients", "2")
    try:
        stack.at("clients", "numbered", "stop")
        first = _begin(stack, "Gelé sur la tête")
        frozen = _frozen(stack, "clients", "clients2", meanwhile=first.once)
        made = {stack.company(f"Les autres continuent {n}") for n in range(3)}
        stack.settle(made, 60)
        stack.signal(frozen, signal.SIGCONT)
        stack.settle({first(), stack.company("Réveillé")}, 60)
        named = "SELECT 1 FROM client WHERE company_name = 'Gelé sur la tête'"
        assert len(stack.sql("clients", named)) == 1
    finally:
        stack.dismiss("clients2")


def test_a_process_frozen_while_it_holds_the_place(stack: EventsStack) -> None:
    stack.start("equipment", "2")
    try:
        stack.at("equipment", "placed", "stop")
        made = {stack.company("Gelé sur la place")}
        frozen = _frozen(stack, "equipment", "equipment2")
        made |= {stack.company(f"L’autre lit {n}") for n in range(3)}
        stack.settle(made, 60)
        stack.signal(frozen, signal.SIGCONT)
        stack.settle({stack.company("Les deux lisent")}, 60)
    finally:
        stack.dismiss("equipment2")


@pytest.mark.parametrize("heard", [True, False], ids=["after", "before"])
def test_a_connection_cut_during_a_commit(stack: EventsStack, heard: bool) -> None:
    """Of the producer or of the consumer, whichever commits next; its outcome is never heard."""
    made = set()
    for name in NAMES:
        stack.end(name)
        stack.start(name, by_proxy=True)
    for n in range(6):
        stack.proxy.cut_at_commit(heard=heard)
        made.add(stack.company(f"Coupé {heard} {n}"))
    stack.settle(made, 60)
    for name in NAMES:
        stack.end(name)
        stack.start(name)
    named = "SELECT 1 FROM client WHERE company_name LIKE :name"
    assert len(stack.sql("clients", named, name=f"Coupé {heard} %")) == 6


def test_an_alarm_of_the_broker_hangs_nobody_for_ever(stack: EventsStack) -> None:
    made = stack.company("Avant l’alarme")
    stack.settle({made})
    stack.rabbit.alarm(True)
    try:
        began = time.monotonic()
        assert _begin(stack, "Pendant l’alarme", answered=False)
        assert time.monotonic() - began < 10, "a caller is told within its deadline"
        _rename_often(stack, made, 50)
    finally:
        stack.rabbit.alarm(False)
    stack.settle({stack.company("Après l’alarme")}, 90)


def test_postgresql_restarted_under_producer_and_consumer(stack: EventsStack) -> None:
    made = {stack.company(f"Avant le redémarrage {n}") for n in range(5)}
    stack.postgres.restart()
    made |= {stack.company(f"Après le redémarrage {n}") for n in range(5)}
    stack.settle(made, 60)


def test_what_a_crash_of_postgresql_takes_back_from_a_consumer_is_read_again(stack: EventsStack) -> None:
    """A consumer does not wait for the disk: nothing new is told afterwards, and yet all is there again."""

    def place() -> int:
        return int(stack.sql("equipment", "SELECT position FROM event_place WHERE producer = 'clients'")[0].position)

    def nobody_writes() -> bool:
        written = [stack.sql("clients", "SELECT pg_current_wal_insert_lsn()")]
        time.sleep(0.3)
        return stack.sql("clients", "SELECT pg_current_wal_insert_lsn()") in written

    for statement in ("ALTER SYSTEM SET wal_writer_delay = '10s'", "SELECT pg_reload_conf()"):
        stack.postgres.sql(statement)
    time.sleep(0.5)
    try:
        made: set[str] = set()
        # Whoever commits in between and waits for the disk takes the consumer's commits there too: then once more.
        for attempt in range(8):
            # The consumer reads them once all others have written what they had to.
            stack.signal("equipment", signal.SIGSTOP)
            made |= {stack.company(f"Avant la panne {attempt} {n}") for n in range(5)}
            wait_until(nobody_writes, "nobody writes")
            stack.signal("equipment", signal.SIGCONT)
            wait_until(stack.caught_up, "the consumer has caught up")
            reached = place()
            stack.signal("equipment", signal.SIGSTOP)
            stack.postgres.kill()
            stack.postgres.start()
            taken_back = place() < reached
            stack.signal("equipment", signal.SIGCONT)
            if taken_back:
                break
        assert taken_back, "nothing was taken back: this test shows nothing"
        stack.settle(made)
    finally:
        stack.signal("equipment", signal.SIGCONT)
        for statement in ("ALTER SYSTEM RESET wal_writer_delay", "SELECT pg_reload_conf()"):
            stack.postgres.sql(statement)


@pytest.mark.timeout(300 + BEHIND // 50)
def test_a_consumer_far_behind_catches_up_with_flat_memory_though_the_full_broker_lost_its_disk(
    stack: EventsStack,
) -> None:
    made = stack.company("Souvent renommé")
    stack.settle({made})
    memory = _memory(stack, "equipment")
    stack.end("equipment")
    _rename_often(stack, made, BEHIND)
    published = "SELECT published = position AS all FROM event_head"
    wait_until(lambda: stack.sql("clients", published)[0].all, "the relay has published all", 120 + BEHIND / 100)
    assert 0 < _waiting(stack) <= QUEUE_LENGTH < BEHIND, "the queue is a read-ahead, never the store"
    stack.rabbit.kill()
    stack.rabbit.wipe()
    stack.rabbit.start()
    stack.start("equipment")
    stack.settle({made}, 120 + BEHIND / 100)
    grown = _memory(stack, "equipment") - memory
    assert grown < 40_000, f"{grown} kB more for {BEHIND} events"


@dataclass
class _Asked:
    """A creation, asked for under one key; called, it asks until there is an answer and gives the client's id."""

    stack: EventsStack
    name: str
    key: str = field(default_factory=lambda: str(uuid.uuid4()))

    def once(self) -> Any:
        """The answer to one try, None where there is none."""
        request = c.CreateClient(body=c.ClientBody(kind="company", company_name=self.name))
        return self.stack.try_call(request.rpc, request.model_dump_json(exclude_unset=True).encode(), self.key, 1)

    def __call__(self) -> str:
        return str(wait_until(self.once, "acknowledged")["id"])


def _begin(stack: EventsStack, name: str, *, answered: bool = True) -> _Asked:
    """A creation, asked for once."""
    asked = _Asked(stack, name)
    first = asked.once()
    assert answered or first is None
    return asked


def _frozen(stack: EventsStack, *processes: str, meanwhile: Callable[[], Any] = bool) -> str:
    """The one of the processes that is stopped, as the kernel tells it; `meanwhile` is called until one is."""

    def stopped() -> list[str]:
        meanwhile()
        states = {name: Path(f"/proc/{stack.processes[name].pid}/stat").read_text() for name in processes}
        return [name for name, stat in states.items() if stat.rpartition(")")[2].split()[0] == "T"]

    return wait_until(stopped, "one is frozen")[0]


def _waiting(stack: EventsStack) -> int:
    """Messages in the consumer's queue."""
    connection = connect(stack.rabbit.url)
    try:
        declared = connection.channel().queue_declare(events_queue_of("equipment", "clients"), passive=True)
        return int(declared.message_count)
    finally:
        connection.close()


def _memory(stack: EventsStack, process: str) -> int:
    """The most memory that a process had so far, in kB."""
    with open(f"/proc/{stack.processes[process].pid}/status") as status:
        return int(next(line.split()[1] for line in status if line.startswith("VmHWM")))


def _rename_often(stack: EventsStack, client_id: str, count: int) -> None:
    """Writes `count` renamings straight into the log, under the head row as every writer."""
    with stack.engines["clients"].begin() as connection:
        connection.execute(text("UPDATE event_head SET position = position + :count"), {"count": count})
        connection.execute(
            text(
                "WITH model AS MATERIALIZED (SELECT subject, ordering_key, "
                "jsonb_set(event::jsonb, '{data,changed}', '[]') AS event "
                "FROM event_log WHERE subject = :subject ORDER BY position LIMIT 1) "
                "INSERT INTO event_log (position, id, type, subject, ordering_key, event) "
                "SELECT h.position - :count + n, e.id, 'fiche.clients.client.updated.v1', m.subject, m.ordering_key, "
                "jsonb_set(jsonb_set(jsonb_set(m.event, '{id}', to_jsonb(e.id)), '{data,display_name}', "
                "to_jsonb('Nom ' || n)), '{type}', '\"fiche.clients.client.updated.v1\"') "
                "FROM event_head h, model m, (SELECT n, gen_random_uuid() AS id FROM generate_series(1, :count) AS n) e"
            ),
            {"count": count, "subject": client_id},
        )
