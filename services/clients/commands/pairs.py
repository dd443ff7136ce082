"""Likely pairs of the whole base, kept as the records change.

Triggers write down which records changed, whoever changed them (`likeness_due`); here they are read again, a batch a
transaction, one batch at a time whatever the number of replicas. A scan writes all of them down: first all are read,
then all are compared, each two once. What was begun goes on after a restart, since what is left is a table.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable

import orjson
import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import FicheError
from chassis.ids import new_id
from chassis.uow import UnitOfWork
from contracts import clients as c
from services.clients.likeness.finding import Asked, alike, kept, stored, trees
from services.clients.queries import duplicates
from services.clients.queries import pairs as queries

log = structlog.get_logger(__name__)

#: Records of a transaction: small, so that nobody waits long who needs what is compared now (`relate_now`); a scan,
#: whose records cost less each, takes so many times as many.
BATCH, OF_SCAN = 40, 5
#: Changes that are due from which on they are worked off as a scan, where they are a third of all clients: after an
#: import, which a scan gets through in a fraction of the time, each two compared once.
FLOOD = 2_000
#: Seconds that one run works; the next begins within a second, and a service that stops waits no longer.
SLICE_S = 4.0
_LOCK = 0x466C696B
#: Why a record is due: it changed; a scan reads it; a scan compares it.
_CHANGED, _READ, _COMPARED = 0, 1, 2
_ROWS = (
    "WITH r AS MATERIALIZED (SELECT * FROM json_to_recordset(CAST(:rows AS json)) "
    "AS r(id uuid, name text, keys text[], facts jsonb)), "
    "k AS MATERIALIZED (SELECT u.key, r.id FROM r, unnest(r.keys) AS u(key))"
)
_GONE = (
    _ROWS
    + ", nobody AS (DELETE FROM likeness WHERE record_id = ANY(:records) AND record_id NOT IN (SELECT id FROM r)) "
    "DELETE FROM likeness_key WHERE record_id = ANY(:records) AND (key, record_id) NOT IN (SELECT key, id FROM k)"
)
_READ_NOW = (
    _ROWS + ", facts AS (INSERT INTO likeness (record_id, name, facts) SELECT id, name, facts FROM r "
    "ON CONFLICT (record_id) DO UPDATE SET name = excluded.name, facts = excluded.facts "
    "WHERE (likeness.name, likeness.facts) IS DISTINCT FROM (excluded.name, excluded.facts)) "
    "INSERT INTO likeness_key (key, record_id) SELECT key, id FROM k ON CONFLICT DO NOTHING"
)


def start_scan(uow: UnitOfWork, request: c.StartScan) -> bytes:
    """Has every client read and compared again. One scan at a time: where one runs, it is the answer."""
    session = uow.session
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if not _scans(session):
        _begin(uow)
    return queries.get_scan(session)


def _scans(session: Session) -> bool:
    return bool(session.scalar(text("SELECT 1 FROM duplicate_scan WHERE finished_at IS NULL")))


def _begin(uow: UnitOfWork) -> None:
    uow.session.execute(
        text(
            "WITH due AS (INSERT INTO likeness_due (rank, record_id) "
            "SELECT r.rank, c.id FROM client c, (VALUES (:read), (:compared)) AS r(rank) "
            "WHERE c.deleted_at IS NULL AND (r.rank = :read OR c.merged_into IS NULL) "
            "ORDER BY r.rank, c.id RETURNING 1) "
            "INSERT INTO duplicate_scan (id, total, started_at, started_by) SELECT :id, count(*), :now, "
            "json_build_object('id', CAST(:actor AS text), 'name', CAST(:name AS text)) FROM due"
        ),
        {
            "id": new_id(),
            "now": uow.now,
            "actor": uow.context.actor.id,
            "name": uow.context.actor.name,
            "read": _READ,
            "compared": _COMPARED,
        },
    )


def scan_a_flood(uow: UnitOfWork) -> None:
    """Begins a scan in the place of so many changes that it is the shorter way; what it does not reach stays due."""
    session = uow.session
    if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}) or _scans(session):
        return
    due = session.scalar(
        text("SELECT count(*) FROM (SELECT FROM likeness_due WHERE rank = :changed LIMIT :flood) AS d"),
        {"changed": _CHANGED, "flood": FLOOD},
    )
    if due < FLOOD:
        return
    changed, clients = session.execute(
        text(
            "SELECT (SELECT count(*) FROM likeness_due WHERE rank = :changed), "
            "(SELECT count(*) FROM client WHERE deleted_at IS NULL)"
        ),
        {"changed": _CHANGED},
    ).one()
    if changed * 3 >= clients:
        session.execute(
            text(
                "DELETE FROM likeness_due d USING client c WHERE d.rank = :changed AND c.id = d.record_id "
                "AND c.deleted_at IS NULL AND c.merged_into IS NULL"
            ),
            {"changed": _CHANGED},
        )
        _begin(uow)


def follow(uow: UnitOfWork) -> None:
    """Works off what is due, for one slice."""
    until = time.monotonic() + SLICE_S
    uow.run(None, lambda: scan_a_flood(uow))
    while time.monotonic() < until:
        try:
            more = uow.run(None, lambda: step(uow, BATCH))
        except FicheError:
            # The database is away or crowded: what is due waits.
            raise
        except Exception:
            # One record must not keep all others: each of the batch alone, and one that cannot be read is left.
            log.exception("likeness.batch_failed")
            for _ in range(BATCH):
                _one(uow)
            more = True
        if not more:
            return


def _one(uow: UnitOfWork) -> None:
    try:
        uow.run(None, lambda: step(uow, 1))
    except FicheError:
        raise
    except Exception:
        log.exception("likeness.record_failed")
        uow.run(None, lambda: _take(uow.session, 1))


def step(uow: UnitOfWork, size: int) -> bool:
    """Works off one batch; whether there may be more."""
    session = uow.session
    if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}):
        return False
    rank, records = _take(session, size)
    if not records:
        session.execute(
            text("UPDATE duplicate_scan SET finished_at = :now WHERE finished_at IS NULL"), {"now": uow.now}
        )
        return False
    if rank != _COMPARED:
        read(session, records)
    if rank != _READ:
        relate(session, records, onward=rank == _COMPARED)
    return True


def _take(session: Session, size: int) -> tuple[int, list[uuid.UUID]]:
    """Takes the next that are due, changes first."""
    rows = session.execute(
        text(
            "DELETE FROM likeness_due WHERE (rank, seq) IN (SELECT rank, seq FROM likeness_due "
            "WHERE rank = (SELECT min(rank) FROM likeness_due) ORDER BY seq LIMIT "
            "CASE WHEN :size > 1 AND (SELECT min(rank) FROM likeness_due) > 0 THEN :size * :of_scan ELSE :size END) "
            "RETURNING rank, record_id"
        ),
        {"size": size, "of_scan": OF_SCAN},
    ).all()
    return (rows[0].rank if rows else 0), sorted({row.record_id for row in rows})


def relate_now(session: Session, records: list[uuid.UUID]) -> None:
    """Compares records at once, for whoever looks at their pairs next."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    read(session, records)
    relate(session, records)


