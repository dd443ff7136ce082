"""The history of a client: its record's and its rows' from `clients`, its billing details' from `billing`, as one.

Each owner keeps its own lines; a page is made of both by their moments, and its cursor says how far each was read.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any
from uuid import UUID

import orjson

from chassis.errors import Invalid
from chassis.wire.base import OK
from contracts.billing import DetailsHistory
from contracts.clients import History
from gateway.rights import allowed
from gateway.rpc import Rpc

#: How many lines a page has, unless asked otherwise.
LIMIT = 50


def history_page(
    rpc: Rpc, client_id: UUID, tree: list[UUID], *, limit: int = LIMIT, cursor: str | None = None
) -> dict[str, Any]:
    """`{"items", "next", "unavailable"}`, newest first. `unavailable` names what `billing` could not tell.

    While `billing` is away its lines wait: the cursor leaves its place where it was.
    """
    places = _places(cursor)
    # Who may not see what is billed sees the rest.
    billed = allowed(rpc.user, DetailsHistory)
    calls = [rpc.call(History(client_id=client_id, limit=limit, before=places[0]))]
    if billed:
        calls.append(rpc.call(DetailsHistory(tree=tree, limit=limit, before=places[1])))
    answers = rpc.ask_all(calls)
    pages = [orjson.loads(rpc.unwrap(answers[0]))]
    away = billed and answers[1].status != OK
    pages.append(orjson.loads(answers[1].body) if billed and not away else {"items": [], "next": None})
    lines = [page["items"] for page in pages]
    at, items = [0, 0], []
    while len(items) < limit:
        heads = [n for n in (0, 1) if at[n] < len(lines[n])]
        if not heads:
            break
        newest = max(heads, key=lambda n: lines[n][at[n]]["at"])
        line = lines[newest][at[newest]]
        at[newest] += 1
        places[newest] = line["seq"]
        items.append(line)
    more = any(at[n] < len(lines[n]) or pages[n]["next"] for n in (0, 1))
    return {"items": items, "next": _cursor(places) if more else None, "unavailable": ["billing"] if away else []}


def _cursor(places: list[int | None]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(places)).decode().rstrip("=")


def _places(cursor: str | None) -> list[int | None]:
    if not cursor:
        return [None, None]
    try:
        places = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        one, other = places
        if not all(each is None or (isinstance(each, int) and 0 < each < 2**63) for each in (one, other)):
            raise ValueError(cursor)
    except (ValueError, TypeError, binascii.Error, orjson.JSONDecodeError):
        raise Invalid.field("cursor", "Ce curseur n’est pas valable pour cette liste.") from None
    return [one, other]
