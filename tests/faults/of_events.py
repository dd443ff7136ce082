"""Events delivered again, refused, and what is none."""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Iterator

from amqp import Message

from chassis.settings import SERVICES
from chassis.wire.amqp_events import events_queue_of, exchange_of
from chassis.wire.amqp_link import connect
from tests.faults import hostile
from tests.faults.databases import EVENT_QUEUES
from tests.faults.registry import fault
from tests.faults.world import World


@fault("every event delivered five times more, shuffled", hold=1)
def shuffled(world: World) -> Iterator[str | None]:
    with contextlib.closing(connect(world.rabbit.url)) as connection:  # nobody would answer its heartbeats later
        channel, count = connection.channel(), 0
        for producer in ("clients", "interventions", "billing", "equipment"):
            rows = world.checker.sql(
                producer,
                "SELECT l.position, type, event, log_id FROM event_log AS l, event_head AS h "
                "ORDER BY l.position DESC LIMIT 200",
            )
            again = rows * 5
            world.random.shuffle(again)
            for row in again:
                told = f'{row.event[:-1]},"sequence":{row.position}}}'
                headers = {"position": row.position, "log_id": str(row.log_id)}
                channel.basic_publish(
                    Message(told, application_headers=headers, delivery_mode=2), exchange_of(producer), row.type
                )
            count += len(again)
    yield f"{count} deliveries"


def _refusing(world: World, service: str, when: str) -> None:
    """Has a service's copy of clients refuse some names."""
    world.checker.sql(
        service,
        f"""
        CREATE SEQUENCE IF NOT EXISTS refusals;
        ALTER SEQUENCE refusals RESTART;
        CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN IF {when} THEN RAISE EXCEPTION 'refused by a test'; END IF; RETURN NEW; END $$;
        CREATE OR REPLACE TRIGGER refuse BEFORE INSERT OR UPDATE ON known_client
          FOR EACH ROW EXECUTE FUNCTION refuse();
        """,
    )


@fault("a consumer that fails three times, then works", hold=3)
def fails_thrice(world: World) -> Iterator[str | None]:
    services = ("billing", "documents")
    for service in services:
        # A sequence counts on though its transaction is rolled back.
        _refusing(world, service, "nextval('refusals') <= 3")
    for service in services:
        world.wait(
            lambda: world.checker.sql(service, "SELECT last_value > 3 AS over FROM refusals")[0].over,  # noqa: B023
            f"{service} has failed",
        )
    yield ", ".join(services)
    for service in services:
        world.checker.sql(service, "DROP TRIGGER refuse ON known_client")


@fault("a poison message", hold=4)
def poison(world: World) -> Iterator[str | None]:
    client = world.http.post("/api/v1/clients", json={"kind": "company", "company_name": "Sain"}).json()
    known = "SELECT 1 FROM known_client WHERE id = :id"
    world.wait(lambda: world.checker.sql("billing", known, id=client["id"]), "the client is known")
    _refusing(world, "billing", f"NEW.id = '{client['id']}'")
    path, version = f"/api/v1/clients/{client['id']}", client["version"]
    for number in range(3):
        headers = {"If-Match": f'"{version}"'}
        body = {"company_name": f"Renommé {number}"}
        version = world.http.patch(path, headers=headers, json=body).raise_for_status().json()["version"]
    parked = "SELECT position FROM parked_event WHERE ordering_key = :key ORDER BY position"
    world.wait(lambda: len(world.checker.sql("billing", parked, key=client["id"])) == 3, "it waits with its sequence")
    positions = world.checker.sql("billing", parked, key=client["id"])
    heads = world.checker.heads()
    world.wait(lambda: world.checker.reached(heads), "all others go on")
    yield f"{len(positions)} parked, replayed by fiche dead-letters replay"
    world.checker.sql("billing", "DROP TRIGGER refuse ON known_client")
    world.fiche("dead-letters", "replay", "billing", "clients", str(positions[0].position))


@fault("random and hostile bytes on every RPC and event queue", hold=2)
def hostile_bytes(world: World) -> Iterator[str | None]:
    calls, events = hostile.send(world.rabbit.url, world.random, 8)
    raw = "SELECT 1 FROM parked_event WHERE raw IS NULL"
    world.wait(lambda: {key: len(rows) for key, rows in _parked(world).items()} == events, "each is parked, once")
    yield f"{calls} on RPC queues, {sum(events.values())} on event queues, all parked, dropped by the operators' API"
    gone = [process for process in SERVICES if world.stack.gone(process)]
    assert not gone, f"ended by bytes: {gone}"
    assert not any(world.checker.sql(consumer, raw) for consumer in SERVICES), "parked without its bytes"
    _drop_parked(world)


def _parked(world: World) -> dict[tuple[str, str], list[int]]:
    found: dict[tuple[str, str], list[int]] = collections.defaultdict(list)
    for consumer in SERVICES:
        for row in world.checker.sql(consumer, "SELECT producer, position FROM parked_event"):
            found[consumer, row.producer].append(row.position)
    return found


def _drop_parked(world: World) -> None:
    for (consumer, producer), positions in _parked(world).items():
        for position in positions:
            path = f"/api/v1/operations/dead-letters/{consumer}/{producer}/{position}"
            world.http.get(path).raise_for_status()
            world.http.post(f"{path}/drop", json={"reason": "octets sans suite"}).raise_for_status()


@fault("events of positions that no log has, on every event queue", hold=2)
def impossible_positions(world: World) -> Iterator[str | None]:
    count = hostile.send_impossible(world.rabbit.url, world.checker.heads(), 10)
    held = {events_queue_of(*pair) for pair in EVENT_QUEUES}

    def settled() -> bool:
        # Under load others wait there at most moments: a queue that was empty once has kept none of them.
        held.difference_update(name for name, messages in world.depths().items() if not messages)
        return not held

    world.wait(settled, "they are acknowledged, or parked", 90)
    yield f"{count}, {sum(map(len, _parked(world).values()))} parked"
    _drop_parked(world)
