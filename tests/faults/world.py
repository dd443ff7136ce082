"""The whole product on servers that may be broken, a load on it, and one round of one fault."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from chassis.settings import SERVICES
from tests.faults.checker import Checker
from tests.faults.databases import QUEUES
from tests.faults.load import COMPANY, Book, Load
from tests.faults.partner import Partner
from tests.support.patience import Patient
from tests.support.servers import PostgresServer, RabbitServer, S3Server
from tests.support.stack import ROOT, Stack
from tests.support.waiting import wait_until

#: Time-outs of the services' databases, short enough for a round to wait for them.
TIMEOUTS = {"FICHE_DATABASE_LOCK_TIMEOUT_S": "2", "FICHE_DATABASE_IDLE_TIMEOUT_S": "3"}
#: Seconds within which everything must be level again after a fault.
BOUND_S = 120.0


class FaultyStack(Stack):
    """The stack whose services may be killed at named points, frozen, doubled, and given settings of their own."""

    def __init__(self, folder: Path, **servers: Any) -> None:
        super().__init__(folder, **servers, extra=TIMEOUTS | {"PYTHONWARNINGS": "ignore"})
        self.points = folder / "points"
        #: Process → variables that it gets beside those of all.
        self.own: dict[str, dict[str, str]] = {}
        for name in SERVICES:
            (self.points / name).mkdir(parents=True, exist_ok=True)

    def environment_of(self, name: str, process: str = "") -> dict[str, str]:
        """With the process's own variables."""
        return super().environment_of(name, process) | self.own.get(process or name, {})

    def migrations(self) -> list[str]:
        """One process for all databases, which have one login."""
        return ["migrate-clients"]

    def program(self, name: str) -> list[str]:
        """A service with points and witness."""
        if name in self.migrations():
            return ["-m", "cli.main", "migrate"]
        if name in SERVICES:
            return ["-m", "tests.faults.process", name, str(self.points / name)]
        return super().program(name)

    def pid(self, process: str) -> int:
        """Its process id."""
        return self._processes[process].pid

    def gone(self, process: str) -> bool:
        """Whether it has ended by itself."""
        return self._processes[process].poll() is not None

    def frozen(self, process: str) -> bool:
        """Whether it is stopped, as the kernel tells it."""
        stat = Path(f"/proc/{self.pid(process)}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "T"

    def kill(self, process: str) -> None:
        """`kill -9`, of gunicorn's worker too."""
        ended = self._processes.pop(process)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(ended.pid, signal.SIGKILL)
        ended.wait(30)

    def end(self, process: str) -> None:
        """Asks it to end; frozen or not, it is gone after this."""
        ended = self._processes.pop(process)
        ended.send_signal(signal.SIGCONT)
        ended.send_signal(signal.SIGTERM)
        try:
            ended.wait(20)
        except subprocess.TimeoutExpired:
            ended.kill()
            ended.wait(10)

    def freeze(self, process: str) -> None:
        """Stops it where it is."""
        os.kill(self.pid(process), signal.SIGSTOP)

    def thaw(self, process: str) -> None:
        """Lets it go on."""
        os.kill(self.pid(process), signal.SIGCONT)

    def at(self, service: str, point: str, action: str) -> None:
        """Has the service's next process that reaches the point do `kill` or `stop` (`tests.chassis.events.faulty`)."""
        waiting = self.points / service / f".{point}"
        waiting.write_text(action)
        waiting.rename(self.points / service / point)

    def mend(self) -> None:
        """All processes there and none frozen, no fault asked for, whatever a round left."""
        for point in self.points.glob("*/*"):
            point.unlink()
        for process in list(self._processes):
            if self.gone(process):
                del self._processes[process]
            elif process not in (*SERVICES, "gateway"):
                self.end(process)
            else:
                self.thaw(process)
        for name in (*SERVICES, "gateway"):
            if name not in self._processes:
                self.start_service(name)


@dataclass
class Row:
    """What a round found. Seconds; `recover` runs from the end of the fault until all was level again."""

    fault: str
    seed: str
    under_way: int = 0
    begun_during: int = 0
    acknowledged: int = 0
    unknown: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    swapped: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    lasted: float = 0.0
    recover: float | None = None
    answers: dict[str, int] = field(default_factory=dict)
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not (self.lost or self.doubled or self.swapped or self.odd) and self.recover is not None

    def to_json(self) -> dict[str, Any]:
        """For the file."""
        return asdict(self) | {"holds": self.holds}


class Impossible(Exception):
    """This machine cannot have the fault; the report says why."""


class World:
    """Servers, stack, checker. Servers that are not its own may be absent: faults that need them are not for it."""

    def __init__(
        self,
        stack: FaultyStack,
        *,
        rabbit: RabbitServer,
        postgres: PostgresServer | None = None,
        s3: S3Server | None = None,
        seed: str,
        clerks: int = 4,
    ) -> None:
        self.stack, self.rabbit, self.postgres, self.s3 = stack, rabbit, postgres, s3
        self.seed, self._clerks = seed, clerks
        self.random = random.Random(seed)
        self.http = httpx.Client(
            base_url=stack.url,
            headers={"Authorization": f"Bearer {stack.token}"},
            timeout=15,
            trust_env=False,
            transport=Patient(),
        )
        self.checker = Checker(stack.environment["FICHE_DATABASE_URL"], self.http)
        self.books: list[Book] = []
        self.load: Load | None = None
        #: Ids of rows that a backup put back knows nothing of.
        self.gone: set[str] = set()
        self.partner = Partner(rabbit.url, self.http, self.checker)
        self.wait(lambda: not self.checker.not_level(), "all has been read before", BOUND_S)
        self.checker.begin()

    def close(self) -> None:
        """Closes what is open; servers and stack are their owner's."""
        self.http.close()
        self.checker.close()

    @property
    def database_url(self) -> str:
        """Address of the database server."""
        return self.stack.environment["FICHE_DATABASE_URL"].format(service="clients")

    def fiche(self, *arguments: str) -> str:
        """What the command line says, run to its good end as an operator would."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FICHE_")},
            **self.stack.environment,
            "FICHE_URL": self.stack.url,
            "FICHE_TOKEN": self.stack.token,
        }
        command = [sys.executable, "-W", "ignore", "-m", "cli.main", *arguments]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"fiche {' '.join(arguments)}: {done.stdout} {done.stderr}"
        return done.stdout

    def depths(self) -> dict[str, int]:
        """Messages of each queue of ours that wait, or were delivered and are not acknowledged."""
        held = self.rabbit.messages()
        return {name: held[name] for name in QUEUES}

    def wait(self, condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
        """Waits; an error of a server that is just broken counts as not yet."""

        def holds() -> Any:
            try:
                return condition()
            except Exception:
                return None

        return wait_until(holds, what, seconds)

    def round(self, name: str, fault: Callable[[World], AbstractContextManager[str | None]], hold: float) -> Row:
        """The fault under load, for `hold` seconds beside what it takes by itself; then everything is compared."""
        self.random = random.Random(f"{self.seed}/{name}")
        row = Row(name, self.seed)
        if not self.books:
            version = self.http.get("/api/v1/company").headers["ETag"]
            self.http.patch("/api/v1/company", headers={"If-Match": version}, json=COMPANY).raise_for_status()
        load = self.load = Load(
            self.stack.url, self.stack.token, clerks=self._clerks, seed=f"{self.seed}.{len(self.books)}"
        )
        self.books.append(load.book)
        load.start()
        try:
            self._under(load, fault, hold, row)
        except Impossible as error:
            row.note = f"not run: {error}"
        except AssertionError as error:
            row.odd.append(str(error))
        finally:
            load.stop()
        self.stack.mend()
        try:
            self.wait(lambda: not self.checker.not_level(), "everything is level", BOUND_S)
            self.wait(self.partner.told, "partners are told", 30)
            self.wait(lambda: not any(self.depths().values()), "every queue is empty", 30)
        except AssertionError as error:
            row.recover = None
            row.odd.append(f"{error}: {'; '.join(self._still())}")
        verdict = self.checker.check(self.books, gone=frozenset(self.gone))
        self.partner.check(verdict)
        self.partner.begin()
        row.lost, row.doubled, row.swapped = verdict.lost, verdict.doubled, verdict.swapped
        row.acknowledged, row.unknown = len(load.book.acks), len(load.book.unknown)
        # What a backup put back knows nothing of may be refused.
        row.odd += [said for said in load.book.odd if not any(lost in said for lost in self.gone)]
        row.answers = dict(load.book.told)
        return row

    def _still(self) -> list[str]:
        try:
            return self.checker.not_level() or [f"{k}: {n}" for k, n in self.depths().items() if n]
        except Exception as error:
            return [f"{type(error).__name__}: {error}"]

    def _under(
        self, load: Load, fault: Callable[[World], AbstractContextManager[str | None]], hold: float, row: Row
    ) -> None:
        wait_until(lambda: len(load.book.acks) > 30, "the load is under way", BOUND_S)
        row.under_way = load.under_way
        broken = time.monotonic()
        with fault(self) as note:
            row.note = note or ""
            self.work_for(hold)
        mended = time.monotonic()
        row.lasted = mended - broken
        row.begun_during = sum(broken <= moment <= mended for moment in load.book.begun)
        wait_until(lambda: len(load.kinds_since(mended)) >= 5, "deeds are acknowledged again", BOUND_S)
        heads = self.wait(self.checker.heads, "the databases answer", BOUND_S)
        self.wait(lambda: self.checker.reached(heads), "every consumer has come up", BOUND_S)
        row.recover = time.monotonic() - mended

    def work_for(self, seconds: float) -> None:
        """The fault goes on, under load."""
        until = time.monotonic() + seconds
        wait_until(lambda: time.monotonic() > until, "time passes", seconds + 10)


@contextlib.contextmanager
def private_world(folder: Path, seed: str, clerks: int) -> Iterator[World]:
    """A world on servers of its own."""
    from tests.faults.disk import SmallDisk

    with contextlib.ExitStack() as opened:
        postgres, rabbit, s3 = PostgresServer(folder), RabbitServer(folder), SmallDisk(folder)
        for server, stop in ((postgres, postgres.stop), (rabbit, rabbit.close), (s3, s3.stop)):
            opened.callback(stop)
            server.start()
        stack = FaultyStack(folder / "logs", database_url=postgres.url, amqp_url=rabbit.url, s3=s3.settings)
        opened.callback(stack.stop)
        stack.start()
        world = World(stack, rabbit=rabbit, postgres=postgres, s3=s3, seed=seed, clerks=clerks)
        opened.callback(world.close)
        yield world
