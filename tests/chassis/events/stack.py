"""`clients` (a producer) and `equipment` (its consumer) as processes on servers of their own, to be broken."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL, make_url

from chassis.context import Actor, Context
from chassis.migrations import ensure_database, upgrade
from chassis.wire.amqp import AmqpWire
from chassis.wire.base import OK, Call
from contracts import clients as c
from tests.support.proxy import Proxy
from tests.support.servers import PostgresServer, RabbitServer
from tests.support.waiting import wait_until

ACTOR = Actor(id="0193f000-0000-7000-8000-000000000001", name="Camille Roux", roles=("office", "admin"))
NAMES = ("clients", "equipment")
ROOT = Path(__file__).parents[3]
#: Time-outs of the services' databases, short enough for a test to wait for them.
TIMEOUTS = {"FICHE_DATABASE_LOCK_TIMEOUT_S": "2", "FICHE_DATABASE_IDLE_TIMEOUT_S": "3"}

# Each effect of an event leaves a row, so that one applied twice, or out of order, is seen.
_SEEN = """
CREATE TABLE seen (n bigserial PRIMARY KEY, id uuid, name text);
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO seen (id, name) VALUES (NEW.id, NEW.display_name); RETURN NULL; END $$;
CREATE TRIGGER see AFTER INSERT OR UPDATE ON known_client FOR EACH ROW EXECUTE FUNCTION see();
"""


class EventsStack:
    """Two services; `replica` tells apart several processes of one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres, self.rabbit = PostgresServer(folder), RabbitServer(folder)
        self.postgres.start()
        self.rabbit.start()
        self.proxy = Proxy(self.postgres.url)
        base = make_url(self.postgres.url).set(drivername="postgresql+psycopg2")
        self.addresses: dict[str, URL] = {name: base.set(database=f"events_{name}") for name in NAMES}
        self.engines: dict[str, Engine] = {}
        for name, address in self.addresses.items():
            ensure_database(address)
            upgrade(name, address)
            self.engines[name] = create_engine(address, pool_pre_ping=True)
        self.sql("equipment", _SEEN)
        #: Position behind which the log and its effects are compared.
        self.since = 0
        self.faults = {name: folder / "faults" / name for name in NAMES}
        for faults in self.faults.values():
            faults.mkdir(parents=True)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FICHE_")},
            "FICHE_DATABASE_URL": f"{self.postgres.url.rpartition('/')[0]}/events",
            "FICHE_AMQP_URL": self.rabbit.url,
            "FICHE_DATA_DIR": str(folder),
            "PYTHONWARNINGS": "ignore",
            **TIMEOUTS,
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.client = AmqpWire(self.rabbit.url).rpc_client()

    # --- processes ------------------------------------------------------------------------------------------------

    def start(self, name: str, replica: str = "", *, by_proxy: bool = False) -> None:
        """Starts a process and waits until it says that it is ready; `by_proxy`, its database is behind `proxy`."""
        behind = {"FICHE_DATABASE_URL": f"{self.proxy.url.rpartition('/')[0]}/events"} if by_proxy else {}
        path = self.folder / f"{name}{replica}.log"
        with path.open("ab") as out:
            began = out.tell()
            self.processes[name + replica] = subprocess.Popen(
                [sys.executable, "-m", "tests.chassis.events.faulty", name, str(self.faults[name])],
                env=self.environment | behind,
                cwd=ROOT,
                stdout=out,
                stderr=out,
            )
        wait_until(lambda: b"service.ready" in path.read_bytes()[began:], f"{name}{replica} is ready", 60)

    def end(self, process: str, number: int = signal.SIGTERM) -> int:
        """Ends a process by a signal; returns its exit code."""
        ended = self.processes[process]
        ended.send_signal(number)
        code = ended.wait(30)
        del self.processes[process]
        return code

    def signal(self, process: str, number: int) -> None:
        """Sends a signal."""
        self.processes[process].send_signal(number)

    def dismiss(self, process: str) -> None:
        """Ends a replica, frozen or not."""
        self.signal(process, signal.SIGCONT)
        try:
            self.end(process)
        except subprocess.TimeoutExpired:
            self.end(process, signal.SIGKILL)

    def mend(self) -> None:
        """Puts right what a failed test left: frozen and ended processes, faults asked for."""
        for faults in self.faults.values():
            for fault in faults.iterdir():
                fault.unlink()
        for name, process in list(self.processes.items()):
            if name not in NAMES:
                self.dismiss(name)
            elif process.poll() is not None:
                self.processes.pop(name)
        for name in NAMES:
            if name in self.processes:
                self.signal(name, signal.SIGCONT)
            else:
                self.start(name)

    def at(self, name: str, point: str, action: str) -> None:
        """Has the service's next process that reaches `point` do `kill` or `stop` (see `faulty`)."""
        waiting = self.faults[name] / f".{point}"
        waiting.write_text(action)
        waiting.rename(self.faults[name] / point)

    def killed(self, name: str, point: str, act: Callable[[], Any], again: Callable[[Any], Any] | None = None) -> Any:
        """What `act` gives while the process is killed at a point; starts it again.

        `again` is called with that until then: what was asked once may not have reached anybody.
        """
        self.at(name, point, "kill")
        result = act()

        def gone() -> bool:
            if self.processes[name].poll() is None and again is not None:
                again(result)
            return self.processes[name].poll() is not None

        wait_until(gone, f"{name} is killed at {point}")
        assert self.processes.pop(name).returncode == -signal.SIGKILL
        self.start(name)
        return result

    def close(self) -> None:
        """Ends all."""
        for process in self.processes.values():
            process.kill()
            process.wait(10)
        self.client.close()
        for engine in self.engines.values():
            engine.dispose()
        self.proxy.close()
        self.rabbit.close()
        self.postgres.stop()

    def fiche(self, *arguments: str) -> str:
        """What the command line says, run to its good end."""
        command = [sys.executable, "-m", "cli.main", *arguments]
        done = subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def put_back(self, target: str, source: str) -> None:
        """Makes a database anew as a copy of another; nothing of ours may be connected to either."""
        self.engines["clients"].dispose()
        admin = create_engine(self.addresses["clients"].set(database="postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{target}" WITH (FORCE)'))
            connection.execute(text(f'CREATE DATABASE "{target}" TEMPLATE "{source}"'))
        admin.dispose()

    # --- asking ---------------------------------------------------------------------------------------------------

    def try_call(self, rpc: str, body: bytes, key: str, seconds: float = 2) -> Any:
        """The answer, None where the wire or the service is away."""
        service, _, method = rpc.partition(".")
        headers = Context(actor=ACTOR, idempotency_key=key).headers()
        [answer] = self.client.call_many([Call(service, method, body, headers)], seconds)
        if answer.status == "unavailable" or b'"in_progress"' in answer.body:
            return None
        assert answer.status == OK, answer.body
        return orjson.loads(answer.body)

    def call(self, rpc: str, body: bytes) -> Any:
        """The answer, asked for again (under one key) until there is one."""
        key = str(uuid.uuid4())
        return wait_until(lambda: self.try_call(rpc, body, key), f"{rpc} is answered", 60)

    def company(self, name: str) -> str:
        """A client made, its creation acknowledged."""
        request = c.CreateClient(body=c.ClientBody(kind="company", company_name=name))
        return str(self.call(request.rpc, request.model_dump_json(exclude_unset=True).encode())["id"])

    def rename(self, client_id: str, name: str) -> None:
        """A client renamed, acknowledged."""
        version = self.sql("clients", "SELECT version FROM client WHERE id = :id", id=client_id)[0].version
        changes = c.ClientChanges(company_name=name)
        request = c.UpdateClient(id=uuid.UUID(client_id), expected_version=version, changes=changes)
        self.call(request.rpc, request.model_dump_json(exclude_unset=True).encode())

    def sql(self, service: str, statement: str, **params: Any) -> list[Any]:
        """Rows of a statement, beside the proxy."""
        with self.engines[service].begin() as connection:
            result = connection.execute(text(statement), params)
            return list(result) if result.returns_rows else []

    # --- what must hold -------------------------------------------------------------------------------------------

    def known(self) -> set[str]:
        """Clients that the consumer knows."""
        return {str(row.id) for row in self.sql("equipment", "SELECT id FROM known_client")}

    def caught_up(self) -> bool:
        """Whether the consumer's place is the producer's head."""
        head = self.sql("clients", "SELECT log_id, position FROM event_head")[0]
        place = self.sql("equipment", "SELECT log_id, position FROM event_place WHERE producer = 'clients'")
        return bool(place) and tuple(place[0]) == tuple(head)

    def told(self) -> dict[str, list[str]]:
        """Names of each client in the order in which the log tells them."""
        rows = self.sql(
            "clients",
            "SELECT subject, event::json->'data'->>'display_name' AS name FROM event_log "
            "WHERE type IN ('fiche.clients.client.created.v1', 'fiche.clients.client.updated.v1') "
            "AND position > :since ORDER BY position",
            since=self.since,
        )
        return _by_key(rows)

    def applied(self) -> dict[str, list[str]]:
        """Names of each client in the order in which the consumer applied them."""
        return _by_key(self.sql("equipment", "SELECT id AS subject, name FROM seen ORDER BY n"))

    def forget_past(self) -> None:
        """Compares from now on only."""
        self.since = self.sql("clients", "SELECT position FROM event_head")[0].position
        self.sql("equipment", "TRUNCATE seen")

    def settle(self, made: set[str], seconds: float = 60) -> None:
        """Waits until all is read, and asserts that each event was applied once, in order per key."""
        wait_until(lambda: self.caught_up() and made <= self.known(), "the consumer has caught up", seconds)
        assert self.applied() == self.told()
        assert self.sql("clients", "SELECT count(*) - max(position) AS holes FROM event_log")[0].holes == 0


def _by_key(rows: list[Any]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        names[str(row.subject)].append(row.name)
    return dict(names)
