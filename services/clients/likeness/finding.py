"""Whom a client is like: candidates by indexes, each compared (`score`).

Of what two have exactly the same, and of a close name at a close address, by `likeness_key`. A close name counts for
too little elsewhere: those are not looked for. What is known (`likeness`) and its keys follow the records within about
a second (`commands.pairs`). A row is a record's; records merged into one client count as one.
"""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from contracts.fields import phone_forms
from services.clients.likeness.keys import Facts, facts
from services.clients.likeness.score import SHOWN, Likeness, compare

#: A value that more have proposes nobody: it would bring all of them for next to no weight.
MANY = 50
#: Close names at a close address that are compared, nearest first, and how near they must be (trigrams in common).
NEAR, NEAREST_LEAST = 30, 0.3
#: Clients after whose comparing others of this process have their turn (a green thread gives way by sleeping).
BREATH = 20

_STORED = """
    SELECT c.id, c.first_name, c.last_name, c.company_name, c.own_name, c.siret, c.vat_number,
        array_remove(array_append((SELECT array_agg(k.email) FROM contact k
            WHERE k.home_client_id = c.id AND k.deleted_at IS NULL), c.email), '') AS emails,
        array_remove((SELECT array_agg(k.phone_e164) FROM contact k
            WHERE k.home_client_id = c.id AND k.deleted_at IS NULL)
            || c.phone_e164 || c.secondary_phone_e164, '') AS phones,
        (SELECT json_agg(json_build_array(a.street, a.postal_code, a.city)) FROM address a
            WHERE a.home_client_id = c.id AND a.deleted_at IS NULL) AS addresses
    FROM client c WHERE c.id = ANY(:records) AND c.deleted_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM erased_client e WHERE e.id = c.id)
"""
_ASKED = (
    "WITH asked AS (SELECT * FROM json_to_recordset(CAST(:asked AS json)) "
    "AS a(n integer, own uuid[], keys text[], name text, doors text[])) "
)
_EXACT = (
    _ASKED + "SELECT DISTINCT a.n, u.key, coalesce(ca.root_id, k.record_id) AS root "
    "FROM asked a CROSS JOIN unnest(a.keys) AS u(key) CROSS JOIN LATERAL "
    "(SELECT record_id FROM likeness_key WHERE key = u.key AND record_id <> ALL(a.own) LIMIT :many) k "
    "LEFT JOIN client_alias ca ON ca.id = k.record_id"
)
_NEAR = (
    _ASKED + "SELECT DISTINCT a.n, coalesce(ca.root_id, near.record_id) AS root FROM asked a CROSS JOIN LATERAL "
    "(SELECT l.record_id FROM likeness l WHERE similarity(l.name, a.name) >= :least AND l.record_id = ANY(ARRAY("
    "SELECT record_id FROM likeness_key WHERE key = ANY(a.doors) AND record_id <> ALL(a.own))) "
    "ORDER BY similarity(l.name, a.name) DESC LIMIT :near) near "
    "LEFT JOIN client_alias ca ON ca.id = near.record_id WHERE a.name <> '' AND a.doors <> '{}'"
)
_LIVING = (
    "WITH roots AS (SELECT c.id FROM client c WHERE c.id = ANY(:roots) AND c.deleted_at IS NULL "
    "AND c.merged_into IS NULL) "
    "SELECT r.id AS root, l.facts FROM roots r JOIN likeness l ON l.record_id = r.id "
    "UNION ALL SELECT a.root_id, l.facts FROM roots r JOIN client_alias a ON a.root_id = r.id "
    "JOIN likeness l ON l.record_id = a.id"
)
_APART = (
    "SELECT coalesce(la.root_id, n.low_id) AS one, coalesce(ha.root_id, n.high_id) AS other FROM not_duplicate n "
    "LEFT JOIN client_alias la ON la.id = n.low_id LEFT JOIN client_alias ha ON ha.id = n.high_id "
    "WHERE n.low_id = ANY(:records) OR n.high_id = ANY(:records)"
)


@dataclass(frozen=True)
class Asked:
    """Somebody whose likes are looked for: a client with its records, or one being typed (no records)."""

    facts: Facts
    records: tuple[uuid.UUID, ...] = ()

    @property
    def root(self) -> uuid.UUID | None:
        """The client itself, the first of its records."""
        return self.records[0] if self.records else None


