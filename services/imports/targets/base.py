"""What a record becomes: an order, that is requests to one owner, under an id chosen beforehand."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from chassis.errors import FicheError
from contracts.base import Request
from services.imports.runner.ledger import Known
from services.imports.runner.post import Post

#: Whose hand it was where the source does not say.
AUTHOR = "Import"
#: Codes by which an owner says that the very thing is there already: an earlier try got through.
_THERE = frozenset({"exists", "already_exists", "id_taken", "idempotency_key_reused"})


class Refusal(Exception):
    """The record cannot be sent; the message says why, for a person."""


class Home(NamedTuple):
    """Whose rows are: the root of the client's tree now, and the id the source means."""

    home: uuid.UUID
    written: uuid.UUID
    status: str


@dataclass(slots=True)
class Order:
    """Requests sent one after the other. The first makes the record; what follows completes it."""

    service: str
    kind: str
    id: uuid.UUID
    requests: Sequence[Request]
    notices: list[str] = field(default_factory=list)
    #: What later records need of the first answer.
    keep: Callable[[dict[str, object]], dict[str, Any]] = lambda answer: {}
    #: Codes of refusals that mean the step is done.
    done_codes: frozenset[str] = frozenset()

    @property
    def record(self) -> uuid.UUID | None:
        """The client record that it is or belongs to, as far as it says."""
        if self.kind == "client":
            return self.id
        return next((home for each in self.requests if (home := getattr(each, "home_client_id", None))), None)

    def harmless(self, error: FicheError, step: int) -> bool:
        """Whether this refusal only says that the step was done before."""
        return error.code in _THERE or error.code in self.done_codes


class Resolver:
    """From outside references to ids, and from clients to their homes, for the window in hand."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self.known: dict[str, Known] = {}
        self.failed: set[str] = set()
        #: What a target has asked once for the whole job.
        self.cache: dict[str, Any] = {}
        self._homes: dict[str, Home | str] = {}

    def load(self, known: dict[str, Known]) -> None:
        """Begin a window with what is known of its references."""
        self.known = known
        self._homes.clear()

    def find(self, ref: str | None) -> uuid.UUID | None:
        """The id a reference became, None when it did not come in."""
        found = self.known.get(ref or "")
        return found.id if found is not None and found.done else None

    def need(self, ref: str, what: str) -> uuid.UUID:
        """The id a reference became. Raises `Refusal`."""
        found = self.find(ref)
        if found is None:
            raise Refusal(f"{what} dont la ligne dépend n’est pas repris")
        return found

    def many(self, refs: Iterable[str]) -> list[uuid.UUID]:
        """The ids of those that came in."""
        return [found for ref in refs if (found := self.find(ref)) is not None]

    def answer(self, ref: str | None, name: str) -> Any:
        """Something kept of the owner's answer about a record."""
        found = self.known.get(ref or "")
        return None if found is None else found.answer.get(name)

    def ask(self, request: Request) -> Any:
        """A question to an owner, for what only it can tell. Raises `FicheError`."""
        return self._post.ask(request)

    def identify(self, refs: Iterable[str]) -> None:
        """Ask what clients mean now: merged ones lead to their survivor. Once per window and client."""
        wanted = sorted({ref for ref in refs if ref not in self._homes and self.find(ref) is not None})
        for start in range(0, len(wanted), 200):
            self._identify(wanted[start : start + 200])

    def _identify(self, refs: Sequence[str]) -> None:
        from services.imports.targets.clients import identify

        ids = {ref: self.known[ref].id for ref in refs}
        homes = identify(self._post, list(ids.values()))
        for ref, written in ids.items():
            self._homes[ref] = homes.get(written) or "le client n’existe plus"

    def home(self, client_ref: str) -> Home:
        """Home of a client's rows. Raises `Refusal` when the client did not come in or is deleted."""
        self.need(client_ref, "le client")
        found = self._homes.get(client_ref, "le client n’existe plus")
        if isinstance(found, str):
            raise Refusal(found)
        return found
