"""Which links are shown, and which wait hidden because of a merge or its undo (merge-protocol, *relations*).

In order of creation a link is shown unless its ends are one client now (`self`), an earlier one says the same
(`twin`), or it would close a loop of a hierarchy over those shown (`loop`). It returns by itself when the reason ends.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.clients.relations import HIERARCHICAL

_SELF, _TWIN, _LOOP = "self", "twin", "loop"

# Living links of some clients, as their ids mean now; by the index of each end.
_OF = text(
    """
    WITH record AS MATERIALIZED (
        SELECT unnest(CAST(:ids AS uuid[])) AS id UNION SELECT id FROM client_alias WHERE root_id = ANY(:ids)
    ), near AS (
        SELECT r.* FROM relation r JOIN record ON record.id = r.home_client_id WHERE r.deleted_at IS NULL
        UNION SELECT r.* FROM relation r JOIN record ON record.id = r.other_home_client_id WHERE r.deleted_at IS NULL
    )
    SELECT r.id, r.type, r.waits, r.created_at, coalesce(a.root_id, r.home_client_id) AS superior,
    coalesce(b.root_id, r.other_home_client_id) AS inferior
    FROM near r LEFT JOIN client_alias a ON a.id = r.home_client_id
    LEFT JOIN client_alias b ON b.id = r.other_home_client_id
    """
)


def _together(session: Session, clients: Iterable[uuid.UUID]) -> list[Any]:
    """All living links that hang together with these clients, in order of creation."""
    links: dict[uuid.UUID, Any] = {}
    seen: set[uuid.UUID] = set()
    layer = set(clients)
    while layer:
        seen |= layer
        found = session.execute(_OF, {"ids": sorted(layer)}).all()
        links |= {link.id: link for link in found}
        layer = {end for link in found for end in (link.superior, link.inferior)} - seen
    return sorted(links.values(), key=lambda link: (link.created_at, link.id))


def settle(session: Session, clients: Iterable[uuid.UUID]) -> None:
    """Works out anew which links around these living clients wait. Under the forest's lock."""
    shown: set[tuple[str, uuid.UUID, uuid.UUID]] = set()
    above: dict[uuid.UUID, set[uuid.UUID]] = {}
    changed: list[dict[str, object]] = []
    for link in _together(session, clients):
        reason = _reason(link.type, link.superior, link.inferior, shown, above)
        if reason is None:
            shown.add((link.type, link.superior, link.inferior))
            if link.type in HIERARCHICAL:
                above.setdefault(link.inferior, set()).add(link.superior)
        if reason != link.waits:
            changed.append({"id": link.id, "waits": reason})
    if changed:
        session.execute(text("UPDATE relation SET waits = :waits WHERE id = :id"), changed)


def _reason(
    kind: str,
    superior: uuid.UUID,
    inferior: uuid.UUID,
    shown: set[tuple[str, uuid.UUID, uuid.UUID]],
    above: dict[uuid.UUID, set[uuid.UUID]],
) -> str | None:
    if superior == inferior:
        return _SELF
    if (kind, superior, inferior) in shown:
        return _TWIN
    return _LOOP if kind in HIERARCHICAL and _is_above(inferior, superior, above) else None


def _is_above(wanted: uuid.UUID, start: uuid.UUID, above: dict[uuid.UUID, set[uuid.UUID]]) -> bool:
    """Whether `wanted` stands somewhere above `start`."""
    seen, waiting = {start}, [start]
    while waiting:
        for each in above.get(waiting.pop(), ()):
            if each == wanted:
                return True
            if each not in seen:
                seen.add(each)
                waiting.append(each)
    return False
