"""The list of clients and its search."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import Invalid
from chassis.page import First, Listing, cursor_errors, decode_cursor, page_of
from contracts import clients as c
from services.clients.queries import recent, typos
from services.clients.queries.records import CLIENTS, STILL_KEPT
from services.clients.text import asked_digits, fold, looks_like_phone, one_typo, reference_key

#: The list in the order of names: ranks of a search are read in it.
_BY_NAME = dataclasses.replace(CLIENTS, default="name")
_EXACT = "c.id = CAST(:exact AS uuid)"
_BEGINS = "c.sort_name >= :prefix AND c.sort_name < :beyond"
#: More words than a name has are not looked at.
_WORDS = 8
#: Behind every text that begins so: databases sort by code point (`chassis.migrations.ensure_database`).
_LAST = "\U0010ffff"


@dataclass(frozen=True)
class Plan:
    """What a request's filters leave, in conditions of the client `c`, and their parameters.

    `ranks` tells a search's order: conditions from the best rank on; together they leave what `search` leaves.
    """

    where: list[str]
    params: dict[str, Any]
    search: str = "true"
    ranks: tuple[str, ...] = ()
    #: Nothing is found as it was typed: a typo is forgiven.
    near: bool = False

    @property
    def all(self) -> list[str]:
        """Every condition."""
        return [*self.where, self.search]

    @property
    def listing(self) -> Listing:
        """The list with its sort by relevance as one expression, for all that is not read rank by rank."""
        if not self.ranks:
            return CLIENTS
        cases = " ".join(f"WHEN {condition} THEN '{rank}'" for rank, condition in enumerate(self.ranks))
        best = f"((CASE {cases} END) || c.sort_name)"
        return dataclasses.replace(CLIENTS, sorts={**CLIENTS.sorts, "relevance": (best, "text")}, default="relevance")


def list_clients(session: Session, request: c.ListClients, kept_days: int) -> bytes:
    """A page of clients. `q`: exact reference, every word somewhere or, when nothing is found, a typo forgiven.

    Of deleted ones those that can still be restored: `kept_days`.
    """
    plan = plan_of(session, request)
    if request.status == "deleted":
        plan.where.append(STILL_KEPT)
        plan.params["kept_days"] = kept_days
    if plan.ranks and request.sort in (None, "relevance"):
        body = _best_first(session, plan, request)
    elif not plan.ranks and request.sort == recent.SORT:
        body = recent.page(session, plan.where, plan.params, request)
    else:
        body = plan.listing.page(session, plan.all, plan.params, request)
    if not request.counted:
        return body
    near = b"true" if plan.near else b"false"
    return body[:-1] + b',"count":%d,"near":%b}' % (CLIENTS.count(session, plan.all, plan.params), near)


def _best_first(session: Session, plan: Plan, request: c.ListClients) -> bytes:
    """A page by relevance, rank by rank until it is full: an index gives each in the order of names, and what the page
    does not need is not looked for. Raises `Invalid` for a bad cursor.
    """
    begun, after, bound = 0, "true", dict(plan.params)
    if request.cursor:
        value, bound["_after_key"] = decode_cursor(request.cursor, "relevance")
        if value[:1] not in tuple(map(str, range(len(plan.ranks)))):
            raise Invalid.field("cursor", "Ce curseur n’est pas valable pour cette liste.")
        begun, bound["_after"] = int(value[0]), value[1:]
        after = "(c.sort_name, c.id) > (:_after, CAST(:_after_key AS uuid))"
    rows: list[_Found] = []
    for rank, condition in enumerate(plan.ranks):
        if rank < begun or len(rows) > request.limit:
            continue
        better = [f"({earlier}) IS NOT TRUE" for earlier in plan.ranks[:rank]]
        conditions = [*plan.where, condition, *better, after if rank == begun else "true"]
        with cursor_errors(request):
            _, found = _BY_NAME.keys(session, conditions, bound, First(request.limit - len(rows)))
        rows += [_Found(one.told, one.key, f"{rank}{one.value}") for one in found]
    return page_of(CLIENTS, session, plan.params, "relevance", rows, request.limit)


class _Found(NamedTuple):
    told: Any
    key: Any
    value: str


def neighbours(session: Session, request: c.Neighbours) -> bytes:
    """Where a client stands in the list that the filters give, from 1; nulls where it is not in it."""
    plan = plan_of(session, request)
    listing, where, params = plan.listing, plan.all, plan.params
    sort = request.sort or listing.default
    if sort not in listing.sorts:
        raise Invalid.field("sort", "Tri inconnu.")
    direction = "DESC" if sort.startswith("-") else "ASC"
    order = f"ORDER BY {listing.sorts[sort][0]} {direction}, c.id {direction}"
    row = session.execute(
        text(
            f"SELECT * FROM (SELECT c.id, row_number() OVER w AS position, count(*) OVER () AS count, "
            f"lag(c.id) OVER w AS previous, lead(c.id) OVER w AS next FROM {listing.source} "
            f"WHERE {_all(where)} WINDOW w AS ({order})) o WHERE o.id = :client"
        ),
        params | {"client": request.id},
    ).one_or_none()
    found = dict.fromkeys(("position", "count", "previous", "next")) if row is None else dict(row._mapping)
    return orjson.dumps({name: found[name] for name in ("position", "count", "previous", "next")}, default=str)


def plan_of(session: Session, request: c.ListClients) -> Plan:
    """The plan of a request's filters."""
    where = ["c.merged_into IS NULL"]
    params: dict[str, Any] = {}
    match request.status:
        case "deleted":
            where.append("c.deleted_at IS NOT NULL")
        case "active":
            where += ["c.deleted_at IS NULL", "c.archived_at IS NULL"]
        case "archived":
            where += ["c.deleted_at IS NULL", "c.archived_at IS NOT NULL"]
        case None:
            where.append("c.deleted_at IS NULL")
    for name in ("kind", "stage", "sales_rep_id"):
        value = getattr(request, name)
        if value is not None:
            where.append(f"c.{name} = :{name}")
            params[name] = value
    if request.tag:
        where.append(
            "EXISTS (SELECT 1 FROM client_tag t LEFT JOIN client_alias ta ON ta.id = t.home_client_id "
            "WHERE t.tag = :tag AND coalesce(ta.root_id, t.home_client_id) = c.id)"
        )
        params["tag"] = request.tag
    if request.city:
        where.append("EXISTS (SELECT 1 FROM address y WHERE y.id = c.main_address_id AND lower(y.city) = lower(:city))")
        params["city"] = request.city
    return _search(session, request, where, params) if request.q.strip() else Plan(where, params)


