"""Asking the services: typed requests in, JSON bytes out, refusals as `FicheError`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from flask import g, has_request_context, request

from chassis.context import SYSTEM, Actor, Context
from chassis.errors import FicheError, Invalid
from chassis.ids import new_id
from chassis.wire.base import OK, Answer, Call, RpcClient
from contracts.base import Request
from gateway import rights
from gateway.sight import check_sight


def refuse_unless_answered(refusal: FicheError) -> None:
    """Refuses at once, but for a repeat: the first answer to its key counts, whatever has become of the client since.

    A request with an Idempotency-Key is then only asked for an answer already given; where there is none, or no
    command is sent at all (`settle_refusal`), the refusal is raised.
    """
    if request.method == "GET" or not request.headers.get("Idempotency-Key"):
        raise refusal
    g.refusal = refusal


def settle_refusal() -> None:
    """Raises a refusal that no command of the request has met."""
    if "refusal" in g:
        raise g.pop("refusal")


def told_by(services: Sequence[str], answers: Sequence[Answer], **unknown: Any) -> dict[str, Any]:
    """What each of these services answered, for a preview; of one that is away `unknown` in its place, and why."""
    told: dict[str, Any] = {}
    for name, answer in zip(services, answers, strict=True):
        if answer.status == OK:
            told[name] = {"status": "ok", **orjson.loads(answer.body)}
        else:
            error = FicheError.from_json(answer.status, answer.body)
            told[name] = {"status": "unavailable", **unknown, "error": str(error)}
    return told


class Rpc:
    """The process's client with the deadline of the settings; the context is that of the HTTP request."""

    def __init__(self, client: RpcClient, deadline_ms: int) -> None:
        self.client = client
        self.timeout = deadline_ms / 1000

    @property
    def user(self) -> Any:
        """Who asks; None outside of a request and before the door has looked."""
        return g.get("user") if has_request_context() else None

    def context(self, key: str | None = None) -> Context:
        """Who asks, for which request."""
        if not has_request_context():
            return Context(actor=SYSTEM, idempotency_key=key)
        user = self.user
        actor = Actor(user.id, user.name, user.kind, tuple(user.roles)) if user else SYSTEM
        return Context(actor=actor, correlation_id=g.request_id, idempotency_key=key)

    def _call_again(self, asked: Request, *, key: str | None, service: str | None) -> Answer:
        """What was answered under the request's key before the door would refuse it; else the door's refusal."""
        refusal: FicheError = g.pop("refusal")
        call = self.call(asked, key=key, service=service)
        again = Call(call.service, call.method, call.body, {**call.headers, "only-remembered": "1"})
        [answer] = self.client.call_many([again], self.timeout)
        if answer.status != OK and FicheError.from_json(answer.status, answer.body).code == "not_remembered":
            raise refusal
        return answer

    def call(self, asked: Request, *, key: str | None = None, service: str | None = None) -> Call:
        """A request as a call; commands get the request's Idempotency-Key, or one made here.

        Raises `Forbidden` where the role of who asks does not allow it.
        """
        rights.check(self.user, asked)
        name, _, method = asked.rpc.partition(".")
        if asked.command and key is None:
            given = request.headers.get("Idempotency-Key", "") if has_request_context() else ""
            if len(given) > 200:
                raise Invalid.field("Idempotency-Key", "Cette clé est trop longue (200 caractères au plus).")
            # One HTTP request may send several commands; each is told apart under the one key.
            key = f"{given}/{asked.rpc}" if given else str(new_id())
        return Call(
            service or name, method, asked.model_dump_json(exclude_unset=True).encode(), self.context(key).headers()
        )

    def ask(self, asked: Request, *, key: str | None = None, service: str | None = None) -> bytes:
        """JSON of the answer within the settings' deadline, or the request's `patience`. Raises `FicheError`."""
        if asked.command and has_request_context() and "refusal" in g:
            return self.unwrap(self._call_again(asked, key=key, service=service))
        call = self.call(asked, key=key, service=service)
        [answer] = self.client.call_many([call], max(self.timeout, asked.patience))
        return self.seen(asked, answer)

    def seen(self, asked: Request, answer: Answer) -> bytes:
        """The body of an answer that whoever asks may see. Raises the refusal, or `Forbidden`."""
        body = self.unwrap(answer)
        check_sight(self, asked, body)
        return body

    def ask_json(self, asked: Request, *, key: str | None = None, service: str | None = None) -> Any:
        """The parsed answer. Raises `FicheError`."""
        return orjson.loads(self.ask(asked, key=key, service=service))

    def ask_all(self, calls: Sequence[Call], timeout: float | None = None) -> list[Answer]:
        """Sends all at once under one deadline; refusals come back as answers."""
        return self.client.call_many(calls, self.timeout if timeout is None else timeout)

    @staticmethod
    def unwrap(answer: Answer) -> bytes:
        """The body, or the refusal raised."""
        if answer.status != OK:
            raise FicheError.from_json(answer.status, answer.body)
        return answer.body
