"""The list of clients and its search."""

from __future__ import annotations

import dataclasses
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import Invalid
from chassis.page import Listing
from contracts import clients as c
from services.clients.queries.records import CLIENTS, STILL_KEPT
from services.clients.text import asked_digits, fold, looks_like_phone, one_typo, reference_key

_BEST = (
    "(CASE WHEN c.id = CAST(:exact AS uuid) THEN '0' WHEN c.sort_name LIKE :prefix THEN '1' ELSE '2' END"
    " || c.sort_name)"
)
# With a search the best come first: the exact reference, names that begin so, the others.
SEARCHED = dataclasses.replace(CLIENTS, sorts={**CLIENTS.sorts, "relevance": (_BEST, "text")}, default="relevance")
# A typo: the closest first.
_CLOSEST = "(to_char(1 - word_similarity(:near, c.search), 'FM0.0000') || c.sort_name)"
NEAR = dataclasses.replace(CLIENTS, sorts={**CLIENTS.sorts, "relevance": (_CLOSEST, "text")}, default="relevance")
#: More words than a name has are not looked at.
_WORDS = 8


def list_clients(session: Session, request: c.ListClients, kept_days: int) -> bytes:
    """A page of clients. `q`: exact reference, every word somewhere or, when nothing is found, a typo forgiven.

    Of deleted ones those that can still be restored: `kept_days`.
    """
    listing, where, params = _plan(session, request)
    if request.status == "deleted":
        where.append(STILL_KEPT)
        params["kept_days"] = kept_days
    body = listing.page(session, where, params, request)
    if not request.counted:
        return body
    near = b"true" if listing is NEAR else b"false"
    return body[:-1] + b',"count":%d,"near":%b}' % (listing.count(session, where, params), near)


def neighbours(session: Session, request: c.Neighbours) -> bytes:
    """Where a client stands in the list that the filters give, from 1; nulls where it is not in it."""
    listing, where, params = _plan(session, request)
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


def _plan(session: Session, request: c.ListClients) -> tuple[Listing, list[str], dict[str, Any]]:
    """The listing, conditions and parameters of a request's filters."""
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
    if not request.q.strip():
        return CLIENTS, where, params
    return _search(session, request, where, params)


def _search(
    session: Session, request: c.ListClients, where: list[str], params: dict[str, Any]
) -> tuple[Listing, list[str], dict[str, Any]]:
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
    asked: dict[str, Any] = {"exact": exact, "prefix": f"{folded}%"}
    ways = ["c.id = CAST(:exact AS uuid)"]
    if words:
        ways.append(" AND ".join(f"c.search LIKE :word{n}" for n in range(len(words))))
        asked |= {f"word{n}": f"%{word}%" for n, word in enumerate(words)}
    if phone:
        ways.append("c.phones LIKE :digits")
        asked["digits"] = f"%{asked_digits(request.q)}%"
    found = [*where, f"({' OR '.join(f'({way})' for way in ways)})"]
    typos = [one_typo(word) for word in words]
    if any(typos) and not _any(session, found, params | asked):
        near = {"near": folded} | {f"word{n}": [f"%{word}%", *typos[n]] for n, word in enumerate(words)}
        wrong = [*where, *(f"c.search LIKE ANY(:word{n})" for n in range(len(words)))]
        return NEAR, wrong, params | near
    return SEARCHED, found, params | asked


def _any(session: Session, where: list[str], params: dict[str, Any]) -> bool:
    return bool(session.scalar(text(f"SELECT EXISTS (SELECT 1 FROM client c WHERE {_all(where)})"), params))


def _all(where: list[str]) -> str:
    return " AND ".join(f"({condition})" for condition in where)
