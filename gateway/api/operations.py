"""What operators see and do: services, parked events, copies rebuilt, logs pruned."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, jsonify

from chassis.errors import Invalid
from chassis.settings import SERVICES
from chassis.wire.base import OK
from contracts.chassis import Health, LogPrune, ParkedAct, ParkedList, ParkedShow, Rebuild
from gateway.api.routes import Api, build, json_body, reply
from gateway.auth import require_admin


def register(api: Api) -> None:
    """Adds the routes."""
    tag = "Exploitation"

    @api.route("GET", "/operations/services", "État des services", tag=tag, admin=True)
    def operations_services() -> Response:
        answers = api.rpc.ask_all([api.rpc.call(Health(), service=name) for name in SERVICES])
        items = [
            {**orjson.loads(answer.body), "status": "ok"}
            if answer.status == OK
            else {"service": name, "status": "unavailable"}
            for name, answer in zip(SERVICES, answers, strict=True)
        ]
        return jsonify({"items": items, "next": None})

    @api.route("GET", "/operations/dead-letters", "Événements rangés à part", tag=tag, admin=True)
    def operations_dead_letters() -> Response:
        items: list[dict[str, Any]] = []
        away: list[str] = []
        answers = api.rpc.ask_all([api.rpc.call(ParkedList(), service=name) for name in SERVICES])
        for name, answer in zip(SERVICES, answers, strict=True):
            if answer.status == OK:
                items += [{**item, "consumer": name} for item in orjson.loads(answer.body)["items"]]
            else:
                away.append(name)
        return jsonify({"items": items, "next": None, "away": away})

    def show(consumer: str, producer: str, position: int) -> Response:
        require_admin()
        return reply(api.rpc.ask(ParkedShow(producer=producer, position=position), service=_service(consumer)))

    def act(consumer: str, producer: str, position: int, action: str) -> Response:
        require_admin()
        reason = str(json_body().get("reason", ""))
        asked = build(ParkedAct, {"action": action, "producer": producer, "position": position, "reason": reason})
        return reply(api.rpc.ask(asked, service=_service(consumer)))

    base = "/operations/dead-letters/<consumer>/<producer>/<int(signed=True):position>"
    api.blueprint.add_url_rule(base, "dead_letter", show, methods=["GET"])
    api.blueprint.add_url_rule(f"{base}/<any(replay,drop):action>", "dead_letter_act", act, methods=["POST"])

    def rebuild(service: str) -> Response:
        require_admin()
        name, producer = _service(service), str(json_body().get("producer") or "")
        followed = [place["producer"] for place in api.rpc.ask_json(Health(), service=name)["places"]]
        producers = [producer] if producer else followed
        asked = [api.rpc.ask_json(build(Rebuild, {"producer": each}), service=name) for each in producers]
        return jsonify({"items": asked})

    def prune(service: str) -> Response:
        require_admin()
        return reply(api.rpc.ask(build(LogPrune, json_body()), service=_service(service)))

    path = "/operations/projections/<service>/rebuild"
    api.blueprint.add_url_rule(path, "rebuild_projections", rebuild, methods=["POST"])
    api.blueprint.add_url_rule("/operations/logs/<service>/prune", "prune_log", prune, methods=["POST"])


def _service(name: str) -> str:
    if name not in SERVICES:
        raise Invalid.field("consumer", "Ce service n’existe pas.")
    return name
