"""The faults: each breaks something while the load goes on, and mends only what an administrator would have mended.

A fault is a context: entered when it begins, left when it ends. It may give a note for the report.
"""

from __future__ import annotations

import collections
import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

from amqp import Message

from chassis.settings import SERVICES
from chassis.wire.amqp_events import exchange_of
from chassis.wire.amqp_link import connect
from tests.faults import hostile
from tests.faults.disk import SmallDisk
from tests.faults.world import Impossible, World
from tests.support.proxy import Proxy
from tests.support.servers.machine import need

Fault = Callable[[World], AbstractContextManager[str | None]]
FAULTS: dict[str, tuple[Fault, float]] = {}


def fault(name: str, *, hold: float = 1.0) -> Callable[[Callable[[World], Iterator[str | None]]], Fault]:
    """Puts a fault on the menu; it goes on for `hold` seconds beside what it takes by itself."""

    def enter(function: Callable[[World], Iterator[str | None]]) -> Fault:
        made = contextlib.contextmanager(function)
        FAULTS[name] = (made, hold)
        return made

    return enter


@fault("nothing")
def nothing(world: World) -> Iterator[str | None]:
    yield None


# --- processes ------------------------------------------------------------------------------------------------------


def _kill_and_start(world: World, process: str) -> None:
    world.stack.kill(process)
    world.work_for(world.random.random())
    world.stack.start_service(process)
    world.wait(lambda: world.stack.away() == [], f"{process} is back")


@fault("kill -9 of each service and the gateway, at random moments")
def kill_each(world: World) -> Iterator[str | None]:
    processes = [*SERVICES, "gateway"]
    world.random.shuffle(processes)
    for process in processes:
        world.work_for(0.5 * world.random.random())
        _kill_and_start(world, process)
    yield f"{len(processes)} kills"


@fault("kill -9 of half the services at once")
def kill_many(world: World) -> Iterator[str | None]:
    processes = world.random.sample(SERVICES, 4)
    for process in processes:
        world.stack.kill(process)
    world.work_for(2 * world.random.random())
    yield ", ".join(processes)
    for process in processes:
        world.stack.start_service(process)
    world.wait(lambda: world.stack.away() == [], "all are back")


#: Point of `tests.chassis.events.faulty` → services that come to it under the load.
POINTS = {
    "numbered": ("clients", "interventions", "billing", "equipment", "maintenance", "documents"),
    "publishing": ("clients", "interventions", "billing", "equipment", "maintenance", "documents"),
    "published": ("clients", "interventions", "billing"),
    "placed": ("clients", "interventions", "billing", "maintenance", "accounts"),
    "effective": ("clients", "interventions", "equipment"),
}


def _killed_at(point: str, count: int) -> Fault:
    def run(world: World) -> Iterator[str | None]:
        services = world.random.sample(POINTS[point], count)
        for service in services:
            world.stack.at(service, point, "kill")
            world.wait(lambda: world.stack.gone(service), f"{service} is killed at {point}")  # noqa: B023
            _kill_and_start(world, service)
        yield ", ".join(services)

    return contextlib.contextmanager(run)


for _point, _said in (
    ("numbered", "kill -9 before the commit"),
    ("publishing", "kill -9 between commit and publish"),
    ("published", "kill -9 between publish and marking"),
    ("placed", "kill -9 inside a consumer’s batch"),
    ("effective", "kill -9 between effect and acknowledge"),
):
    FAULTS[_said] = (_killed_at(_point, 2), 0.5)


def _frozen(point: str, services: tuple[str, ...]) -> Fault:
    def run(world: World) -> Iterator[str | None]:
        service = world.random.choice(services)
        other = world.stack.start_service(service, 2)
        try:
            world.stack.at(service, point, "stop")
            [held] = world.wait(
                lambda: [each for each in (service, other) if world.stack.frozen(each)], f"{service} is frozen"
            )
            yield f"{held} at {point}"
            world.stack.thaw(held)
            world.work_for(1)
        finally:
            world.stack.end(other)

    return contextlib.contextmanager(run)


