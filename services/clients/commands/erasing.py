"""Erasing a person: the whole tree of a record, for good (GDPR, article 17; merge-protocol, *Erase a person*).

Ids, references, edges and who did what stay. Lock order: the forest, then records by id, then their rows, then the log.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from chassis.errors import Invalid
from chassis.ids import new_id
from chassis.uow import UnitOfWork
from contracts import clients as c
from contracts.clients import erasures as e
from contracts.forest import ERASERS
from services.clients.commands.merges import acting, lock_forest, lock_records, move_forest
from services.clients.model import KINDS, Base, Client, Erasure, Relation
from services.clients.queries import erasures as queries
from services.clients.text import fold
from services.kit.erasure import Taken, count_rows, erase_rows, takers
from services.kit.homes import row_facts, tree_of

#: Field → key under which events tell it; the others are told of no client.
_TOLD = dict.fromkeys(("first_name", "last_name", "company_name", "own_name"), "display_name") | {
    each: each for each in ("email", "phone", "siret", "vat_number")
}
#: Why a record is erased that nobody restored.
PURGED = "Fiche supprimée, délai de restauration écoulé."


def erase_client(uow: UnitOfWork, request: e.EraseClient) -> bytes:
    """Erases a person. Raises `NotFound`, `Conflict`, `Gone`, `Invalid` where the name typed back is another."""
    forest = lock_forest(uow)
    row = queries.check_erasable(uow.session, lock_records(uow, [request.id]).get(request.id))
    given = request.body.name
    if given is not None and fold(given) != fold(row.display_name):
        raise Invalid.field("name", "Ce n’est pas le nom de la fiche\u202f: recopiez-le tel qu’il est affiché.")
    return queries.get_erasure(uow.session, _erase(uow, row, forest, request.body.reason))


def purge_one(uow: UnitOfWork) -> bool:
    """Erases one record that was deleted too long ago to be restored. False where there is none."""
    settings = uow.database.settings
    limit = uow.now - timedelta(days=max(settings.purge_days, settings.undo_days))
    found = uow.session.scalar(
        text(
            "SELECT c.id FROM client c WHERE c.deleted_at < :limit AND c.merged_into IS NULL "
            "AND NOT EXISTS (SELECT 1 FROM erased_client e WHERE e.id = c.id) ORDER BY c.deleted_at LIMIT 1"
        ),
        {"limit": limit},
    )
    if found is None:
        return False
    forest = lock_forest(uow)
    row = lock_records(uow, [found])[found]
    # Another replica, or somebody who restored or merged it, may have been quicker.
    erased = uow.session.scalar(text("SELECT 1 FROM erased_client WHERE id = :id"), {"id": found})
    if row.deleted_at is not None and row.deleted_at < limit and row.merged_into is None and erased is None:
        _erase(uow, row, forest, PURGED)
    return True


def _erase(uow: UnitOfWork, row: Client, forest: int, reason: str) -> uuid.UUID:
    session = uow.session
    tree = tree_of(session, row.id)
    lock_records(uow, tree)
    counts, _ = count_rows(session, Base, KINDS, tree)
    reference = row.reference
    words = _words(uow, tree)
    relations = session.scalars(
        select(Relation).where(
            Relation.deleted_at.is_(None),
            Relation.home_client_id.in_(tree) | Relation.other_home_client_id.in_(tree),
        )
    ).all()
    parted = [
        c.RelationDeleted(
            **row_facts(session, each), type=each.type, other_home_client_id=each.other_home_client_id
        )
        for each in relations
    ]  # fmt: skip
    erase_rows(session, Base, tree)
    _forget_words(uow, words)
    known = set(session.execute(text("SELECT name FROM event_consumer")).scalars())
    erasure = Erasure(
        id=new_id(),
        client_id=tree[0],
        tree=[str(each) for each in tree],
        reference=reference,
        reason=reason,
        actor=acting(uow),
        erased_at=uow.now,
        forest=forest,
        counts=counts | {"client": len(tree)},
        waits_for=[c.OWNER, *(service for service in ERASERS if service in known)],
    )
    session.add(erasure)
    move_forest(uow, forest)
    session.flush()
    uow.emit(*parted, c.ClientErased(forest=forest, client_id=tree[0], tree=tree))
    return erasure.id


def _words(uow: UnitOfWork, tree: Sequence[uuid.UUID]) -> list[str]:
    """Words that the persons are or were found by."""
    found = uow.session.execute(
        text(
            "SELECT search FROM client WHERE id = ANY(:tree) UNION ALL "
            "SELECT value->>'v' FROM client_field_write WHERE client_id = ANY(:tree) AND row_id IS NULL AND field IN "
            "('first_name', 'last_name', 'company_name', 'own_name', 'reference', 'registration_number')"
        ),
        {"tree": list(tree)},
    ).scalars()
    return sorted({word for each in found for form in (each or "", fold(each or "")) for word in form.split()})


def _forget_words(uow: UnitOfWork, words: list[str]) -> None:
    """Takes away the words that nobody else is found by."""
    uow.session.execute(
        text(
            "DELETE FROM search_word k WHERE k.word = ANY(:words) AND NOT EXISTS "
            "(SELECT 1 FROM client c WHERE string_to_array(c.search, ' ') @> ARRAY[k.word])"
        ),
        {"words": words},
    )


def taken_over(session: Session, erased: Sequence[uuid.UUID]) -> list[Taken]:
    """What other records said of these until the merge by which they had it over was undone."""
    # Where the log no longer goes back so far, nothing is left of before.
    told = text(
        "SELECT coalesce(min(l.position) FILTER (WHERE l.type = :merged), 0) AS first, "
        "coalesce(max(l.position) FILTER (WHERE l.type = :undone), 0) AS before "
        "FROM event_log l JOIN merge m ON l.subject IN (m.survivor_id::text, m.duplicate_id::text) "
        "WHERE m.id = ANY(:merges) AND l.type IN (:merged, :undone) "
        "AND l.event::json->'data'->>'merge_id' = m.id::text"
    )
    types = {"merged": c.ClientMerged.event_type(), "undone": c.ClientMergeUndone.event_type()}
    found = []
    for record, fields in takers(session, "client_field_write", "client_id", erased).items():
        keys = frozenset(_TOLD[field] for field in fields if field in _TOLD)
        row = session.execute(told, types | {"merges": list(set().union(*fields.values()))}).one()
        found.append(Taken(record, keys, row.first, row.before))
    return found


def reached(uow: UnitOfWork, service: str, forest: int) -> None:
    """A service has nothing left of anybody erased up to a version: neither rows nor files."""
    uow.session.execute(
        text(
            "UPDATE erasure SET waits_for = waits_for - CAST(:service AS text) "
            "WHERE forest <= :forest AND waits_for ? CAST(:service AS text)"
        ),
        {"service": service, "forest": forest},
    )
