"""The first sign-in of a new product."""

from __future__ import annotations

import orjson

from chassis.context import SYSTEM, Context
from chassis.errors import FicheError
from chassis.settings import Settings
from chassis.wire.base import OK, Call, RpcClient
from contracts.accounts import Bootstrap


def first_sign_in(client: RpcClient, settings: Settings) -> str | None:
    """At start: the administrator exists, the bootstrap key is known. Returns the path of a one-time link, or None."""
    body = orjson.dumps({"token": settings.bootstrap_token, "link": not settings.bootstrap_token})
    [answer] = client.call_many(
        [Call("accounts", Bootstrap.rpc.partition(".")[2], body, Context(SYSTEM).headers())], 30
    )
    if answer.status != OK:
        raise FicheError.from_json(answer.status, answer.body)
    token = orjson.loads(answer.body)["link_token"]
    return f"/connexion/{token}" if token else None