FAULTS["a process frozen while it holds the head of its log"] = (_frozen("numbered", ("clients", "interventions")), 8)
FAULTS["a process frozen while it holds its place"] = (_frozen("placed", ("clients", "interventions", "billing")), 8)
FAULTS["a frozen relay that wakes up"] = (_frozen("publishing", ("clients", "interventions")), 8)


@fault("two relays at once in two services", hold=6)
def two_relays(world: World) -> Iterator[str | None]:
    services = ("clients", "interventions")
    for service in services:
        (world.stack.points / service / "every-relay-leads").touch()
        world.stack.start_service(service, 2)
    try:
        for service in services:
            _kill_and_start(world, service)  # so that the first leads as well
        yield ", ".join(services)
    finally:
        for service in services:
            (world.stack.points / service / "every-relay-leads").unlink()
            world.stack.end(f"{service}-2")
            _kill_and_start(world, service)


# --- servers --------------------------------------------------------------------------------------------------------


@fault("RabbitMQ restarted")
def rabbit_restarted(world: World) -> Iterator[str | None]:
    world.rabbit.restart()
    yield None


@fault("RabbitMQ killed, stopped for a minute", hold=60)
def rabbit_away(world: World) -> Iterator[str | None]:
    world.rabbit.kill()
    yield None
    world.rabbit.start()


@fault("RabbitMQ killed, its data wiped", hold=2)
def rabbit_wiped(world: World) -> Iterator[str | None]:
    world.rabbit.kill()
    world.rabbit.wipe()
    yield None
    world.rabbit.start()


@fault("PostgreSQL restarted")
def postgres_restarted(world: World) -> Iterator[str | None]:
    assert world.postgres is not None
    world.postgres.restart()
    yield None


@fault("PostgreSQL killed", hold=3)
def postgres_killed(world: World) -> Iterator[str | None]:
    assert world.postgres is not None
    world.postgres.kill()
    yield None
    world.postgres.start()


@fault("half the services killed, one between commit and publish, while RabbitMQ loses its data", hold=1)
def disaster(world: World) -> Iterator[str | None]:
    first = world.random.choice(("clients", "interventions"))
    processes = [first, *world.random.sample([name for name in SERVICES if name != first], 3)]
    world.stack.at(first, "publishing", "kill")
    world.wait(lambda: world.stack.gone(first), f"{first} is killed before it publishes")
    world.rabbit.kill()
    world.rabbit.wipe()
    for process in processes:
        world.stack.kill(process)
    yield ", ".join(processes)
    world.rabbit.start()
    for process in processes:
        world.stack.start_service(process)
    world.wait(lambda: world.stack.away() == [], "all are back")


@fault("the disk of the object store is full", hold=8)
def disk_full(world: World) -> Iterator[str | None]:
    disk = world.s3
    if not isinstance(disk, SmallDisk) or not disk.small:
        raise Impossible("this machine lets nobody mount a small disk")
    disk.fill()
    yield None
    disk.free()


@fault("the broker’s memory alarm", hold=10)
def alarm(world: World) -> Iterator[str | None]:
    world.rabbit.alarm(True)
    yield None
    world.rabbit.alarm(False)


# --- connections cut in the middle ----------------------------------------------------------------------------------

#: What a client of the server sends in the middle of each. A method's name stands in a call's headers, an event's
#: exchange in its publication.
CUTS: dict[str, tuple[str, bytes]] = {
    "an RPC’s call": ("amqp", b"rpc.interventions.v1"),
    "an RPC’s answer": ("amqp", b"amq.rabbitmq.reply-to"),
    "a publish": ("amqp", b"application/cloudevents+json"),
    "a commit": ("database", b"COMMIT"),
}


