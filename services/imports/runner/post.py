"""Sends requests to the owners of records and waits for their answers, again while an owner is away."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import orjson
import structlog

from chassis.context import Actor, Context
from chassis.errors import FicheError
from chassis.wire.base import OK, Answer, Call, RpcClient
from contracts.base import Request

log = structlog.get_logger(__name__)

#: Whose name imported rows bear. One for all jobs: answers under an idempotency key are kept by actor, and a job
#: taken up by another person must find those of the first.
ACTOR = Actor(id="import", name="Import", kind="system", roles=("administrator",))
#: Requests in flight at once: more fill the owners' queues without going faster.
AT_ONCE = 16
TIMEOUT_S = 20.0
TRIES = 6


class OwnersAwayError(Exception):
    """Services that did not answer after all tries."""

    def __init__(self, services: Sequence[str]) -> None:
        super().__init__(", ".join(services))
        self.services = list(services)


class Post:
    """One job's correspondence."""

    def __init__(self, client: RpcClient, correlation_id: str, stopping: Callable[[], bool] = lambda: False) -> None:
        self._client = client
        self._stopping = stopping
        self._context = Context(actor=ACTOR, correlation_id=correlation_id)

    def send(self, requests: Sequence[tuple[Request, str | None]]) -> list[dict[str, object] | FicheError]:
        """Answers in the order of the requests, each with its idempotency key. Raises `OwnersAwayError`."""
        calls = [self._call(request, key) for request, key in requests]
        answers: list[dict[str, object] | FicheError | None] = [None] * len(calls)
        for start in range(0, len(calls), AT_ONCE):
            self._send(calls, list(range(start, min(start + AT_ONCE, len(calls)))), answers)
        return [answer for answer in answers if answer is not None]

    def ask(self, request: Request) -> dict[str, object]:
        """One answer. Raises `FicheError` or `OwnersAwayError`."""
        [answer] = self.send([(request, None)])
        if isinstance(answer, FicheError):
            raise answer
        return answer

    def _call(self, request: Request, key: str | None) -> Call:
        service, _, method = request.rpc.partition(".")
        context = self._context if key is None else self._context.with_key(key)
        return Call(service, method, request.model_dump_json(exclude_unset=True).encode(), context.headers())

    def _send(
        self, calls: Sequence[Call], waiting: list[int], answers: list[dict[str, object] | FicheError | None]
    ) -> None:
        for attempt in range(TRIES):
            if attempt:
                if self._stopping():
                    break
                time.sleep(min(0.2 * 2**attempt, 5.0))
            still: list[int] = []
            for index, answer in zip(
                waiting, self._client.call_many([calls[i] for i in waiting], TIMEOUT_S), strict=True
            ):
                read = _read(answer)
                if isinstance(read, FicheError) and _again(read, attempt):
                    still.append(index)
                else:
                    answers[index] = read
            if not still:
                return
            waiting = still
        raise OwnersAwayError(sorted({calls[index].service for index in waiting}))


def _read(answer: Answer) -> dict[str, object] | FicheError:
    if answer.status != OK:
        return FicheError.from_json(answer.status, answer.body)
    found: dict[str, object] = orjson.loads(answer.body or b"{}")
    return found


def _again(error: FicheError, attempt: int) -> bool:
    """Whether to ask again: the owner is away, or still at the first try. Its own fault is asked thrice."""
    if error.kind == "unavailable" or error.code == "in_progress":
        return True
    return error.kind == "internal" and attempt < 2
