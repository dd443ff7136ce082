"""Likely pairs of the whole base, both records side by side; and what a fiche says of its own."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, g, render_template, request
from pydantic import ValidationError

from chassis.service import invalid_from
from contracts import clients
from gateway.rights import may
from gateway.web.backend import Backend

PAGE = 25
#: Score from which on it is called so.
LIKELY = ((0.85, "Très probable", "sure"), (0.65, "Probable", "probable"), (0.0, "Possible", "possible"))
#: Of reasons, those that one filters by.
FILTERED = ("siret", "email", "phone", "name", "close_name", "street")


def likely(score: float) -> tuple[str, str]:
    """A score in words, and its class."""
    return next((word, name) for least, word, name in LIKELY if score >= least)


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""
    web.app_template_filter("likely")(likely)

    @web.get("/doublons")
    def duplicates() -> str:
        shown = {name: request.args[name] for name in ("reason", "min_score") if request.args.get(name)}
        asked: dict[str, Any] = {**shown, "counted": True, "limit": PAGE}
        if request.args.get("cursor"):
            asked["cursor"] = request.args["cursor"]
        try:
            question = clients.ListLikelyPairs.model_validate(asked)
        except ValidationError as error:
            raise invalid_from(error) from None
        page = backend.ask(question)
        following = shown | {"cursor": page["next"]}
        return render_template(
            "duplicates/list.html",
            page=page,
            scan=backend.ask(clients.GetScan()),
            args=shown,
            first_url="/doublons?" + urlencode(shown) if shown else "/doublons",
            next_url="/doublons?" + urlencode(following) if page["next"] else "",
            later="cursor" in asked,
            reasons=clients.REASONS,
            choices={
                "reason": [(name, clients.REASONS[name], None) for name in FILTERED],
                "min_score": [(str(least), word, None) for least, word, _ in LIKELY[:2]],
            },
        )

    @web.get("/doublons/suivi")
    def duplicates_progress() -> str:
        return render_template("duplicates/_scan.html", scan=backend.ask(clients.GetScan()), asked=True)


def alike(backend: Backend, fiche: dict[str, Any]) -> dict[str, Any]:
    """Likely duplicates of the client whose fiche is shown, for who may merge them."""
    if not may(g.user, "merge"):
        return {}
    own = fiche["client"]["id"]
    [found] = backend.ask_all([clients.ListLikelyPairs(client_id=own, min_score=LIKELY[1][0], limit=3)])
    others = [
        next(side for side in pair["clients"] if side["id"] != own) | {"reasons": pair["reasons"]}
        for pair in (found or {"items": []})["items"]
    ]
    return {"alike": others, "reasons": clients.REASONS}
