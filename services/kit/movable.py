"""Rows that a person may give to another client, and what they name: driven by each service's list of kinds.

For an undo's preview each service tells its own rows; what a row names may be another service's, which alone knows the
home of it. So a service tells the names, and whoever asks asks the owners.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import Gone, Invalid
from chassis.stamp import check_version, lock, touch
from chassis.uow import UnitOfWork
from contracts.forest import HomesOf, LinkedRow, ReassignRow, SinceRow, UndoneRows, UndoRows
from services.kit.history import REASSIGNED, note
from services.kit.homes import root_of

#: Rows told one by one, newest first; more could not be looked through by anybody.
MOST = 1000


class Link(NamedTuple):
    """A column by which a row names another; `listed`: a JSON list of ids."""

    column: str
    kind: str
    listed: bool = False


@dataclass(frozen=True)
class Movable:
    """A kind of rows that change hands one by one. SQL with the alias `x`.

    `alone`: which of them; the others follow the row they were made from.
    """

    label: str
    links: tuple[Link, ...] = ()
    alone: str = "true"


def undo_rows(
    session: Session,
    request: UndoRows,
    kinds: Mapping[str, type],
    movable: Mapping[str, Movable],
    goes_back: dict[str, int],
) -> UndoneRows:
    """What an undo changes of these kinds: `goes_back` as counted, what was made since and stays, those to look at."""
    found = sorted(
        (row for kind, told in movable.items() for row in _since(session, request, kind, kinds[kind], told)),
        key=lambda row: row.created_at,
        reverse=True,
    )
    rows = [
        SinceRow(
            kind=row.kind,
            id=row.id,
            label=row.label or "",
            home_client_id=row.home_client_id,
            written_under=row.written_under,
            links=[LinkedRow.model_validate(link) for link in row.links],
        )
        for row in found[:MOST]
    ]
    return UndoneRows(
        goes_back=goes_back,
        stays=_made_since(session, request, kinds),
        since=rows,
        more=len(found) > MOST,
    )


def _since(session: Session, request: UndoRows, kind: str, model: type, told: Movable) -> Sequence[Any]:
    """Rows made since, on either side, that name something or were written under an id that goes back."""
    links = " UNION ALL ".join(_named(link) for link in told.links) or "SELECT NULL AS link WHERE false"
    written = "x.home_client_id = ANY(:rest) AND x.written_client_id = ANY(:branch)"
    statement = (
        f"SELECT '{kind}' AS kind, x.id, x.home_client_id, x.created_at, {told.label} AS label, "
        f"({written}) AS written_under, coalesce(l.links, '[]'::json) AS links FROM {_table(model)} x "
        f"LEFT JOIN LATERAL (SELECT json_agg(n.link) AS links FROM ({links}) n) l ON true "
        f"WHERE x.home_client_id = ANY(:both) AND ({told.alone}){_living(model)} "
        f"AND (x.created_at > :since OR ({written})) AND (l.links IS NOT NULL OR ({written})) "
        f"ORDER BY x.created_at DESC, x.id LIMIT {MOST + 1}"
    )
    return session.execute(text(statement), _params(request)).all()


def _named(link: Link) -> str:
    """SQL: what a row names in one column, as `{"kind", "id"}`."""
    told = f"SELECT json_build_object('kind', '{link.kind}', 'id', {{0}}) AS link"
    if link.listed:
        return f"{told.format('v')} FROM jsonb_array_elements_text(x.{link.column}) v"
    return f"{told.format('x.' + link.column)} WHERE x.{link.column} IS NOT NULL"


def _made_since(session: Session, request: UndoRows, kinds: Mapping[str, type]) -> dict[str, int]:
    dated = {kind: model for kind, model in kinds.items() if "created_at" in _columns(model)}
    if not dated:
        return {}
    parts = [
        f"SELECT '{kind}' AS kind, count(*) AS n FROM {_table(model)} x WHERE x.home_client_id = ANY(:rest) "
        f"AND (x.created_at > :since OR x.written_client_id = ANY(:branch)){_living(model)}"
        for kind, model in dated.items()
    ]
    found = session.execute(text(" UNION ALL ".join(parts)), _params(request))
    return {row.kind: row.n for row in found if row.n}


def homes_of(session: Session, request: HomesOf, kinds: Mapping[str, type]) -> dict[str, uuid.UUID]:
    """The home of each row that is there; kinds that this service does not have are passed over."""
    found: dict[str, uuid.UUID] = {}
    for kind, ids in request.rows.items():
        if kind in kinds and "id" in _columns(kinds[kind]):
            asked = text(f"SELECT id, home_client_id FROM {_table(kinds[kind])} WHERE id = ANY(:ids)")
            found |= {str(row.id): row.home_client_id for row in session.execute(asked, {"ids": list(ids)})}
    return found


def reassign(
    uow: UnitOfWork,
    request: ReassignRow,
    kinds: Mapping[str, type],
    movable: Mapping[str, Movable],
    check: Callable[[str, Any], None],
) -> tuple[Any, uuid.UUID | None]:
    """Gives a row to another client; the row and its former home, which is None where it is that record's already.

    Both its ids are the new client's from then on, so that no undo of a merge takes it back; also where it was shown
    with that client by a merge alone. What it names stays named: a row lies where it lay. Raises `NotFound`, `Gone`,
    `Stale`, and what `check` raises for rows that follow another.
    """
    if request.kind not in movable:
        raise Invalid.field("kind", "Ces lignes ne passent pas à un autre client.")
    row: Any = lock(uow.session, kinds[request.kind], request.id, "Cette ligne n’existe pas.")
    if getattr(row, "deleted_at", None) is not None:
        raise Gone("Cette ligne a été supprimée.")
    check_version(row, request.expected_version)
    check(request.kind, row)
    former: uuid.UUID = row.home_client_id
    if former == request.home_client_id:
        return row, None
    row.home_client_id, row.written_client_id = request.home_client_id, request.written_client_id
    touch(uow, row)
    uow.session.flush()
    return row, former


def give_away(session: Session, forest: int, rows: Sequence[uuid.UUID]) -> None:
    """Says that rows were re-assigned by hand at a forest version: `moves` of undos up to it come too late for them.

    Those that this service has applied did theirs already. Before the rows are locked: a consumer locks in this order.
    """
    version = "SELECT version FROM client_forest"
    if forest <= int(session.scalar(text(version)) or 0):
        return
    if forest > int(session.scalar(text(f"{version} FOR UPDATE")) or 0):
        session.execute(
            text(
                "INSERT INTO given_away (id, forest) SELECT unnest(CAST(:rows AS uuid[])), :forest "
                "ON CONFLICT (id) DO UPDATE SET forest = greatest(given_away.forest, EXCLUDED.forest)"
            ),
            {"rows": list(rows), "forest": forest},
        )


def given_away(session: Session, forest: int) -> set[uuid.UUID]:
    """Rows re-assigned by hand after the undo of a forest version was acknowledged."""
    found = session.execute(text("SELECT id FROM given_away WHERE forest >= :forest"), {"forest": forest})
    return {uuid.UUID(str(row.id)) for row in found}


def note_reassigned(uow: UnitOfWork, row: Any, former: uuid.UUID) -> None:
    """Keeps in a row's history whose it was and whose it is now: the clients that the homes meant."""
    clients = ({"client": root_of(uow.session, home)} for home in (former, row.home_client_id))
    note(uow, row, REASSIGNED, *clients)


def _params(request: UndoRows) -> dict[str, Any]:
    both = [*request.branch, *request.rest]
    return {"branch": request.branch, "rest": request.rest, "both": both, "since": request.since}


def _living(model: type) -> str:
    return " AND x.deleted_at IS NULL" if "deleted_at" in _columns(model) else ""


def _columns(model: type) -> Any:
    return model.__table__.columns  # type: ignore[attr-defined]


def _table(model: type) -> str:
    return str(model.__tablename__)  # type: ignore[attr-defined]
