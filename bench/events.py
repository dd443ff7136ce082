"""Events: from a commit to its effect, as many as go, from behind, and what telling costs a commit.

Two services of the chassis (`bench.pair`) on a database server that keeps what it acknowledges on the disk.
"""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import orjson
import psycopg2

from bench.bare import fill
from bench.floors import RAW
from bench.ground import Ground
from bench.measure import Measure, Target
from bench.peers import ROOT
from bench.raw import connect
from chassis.context import Context
from chassis.ids import new_id
from chassis.wire.amqp import AmqpWire
from chassis.wire.base import OK, Call

#: What a deed and its effect hold beside an identifier and a number.
NOTE = "x" * 100
QUEUE = "reader.teller.v1"
BARE = "bare consumer, events"
ROLES = ("teller", "reader")


class Program:
    """A program of ours whose lines are read."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        """The next line. Raises `RuntimeError` when the program has ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} has ended")
        return line.strip()

    def signal(self, number: int) -> None:
        """Sends a signal."""
        self._process.send_signal(number)

    def end(self) -> None:
        """Kills it."""
        self._process.kill()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()


class Pair:
    """Teller and reader, each a process on a database of its own."""

    def __init__(self, amqp_url: str, postgres_url: str) -> None:
        self._amqp_url = amqp_url
        #: To which a service adds its own name.
        self._database_url = f"{postgres_url.rsplit('/', 1)[0]}/bench{secrets.token_hex(3)}"
        self._addresses = {role: f"{self._database_url}_{role}" for role in (*ROLES, "bare")}
        admin = psycopg2.connect(postgres_url)
        admin.autocommit = True
        for address in self._addresses.values():
            admin.cursor().execute(f"CREATE DATABASE {address.rpartition('/')[2]}")
        admin.close()
        self._databases = {role: psycopg2.connect(address) for role, address in self._addresses.items()}
        self._programs: dict[str, Program] = {}
        for role in ROLES:
            self._start(role)
            assert self._programs[role].line() == "ready"
        self._client = AmqpWire(amqp_url).rpc_client()
        self._number = 0

    def close(self) -> None:
        """Ends all, and removes the queue."""
        for program in self._programs.values():
            program.end()
        self._client.close()
        for database in self._databases.values():
            database.close()
        self._broker(lambda channel: channel.queue_delete(QUEUE))

    # --- what is measured -----------------------------------------------------------------------------------------

    def latency(self) -> float:
        """Milliseconds from the commit of a deed to the commit of its effect."""
        self._number += 1
        self._call("deed", number=self._number, note=NOTE)
        moments = []
        for role in ROLES:
            number, moment = self._programs[role].line().split()
            assert int(number) == self._number
            moments.append(float(moment))
        return (moments[1] - moments[0]) * 1000

    def sustained(self, count: int) -> float:
        """Events a second from the log, through relay and broker, to committed effects."""
        before = self._effects()
        started = time.perf_counter()
        self._write(count)
        self._wait_until(self._level)
        rate = count / (time.perf_counter() - started)
        assert self._effects() == before + count
        return rate

    def catching_up(self, count: int) -> float:
        """Events a second of a reader that was away, and finds nothing in its queue: all is read of the log."""
        before, place = self._effects(), self._place()
        self._programs.pop("reader").end()
        self._write(count)
        self._wait_until(lambda: self._sql("teller", "SELECT published = position FROM event_head")[0][0])
        self._broker(lambda channel: channel.queue_purge(QUEUE))
        self._start("reader")
        self._wait_until(lambda: self._place() > place)
        started, first = time.perf_counter(), self._place()
        self._wait_until(self._level)
        rate = (place + count - first) / (time.perf_counter() - started)
        assert self._programs["reader"].line() == "ready"
        assert self._effects() == before + count
        return rate

    def bare(self, count: int) -> float:
        """Events a second of the floor: one insert, one commit and one acknowledgement a message."""
        event = self._model()
        bodies = [orjson.dumps(event | {"data": event["data"] | {"id": str(new_id())}}) for _ in range(count)]
        queue = f"bench_bare_{secrets.token_hex(4)}"
        fill(self._amqp_url, queue, bodies)
        program = Program("bench.bare", self._amqp_url, self._addresses["bare"], queue, str(count))
        try:
            return count / float(program.line())
        finally:
            program.end()

    def commits(self, at_once: int, *, told: bool, seconds: float) -> float:
        """Commits a second of the teller, by so many at once. The relay works; the reader waits meanwhile."""
        self._programs["reader"].signal(signal.SIGSTOP)
        try:
            done = self._call("load", seconds=seconds, at_once=at_once, told=told)
        finally:
            self._programs["reader"].signal(signal.SIGCONT)
        self._wait_until(self._level)
        return float(done["done"] / done["seconds"])

    # --- how ------------------------------------------------------------------------------------------------------

    def _start(self, role: str) -> None:
        self._programs[role] = Program("bench.pair", role, self._amqp_url, self._database_url)

    def _call(self, method: str, **values: Any) -> Any:
        call = Call("teller", method, orjson.dumps(values), Context().headers())
        [answer] = self._client.call_many([call], 60)
        assert answer.status == OK, answer.body
        return orjson.loads(answer.body)

    def _sql(self, role: str, statement: str, *values: Any) -> list[Any]:
        with self._databases[role] as database, database.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall()) if cursor.description else []

    def _broker(self, work: Callable[[Any], Any]) -> None:
        connection = connect(self._amqp_url)
        work(connection.channel())
        connection.close()

    def _effects(self) -> int:
        return int(self._sql("reader", "SELECT count(*) FROM effect")[0][0])

    def _place(self) -> int:
        return int(self._sql("reader", "SELECT coalesce(max(position), 0) FROM event_place")[0][0])

    def _level(self) -> bool:
        return self._place() == self._sql("teller", "SELECT position FROM event_head")[0][0]

    def _wait_until(self, holds: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 120
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError("the reader does not catch up")
            time.sleep(0.005)

    def _model(self) -> dict[str, Any]:
        if not self._number:
            self.latency()
        [[text]] = self._sql("teller", "SELECT event FROM event_log ORDER BY position LIMIT 1")
        event: dict[str, Any] = orjson.loads(text)
        return event | {"data": event["data"] | {"number": 0}}

    def _write(self, count: int) -> None:
        """Puts so many events into the log, under the head row as every writer does, and rings."""
        event = self._model()
        text = orjson.dumps(event).decode()
        self._sql(
            "teller",
            "WITH head AS (UPDATE event_head SET position = position + %s RETURNING position - %s AS base) "
            "INSERT INTO event_log (position, id, type, subject, ordering_key, event) "
            "SELECT base + n, id, %s, subject, subject, replace(replace(%s, %s, id::text), %s, subject::text) "
            "FROM head, (SELECT n, gen_random_uuid() AS id, gen_random_uuid() AS subject "
            "FROM generate_series(1, %s) AS n) AS e",
            *(count, count, event["type"], text, event["id"], event["subject"], count),
        )
        self._sql("teller", "NOTIFY fiche_log")


def measures(ground: Ground, count: int = 10_000, seconds: float = 1.5) -> list[Measure]:
    """Latency, rates of reading, rates of committing. `count` events are read at a time, commits last `seconds`."""
    pair = Pair(ground.amqp_url, ground.durable_postgres_url)
    ground.stack.callback(pair.close)

    def rate(name: str, once: Callable[[], float], floor: str, least: float | None = None) -> Measure:
        targets = [] if least is None else [Target(least, at_least=True)]
        return Measure(name, once, 1, floor, "/s", targets, rounds=4)

    rows = [
        Measure("commit → effect elsewhere", pair.latency, 50, RAW, targets=[Target(3), Target(8, percent=99)]),
        rate(BARE, lambda: pair.bare(count // 5), BARE),
        rate("log → effects, events", lambda: pair.sustained(count), BARE, 2.5),
        rate("log → effects, from behind", lambda: pair.catching_up(count), BARE, 3.5),
    ]
    for at_once, least in ((1, 0.65), (16, 0.25)):
        floor = f"commits untold, {at_once} at once"
        rows += [
            rate(floor, lambda n=at_once: pair.commits(n, told=False, seconds=seconds), floor),  # type: ignore[misc]
            rate(
                f"commits told, {at_once} at once",
                lambda n=at_once: pair.commits(n, told=True, seconds=seconds),  # type: ignore[misc]
                floor,
                least,
            ),
        ]
    return rows
