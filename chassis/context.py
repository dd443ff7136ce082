"""What travels with every message beside its payload: who asks, for which request, until when."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import lru_cache

import orjson

from chassis.ids import new_id


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `kind` is `user`, `key` (a machine) or `system`; `roles` are those of `accounts`."""

    id: str
    name: str
    kind: str = "user"
    roles: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Text for a message header."""
        return orjson.dumps({"id": self.id, "name": self.name, "kind": self.kind, "roles": list(self.roles)}).decode()

    @staticmethod
    @lru_cache(1_000)
    def from_json(text: str) -> Actor:
        """Inverse of `to_json`. Raises `ValueError` or `KeyError` when the text is not an actor's."""
        raw = orjson.loads(text)
        return Actor(str(raw["id"]), str(raw["name"]), str(raw.get("kind", "user")), tuple(raw.get("roles", ())))


SYSTEM = Actor(id="system", name="Fiche", kind="system")


@dataclass(frozen=True, slots=True)
class Context:
    """Headers of a call in typed form.

    `deadline` is a moment of this process's monotonic clock (seconds); on the wire it travels as the time left, so
    that clocks of two machines need not agree.
    """

    actor: Actor = SYSTEM
    correlation_id: str = field(default_factory=lambda: str(new_id()))
    causation_id: str | None = None
    idempotency_key: str | None = None
    #: Only the answer already given under the key is wanted: nothing may be done any more.
    only_remembered: bool = False
    deadline: float | None = None
    traceparent: str | None = None

    def time_left(self) -> float | None:
        """Seconds until the deadline, never negative; None when there is none."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def with_key(self, key: str) -> Context:
        """The same with another idempotency key."""
        return replace(self, idempotency_key=key)

    def headers(self) -> dict[str, str]:
        """Headers of a message sent on behalf of this context (the deadline is the wire's business)."""
        headers = {"actor": self.actor.to_json(), "correlation-id": self.correlation_id}
        if self.causation_id:
            headers["causation-id"] = self.causation_id
        if self.idempotency_key:
            headers["idempotency-key"] = self.idempotency_key
        if self.only_remembered:
            headers["only-remembered"] = "1"
        if self.traceparent:
            headers["traceparent"] = self.traceparent
        return headers

    @staticmethod
    def from_headers(headers: dict[str, str], deadline: float | None = None) -> Context:
        """The context a message carries. Raises `ValueError`/`KeyError` on headers that make no sense."""
        return Context(
            actor=Actor.from_json(headers["actor"]) if "actor" in headers else SYSTEM,
            correlation_id=headers.get("correlation-id") or str(new_id()),
            causation_id=headers.get("causation-id"),
            idempotency_key=headers.get("idempotency-key"),
            only_remembered="only-remembered" in headers,
            deadline=deadline,
            traceparent=headers.get("traceparent"),
        )
