"""What somebody on the road may read by its id: what belongs to clients whose work he sees (domain, *Interventions*).

`interventions` knows which work that is; a contact, a memo, an equipment or a document is named by that work, and
whoever keeps its id, or guesses one, reads no more than that.
"""

from __future__ import annotations

from typing import Any, Protocol
from uuid import UUID

import orjson
from flask import g

from chassis.errors import Forbidden
from contracts.base import Request
from contracts.clients import GetMemo, GetSub, Identify
from contracts.documents import GetContent, GetDocument
from contracts.equipment import GetEquipment
from contracts.interventions import ListInterventions
from gateway.rights import on_the_road


class Asking(Protocol):
    """`gateway.rpc.Rpc`, as far as it is needed here."""

    @property
    def user(self) -> Any:
        """Who asks."""
        ...

    def ask_json(self, asked: Request) -> Any:
        """The parsed answer of a service."""
        ...


def check_sight(rpc: Asking, asked: Request, body: bytes) -> None:
    """Raises `Forbidden` where an answer tells somebody on the road of a client to whom he is not sent."""
    if rpc.user is None or not on_the_road(rpc.user):
        return
    match asked:
        case GetMemo() | GetSub():
            client = asked.client_id
        case GetEquipment() | GetDocument():
            client = UUID(orjson.loads(body)["client_id"])
        case GetContent():
            rpc.ask_json(GetDocument(id=asked.id))
            return
        case _:
            return
    if not _is_sent(rpc, client):
        raise Forbidden("Cela ne concerne aucune de vos interventions.", code="not_yours")


def _is_sent(rpc: Asking, client_id: UUID) -> bool:
    known: dict[UUID, bool] = g.setdefault("sight", {})
    if client_id not in known:
        [found] = rpc.ask_json(Identify(ids=[client_id]))["clients"]
        tree = [UUID(one) for one in found["tree"]] or [client_id]
        known[client_id] = bool(rpc.ask_json(ListInterventions(tree=tree, limit=1))["items"])
    return known[client_id]
