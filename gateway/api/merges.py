"""Merging duplicates, watching it, taking it back (merge-protocol)."""

from __future__ import annotations

from uuid import UUID

from flask import Response, jsonify
from pydantic import Field

from chassis.errors import Invalid
from contracts import clients as c
from contracts.base import Id, Model
from contracts.clients import merges as m
from contracts.forest import Move
from gateway import merging, undoing
from gateway.api.routes import Api, build, json_body, once, query

TAG = "Fusions"


class UndoBody(Model):
    """Body of an undo: rows that change sides with it, and documents that stay where they are, decided."""

    moves: list[Move] = Field(default_factory=list, max_length=5000)
    keep: list[Id] = Field(default_factory=list, max_length=5000)


def register(api: Api) -> None:
    """Adds the routes."""

    @api.route("GET", "/merges", "Fusions", tag=TAG, query=m.ListMerges, answer=m.MergeView, listed=True)
    def list_merges() -> Response:
        return api.send(build(m.ListMerges, query()))

    @api.route("POST", "/merges", "Fusionne deux fiches", tag=TAG, body=m.MergeBody, answer=m.MergeView, status=202)
    def merge_clients() -> Response:
        body = json_body()
        if dry_run():
            given = {name: body.get(name) for name in ("survivor_id", "duplicate_id")}
            return jsonify(merging.preview(api.rpc, build(m.PreviewMerge, given)))
        return api.send(build(m.MergeClients, {"body": body}), 202)

    @api.route("GET", "/merges/{id}", "Une fusion et son avancement", tag=TAG, answer=m.MergeView)
    def get_merge(id: UUID) -> Response:
        return api.send(m.GetMerge(id=id))

    @api.route("POST", "/merges/{id}/undo", "Annule une fusion", tag=TAG, body=UndoBody, answer=m.MergeView, status=202)
    def undo_merge(id: UUID) -> Response:
        body: UndoBody = build(UndoBody, json_body())
        if dry_run():
            return jsonify(undoing.preview(api.rpc, id, body.moves))
        kept = undoing.check_decided(api.rpc, id, body.moves, body.keep)
        return api.send(m.UndoMerge(id=id, moves=body.moves, keep=kept), 202)

    _pairs(api)


def _pairs(api: Api) -> None:
    """Likely pairs of the whole base, and those that somebody found to be two clients."""

    @api.route(
        "GET", "/duplicates", "Doublons probables", tag=TAG, query=c.ListLikelyPairs, answer=c.LikelyPair, listed=True
    )
    def list_likely_pairs() -> Response:
        return api.send(build(c.ListLikelyPairs, query()))

    @api.route("GET", "/duplicates/scan", "Où en est la recherche de doublons", tag=TAG, answer=c.Scan)
    def get_scan() -> Response:
        return api.send(c.GetScan())

    @api.route("POST", "/duplicates/scan", "Compare toutes les fiches", tag=TAG, answer=c.Scan, status=202)
    def start_scan() -> Response:
        json_body()
        return api.send(c.StartScan(), 202)

    path, body = "/clients/{client_id}/distinct", c.DistinctBody

    @api.route("POST", path, "Ce ne sont pas des doublons", tag=TAG, body=body, status=204)
    def mark_distinct(client_id: UUID) -> Response:
        given = json_body()
        other = build(c.DistinctBody, given).other_client_id
        api.rpc.ask(m.NotDuplicates(client_id=client_id, other_id=other))
        return Response(status=204)

    @api.route("DELETE", path + "/{other_client_id}", "Ce sont peut-être des doublons", tag=TAG, status=204)
    def unmark_distinct(client_id: UUID, other_client_id: UUID) -> Response:
        api.rpc.ask(m.NotDuplicates(client_id=client_id, other_id=other_client_id, same=True))
        return Response(status=204)


def dry_run() -> bool:
    """Whether the query string asks what a deed would do. Raises `Invalid` for anything else in it."""
    given = once()
    if given.keys() - {"dry_run"}:
        raise Invalid.field(sorted(given.keys() - {"dry_run"})[0], "Ce champ n’est pas connu.")
    if given.get("dry_run", "false") not in ("true", "false", "1", "0"):
        raise Invalid.field("dry_run", "Écrivez true ou false.")
    return given.get("dry_run") in ("true", "1")
