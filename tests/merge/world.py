"""The whole product in the test's own thread: real services on a real PostgreSQL, the real gateway, real consumers.

Nothing runs by itself: events go on when `step` or `settle` says so, delivered again, shuffled or late, and a service
can be away, or die inside a batch. So a test decides what happens between any two deeds, and monkeypatches reach all.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import orjson
from sqlalchemy import text

from chassis.bell import Bell
from chassis.context import Context
from chassis.errors import FicheError, NotFound, Unavailable
from chassis.events import parked, place
from chassis.events.consumer import Consumer
from chassis.events.following import Following
from chassis.events.source import LogSource
from chassis.objects import object_store
from chassis.runtime import Runtime
from chassis.service import followed_producers, handlers_of
from chassis.service.handlers import since_of
from chassis.settings import Settings
from chassis.uow import UnitOfWork
from chassis.wire.base import Answer, Call, Delivery
from chassis.wire.local import LocalWire
from cli.sign_in import first_sign_in
from contracts.clients.events import FOREST_KEY
from gateway.app import create_app
from tests.support.services import ServiceUnderTest, make_service

TOKEN = "cle-de-demarrage-des-essais-0123456789"
SERVICES = ("accounts", "billing", "clients", "documents", "equipment", "interventions", "maintenance")


class Killed(BaseException):
    """A process that ends where it is."""


class World:
    """`http` asks as an administrator. `away` are services that do not answer, and do not read events either."""

    def __init__(self, postgres_url: str, folder: Path) -> None:
        self.settings = Settings(bootstrap_token=TOKEN, data_dir=folder)
        self.runtime = Runtime(self.settings, LocalWire(), _client=self)
        self.services = {name: make_service(name, postgres_url) for name in SERVICES}
        self.away: set[str] = set()
        #: Called before each call of a service, with its name and method: what happens in between two calls.
        self.before: Callable[[str, str], None] | None = None
        #: Services whose next batch of events ends their process, effects and place written and not committed.
        self.dying: set[str] = set()
        self._methods = {name: _methods(service.cls) for name, service in self.services.items()}
        for name, service in self.services.items():
            service.runtime = self.runtime
            self.runtime.databases[name] = service.database
        self._consumers: dict[tuple[str, str], Consumer] = {}
        for name in SERVICES:
            self.restart(name)
        first_sign_in(self, self.settings)
        app = create_app(self.settings, self, object_store(self.settings), self.runtime.wire)
        self.http = httpx.Client(
            transport=httpx.WSGITransport(app=app),
            base_url="http://product/api/v1",
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
        self.settle()

    def close(self) -> None:
        """Closes the pools; also what an RPC client is asked at its end."""
        self.http.close()
        for service in self.services.values():
            service.close()

    # --- calls (meets `chassis.wire.base.RpcClient`) ------------------------------------------------------------------

    def call_many(self, calls: Sequence[Call], timeout: float) -> list[Answer]:
        """Each call in the caller's own thread, one after the other."""
        return [self._call(call) for call in calls]

    def _call(self, call: Call) -> Answer:
        if self.before is not None:
            self.before(call.service, call.method)
        service = self.services.get(call.service)
        error: FicheError
        if service is None or call.service in self.away:
            error = Unavailable(f"Le service {call.service} est arrêté.", code="no_service")
            return Answer(error.kind, error.to_json(), from_wire=True)
        method = self._methods[call.service].get(call.method)
        if method is None:
            error = NotFound("Cette méthode n’existe pas.", code="no_such_method")
            return Answer(error.kind, error.to_json())
        worker = self._worker(service, Context.from_headers(call.headers))
        answer: Answer = getattr(worker, method)(call.body)
        return answer

    def _worker(self, service: ServiceUnderTest, context: Context) -> Any:
        worker: Any = service.cls()
        worker.uow = UnitOfWork(service.database, Bell(), context)
        worker.runtime = self.runtime
        return worker

    # --- events -------------------------------------------------------------------------------------------------------

    def restart(self, name: str) -> None:
        """The service's process begins anew: nothing of what its consumers held in memory is there."""
        service = self.services[name]
        handlers, since = handlers_of(service.cls), since_of(service.cls)
        for producer in followed_producers(service.cls):
            if producer in self.services:
                following = Following(
                    name, producer, handlers, since, LogSource(self, name), lambda work, s=service: self._apply(s, work)
                )
                self._consumers[name, producer] = Consumer(following, turn_s=0)  # one works at a time as it is

    def _apply(self, service: ServiceUnderTest, work: Callable[[Any], None]) -> None:
        work(self._worker(service, Context()))

    def step(self, name: str, producer: str) -> bool:
        """One batch of one consumer; False when there was nothing to do, or the service is away."""
        if name in self.away or producer in self.away:
            return False
        consumer = self._consumers[name, producer]
        consumer.rung()
        if name not in self.dying:
            return consumer._step()
        move = place.move

        def dies(*args: Any, **named: Any) -> None:
            move(*args, **named)
            raise Killed

        place.move = dies
        try:
            return consumer._step()
        except Killed:
            self.dying.discard(name)
            self.restart(name)
            return True
        finally:
            place.move = move

    def settle(self, *names: str) -> None:
        """Every consumer (of the services named) reads until nothing is left that moves."""
        for _ in range(60):
            behind = [pair for pair in self._behind() if not names or pair[0] in names]
            if not behind:
                return
            for pair in behind:
                with suppress(place.Moved):
                    self.step(*pair)
        raise AssertionError("events that never end")

    def _behind(self) -> list[tuple[str, str]]:
        """Consumers that have something to do, and can."""
        heads = {name: self.sql(name, "SELECT position FROM event_head")[0].position for name in SERVICES}
        found = []
        for name in SERVICES:
            rows = self.sql(name, "SELECT producer, position, rebuild_asked_at, halted FROM event_place")
            places = {row.producer: row for row in rows}
            for pair in self._consumers:
                if pair[0] != name or self.away & set(pair):
                    continue
                at = places.get(pair[1])
                assert at is None or at.halted is None, at
                if at is not None and at.rebuild_asked_at is not None:
                    self._consumers[pair].look()
                elif at is not None and at.position >= heads[pair[1]]:
                    continue
                found.append(pair)
        return found

    def rebuild(self, name: str) -> None:
        """What an operator asks: the service's copies of `clients` come from a snapshot."""
        answer = self.http.post(f"/operations/projections/{name}/rebuild", json={"producer": "clients"})
        assert answer.status_code in (200, 202), answer.text
        self._consumers[name, "clients"].look()

    def deliver_again(self, name: str, producer: str, rng: random.Random, count: int = 30) -> None:
        """The broker brings events of the log, old and new, doubled and shuffled."""
        rows = self.sql(
            producer,
            "SELECT l.position, l.event, h.log_id FROM event_log l, event_head h ORDER BY l.position DESC LIMIT :count",
            count=count,
        )
        again = [*rows, *rows]
        rng.shuffle(again)
        for row in again:
            self._consumers[name, producer].receive(Delivery(str(row.log_id), row.position, row.event.encode()))

    def act_again(self, name: str, producer: str, rng: random.Random, key: str = FOREST_KEY) -> None:
        """Every event of an ordering key, of merging if none is named, acts twice more on a service, in any order and
        past its place.
        """
        service = self.services[name]
        rows = self.sql(producer, "SELECT event FROM event_log WHERE ordering_key = :key", key=key)
        raws = [orjson.loads(row.event) for row in rows] * 2
        rng.shuffle(raws)
        worker = self._worker(service, Context())
        for raw in raws:
            worker.uow.run(None, lambda raw=raw: parked.handle(worker, handlers_of(service.cls), raw))

    def see_to_erased(self) -> None:
        """What every service does by itself after an erasure: events, answers and files of the persons."""
        for service in self.services.values():
            self._worker(service, Context()).see_to_erased()
        self.settle()  # each tells `clients` that it has done so

    # --- a look at what is kept ---------------------------------------------------------------------------------------

    def sql(self, service: str, statement: str, **values: Any) -> list[Any]:
        """Runs a statement in a service's database; its rows, where it has any."""
        with self.services[service].database.engine.begin() as connection:
            found = connection.execute(text(statement), values)
            return list(found) if found.returns_rows else []


def _methods(cls: type[Any]) -> dict[str, str]:
    """Method of a call → name of the function that answers it."""
    found = {}
    for name in dir(cls):
        asked = getattr(getattr(cls, name, None), "fiche_rpc", None)
        if asked is not None:
            found[asked.rpc.partition(".")[2]] = name
    return found
