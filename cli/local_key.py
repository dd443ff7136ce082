"""How the command line of this machine comes into the product that `make run` started here, with nothing to set.

The product keeps an administrator's key and its address in its data folder, in a file for its own account only.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import orjson

from chassis.context import SYSTEM, Context
from chassis.errors import FicheError
from chassis.ids import new_id
from chassis.settings import Settings
from chassis.wire.base import OK, Call, RpcClient
from contracts.accounts import CreateApiKey

_NAME = "Ligne de commande de cette machine"


def _path(settings: Settings) -> Path:
    return settings.data_dir / "cli.json"


def known(settings: Settings) -> tuple[str, str]:
    """`(address, key)` of the product that was last started on this data folder; empty texts when there is none."""
    try:
        told = json.loads(_path(settings).read_text())
        return str(told["url"]), str(told["token"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", ""


def keep(settings: Settings, client: RpcClient, url: str) -> None:
    """At start: writes the address down, and makes the key where the folder has none yet. Raises `FicheError`."""
    path = _path(settings)
    token = known(settings)[1] or _new_key(client)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"url": url, "token": token}, file)
    fresh.replace(path)


def _new_key(client: RpcClient) -> str:
    body = orjson.dumps({"body": {"name": _NAME, "scopes": ["read", "write", "admin"]}})
    headers = Context(SYSTEM, idempotency_key=str(new_id())).headers()
    [answer] = client.call_many([Call("accounts", CreateApiKey.rpc.partition(".")[2], body, headers)], 30)
    if answer.status != OK:
        raise FicheError.from_json(answer.status, answer.body)
    return str(orjson.loads(answer.body)["key"])
