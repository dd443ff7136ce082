"""The feed of public events: every service's log behind one cursor (for partners who ask rather than are told)."""

from __future__ import annotations

import base64
from typing import Any

import orjson
from flask import Response, request

from chassis.errors import FicheError, Gone, Invalid
from chassis.settings import SERVICES
from chassis.wire.base import OK
from contracts.base import Envelope
from contracts.chassis import LogRead
from gateway.api.routes import Api, reply

TAG = "Événements"


def register(api: Api) -> None:
    """Adds the routes."""

    @api.route("GET", "/events", "Événements publics (after=, types=, limit=)", tag=TAG, answer=Envelope, listed=True)
    def events() -> Response:
        places = _places(request.args.get("after", ""))
        limit = _limit(request.args.get("limit", "50"))
        types = [name for given in request.args.getlist("types") for name in given.split(",") if name] or None
        calls = [api.rpc.call(_asked(places.get(name), limit, types), service=name) for name in SERVICES]
        found: list[tuple[str, str, int, dict[str, Any]]] = []
        pages: dict[str, dict[str, Any]] = {}
        for name, answer in zip(SERVICES, api.rpc.ask_all(calls), strict=True):
            if answer.status == OK:
                pages[name] = orjson.loads(answer.body)
                found += [(e["event"]["time"], name, e["position"], e["event"]) for e in pages[name]["events"]]
            elif answer.status != "unavailable":
                raise _another_log(FicheError.from_json(answer.status, answer.body), name, places)
            # A service that is away keeps its place: its events come with a later page.
        _refuse_pruned(places, pages)
        shown = _merge(found, limit)
        for name, page in pages.items():
            mine = [position for _, owner, position, _ in shown if owner == name]
            left = len(page["events"]) - len(mine)
            before = places.get(name, ("", 0))[1]
            places[name] = (page["log_id"], page["upto"] if not left else max(mine, default=before))
        items = [{**event, "sequence": position} for _, _, position, event in shown]
        return reply(orjson.dumps({"items": items, "next": _cursor(places)}))


def _refuse_pruned(places: dict[str, tuple[str, int]], pages: dict[str, dict[str, Any]]) -> None:
    """Raises `Gone` where what follows the cursor was pruned: what is missing must not be missing in silence."""
    pruned = [name for name, page in pages.items() if name in places and page["first"] > places[name][1] + 1]
    if pruned:
        left = places | {name: (pages[name]["log_id"], pages[name]["first"] - 1) for name in pruned}
        raise Gone(
            f"Des événements qui suivent ce curseur ont été retirés ({', '.join(pruned)}). Relisez par l’API ce que "
            "vous suivez, puis reprenez avec le curseur « restart ».",
            code="events_pruned",
            data={"services": pruned, "restart": _cursor(left)},
        )


def _another_log(refusal: FicheError, name: str, places: dict[str, tuple[str, int]]) -> FicheError:
    """What a cursor of a log that is no more meets; any other refusal as it is."""
    if refusal.code != "other_log":
        return refusal
    left = {other: place for other, place in places.items() if other != name}
    return Gone(
        f"Les données de {name} ont été restaurées d’une sauvegarde\u202f: ce curseur n’y mène plus. Relisez par l’API "
        "ce que vous suivez, puis reprenez avec le curseur « restart ».",
        code="log_restored",
        data={"services": [name], "restart": _cursor(left)},
    )


def _merge(found: list[tuple[str, str, int, dict[str, Any]]], limit: int) -> list[Any]:
    """The first `limit` by time, never one of a log before an earlier one of the same log."""
    latest: dict[str, str] = {}
    keyed = []
    for time, name, position, event in found:
        # Clocks may step back; a log's own order may not.
        latest[name] = max(time, latest.get(name, ""))
        keyed.append((latest[name], name, position, event))
    return sorted(keyed, key=lambda row: row[:3])[:limit]


def _asked(place: tuple[str, int] | None, limit: int, types: list[str] | None) -> LogRead:
    values: dict[str, Any] = {"after": place[1] if place else 0, "limit": limit, "public_only": True}
    if place:
        values["log_id"] = place[0]
    if types is not None:
        values["types"] = types
    return LogRead.model_validate(values)


def _limit(given: str) -> int:
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= 200:
        raise Invalid.field("limit", "Donnez un nombre de 1 à 200.")
    return int(given)


def _cursor(places: dict[str, tuple[str, int]]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(places)).decode().rstrip("=")


def _places(cursor: str) -> dict[str, tuple[str, int]]:
    """Places in the logs, by service. Raises `Invalid` for what is no cursor of ours."""
    if not cursor:
        return {}
    try:
        raw = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        places = {str(name): (str(log_id), int(position)) for name, (log_id, position) in raw.items()}
        for log_id, position in places.values():
            LogRead.model_validate({"log_id": log_id, "after": position})
    except (ValueError, TypeError, AttributeError):
        raise Invalid.field("after", "Ce curseur n’est pas de ceux que cette liste a donnés.") from None
    return {name: place for name, place in places.items() if name in SERVICES}
