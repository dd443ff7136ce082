"""Lists by cursor, with the JSON made by PostgreSQL: no object of the mapper is built on the read path."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis import asking
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


def of_pairs(pairs: str) -> str:
    """The same from pairs as `json_build_object` takes them (`'name', expression, …`), in two thirds of its time."""
    parts, depth, quoted, start = [], 0, False, 0
    for at, letter in enumerate(pairs):
        if letter == "'":
            quoted = not quoted
        elif not quoted:
            depth += (letter in "([") - (letter in ")]")
            if letter == "," and not depth:
                parts.append(pairs[start:at].strip())
                start = at + 1
    parts.append(pairs[start:].strip())
    names, values = parts[::2], parts[1::2]
    return row(", ".join(f'{value} AS "{name[1:-1]}"' for name, value in zip(names, values, strict=True)))


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
    #: What tells a row where the key does not (it is the sort that never ties): SQL expression and its type.
    told_by: tuple[str, str] | None = None

    def _sort(self, page: PageLike) -> tuple[str, str, str]:
        """Name of the sort, its SQL expression, and ORDER BY. Raises `Invalid` for an unknown one."""
        sort = page.sort or self.default
        if sort not in self.sorts:
            raise Invalid.field("sort", f"Tri inconnu. Tris possibles\u202f: {', '.join(sorted(self.sorts))}.")
        expression, direction = self.sorts[sort][0], "DESC" if sort.startswith("-") else "ASC"
        return sort, expression, f"ORDER BY {expression} {direction}, {self.key} {direction}"

    def first_page(self, where: Sequence[str]) -> str:
        """SQL of one row for a section: `items`, `value` and `key` of the last, `fetched`, `total`."""
        _, expression, order = self._sort(First())
        conditions = " AND ".join(f"({part})" for part in where) or "true"
        return (
            f"WITH p AS (SELECT ({self.item})::text AS item, ({expression})::text AS value, {self.key}::text AS key, "
            f"row_number() OVER ({order}) AS n FROM {self.source} WHERE {conditions} {order} LIMIT :_limit + 1) "
            "SELECT coalesce(string_agg(item, ',' ORDER BY n) FILTER (WHERE n <= :_limit), '') AS items, "
            "max(value) FILTER (WHERE n = :_limit) AS value, max(key) FILTER (WHERE n = :_limit) AS key, "
            f"count(*) AS fetched, (SELECT count(*) FROM {self.source} WHERE {conditions}) AS total FROM p"
        )

    def keys(
        self, session: Session, where: Sequence[str], params: Mapping[str, Any], page: PageLike
    ) -> tuple[str, Sequence[Any]]:
        """The sort, and `told`, `key` and `value` (as text) of each row of a page and of one more, if there is one."""
        sort, expression, order = self._sort(page)
        conditions, bound = list(where), {**params, "_limit": page.limit}
        if page.cursor:
            bound["_value"], bound["_key"] = decode_cursor(page.cursor, sort)
            comparison = "<" if sort.startswith("-") else ">"
            kind = self.sorts[sort][1]
            behind = f"({expression}, {self.key}) {comparison} (CAST(:_value AS {kind}), CAST(:_key AS uuid))"
            conditions.append(behind)
        filters = " AND ".join(f"({part})" for part in conditions) or "true"
        sql = (
            f"SELECT {self._row[0]} AS told, {self.key} AS key, ({expression})::text AS value "
            f"FROM {self.source} WHERE {filters} {order} LIMIT :_limit + 1"
        )
        with cursor_errors(page):
            return sort, session.execute(text(sql), bound).all()

    @property
    def _row(self) -> tuple[str, str]:
        return self.told_by or (self.key, "uuid")

    def items(self, session: Session, rows: Sequence[Any], params: Mapping[str, Any]) -> bytes:
        """JSON of rows (by `told_by`, which is the key nearly everywhere) in their order, parted by commas."""
        if not rows:
            return b""
        name, kind = self._row
        [(found,)] = prepared(
            session,
            f"SELECT string_agg(({self.item})::text, ',' ORDER BY _k.n) FROM {self.source} "
            f"JOIN unnest(CAST(:_rows AS {kind}[])) WITH ORDINALITY AS _k(told, n) ON _k.told = {name}",
            {**params, "_rows": list(rows)},
        )
        return str(found or "").encode()

    def page(self, session: Session, where: Sequence[str], params: Mapping[str, Any], page: PageLike) -> bytes:
        """`{"items": [...], "next": cursor or null}`. Raises `Invalid` for a bad `sort` or `cursor`.

        First which rows, by a statement that is planned for its filters; then their JSON, by one that is planned once:
        for a wide row that takes longer than running it.
        """
        sort, rows = self.keys(session, where, params, page)
        return page_of(self, session, params, sort, rows, page.limit)

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
    session: Session,
    parts: Mapping[str, Part],
    params: Mapping[str, Any],
    limit: int = 50,
    besides: Mapping[str, str] | None = None,
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Sections of the fiche, `{"count": n, "items": [first page], "next": cursor or null}` each, in one round trip.

    `besides` are queries of one text, by name, asked in the same statement: their answers come second.
    """
    queries = [listing.first_page(where) for listing, where in parts.values()]
    wanted = [f"SELECT {n} AS n, q.* FROM ({sql}) q" for n, sql in enumerate(queries)]
    more = list((besides or {}).items())
    wanted += [f"SELECT {n}, ({sql}), NULL, NULL, NULL, NULL" for n, (_, sql) in enumerate(more, start=len(queries))]
    found = {one.n: one for one in prepared(session, " UNION ALL ".join(wanted), {**params, "_limit": limit})}
    made = {
        name: b'{"count":%d,"items":[%b],"next":%b}'
        % (found[n].total or 0, found[n].items.encode(), _next(listing.default, found[n], limit))
        for n, (name, (listing, _)) in enumerate(parts.items())
    }
    return made, {name: found[n].items for n, (name, _) in enumerate(more, start=len(queries))}


@contextmanager
def cursor_errors(asked: PageLike) -> Iterator[None]:
    """A cursor of ours whose value was tampered with fails the cast: `Invalid`, the caller's fault and not ours."""
    try:
        yield
    except Exception as error:
        if asked.cursor and getattr(getattr(error, "orig", None), "pgcode", "")[:2] == "22":
            raise Invalid.field("cursor", "Ce curseur n’est pas valable pour cette liste.") from None
        raise


def page_of(
    listing: Listing, session: Session, params: Mapping[str, Any], sort: str, rows: Sequence[Any], limit: int
) -> bytes:
    """A page of these rows (as `Listing.keys` gives them), one more than `limit` where another page follows."""
    items = listing.items(session, [one.told for one in rows[:limit]], params)
    last = rows[limit - 1] if len(rows) > limit else None
    following = b"null" if last is None else orjson.dumps(encode_cursor(sort, last.value, str(last.key)))
    return b'{"items":[%b],"next":%b}' % (items, following)


def _next(sort: str, found: Any, limit: int) -> bytes:
    return orjson.dumps(encode_cursor(sort, found.value, found.key)) if found.fetched > limit else b"null"


def prepared(session: Session | asking.Question, sql: str, params: Mapping[str, Any]) -> Sequence[Any]:
    """Rows of a statement that PostgreSQL parses and plans once a connection: most of its time, for a wide first page.

    For statements of which there are few; parameters are named as in `text()`.
    """
    if isinstance(session, asking.Question) and session.straight:
        return asking.rows(session.engine, sql, params)
    connection = session.connection()
    execute, names = prepare(connection, sql)
    return connection.exec_driver_sql(execute, tuple(params[name] for name in names)).all()
