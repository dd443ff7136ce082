"""Reading another service's log, by RPC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from chassis.context import Actor, Context
from chassis.errors import FicheError
from chassis.wire.base import OK, Call, RpcClient

#: Seconds that making a snapshot may take.
SNAPSHOT_S = 300.0


class Halted(Exception):
    """Reading cannot go on by itself; the message tells an operator why, and what to do."""


class OtherLog(Halted):
    """The producer's log is not the one that was read so far: it was restored from a backup."""


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of a log: looked up to `upto`; `first` is the lowest position that the log still holds."""

    log_id: str
    first: int
    upto: int
    events: list[tuple[int, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A producer's state, true at `position`; `bodies` are its pages, each the JSON of a list of events."""

    log_id: str
    position: int
    first: int
    former: dict[str, int]
    covers: frozenset[str]
    bodies: list[bytes]

    def events(self) -> Iterator[dict[str, Any]]:
        """Every event, each page read when its turn comes."""
        for body in self.bodies:
            yield from orjson.loads(body)


class LogSource:
    """The logs of all producers, as one consumer sees them."""

    def __init__(self, client: RpcClient, consumer: str, timeout: float = 5.0) -> None:
        self._client = client
        self._consumer = consumer
        self._timeout = timeout

    def read(
        self,
        producer: str,
        after: int,
        limit: int,
        *,
        log_id: str | None = None,
        after_id: str | None = None,
        types: Sequence[str] | None = None,
        report: bool = False,
    ) -> Page:
        """What follows `after`. See `LogRead`. With `report`, the producer notes how far this consumer is.

        Raises `OtherLog` when the producer's log has another identity, `FicheError` when the producer is away.
        """
        asked = {"log_id": log_id, "after": after, "after_id": after_id, "limit": limit, "types": types}
        named = {"consumer": self._consumer} if report else {}
        page = self._ask(producer, "log_read", asked | named, self._timeout)
        events = [(int(row["position"]), row["event"]) for row in page["events"]]
        return Page(str(page["log_id"]), int(page["first"]), int(page["upto"]), events)

    def snapshot(self, producer: str) -> Snapshot:
        """A snapshot made now, whole. Raises `FicheError` when the producer is away."""
        first = self._ask(producer, "snapshot", {}, SNAPSHOT_S)
        bodies = [orjson.dumps(first["events"])]
        for number in range(1, int(first["pages"])):
            page = self._ask(producer, "snapshot", {"id": first["id"], "page": number}, SNAPSHOT_S)
            bodies.append(orjson.dumps(page["events"]))
        return Snapshot(
            str(first["log_id"]),
            int(first["position"]),
            int(first["first"]),
            {name: int(last) for name, last in first["former"].items()},
            frozenset(first["covers"]),
            bodies,
        )

    def _ask(self, producer: str, method: str, values: dict[str, Any], timeout: float) -> Any:
        context = Context(actor=Actor(self._consumer, self._consumer, "system"))
        call = Call(producer, method, orjson.dumps(values), context.headers())
        [answer] = self._client.call_many([call], timeout)
        if answer.status != OK:
            error = FicheError.from_json(answer.status, answer.body)
            if error.code == "other_log":
                raise OtherLog(f"{producer}\u202f: {error.detail}")
            raise error
        return orjson.loads(answer.body)
