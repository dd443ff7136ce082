"""Runs one service's class over a real PostgreSQL, through the same decorators as on the wire, without a wire."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from chassis.bell import Bell
from chassis.context import Actor, Context
from chassis.db import Database
from chassis.errors import FicheError
from chassis.events import parked
from chassis.host import service_class
from chassis.migrations import ensure_database, upgrade
from chassis.runtime import Runtime
from chassis.service import Service, handlers_of
from chassis.settings import Settings
from chassis.uow import UnitOfWork
from chassis.wire.base import OK
from chassis.wire.local import LocalWire
from contracts.base import Envelope, Event, Request

CAMILLE = Actor(id="0193f000-0000-7000-8000-000000000001", name="Camille Roux", roles=("office",))
_numbers = itertools.count(1)
_templates: dict[tuple[str, str], str] = {}


@dataclass
class ServiceUnderTest:
    """A service with a database of its own. Safe to call from several threads."""

    name: str
    database: Database
    cls: type[Service]
    settings: Settings
    runtime: Any = None
    actor: Actor = field(default=CAMILLE)

    def worker(self, context: Context | None = None) -> Any:
        """An instance as a Nameko worker would have it."""
        service: Any = self.cls()
        service.uow = UnitOfWork(self.database, Bell(), context or Context(actor=self.actor))
        service.runtime = self.runtime or Runtime(self.settings, LocalWire())
        return service

    def call(self, request: Request, *, actor: Actor | None = None, key: str | None = None) -> Any:
        """Answers a request as the wire would: JSON in, JSON out. Raises `FicheError`."""
        return orjson.loads(
            self.call_raw(request.rpc, request.model_dump_json(exclude_unset=True).encode(), actor, key)
        )

    def call_raw(self, rpc: str, body: bytes, actor: Actor | None = None, key: str | None = None) -> bytes:
        """The same with raw bytes, for malformed payloads."""
        method = rpc.partition(".")[2]
        context = Context(actor=actor or self.actor, idempotency_key=key)
        for name in dir(self.cls):
            function = getattr(self.cls, name, None)
            asked = getattr(function, "fiche_rpc", None)
            if asked is not None and asked.rpc.partition(".")[2] == method:
                answer = function(self.worker(context), body)
                if answer.status != OK:
                    raise FicheError.from_json(answer.status, answer.body)
                return bytes(answer.body)
        raise LookupError(rpc)

    def tell(self, event: Event, *, actor: Actor | None = None) -> None:
        """Applies an event as the consumer would, in one transaction."""
        service = self.worker()
        raw = Envelope(
            id=str(uuid.uuid4()),
            source=f"/services/{event.event_owner}",
            type=event.event_type(),
            time=service.uow.now,
            subject=event.about(),
            dataschema="",
            partitionkey=event.ordering_key(),
            correlationid=str(uuid.uuid4()),
            actor=(actor or self.actor).to_json(),
            data=event.model_dump(mode="json"),
        ).model_dump(mode="json")
        service.uow.run(None, lambda: parked.handle(service, handlers_of(self.cls), raw))

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        """What the service has told, oldest first; only events called `name` where given (`equipment.created`)."""
        with self.database.reading() as session:
            rows = session.execute(text("SELECT event FROM event_log ORDER BY position")).scalars().all()
        events = [orjson.loads(row) for row in rows]
        return [e for e in events if name is None or f".{name}.v" in e["type"]]

    def sql(self, statement: str, **params: Any) -> list[Any]:
        """Rows of a query, for assertions on what is stored."""
        with self.database.engine.begin() as connection:
            result = connection.execute(text(statement), params)
            return list(result) if result.returns_rows else []

    def close(self) -> None:
        """Closes the pool."""
        self.database.dispose()


def make_service(name: str, server_url: str, **settings: Any) -> ServiceUnderTest:
    """The service over a fresh database, copied from a template migrated once per run."""
    template = _templates.get((name, server_url))
    address = make_url(server_url).set(drivername="postgresql+psycopg2")
    if template is None:
        template = f"template_{name}_{uuid.uuid4().hex[:8]}"
        ensure_database(address.set(database=template))
        upgrade(name, address.set(database=template))
        _templates[(name, server_url)] = template
    copy = f"test_{name}_{uuid.uuid4().hex[:8]}_{next(_numbers)}"
    admin = create_engine(address.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{copy}" TEMPLATE "{template}"'))
    admin.dispose()
    made = Settings(**settings)
    url = address.set(database=copy).render_as_string(hide_password=False)
    return ServiceUnderTest(name, Database(name, url, made), service_class(name), made)
