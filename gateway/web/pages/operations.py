"""What an operator looks at: services alive, how far their logs are read, events put aside."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, g, render_template

from chassis.errors import Forbidden, NotFound
from chassis.settings import SERVICES
from contracts.chassis import Health, ParkedList, ParkedShow
from gateway.event_words import OWNERS, SENTENCES
from gateway.rights import may
from gateway.web.backend import Backend

_EVENT = "/exploitation/evenements/<consumer>/<producer>/<int(signed=True):position>"


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""

    @web.get("/exploitation")
    def operations() -> str:
        _administrator()
        return render_template("operations/page.html", **_state(backend))

    @web.get("/exploitation/etat")
    def operations_state() -> str:
        _administrator()
        return render_template("operations/_state.html", **_state(backend))

    @web.get(_EVENT)
    def parked_event(consumer: str, producer: str, position: int) -> str:
        event = _parked(backend, consumer, producer, position)
        shown = event["event"] if event["raw"] is None else {"octets": event["raw"], "en-têtes": event["event"]}
        text = json.dumps(shown, ensure_ascii=False, indent=2)
        return render_template("operations/event.html", event=event, consumer=consumer, text=text, said=_said(event))

    @web.get(f"{_EVENT}/abandonner")
    def drop_parked_event(consumer: str, producer: str, position: int) -> str:
        event = _parked(backend, consumer, producer, position)
        return render_template("operations/drop.html", event=event, consumer=consumer, said=_said(event))


def _administrator() -> None:
    if not may(g.user, "admin"):
        raise Forbidden("Cette page est réservée aux administrateurs.", code="role")


def _parked(backend: Backend, consumer: str, producer: str, position: int) -> dict[str, Any]:
    _administrator()
    if consumer not in SERVICES:
        raise NotFound("Ce service n’existe pas.")
    found: dict[str, Any] = backend.ask_of(consumer, ParkedShow(producer=producer, position=position))
    return found | {"type": (found["event"] or {}).get("type") if position > 0 else None}


def _said(event: dict[str, Any]) -> str:
    """What an event says, for a person."""
    if not event["type"]:
        return "Message illisible"
    name = str(event["type"]).removeprefix("fiche.").rpartition(".")[0]
    return SENTENCES.get(name, name)


def _state(backend: Backend) -> dict[str, Any]:
    services = [_service(name, told) for name, told in backend.ask_each(Health()).items()]
    # Under one key later events wait behind the first: an operator acts on the sequence.
    parked: dict[tuple[str, str, str], dict[str, Any]] = {}
    for consumer, answer in backend.ask_each(ParkedList()).items():
        for item in answer["items"] if answer else ():
            key = item["ordering_key"] if item["position"] > 0 else str(item["position"])
            first = {**item, "consumer": consumer, "said": _said(item), "of": OWNERS[consumer]}
            parked.setdefault((consumer, item["producer"], key), first)
    return {"services": services, "parked": list(parked.values()), "owners": OWNERS}


def _service(name: str, told: dict[str, Any] | None) -> dict[str, Any]:
    """A row of the table of services."""
    if told is None:
        return {"name": OWNERS[name], "state": ("Indisponible", "unplug", "red")}
    halted = [place for place in told["places"] if place["halted"]]
    rebuilding = any(place["rebuilding"] for place in told["places"])
    state = ("En marche", "circle-check", "green")
    if halted:
        state = ("Lecture arrêtée", "circle-alert", "red")
    elif rebuilding:
        state = ("Relecture en cours", "rotate-cw", "blue")
    behind = [
        {"name": OWNERS.get(reader["name"], reader["name"]), "lag": told["position"] - reader["position"]}
        for reader in told["followers"]
        if reader["position"] < told["position"]
    ]
    return {
        "name": OWNERS[name],
        "service": name,
        "state": state,
        "position": told["position"],
        "waiting": told["position"] - told["published"],
        "behind": sorted(behind, key=lambda reader: -reader["lag"]),
        "readers": len(told["followers"]),
        "parked": told["parked"],
        "halted": halted,
    }
