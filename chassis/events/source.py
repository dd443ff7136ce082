"""Reading another service's log, by RPC."""

from __future__ import annotations

import orjson

from chassis.context import Actor, Context
from chassis.errors import FicheError
from chassis.wire.base import OK, Call, RpcClient


class OtherLog(Exception):
    """The producer's log is not the one that was read so far: it was restored from a backup."""


class LogSource:
    """The logs of all producers, as one consumer sees them."""

    def __init__(self, client: RpcClient, consumer: str, timeout: float = 5.0) -> None:
        self._client = client
        self._consumer = consumer
        self._timeout = timeout

    def read(
        self, producer: str, log_id: str | None, after: int, limit: int
    ) -> tuple[str, int, list[tuple[int, bytes]]]:
        """`(log id, position looked up to, [(position, event)])`.

        Raises `OtherLog` when the producer's log has another identity, `FicheError` when the producer is away.
        """
        body = orjson.dumps({"log_id": log_id, "after": after, "limit": limit, "consumer": self._consumer})
        context = Context(actor=Actor(self._consumer, self._consumer, "system"))
        [answer] = self._client.call_many([Call(producer, "log_read", body, context.headers())], self._timeout)
        if answer.status != OK:
            error = FicheError.from_json(answer.status, answer.body)
            if error.code == "other_log":
                raise OtherLog(f"{producer} : {error.detail}")
            raise error
        page = orjson.loads(answer.body)
        events = [(int(row["position"]), orjson.dumps(row["event"])) for row in page["events"]]
        return str(page["log_id"]), int(page["upto"]), events
