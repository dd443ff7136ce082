"""Events between two services as processes of their own, on real servers, while the broker plays up."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from amqp import Message

from bench import raw
from chassis.wire.amqp_events import PREFETCH, events_queue_of, exchange_of
from contracts.chassis import ParkedAct
from tests.chassis.events.stack import EventsStack
from tests.support.waiting import wait_until

#: The first test of the folder also starts servers and services.
pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]


@pytest.fixture
def channel(stack: EventsStack) -> Iterator[Any]:
    """A channel of the test's own, without a heartbeat, which nobody would send."""
    connection = raw.connect(stack.rabbit.url)
    yield connection.channel()
    connection.close()


def test_a_client_is_known_in_equipment(stack: EventsStack) -> None:
    stack.settle({stack.company(f"Client {n}") for n in range(20)})


def test_a_consumer_killed_catches_up(stack: EventsStack) -> None:
    stack.end("equipment", signal.SIGKILL)
    made = {stack.company(f"Pendant l’absence {n}") for n in range(20)}
    assert not made & stack.known()
    stack.start("equipment")
    stack.settle(made)


def test_a_deleted_queue_loses_nothing(stack: EventsStack, channel: Any) -> None:
    made = {stack.company("Avant")}
    channel.queue_delete(events_queue_of("equipment", "clients"))  # which cancels its consumer
    made |= {stack.company(f"Après {n}") for n in range(10)}
    stack.settle(made)


def test_a_broker_killed_loses_nothing(stack: EventsStack) -> None:
    made = {stack.company(f"Avant la panne {n}") for n in range(5)}
    stack.rabbit.kill()
    stack.rabbit.start()
    made |= {stack.company(f"Après la panne {n}") for n in range(5)}
    stack.settle(made)


def test_doubled_shuffled_and_delayed_deliveries_change_nothing(stack: EventsStack, channel: Any) -> None:
    made = {stack.company(f"Double {n}") for n in range(10)}
    stack.settle(made)
    rows = stack.sql("clients", "SELECT position, event, log_id FROM event_log, (SELECT log_id FROM event_head) AS h")
    again = [*rows, *rows]
    random.Random(7).shuffle(again)
    for row in again:
        told = f'{row.event[:-1]},"sequence":{row.position}}}'
        message = Message(told, application_headers={"position": row.position, "log_id": str(row.log_id)})
        channel.basic_publish(message, exchange_of("clients"), "again")
    channel.basic_publish(Message(b"\xff\x00"), exchange_of("clients"), "nothing")
    stack.settle({stack.company("Après les doubles")})

    def unreadable() -> list[bytes]:
        return [bytes(row.raw) for row in stack.sql("equipment", "SELECT raw FROM parked_event WHERE raw IS NOT NULL")]

    wait_until(lambda: unreadable() == [b"\xff\x00"], "the unreadable message is parked")


def test_events_of_positions_that_the_log_does_not_have_hold_nobody_up(stack: EventsStack, channel: Any) -> None:
    """As many as are brought before any is acknowledged: left so, they would be all that is ever brought."""
    log_id = str(stack.sql("clients", "SELECT log_id FROM event_head")[0][0])
    queue = events_queue_of("equipment", "clients")
    for number in range(PREFETCH + 50):
        position, of = 2**40 + number, (log_id, "nobody")[number % 2]
        told = Message(b'{"sequence":%d}' % position, application_headers={"position": position, "log_id": of})
        channel.basic_publish(told, routing_key=queue)
    channel.queue_declare(queue, passive=True)  # answered: all of them are in the queue
    stack.settle({stack.company("Entre des inconnus")})
    wait_until(lambda: stack.rabbit.messages()[queue] == 0, "all are acknowledged")


def test_poison_is_parked_others_go_on_and_replay_in_order_heals_while_new_events_come(stack: EventsStack) -> None:
    stack.sql("equipment", "ALTER TABLE known_client ADD CONSTRAINT poison CHECK (display_name <> 'Poison')")
    bad = stack.company("Poison")
    stack.rename(bad, "Guéri")
    good = {stack.company(f"Sain {n}") for n in range(5)}
    wait_until(lambda: good <= stack.known() and stack.caught_up(), "the others go on", 60)
    parked = "SELECT position FROM parked_event WHERE ordering_key = :key ORDER BY position"
    positions = [row.position for row in stack.sql("equipment", parked, key=bad)]
    assert len(positions) == 2, "the healthy event of the key waits behind the poison"
    assert bad not in stack.known()
    stack.sql("equipment", "ALTER TABLE known_client DROP CONSTRAINT poison")
    new = threading.Thread(target=lambda: [stack.company(f"Pendant la reprise {n}") for n in range(5)])
    new.start()
    request = ParkedAct(action="replay", producer="clients", position=positions[0])
    assert stack.call("equipment.parked_act", request.model_dump_json().encode())["replayed"] == 2
    new.join()
    stack.settle({bad})
    assert stack.sql("equipment", parked, key=bad) == []


def test_a_service_asked_to_stop_ends_by_itself(stack: EventsStack) -> None:
    assert stack.end("equipment") == 0
    made = stack.company("Pendant l’arrêt")
    stack.start("equipment")
    stack.settle({made})