def find_among(uow: UnitOfWork, request: c.FindAmong) -> c.FoundAmong:
    """Reads these clients at once, so that those written together know each other, and compares them."""
    uow.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    read(uow.session, request.ids)
    return duplicates.of_each(uow.session, request.ids, request.min_score)


def read(session: Session, records: Iterable[uuid.UUID]) -> None:
    """Brings what records are known by up to date; what is so already is not written again."""
    given = list(records)
    rows = [
        {"id": str(record), "name": each.name, "keys": sorted(each.keys | each.doors)}
        | {"facts": orjson.loads(each.to_json())}
        for record, each in stored(session, given).items()
    ]
    params = {"records": given, "rows": orjson.dumps(rows).decode()}
    session.execute(text(_GONE), params)
    session.execute(text(_READ_NOW), params)


def relate(session: Session, records: Iterable[uuid.UUID], *, onward: bool = False) -> None:
    """Compares the clients that these records mean with all others; replaces their pairs.

    `onward`: only with those of a higher id, as a scan does, which comes to the others as well.
    """
    given = list(records)
    rows = session.execute(
        text(
            "SELECT DISTINCT coalesce(a.root_id, r.id) AS root FROM unnest(CAST(:records AS uuid[])) AS r(id) "
            "LEFT JOIN client_alias a ON a.id = r.id"
        ),
        {"records": given},
    )
    of_root = trees(session, [row.root for row in rows])
    session.execute(
        text("DELETE FROM likely_pair WHERE low_id = ANY(:ids)" + ("" if onward else " OR high_id = ANY(:ids)")),
        {"ids": sorted({*given, *of_root})},
    )
    known = kept(session, of_root)
    asked = [Asked(known[root], tuple(tree)) for root, tree in of_root.items() if root in known]
    found = {
        tuple(sorted((one.root, other))): likeness
        for one, likes in zip(asked, alike(session, asked, onward=onward), strict=True)
        for other, likeness in likes.items()
        if one.root
    }
    if not found:
        return
    pairs = [
        {"low": str(low), "high": str(high), "score": round(likeness.score * 100), "reasons": likeness.reasons}
        for (low, high), likeness in sorted(found.items())
    ]
    session.execute(
        text(
            "INSERT INTO likely_pair (id, low_id, high_id, score, reasons) "
            "SELECT md5(p.low::text || p.high::text)::uuid, p.low, p.high, p.score, p.reasons "
            "FROM json_to_recordset(CAST(:pairs AS json)) AS p(low uuid, high uuid, score integer, reasons jsonb) "
            "ON CONFLICT (low_id, high_id) DO UPDATE SET score = excluded.score, reasons = excluded.reasons"
        ),
        {"pairs": orjson.dumps(pairs).decode()},
    )
