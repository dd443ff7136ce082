"""Use cases of relations. Each takes the forest's lock: no loop, no twin, no link to itself, under races either.

They are serial, with each other and with merges: one made while its ends become one client has to wait.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select, text

from chassis.errors import Conflict, Gone, Invalid, NotFound
from chassis.ids import new_id
from chassis.stamp import check_version, lock, touch
from chassis.uow import UnitOfWork
from contracts import clients as c
from services.clients import fields
from services.clients.commands.merges import lock_forest
from services.clients.commands.shared import check_home, check_new
from services.clients.model import Client, Relation
from services.clients.queries import rows as queries
from services.clients.relating import settle
from services.clients.relations import BY_TYPE, HIERARCHICAL
from services.kit.homes import root_of, row_facts, tree_of
from services.kit.stamps import stamps

ABSENT = "Cette relation n’existe pas."


def create_relation(uow: UnitOfWork, request: c.CreateRelation) -> bytes:
    """Links two clients. Refused: itself, a twin, a loop of a hierarchy."""
    kind, other_is_superior = BY_TYPE[request.body.type]
    superior, inferior = request.home_client_id, request.other_home_id
    if other_is_superior:
        superior, inferior = inferior, superior
    check_new(uow, Relation, request.id)
    check_home(uow, superior)
    check_home(uow, inferior)
    lock_forest(uow)
    _check(uow, superior, inferior, kind.inferior, None)
    row = Relation(
        id=request.id or new_id(),
        home_client_id=superior,
        other_home_client_id=inferior,
        written_client_id=request.written_client_id,
        type=kind.inferior,
        **stamps(uow, request.origin),
    )
    uow.session.add(row)
    uow.session.flush()
    _note(uow, row, "created")
    uow.emit(c.RelationCreated(**_facts(uow, row)))
    return queries.get_relation(uow.session, row.id, request.home_client_id)


def update_relation(uow: UnitOfWork, request: c.UpdateRelation) -> bytes:
    """Changes the type, seen from `client_id`; the ends stay."""
    lock_forest(uow)
    row = _living(uow, request.id)
    check_version(row, request.expected_version)
    kind, other_is_superior = BY_TYPE[request.changes.type]
    here = root_of(uow.session, request.client_id)
    at_home = root_of(uow.session, row.home_client_id) == here
    mine, other = (
        (row.home_client_id, row.other_home_client_id) if at_home else (row.other_home_client_id, row.home_client_id)
    )
    superior, inferior = (other, mine) if other_is_superior else (mine, other)
    if (row.type, row.home_client_id) != (kind.inferior, superior):
        _check(uow, superior, inferior, kind.inferior, row.id)
        row.type, row.home_client_id, row.other_home_client_id = kind.inferior, superior, inferior
        touch(uow, row)
        uow.session.flush()
        settle(uow.session, [root_of(uow.session, row.home_client_id)])
        _note(uow, row, "type")
        uow.emit(c.RelationUpdated(**_facts(uow, row)))
    return queries.get_relation(uow.session, row.id, request.client_id)


def delete_relation(uow: UnitOfWork, request: c.DeleteSub) -> bytes:
    """Takes a link away, its twins (after a merge) with it."""
    lock_forest(uow)
    row = _living(uow, request.id)
    check_version(row, request.expected_version)
    ends = [tree_of(uow.session, end) for end in (row.home_client_id, row.other_home_client_id)]
    twins = (
        select(Relation)
        .where(Relation.type == row.type, Relation.deleted_at.is_(None))
        .where(Relation.home_client_id.in_(ends[0]), Relation.other_home_client_id.in_(ends[1]))
        .order_by(Relation.id)
        .with_for_update()
    )
    for twin in uow.session.scalars(twins).all():
        twin.deleted_at = uow.now
        touch(uow, twin)
        _note(uow, twin, "deleted")
        uow.emit(c.RelationDeleted(**_facts(uow, twin)))
    uow.session.flush()
    # One that waited behind these may be shown now.
    settle(uow.session, {root_of(uow.session, end) for end in (row.home_client_id, row.other_home_client_id)})
    return b"{}"


def restore_relation(uow: UnitOfWork, request: c.RestoreSub) -> bytes:
    """Puts a link back, by the rules of a new one: what was made meanwhile may forbid it."""
    lock_forest(uow)
    row = lock(uow.session, Relation, request.id, ABSENT)
    if not {row.home_client_id, row.other_home_client_id} & set(tree_of(uow.session, request.client_id)):
        raise NotFound(ABSENT)
    if row.deleted_at is not None:
        check_home(uow, row.home_client_id)
        check_home(uow, row.other_home_client_id)
        _check(uow, row.home_client_id, row.other_home_client_id, row.type, row.id)
        row.deleted_at = None
        touch(uow, row)
        uow.session.flush()
        settle(uow.session, [root_of(uow.session, row.home_client_id)])
        _note(uow, row, "restored")
        uow.emit(c.RelationCreated(**_facts(uow, row)))
    return queries.get_relation(uow.session, row.id, request.client_id)


def _note(uow: UnitOfWork, row: Relation, what: str) -> None:
    """A line in the history of both ends: what the other one is, and its name."""
    names = {
        client.id: client.display_name
        for client in uow.session.scalars(
            select(Client).where(Client.id.in_([row.home_client_id, row.other_home_client_id]))
        )
    }
    kind, _ = BY_TYPE[row.type]
    at = row.created_at if what == "created" else uow.now
    for here, other, label in (
        (row.home_client_id, row.other_home_client_id, kind.inferior_label),
        (row.other_home_client_id, row.home_client_id, kind.superior_label),
    ):
        fields.append(uow, here, {f"relations.{what}": f"{label}\u202f: {names.get(other, '')}"}, row_id=row.id, at=at)


def _facts(uow: UnitOfWork, row: Relation) -> dict[str, Any]:
    return {
        **row_facts(uow.session, row),
        "type": row.type,
        "other_home_client_id": row.other_home_client_id,
    }


def _living(uow: UnitOfWork, identifier: uuid.UUID) -> Relation:
    row = lock(uow.session, Relation, identifier, ABSENT)
    if row.deleted_at is not None:
        raise Gone("Cette relation a été supprimée.")
    return row


def _check(uow: UnitOfWork, superior: uuid.UUID, inferior: uuid.UUID, kind: str, but: uuid.UUID | None) -> None:
    top, bottom = root_of(uow.session, superior), root_of(uow.session, inferior)
    if top == bottom:
        raise Invalid.field("other_client_id", "Une fiche ne peut pas être liée à elle-même.")
    # Up from the superior over the hierarchy as it is shown now: meeting the inferior would close a loop.
    loop = """
        WITH RECURSIVE link AS (
            SELECT coalesce(a.root_id, r.home_client_id) AS superior,
            coalesce(b.root_id, r.other_home_client_id) AS inferior
            FROM relation r LEFT JOIN client_alias a ON a.id = r.home_client_id
            LEFT JOIN client_alias b ON b.id = r.other_home_client_id
            WHERE r.deleted_at IS NULL AND r.waits IS NULL AND r.type = ANY(:kinds)
            AND r.id IS DISTINCT FROM CAST(:but AS uuid)
        ), up(id) AS (
            SELECT CAST(:top AS uuid) UNION SELECT link.superior FROM link JOIN up ON link.inferior = up.id
        ) SELECT count(*) FROM up WHERE id = :bottom
    """
    twin = """
        SELECT count(*) FROM relation r LEFT JOIN client_alias a ON a.id = r.home_client_id
        LEFT JOIN client_alias b ON b.id = r.other_home_client_id
        WHERE r.deleted_at IS NULL AND r.type = :kind AND r.id IS DISTINCT FROM CAST(:but AS uuid)
        AND coalesce(a.root_id, r.home_client_id) = :top AND coalesce(b.root_id, r.other_home_client_id) = :bottom
    """
    values = {"top": top, "bottom": bottom, "kinds": list(HIERARCHICAL), "kind": kind, "but": but}
    if uow.session.scalar(text(twin), values):
        raise Conflict("Ces deux fiches sont déjà liées ainsi.", code="relation_exists")
    if kind in HIERARCHICAL and uow.session.scalar(text(loop), values):
        detail = "Cette relation formerait une boucle\u202f: l’autre fiche dépend déjà de celle-ci."
        raise Conflict(detail, code="relation_loop")
