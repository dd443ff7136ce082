"""Lists by cursor, with the JSON made by PostgreSQL: no object of the mapper is built on the read path."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.db import prepare
from chassis.errors import Invalid


class PageLike(Protocol):
    """What of a list request concerns paging."""

    @property
    def limit(self) -> int: ...
    @property
    def cursor(self) -> str | None: ...
    @property
    def sort(self) -> str | None: ...


@dataclass(frozen=True)
class First:
    """The first page, for the sections of a fiche."""

    limit: int = 50
    cursor: str | None = None
    sort: str | None = None


def meta(alias: str) -> str:
    """SQL pairs for `json_build_object` with what every resource bears."""
    a = alias
    return (
        f"'id', {a}.id, 'version', {a}.version, "
        f"'created_at', {a}.created_at, "
        f"'created_by', json_build_object('id', {a}.created_by_id, 'name', {a}.created_by_name), "
        f"'updated_at', {a}.updated_at, "
        f"'updated_by', json_build_object('id', {a}.updated_by_id, 'name', {a}.updated_by_name)"
    )


def columns(alias: str) -> str:
    """The same as columns, for `row`."""
    a = alias
    return (
        f"{a}.id, {a}.version, {a}.created_at, "
        f"json_build_object('id', {a}.created_by_id, 'name', {a}.created_by_name) AS created_by, {a}.updated_at, "
        f"json_build_object('id', {a}.updated_by_id, 'name', {a}.updated_by_name) AS updated_by"
    )


def row(names: str) -> str:
    """SQL expression: the JSON of one row from columns as SELECT takes them.

    For wide rows: any number of columns, where `json_build_object` takes a hundred arguments, and twice as fast as
    two `jsonb` joined.
    """
    return f"(SELECT row_to_json(r) FROM (SELECT {names}) r)"


def like(value: str) -> str:
    """Text for LIKE with its wildcards taken literally."""
    return value.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


def encode_cursor(sort: str, value: str, key: str) -> str:
    """An opaque cursor: behind which sort value and key the next page begins."""
    return base64.urlsafe_b64encode(orjson.dumps([sort, value, key])).decode().rstrip("=")


def decode_cursor(cursor: str, sort: str) -> tuple[str, str]:
    """Inverse of `encode_cursor`. Raises `Invalid` for a cursor of another sort or none of ours."""
    try:
        raw = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        name, value, key = raw
        if name != sort or not isinstance(value, str) or not isinstance(key, str) or "\x00" in value + key:
            raise ValueError(name)
    except (ValueError, TypeError, binascii.Error, orjson.JSONDecodeError):
        raise Invalid.field("cursor", "Ce curseur n’est pas valable pour cette liste.") from None
    return value, key


@dataclass(frozen=True)
class Listing:
    """One kind of row as a list.

    `source` is the SQL behind FROM, `item` an SQL expression giving the JSON of a row, `key` the row's unique id
    (uuid). `sorts` maps a public name to (SQL expression, never null; its SQL type). A name that starts with `-`
    sorts downwards; the key breaks ties in the same direction.
    """

    source: str
    item: str
    key: str
    sorts: Mapping[str, tuple[str, str]]
    default: str

    def query(self, where: Sequence[str], page: PageLike, params: dict[str, Any], *, counted: bool) -> tuple[str, str]:
        """Name of the sort and SQL of one row: `items`, `value` and `key` of the last, `fetched`, `total`."""
        sort = page.sort or self.default
        if sort not in self.sorts:
            raise Invalid.field("sort", f"Tri inconnu. Tris possibles\u202f: {', '.join(sorted(self.sorts))}.")
        expression, kind = self.sorts[sort]
        direction, comparison = ("DESC", "<") if sort.startswith("-") else ("ASC", ">")
        filters = list(where) or ["true"]
        conditions = " AND ".join(f"({part})" for part in filters)
        after = ""
        if page.cursor:
            params["_value"], params["_key"] = decode_cursor(page.cursor, sort)
            after = f" AND ({expression}, {self.key}) {comparison} (CAST(:_value AS {kind}), CAST(:_key AS uuid))"
        params["_limit"] = page.limit
        count = f"(SELECT count(*) FROM {self.source} WHERE {conditions})" if counted else "NULL::bigint"
        return sort, (
            f"WITH p AS (SELECT ({self.item})::text AS item, ({expression})::text AS value, {self.key}::text AS key, "
            f"row_number() OVER (ORDER BY {expression} {direction}, {self.key} {direction}) AS n "
            f"FROM {self.source} WHERE {conditions}{after} "
            f"ORDER BY {expression} {direction}, {self.key} {direction} LIMIT :_limit + 1) "
            "SELECT coalesce(string_agg(item, ',' ORDER BY n) FILTER (WHERE n <= :_limit), '') AS items, "
            "max(value) FILTER (WHERE n = :_limit) AS value, max(key) FILTER (WHERE n = :_limit) AS key, "
            f"count(*) AS fetched, {count} AS total FROM p"
        )

    def page(self, session: Session, where: Sequence[str], params: Mapping[str, Any], page: PageLike) -> bytes:
        """`{"items": [...], "next": cursor or null}`. Raises `Invalid` for a bad `sort` or `cursor`."""
        bound = dict(params)
        sort, sql = self.query(where, page, bound, counted=False)
        try:
            found = session.execute(text(sql), bound).one()
        except Exception as error:
            # A cursor of ours whose value was tampered with fails the cast: the caller's fault, not ours.
            if page.cursor and getattr(getattr(error, "orig", None), "pgcode", "")[:2] == "22":
                raise Invalid.field("cursor", "Ce curseur n’est pas valable pour cette liste.") from None
            raise
        return b'{"items":[%b],"next":%b}' % (found.items.encode(), _next(sort, found, page.limit))

    def count(self, session: Session, where: Sequence[str], params: Mapping[str, Any]) -> int:
        """How many rows the filters leave."""
        conditions = " AND ".join(f"({part})" for part in where) or "true"
        return int(
            session.execute(text(f"SELECT count(*) FROM {self.source} WHERE {conditions}"), dict(params)).scalar_one()
        )

    def one(self, session: Session, where: Sequence[str], params: Mapping[str, Any]) -> bytes | None:
        """JSON of the one row that the filters leave, or None."""
        conditions = " AND ".join(f"({part})" for part in where)
        found = prepared(session, f"SELECT ({self.item})::text FROM {self.source} WHERE {conditions} LIMIT 1", params)
        return str(found[0][0]).encode() if found else None


#: A section of the fiche: the list and the conditions that its rows meet.
Part = tuple[Listing, Sequence[str]]


def sections(
    session: Session, parts: Mapping[str, Part], params: Mapping[str, Any], limit: int = 50
) -> dict[str, bytes]:
    """Sections of the fiche, `{"count": n, "items": [first page], "next": cursor or null}` each, in one round trip."""
    first, bound = First(limit), dict(params)
    queries = [listing.query(where, first, bound, counted=True) for listing, where in parts.values()]
    sql = " UNION ALL ".join(f"SELECT {n} AS n, q.* FROM ({sql}) q" for n, (_, sql) in enumerate(queries))
    found = {one.n: one for one in prepared(session, sql, bound)}
    return {
        name: b'{"count":%d,"items":[%b],"next":%b}'
        % (found[n].total or 0, found[n].items.encode(), _next(queries[n][0], found[n], limit))
        for n, name in enumerate(parts)
    }


def _next(sort: str, found: Any, limit: int) -> bytes:
    return orjson.dumps(encode_cursor(sort, found.value, found.key)) if found.fetched > limit else b"null"


def prepared(session: Session, sql: str, params: Mapping[str, Any]) -> Sequence[Any]:
    """Rows of a statement that PostgreSQL parses and plans once a connection: most of its time, for a wide first page.

    For statements of which there are few; parameters are named as in `text()`.
    """
    connection = session.connection()
    execute, names = prepare(connection, sql)
    return connection.exec_driver_sql(execute, tuple(params[name] for name in names)).all()
