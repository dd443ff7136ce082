"""Pairs that were looked at and found to be two clients: they are not proposed again."""

from __future__ import annotations

import uuid

from sqlalchemy import text

from chassis.errors import Invalid
from chassis.uow import UnitOfWork
from contracts.clients import merges as m
from services.clients.commands import pairs
from services.clients.commands.shared import check_home


def not_duplicates(uow: UnitOfWork, request: m.NotDuplicates) -> bytes:
    """Remembers a pair, or forgets it. Raises `NotFound`, `Gone`, `Invalid`."""
    if request.client_id == request.other_id:
        raise Invalid.field("other_id", "Choisissez deux fiches différentes.")
    for record in (request.client_id, request.other_id):
        check_home(uow, record)
    if request.same:
        uow.session.execute(
            text("DELETE FROM not_duplicate WHERE low_id = :low AND high_id = :high"),
            _pair(request.client_id, request.other_id),
        )
        pairs.relate_now(uow.session, [request.client_id, request.other_id])
    else:
        remember(uow, request.client_id, request.other_id)
        uow.session.execute(
            text("DELETE FROM likely_pair WHERE low_id = :low AND high_id = :high"),
            _pair(request.client_id, request.other_id),
        )
    return b"{}"


def remember(uow: UnitOfWork, one: uuid.UUID, other: uuid.UUID) -> None:
    """Keeps that two records are two clients."""
    uow.session.execute(
        text(
            'INSERT INTO not_duplicate (low_id, high_id, at, "by") VALUES (:low, :high, :at, '
            "json_build_object('id', CAST(:id AS text), 'name', CAST(:name AS text))) ON CONFLICT DO NOTHING"
        ),
        _pair(one, other) | {"at": uow.now, "id": uow.context.actor.id, "name": uow.context.actor.name},
    )


def _pair(one: uuid.UUID, other: uuid.UUID) -> dict[str, object]:
    low, high = sorted((one, other))
    return {"low": low, "high": high}
