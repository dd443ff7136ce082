"""Likely pairs of the whole base, kept as the records change.

Triggers write down which records changed, whoever changed them (`likeness_due`); here they are read again, a batch a
transaction, one batch at a time whatever the number of replicas. A scan writes all of them down: first all are read,
then all are compared. What was begun goes on after a restart, since what is left is a table.
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
from services.clients.likeness.finding import Asked, alike, stored, together, trees
from services.clients.queries import duplicates
from services.clients.queries import pairs as queries

log = structlog.get_logger(__name__)

#: Records of a transaction: small, so that no call of this process waits long for the comparing.
BATCH = 40
#: Seconds that one run works; the next begins within a second, and a service that stops waits no longer.
SLICE_S = 2.0
_LOCK = 0x466C696B
#: Why a record is due: it changed; a scan reads it; a scan compares it.
_CHANGED, _READ, _COMPARED = 0, 1, 2


def start_scan(uow: UnitOfWork, request: c.StartScan) -> bytes:
    """Has every client read and compared again. One scan at a time: where one runs, it is the answer."""
    session = uow.session
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    running = session.scalar(text("SELECT 1 FROM duplicate_scan WHERE finished_at IS NULL"))
    if running is None:
        session.execute(
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
    return queries.get_scan(session)


def follow(uow: UnitOfWork) -> None:
    """Works off what is due, for one slice."""
    until = time.monotonic() + SLICE_S
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
        relate(session, records)
    return True


def _take(session: Session, size: int) -> tuple[int, list[uuid.UUID]]:
    """Takes the next that are due, changes first."""
    rows = session.execute(
        text(
            "DELETE FROM likeness_due WHERE (rank, seq) IN (SELECT rank, seq FROM likeness_due "
            "WHERE rank = (SELECT min(rank) FROM likeness_due) ORDER BY seq LIMIT "
            # Reading costs a tenth of comparing.
            "CASE WHEN :size > 1 AND (SELECT min(rank) FROM likeness_due) = :read THEN :size * 5 ELSE :size END) "
            "RETURNING rank, record_id"
        ),
        {"size": size, "read": _READ},
    ).all()
    return (rows[0].rank if rows else 0), sorted({uuid.UUID(str(row.record_id)) for row in rows})


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
    """Brings what records are known by up to date."""
    params = {"records": list(records)}
    known = stored(session, params["records"])
    session.execute(text("DELETE FROM likeness_key WHERE record_id = ANY(:records)"), params)
    session.execute(text("DELETE FROM likeness WHERE record_id = ANY(:records)"), params)
    if not known:
        return
    rows = [
        {"id": str(record), "name": each.name, "towns": sorted(each.towns), "keys": sorted(each.keys)}
        | {"facts": orjson.loads(each.to_json())}
        for record, each in known.items()
    ]
    session.execute(
        text(
            "WITH r AS MATERIALIZED (SELECT * FROM json_to_recordset(CAST(:rows AS json)) "
            "AS r(id uuid, name text, towns text[], keys text[], facts jsonb)), "
            "kept AS (INSERT INTO likeness (record_id, name, towns, facts) SELECT id, name, towns, facts FROM r) "
            "INSERT INTO likeness_key (key, record_id) SELECT u.key, r.id FROM r, unnest(r.keys) AS u(key)"
        ),
        {"rows": orjson.dumps(rows).decode()},
    )


def relate(session: Session, records: Iterable[uuid.UUID]) -> None:
    """Compares the clients that these records mean with all others; replaces their pairs."""
    given = list(records)
    rows = session.execute(
        text(
            "SELECT DISTINCT coalesce(a.root_id, r.id) AS root FROM unnest(CAST(:records AS uuid[])) AS r(id) "
            "LEFT JOIN client_alias a ON a.id = r.id"
        ),
        {"records": given},
    )
    of_root = trees(session, [uuid.UUID(str(row.root)) for row in rows])
    session.execute(
        text("DELETE FROM likely_pair WHERE low_id = ANY(:ids) OR high_id = ANY(:ids)"),
        {"ids": sorted({*given, *of_root})},
    )
    known = stored(session, [record for tree in of_root.values() for record in tree])
    asked = [
        Asked(together(known[record] for record in tree if record in known), tuple(tree))
        for root, tree in of_root.items()
        if root in known
    ]
    found = {
        tuple(sorted((one.root, other))): likeness
        for one, likes in zip(asked, alike(session, asked), strict=True)
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
