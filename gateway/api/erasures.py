"""Erasing a person (GDPR, article 17): what it would do, the deed, and the list of those done."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, jsonify

from contracts.clients import erasures as e
from contracts.forest import FOLLOWERS, PreviewErasure
from gateway.api.merges import dry_run
from gateway.api.routes import Api, build, json_body, query
from gateway.rpc import Rpc, told_by

TAG = "Effacement"
LAW = (
    "Les factures et les avoirs émis, leurs fichiers, leurs règlements et les devis qui en sont l’origine sont gardés "
    "dix ans (code de commerce, art. L123-22\u202f; livre des procédures fiscales, art. L102 B)."
)


def register(api: Api) -> None:
    """Adds the routes."""

    @api.route(
        "POST",
        "/clients/{client_id}/erase",
        "Efface les données d’une personne, pour toujours",
        tag=TAG,
        body=e.EraseBody,
        answer=e.ErasureView,
        status=202,
        admin=True,
    )
    def erase_client(client_id: UUID) -> Response:
        body = json_body()
        if dry_run():
            return jsonify(preview(api.rpc, client_id))
        return api.send(build(e.EraseClient, {"id": client_id, "body": body}), 202)

    @api.route(
        "GET", "/erasures", "Effacements", tag=TAG, query=e.ListErasures, answer=e.ErasureView, listed=True, admin=True
    )
    def list_erasures() -> Response:
        return api.send(build(e.ListErasures, query()))

    @api.route("GET", "/erasures/{id}", "Un effacement et son avancement", tag=TAG, answer=e.ErasureView, admin=True)
    def get_erasure(id: UUID) -> Response:
        return api.send(e.GetErasure(id=id))


def preview(rpc: Rpc, client_id: UUID) -> dict[str, Any]:
    """What an erasure would blank and what the law keeps, in every service, counted by asking it.

    A service that is away is named: its rows will be blanked when it is back.
    """
    found = rpc.ask_json(e.PreviewErase(id=client_id))
    services: dict[str, Any] = {"clients": {"status": "ok", "blanked": found.pop("blanked"), "kept": {}}}
    calls = [rpc.call(build(PreviewErasure, {"tree": found["tree"]}), service=name) for name in FOLLOWERS]
    services |= told_by(FOLLOWERS, rpc.ask_all(calls), blanked=None, kept=None)
    return {"dry_run": True, **found, "services": services, "law": LAW}
