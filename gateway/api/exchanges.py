"""What was said with a client and where it is: activities by filter, memo, what uses an address, what was removed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from flask import Response

from chassis.errors import Conflict, FicheError, Unavailable
from chassis.wire.base import OK
from contracts import billing, equipment, interventions, maintenance
from contracts import clients as c
from contracts.uses import CountAddressUses
from gateway.api.routes import Api, build, if_match, json_body, once, query, reply
from gateway.door import Home
from gateway.rpc import Rpc

TAG = "Clients"
#: Owners of what may name an address, and the kinds that each counts.
_OWNERS: tuple[tuple[type[CountAddressUses], tuple[str, ...]], ...] = (
    (equipment.AddressUses, ("equipment",)),
    (interventions.AddressUses, ("interventions", "job_sites")),
    (maintenance.AddressUses, ("maintenance_plans",)),
    (billing.AddressUses, ("quotes", "invoices", "credit_notes", "billing")),
)
#: Kind → how a person says one and several of them.
_SAID = {
    "equipment": ("équipement", "équipements"),
    "interventions": ("intervention", "interventions"),
    "job_sites": ("chantier", "chantiers"),
    "maintenance_plans": ("plan de maintenance", "plans de maintenance"),
    "quotes": ("devis", "devis"),
    "invoices": ("facture", "factures"),
    "credit_notes": ("avoir", "avoirs"),
    "billing": ("adresse de facturation", "adresses de facturation"),
}


def register(api: Api) -> None:
    """Adds the routes."""
    _activities(api)
    _memo(api)
    _addresses(api)


def _activities(api: Api) -> None:
    path = "/clients/{client_id}/activities"

    @api.route("GET", path, "Les échanges", tag=TAG, query=c.ListActivities, answer=c.ActivityView, listed=True)
    def list_activities(client_id: UUID) -> Response:
        home = api.door().home(client_id, follow=False)
        values: dict[str, Any] = {**once(but=("kind",)), "client_id": home.root}
        for name in ("from", "to"):
            if name in values:
                values[f"{name}_day"] = values.pop(name)
        return api.send(build(c.ListActivities, values))


def _memo(api: Api) -> None:
    path = "/clients/{client_id}/memo"

    @api.route("GET", path, "Le mémo", tag=TAG, answer=c.MemoView)
    def get_memo(client_id: UUID) -> Response:
        return api.send(c.GetMemo(client_id=client_id))

    @api.route("PUT", path, "Écrit le mémo", tag=TAG, body=c.MemoBody, answer=c.MemoView)
    def set_memo(client_id: UUID) -> Response:
        values = {**json_body(), "client_id": client_id, "expected_version": if_match()}
        return api.send(build(c.SetMemo, values))

    @api.route(
        "GET", path + "/versions", "Ses textes", tag=TAG, query=c.MemoVersions, answer=c.MemoVersion, listed=True
    )
    def memo_versions(client_id: UUID) -> Response:
        return api.send(build(c.MemoVersions, query(client_id=client_id)))


def _addresses(api: Api) -> None:
    path = "/clients/{client_id}/addresses"

    @api.route("GET", path + "/uses", "Ce qui se sert de chaque adresse", tag=TAG)
    def address_uses(client_id: UUID) -> Response:
        home = api.door().home(client_id, follow=False)
        return reply(orjson.dumps(uses_of(api.rpc, home)))

    @api.route("DELETE", path + "/{sub_id}", "Retire une adresse dont rien ne se sert", tag=TAG, status=204)
    def delete_address(client_id: UUID, sub_id: UUID) -> Response:
        home = api.door().home(client_id)
        api.rpc.ask(c.GetSub(kind="addresses", id=sub_id, client_id=home.root))
        check_unused(api.rpc, sub_id)
        api.rpc.ask(c.DeleteSub(kind="addresses", id=sub_id, expected_version=if_match(required=False)))
        return Response(status=204)

    @api.route("POST", path + "/{sub_id}/promote", "En fait la principale", tag=TAG, answer=c.AddressView)
    def promote_address(client_id: UUID, sub_id: UUID) -> Response:
        json_body()
        home = api.door().home(client_id)
        api.rpc.ask(c.GetSub(kind="addresses", id=sub_id, client_id=home.root))
        return api.send(c.PromoteAddress(id=sub_id))


def uses_of(rpc: Rpc, home: Home) -> dict[str, Any]:
    """What uses each address of a client: `{"uses": {address id: {kind: count}}, "unavailable": [kinds unknown]}`."""
    ids: list[str] = []
    cursor: str | None = None
    while len(ids) < 500:
        page = rpc.ask_json(c.ListSub(kind="addresses", client_id=home.root, limit=200, cursor=cursor))
        ids += [row["id"] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    uses, away = _ask(rpc, ids[:500], home.tree)
    return {"uses": uses, "unavailable": away}


def check_unused(rpc: Rpc, address_id: UUID) -> None:
    """Raises `Conflict` (`address_used`, with what uses it) or `Unavailable` when an owner cannot say."""
    uses, away = _ask(rpc, [str(address_id)], None)
    found = uses.get(str(address_id), {})
    if found:
        said = ", ".join(f"{count} {_SAID[kind][count > 1]}" for kind, count in sorted(found.items()))
        raise Conflict(
            f"Cette adresse sert encore ({said}). Retirez-la plutôt\u202f: elle reste lisible là où elle sert.",
            code="address_used",
            data={"uses": found},
        )
    if away:
        raise Unavailable("Impossible de savoir si cette adresse sert encore. Réessayez dans un instant.")


def _ask(rpc: Rpc, ids: list[str], tree: list[UUID] | None) -> tuple[dict[str, dict[str, int]], list[str]]:
    """Every owner at once. Returns the counts by address, and the kinds that nobody could count."""
    if not ids:
        return {}, []
    values = {"ids": ids} if tree is None else {"ids": ids, "tree": tree}
    answers = rpc.ask_all([rpc.call(kind.model_validate(values)) for kind, _ in _OWNERS])
    uses: dict[str, dict[str, int]] = {}
    away: list[str] = []
    for (_, kinds), answer in zip(_OWNERS, answers, strict=True):
        if answer.status != OK:
            if answer.status != Unavailable.kind:
                raise FicheError.from_json(answer.status, answer.body)
            away += kinds
            continue
        for address, counts in orjson.loads(answer.body)["uses"].items():
            uses.setdefault(address, {}).update(counts)
    return uses, away
