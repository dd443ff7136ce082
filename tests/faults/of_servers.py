"""Servers stopped, killed, wiped or full, and connections to them cut in the middle."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from urllib.parse import urlsplit

from chassis.settings import SERVICES
from tests.faults.disk import SmallDisk
from tests.faults.registry import FAULTS, Fault, fault, kill_and_start
from tests.faults.world import Impossible, World
from tests.support.proxy import Proxy


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
    _partner_recovers(world)


def _partner_recovers(world: World) -> None:
    """A partner whose queue is gone declares it anew, and reads in the feed what was in it (README)."""
    world.partner.bind()
    world.wait(world.partner.read_instead, "the feed tells a partner what its queue lost")


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
    _partner_recovers(world)


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
                kill_and_start(world, process)
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
                kill_and_start(world, process)
            proxy.close()

    return contextlib.contextmanager(run)


for _what in CUTS:
    FAULTS[f"connections cut in the middle of {_what}"] = (_cut(_what), 0.5)
