"""Errors as they cross the wire: a stable kind, a stable code, a French sentence and data. Never a module path."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import orjson


class FicheError(Exception):
    """Refusal of a request.

    `kind` says what sort of refusal it is (the gateway turns it into an HTTP status), `code` which one (programs may
    rely on it), `detail` what to do, in French. `errors` lists the fields at fault, `data` what a program needs.
    """

    kind: ClassVar[str] = "internal"
    registry: ClassVar[dict[str, type[FicheError]]] = {}

    def __init_subclass__(cls) -> None:
        FicheError.registry[cls.kind] = cls

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        errors: Iterable[dict[str, str]] = (),
        data: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.kind
        self.errors = list(errors)
        self.data = data or {}

    def to_json(self) -> bytes:
        """Body of the answer that carries this error."""
        return orjson.dumps(
            {"code": self.code, "detail": self.detail, "errors": self.errors, "data": self.data}, default=str
        )

    @staticmethod
    def from_json(kind: str, body: bytes) -> FicheError:
        """The error that an answer of this kind carries; an unknown kind is an internal error."""
        payload = orjson.loads(body) if body else {}
        cls = FicheError.registry.get(kind, InternalError)
        return cls(
            payload.get("detail", "Une erreur inattendue s’est produite."),
            code=payload.get("code"),
            errors=payload.get("errors", ()),
            data=payload.get("data"),
        )


class InternalError(FicheError):
    """A fault of ours; the detail tells nothing of the inside."""

    kind = "internal"


class Invalid(FicheError):
    """A field is wrong: 422."""

    kind = "invalid"

    @classmethod
    def field(cls, name: str, message: str, *, code: str | None = None) -> Invalid:
        """One field at fault; `message` says what to do."""
        return cls(message, code=code, errors=[{"field": name, "message": message}])


class NotFound(FicheError):
    """No such thing: 404."""

    kind = "not_found"


class Gone(FicheError):
    """It was deleted: 410."""

    kind = "gone"


class Conflict(FicheError):
    """The state forbids it: 409."""

    kind = "conflict"


class Stale(FicheError):
    """The version given is not the current one: 412."""

    kind = "stale"


class Forbidden(FicheError):
    """Not yours: 403."""

    kind = "forbidden"


class Unauthenticated(FicheError):
    """Who are you: 401."""

    kind = "unauthenticated"


class TooLarge(FicheError):
    """More than is taken: 413."""

    kind = "too_large"


class TooMany(FicheError):
    """Asked too often: 429; `data["retry_after"]` says in how many seconds to come back."""

    kind = "too_many"


class Moved(FicheError):
    """The record was merged into another, `data["client_id"]`: 308 when read."""

    kind = "moved"


class Unavailable(FicheError):
    """A service that this request cannot do without is away, or did not answer in time: 503."""

    kind = "unavailable"


class StartOver(Exception):
    """What the command read has changed under it; the unit of work runs it again from the start."""