def typed(fields: Mapping[str, str]) -> Facts:
    """Facts of what is being typed; what cannot be read counts for nothing."""
    return facts(
        dict(fields),
        siret=fields.get("siret", ""),
        vat_number=fields.get("vat_number", ""),
        emails={fields.get("email", "")},
        phones={phone_forms(fields.get(each, ""))[0] for each in ("phone", "secondary_phone")},
        addresses=[(fields.get("street", ""), fields.get("postal_code", ""), fields.get("city", ""))],
    )


def stored(session: Session, records: Iterable[uuid.UUID]) -> dict[uuid.UUID, Facts]:
    """Facts of records as they stand; deleted and erased ones are left out."""
    return {
        row.id: facts(
            {each: getattr(row, each) for each in ("first_name", "last_name", "company_name", "own_name")},
            siret=row.siret,
            vat_number=row.vat_number,
            emails=set(row.emails or ()),
            phones=set(row.phones or ()),
            addresses=[tuple(each) for each in row.addresses or ()],
        )
        for row in session.execute(text(_STORED), {"records": list(records)})
    }


def trees(session: Session, roots: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """The records of each client, itself first."""
    found = {root: [root] for root in roots}
    rows = session.execute(text("SELECT root_id, id FROM client_alias WHERE root_id = ANY(:r)"), {"r": list(found)})
    for row in rows:
        found[row.root_id].append(row.id)
    return found


def together(known: Collection[Facts]) -> Facts:
    """Facts of several records of one client."""
    first, *more = known or (Facts(),)
    return reduce(Facts.__or__, more, first)


def kept(session: Session, roots: Iterable[uuid.UUID]) -> dict[uuid.UUID, Facts]:
    """What is known of these clients, of all their records together; of those that live."""
    known: dict[uuid.UUID, list[Facts]] = defaultdict(list)
    for row in session.execute(text(_LIVING), {"roots": list(roots)}):
        known[row.root].append(Facts.from_json(row.facts))
    return {root: together(each) for root, each in known.items()}


def alike(session: Session, asked: Sequence[Asked], *, onward: bool = False) -> list[dict[uuid.UUID, Likeness]]:
    """For each asked one the clients that are like it, with how much and why.

    `onward`: only those whose id is higher, so that who asks about all compares each two once.
    """
    params: dict[str, Any] = {
        "asked": orjson.dumps(
            [
                {"n": n, "own": one.records, "name": one.facts.name}
                | {"keys": sorted(one.facts.keys), "doors": sorted(one.facts.doors)}
                for n, one in enumerate(asked)
            ]
        ).decode(),
        "many": MANY + 10,
        "near": NEAR,
        "least": NEAREST_LEAST,
    }
    holders: dict[tuple[int, str], set[uuid.UUID]] = defaultdict(set)
    for row in session.execute(text(_EXACT), params):
        holders[row.n, row.key].add(row.root)
    candidates: dict[int, set[uuid.UUID]] = defaultdict(set)
    shared: dict[int, dict[str, int]] = defaultdict(dict)
    for (n, key), roots in holders.items():
        shared[n][key] = len(roots) + 1
        if len(roots) < MANY:
            candidates[n] |= roots
    for row in session.execute(text(_NEAR), params):
        candidates[row.n].add(row.root)
    apart = _apart(session, [record for one in asked for record in one.records])
    for n, one in enumerate(asked):
        if one.root:
            candidates[n] -= apart[one.root] | {one.root}
        if onward and one.root:
            candidates[n] = {root for root in candidates[n] if root > one.root}
    theirs = kept(session, {root for roots in candidates.values() for root in roots})
    found: list[dict[uuid.UUID, Likeness]] = []
    for n, one in enumerate(asked):
        if n % BREATH == 0:
            time.sleep(0)
        compared = {root: compare(one.facts, theirs[root], shared[n]) for root in candidates[n] if root in theirs}
        found.append({root: likeness for root, likeness in compared.items() if likeness.score >= SHOWN})
    return found


def _apart(session: Session, records: list[uuid.UUID]) -> dict[uuid.UUID, set[uuid.UUID | None]]:
    """Clients that somebody found to be others than each of these."""
    found: dict[uuid.UUID, set[uuid.UUID | None]] = defaultdict(set)
    for row in session.execute(text(_APART), {"records": records}) if records else ():
        one, other = row.one, row.other
        found[one].add(other)
        found[other].add(one)
    return found
