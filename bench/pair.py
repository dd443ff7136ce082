"""Two services of the chassis, as a program: `teller` does deeds and tells them, `reader` keeps an effect of each.

`python -m bench.pair teller|reader AMQP_URL DATABASE_URL`. A line of stdout for each commit: the numbers it holds, and
the moment (of the machine's monotonic clock) at which it was done.
"""

from __future__ import annotations

import eventlet

eventlet.monkey_patch()

import os  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
import uuid  # noqa: E402
from typing import Any  # noqa: E402

import structlog  # noqa: E402
from nameko.containers import ServiceContainer  # noqa: E402
from sqlalchemy import event as sqlalchemy_event  # noqa: E402
from sqlalchemy import text  # noqa: E402
from sqlalchemy.orm import Mapped, Session, mapped_column  # noqa: E402

from bench.raw import end_with_parent  # noqa: E402
from chassis.ids import new_id  # noqa: E402
from chassis.runtime import Runtime, settled  # noqa: E402
from chassis.service import Service, on, rpc  # noqa: E402
from chassis.settings import Settings  # noqa: E402
from chassis.tables import new_base  # noqa: E402
from chassis.uow import UnitOfWork  # noqa: E402
from chassis.wire.amqp import AmqpWire  # noqa: E402
from contracts.base import Command, Envelope, Event, Id, Query  # noqa: E402


class Told(Event):
    """A deed was done."""

    event_owner = "teller"
    event_name = "told"
    id: Id
    number: int
    note: str


class Deed(Command):
    """Does one deed and tells it."""

    rpc = "teller.deed"
    number: int
    note: str


class Load(Query):
    """Does deeds for so many seconds, so many at once; told or untold. Answers how many, and in how many seconds."""

    rpc = "teller.load"
    seconds: float
    at_once: int
    told: bool


TellerBase, ReaderBase = new_base(), new_base()


class Done(TellerBase):  # type: ignore[valid-type, misc]
    """A deed."""

    __tablename__ = "deed"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[int]
    note: Mapped[str]


class Effect(ReaderBase):  # type: ignore[valid-type, misc]
    """What came of a deed."""

    __tablename__ = "effect"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[int]
    note: Mapped[str]


_INSERT = "INSERT INTO {} (id, number, note) VALUES (:id, :number, :note)"
_DEED, _EFFECT = text(_INSERT.format("deed")), _INSERT.format("effect")


def do(uow: UnitOfWork, number: int, note: str, *, told: bool) -> None:
    """One deed, in the transaction of the unit of work."""
    identifier = new_id()
    uow.session.execute(_DEED, {"id": identifier, "number": number, "note": note})
    if told:
        uow.emit(Told(id=identifier, number=number, note=note))


class Teller(Service):
    """Does deeds."""

    name = "teller"
    base = TellerBase

    @rpc(Deed)
    def deed(self, request: Deed) -> None:
        do(self.uow, request.number, request.note, told=True)
        self.uow.session.info["numbers"] = [request.number]

    @rpc(Load)
    def load(self, request: Load) -> dict[str, Any]:
        ends = time.monotonic() + request.seconds

        def writer() -> int:
            done = 0
            while time.monotonic() < ends:
                one_deed(UnitOfWork(self.uow.database, self.uow.bell))
                done += 1
            return done

        def one_deed(uow: UnitOfWork) -> None:
            uow.run(None, lambda: do(uow, 0, "x" * 100, told=request.told))

        began = time.monotonic()
        writers = [eventlet.spawn(writer) for _ in range(request.at_once)]
        done = sum(each.wait() for each in writers)
        return {"done": done, "seconds": time.monotonic() - began}


class Reader(Service):
    """Keeps an effect of each deed."""

    name = "reader"
    base = ReaderBase

    @on(Told)
    def told(self, event: Told, envelope: Envelope) -> None:
        self.uow.later(_EFFECT, {"id": event.id, "number": event.number, "note": event.note})
        if event.number:
            self.uow.session.info.setdefault("numbers", []).append(event.number)


@sqlalchemy_event.listens_for(Session, "after_commit")
def _say(session: Session) -> None:
    numbers = session.info.pop("numbers", None)
    if numbers:
        moment = time.monotonic()
        os.write(1, b"".join(b"%d %.9f\n" % (number, moment) for number in numbers))


def main(role: str, amqp_url: str, database_url: str) -> None:
    """Serves until it is killed."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    settings = Settings(amqp_url=amqp_url, database_url=database_url, database_pool_size=20, max_workers=16)
    runtime = Runtime(settings, AmqpWire(amqp_url))
    cls = {"teller": Teller, "reader": Reader}[role]
    with runtime.database(role).engine.begin() as connection:
        cls.base.metadata.create_all(connection)
        connection.execute(text("INSERT INTO event_head DEFAULT VALUES ON CONFLICT DO NOTHING"))
    container = ServiceContainer(cls, {"runtime": runtime, "max_workers": 24})
    container.start()
    settled()
    end_with_parent()
    os.write(1, b"ready\n")
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:4])
