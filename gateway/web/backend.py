"""What the pages ask of the gateway: one small protocol, so that pages know neither wire nor cookies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any, Protocol
from uuid import UUID

from flask import Response

from contracts.base import Request


class Backend(Protocol):
    """Met by `gateway.app`. Every method may raise `FicheError`."""

    def ask(self, request: Request) -> Any:
        """The parsed answer of a service, on behalf of whoever is signed in."""
        ...

    def ask_all(self, requests: Sequence[Request]) -> list[Any]:
        """The parsed answers of services asked at once under one deadline; None in place of one that is away."""
        ...

    def ask_of(self, service: str, request: Request) -> Any:
        """The parsed answer of one service to a request of the chassis."""
        ...

    def ask_each(self, request: Request) -> dict[str, Any]:
        """Every service's parsed answer to a request of the chassis, by its name; None for one that is away."""
        ...

    def fiche(self, client_id: UUID) -> dict[str, Any]:
        """The assembled fiche: `{"client", "sections", "tree", "settings"}`.

        Sections whose tab lists their rows by its own filters have counts, and a row at most.
        """
        ...

    def tree(self, client_id: UUID) -> list[UUID]:
        """The ids under which rows of a living client may stand: what lists are asked by."""
        ...

    def ties(self, client_id: UUID) -> dict[str, Any]:
        """What keeps a client from being deleted: `{"count", "said"}`, a sentence for a person."""
        ...

    def history(self, client_id: UUID, cursor: str | None) -> dict[str, Any]:
        """A page of a client's history: `{"items", "next", "unavailable"}`."""
        ...

    def merge_preview(self, survivor_id: UUID, duplicate_id: UUID) -> dict[str, Any]:
        """What a merge would change in every service: what the API's preview tells."""
        ...

    def undo_preview(self, merge_id: UUID) -> dict[str, Any]:
        """What undoing a merge would do in every service; `branch`: the records that go back."""
        ...

    def erase_preview(self, client_id: UUID) -> dict[str, Any]:
        """What erasing a person would blank and what the law keeps, in every service: what the API's preview tells."""
        ...

    def begin_session(self, response: Response, token: str) -> None:
        """Puts the session's cookie on a response."""
        ...

    def end_session(self, response: Response) -> None:
        """Ends the session and takes the cookie away."""
        ...

    def stage(self, stream: IO[bytes]) -> str:
        """Streams an upload into the object store; returns its staging key."""
        ...
