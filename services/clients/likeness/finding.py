"""Whom a client is like: candidates by indexes, each compared (`score`).

Of what two have exactly the same, by `likeness_key`; of a close name in the same town, by the trigram index of
`likeness`. Both tables follow the records within about a second (`commands.pairs`); what is asked about is read as it
stands. A row is a record's; records merged into one client count as one.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
#: Close names in the same town that are compared, nearest first.
NEAR = 30

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
    "AS a(n integer, keys text[], name text, towns text[])) "
)
_EXACT = (
    _ASKED + "SELECT DISTINCT a.n, u.key, coalesce(ca.root_id, k.record_id) AS root "
    "FROM asked a CROSS JOIN unnest(a.keys) AS u(key) CROSS JOIN LATERAL "
    "(SELECT record_id FROM likeness_key WHERE key = u.key LIMIT :many) k "
    "LEFT JOIN client_alias ca ON ca.id = k.record_id"
)
_NEAR = (
    _ASKED + "SELECT DISTINCT a.n, coalesce(ca.root_id, l.record_id) AS root FROM asked a CROSS JOIN LATERAL "
    "(SELECT record_id FROM likeness WHERE name % a.name AND towns && a.towns "
    "ORDER BY similarity(name, a.name) DESC LIMIT :near) l "
    "LEFT JOIN client_alias ca ON ca.id = l.record_id WHERE a.name <> '' AND a.towns <> '{}'"
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
        uuid.UUID(str(row.id)): facts(
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
        found[uuid.UUID(str(row.root_id))].append(uuid.UUID(str(row.id)))
    return found


def together(known: Iterable[Facts]) -> Facts:
    """Facts of several records of one client."""
    return reduce(Facts.__or__, known, Facts())


def alike(session: Session, asked: Sequence[Asked]) -> list[dict[uuid.UUID, Likeness]]:
    """For each asked one the clients that are like it, with how much and why."""
    params: dict[str, Any] = {
        "asked": orjson.dumps(
            [
                {"n": n, "keys": sorted(one.facts.keys), "name": one.facts.name, "towns": sorted(one.facts.towns)}
                for n, one in enumerate(asked)
            ]
        ).decode(),
        "many": MANY + 10,
        "near": NEAR,
    }
    holders: dict[tuple[int, str], set[uuid.UUID]] = defaultdict(set)
    for row in session.execute(text(_EXACT), params):
        holders[row.n, row.key].add(uuid.UUID(str(row.root)))
    candidates: dict[int, set[uuid.UUID]] = defaultdict(set)
    shared: dict[int, dict[str, int]] = defaultdict(dict)
    for (n, key), roots in holders.items():
        own = asked[n].root
        shared[n][key] = len(roots - {own}) + 1
        if len(roots) <= MANY:
            candidates[n] |= roots
    for row in session.execute(text(_NEAR), params):
        candidates[row.n].add(uuid.UUID(str(row.root)))
    known: dict[uuid.UUID, list[Facts]] = defaultdict(list)
    wanted = {root for roots in candidates.values() for root in roots}
    for row in session.execute(text(_LIVING), {"roots": list(wanted)}):
        known[uuid.UUID(str(row.root))].append(Facts.from_json(row.facts))
    theirs = {root: together(each) for root, each in known.items()}
    apart = _apart(session, [record for one in asked for record in one.records])
    found: list[dict[uuid.UUID, Likeness]] = []
    for n, one in enumerate(asked):
        but = apart[one.root] | {one.root} if one.root else set()
        compared = {
            root: compare(one.facts, theirs[root], shared[n])
            for root in candidates[n]
            if root in theirs and root not in but
        }
        found.append({root: likeness for root, likeness in compared.items() if likeness.score >= SHOWN})
    return found


def _apart(session: Session, records: list[uuid.UUID]) -> dict[uuid.UUID, set[uuid.UUID | None]]:
    """Clients that somebody found to be others than each of these."""
    found: dict[uuid.UUID, set[uuid.UUID | None]] = defaultdict(set)
    for row in session.execute(text(_APART), {"records": records}) if records else ():
        one, other = uuid.UUID(str(row.one)), uuid.UUID(str(row.other))
        found[one].add(other)
        found[other].add(one)
    return found