def _search(session: Session, request: c.ListClients, where: list[str], params: dict[str, Any]) -> Plan:
    folded = fold(request.q)
    exact = session.scalar(
        text(
            "SELECT coalesce(a.root_id, r.client_id) FROM client_reference r "
            "LEFT JOIN client_alias a ON a.id = r.client_id WHERE r.reference = :key"
        ),
        {"key": reference_key(request.q)},
    )
    phone = looks_like_phone(request.q)
    # Pieces of a phone are no words: they would find every reference that holds them.
    words = [folded] if phone else folded.split()[:_WORDS]
    asked: dict[str, Any] = dict(params)
    ways, ranks = [], []
    if exact is not None:
        asked["exact"] = exact
        ways.append(_EXACT)
        ranks.append(_EXACT)
    if folded:
        # Names that begin so hold every word of it.
        asked |= {"prefix": folded, "beyond": f"{folded}{_LAST}"}
        ranks.append(_BEGINS)
    if words:
        ways.append(" AND ".join(f"c.search LIKE :word{n}" for n in range(len(words))))
        asked |= {f"word{n}": f"%{word}%" for n, word in enumerate(words)}
    if phone:
        ways.append("c.phones LIKE :digits")
        asked["digits"] = f"%{asked_digits(request.q)}%"
    somewhere = " OR ".join(f"({way})" for way in ways) or "false"
    plan = Plan(where, asked, somewhere, (*ranks, somewhere))
    if any(one_typo(word) for word in words) and not _any(session, plan):
        near = typos.meant(session, words)
        if near is not None:
            return Plan(where, params | near.params, near.alike, (near.whole, near.alike), near=True)
    return plan


def _any(session: Session, plan: Plan) -> bool:
    """Whether anything is found as it was typed: what an index tells at once is asked first."""
    return any(
        session.scalar(text(f"SELECT EXISTS (SELECT 1 FROM client c WHERE {_all([*plan.where, rank])})"), plan.params)
        for rank in plan.ranks
    )


def _all(where: list[str]) -> str:
    return " AND ".join(f"({condition})" for condition in where)