def _cut(what: str) -> Fault:
    server, pattern = CUTS[what]

    def run(world: World) -> Iterator[str | None]:
        processes = ["gateway"] if what == "an RPC’s call" else ["clients", "interventions"]
        variable = f"FICHE_{server.upper()}_URL"
        proxy = Proxy(world.rabbit.url if server == "amqp" else world.database_url)
        try:
            for process in processes:
                real = world.stack.environment_of(process)[variable]
                parts, port = urlsplit(real), urlsplit(proxy.url).port
                login = parts.netloc.rpartition("@")[0]
                netloc = f"{login}@127.0.0.1:{port}"
                world.stack.own[process] = {variable: real.replace(parts.netloc, netloc)}
                _kill_and_start(world, process)
            for _ in range(3):
                for how in ("unheard", "half", "unanswered"):
                    done = proxy.cuts()
                    proxy.cut(pattern, how)
                    world.wait(lambda: proxy.cuts() > done, f"a connection is cut at {what}")  # noqa: B023
                    world.work_for(0.3 * world.random.random())
            yield f"{proxy.cuts()} cuts"
        finally:
            for process in processes:
                world.stack.own.pop(process, None)
                _kill_and_start(world, process)
            proxy.close()

    return contextlib.contextmanager(run)


for _what in CUTS:
    FAULTS[f"connections cut in the middle of {_what}"] = (_cut(_what), 0.5)


# --- events ---------------------------------------------------------------------------------------------------------


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
    count = "SELECT producer, position FROM parked_event WHERE raw IS NOT NULL"

    def parked() -> dict[tuple[str, str], list[int]]:
        found: dict[tuple[str, str], list[int]] = collections.defaultdict(list)
        for consumer in SERVICES:
            for row in world.checker.sql(consumer, count):
                found[consumer, row.producer].append(row.position)
        return found

    world.wait(lambda: {key: len(rows) for key, rows in parked().items()} == events, "each is parked, once")
    yield f"{calls} on RPC queues, {sum(events.values())} on event queues, all parked, dropped by the operators' API"
    gone = [process for process in SERVICES if world.stack.gone(process)]
    assert not gone, f"ended by bytes: {gone}"
    for (consumer, producer), positions in parked().items():
        for position in positions:
            path = f"/api/v1/operations/dead-letters/{consumer}/{producer}/{position}"
            assert world.http.get(path).json()["raw"] is not None
            world.http.post(f"{path}/drop", json={"reason": "octets sans suite"}).raise_for_status()


# --- backups and clocks ---------------------------------------------------------------------------------------------


@fault("a service restored from an older backup", hold=3)
def restored(world: World) -> Iterator[str | None]:
    service, stack, checker = "equipment", world.stack, world.checker
    stack.end(service)
    checker.copy_database(service, "backup")
    taken = time.monotonic()
    stack.start_service(service)
    world.wait(lambda: world.stack.away() == [], f"{service} is back")
    world.work_for(4)
    stack.end(service)
    # Nothing that it acknowledged since the backup can be kept: that is what a backup is. All others' is.
    lost = {ack.id for book in world.books for ack in book.acks if ack.kind == service and ack.at > taken}
    checker.put_back(service, "backup")
    world.gone |= lost
    world.fiche("restore", service)
    stack.start_service(service)
    world.wait(lambda: world.stack.away() == [], f"{service} is back")
    told = world.wait(lambda: checker.halted(service), "its readers say that they stop")
    for reader in told:
        world.fiche("projections", "rebuild", reader, "--producer", service)
    checker.forgive(service)
    yield f"{service}, {len(lost)} acknowledged since the backup, rebuilt: {', '.join(told)}"


def _clock(folder: Path) -> str:
    """A library that shifts the wall clock of a process that loads it first."""
    made = folder / "clock.so"
    source = Path(__file__).with_name("clock.c")
    compiler = need("cc", "gcc", "apt install gcc")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(source)], check=True)
    return str(made)


@fault("clocks jump: an hour ahead, an hour back, a day ahead", hold=1)
def clocks(world: World) -> Iterator[str | None]:
    library = _clock(world.stack.folder)
    processes = ("clients", "interventions", "maintenance", "documents", "gateway")
    shift = world.stack.folder / "shift"
    shift.write_text("0")
    for process in processes:
        world.stack.own[process] = {"LD_PRELOAD": library, "CLOCK_SHIFT": str(shift)}
        _kill_and_start(world, process)
    try:
        for seconds in (3_600, -3_600, 86_400, -86_400, 0):
            changed = shift.with_suffix(".new")
            changed.write_text(str(seconds))
            changed.rename(shift)
            world.work_for(3)
        yield ", ".join(processes)
    finally:
        for process in processes:
            world.stack.own.pop(process)
            _kill_and_start(world, process)
