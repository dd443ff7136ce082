"""What a question asks by: a prepared statement goes to the driver, past SQLAlchemy's session and cursor.

A service that answers one call in some milliseconds finds the processor's caches emptied by the processes between two
calls, and pays for each line of Python that it touches rather than for its own work: session, transaction, connection
and result were two thirds of a question's time. The pool, its checks and the errors stay SQLAlchemy's.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import starmap
from typing import Any, Self

import psycopg2
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from chassis import tracing

#: Under which a pooled connection knows what was prepared on it: statement → its EXECUTE and the parameters' names.
PREPARED = "prepared"
_NAME = re.compile(r"(?<![:\w\\]):([a-z_]\w*)")


class Question:
    """Stands for a session, which is made when something else than `chassis.page.prepared` first needs one."""

    def __init__(self, engine: Engine, make: Callable[[], Session]) -> None:
        self.engine = engine
        self._make = make
        self._session: Session | None = None

    def __getattr__(self, name: str) -> Any:
        if self._session is None:
            self._session = self._make()
        return getattr(self._session, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._session is not None:
            self._session.close()

    def in_transaction(self) -> bool:
        """As a session's."""
        return self._session is not None and self._session.in_transaction()

    @property
    def straight(self) -> bool:
        """Whether `rows` may be asked: no statement is traced, and no connection held beside which it took a second."""
        return not tracing.on() and not self.in_transaction()


def rows(engine: Engine, sql: str, params: Mapping[str, Any]) -> Sequence[Any]:
    """Rows, with a name for each column, of a statement that is prepared once a connection and changes nothing.

    A transaction of its own. Raises SQLAlchemy's errors, as its own cursors do.
    """
    try:
        pooled = engine.raw_connection()
    except psycopg2.Error as error:  # no server, or none that lets us in: as it comes from the driver
        raise _known(engine, error, "", lost=False) from error
    driver: Any = pooled.dbapi_connection
    known: dict[str, tuple[str, list[str]]] = pooled.info.setdefault(PREPARED, {})
    execute = ""
    try:
        driver.autocommit = True  # which costs nothing: from here on the driver sends no BEGIN by itself
        with driver.cursor() as cursor:
            if sql not in known:
                statement, execute, names = preparation(sql, len(known))
                cursor.execute(statement)
                known[sql] = execute, names
            execute, names = known[sql]
            cursor.execute(execute, [params[name] for name in names])
            return list(starmap(_row(*[column.name for column in cursor.description]), cursor.fetchall()))
    except psycopg2.Error as error:
        stale = is_stale(error)
        lost = stale or bool(engine.dialect.is_disconnect(error, driver, None))
        if lost:
            pooled.invalidate(error)
        if stale:
            engine.dispose()  # what the other connections have prepared is no better
        raise _known(engine, error, execute, lost=lost) from error
    except BaseException as error:  # left in the middle of an answer, by a time-out for one: nobody else may get it
        pooled.invalidate(error)
        raise
    finally:
        pooled.close()


def is_stale(error: BaseException | None) -> bool:
    """Whether an EXECUTE failed because its statement gives other types since a migration, or is no longer known.

    It would for as long as its connection lives.
    """
    if not isinstance(error, psycopg2.Error):
        return False
    changed = error.pgcode == "0A000" and error.diag.source_function == "RevalidateCachedQuery"
    return bool(changed) or error.pgcode == "26000"


def _known(engine: Engine, error: psycopg2.Error, statement: str, *, lost: bool) -> BaseException:
    """The driver's error as SQLAlchemy's cursors raise it."""
    known: BaseException = DBAPIError.instance(
        statement, None, error, psycopg2.Error, connection_invalidated=lost, dialect=engine.dialect
    )
    return known


@lru_cache(1_000)
def _row(*columns: str) -> Callable[..., Any]:
    return namedtuple("Row", columns, rename=True)


def preparation(sql: str, number: int) -> tuple[str, str, list[str]]:
    """The PREPARE of a connection's statement, its EXECUTE with a place for each parameter, and their names."""
    names = list(dict.fromkeys(_NAME.findall(sql)))
    statement = _NAME.sub(lambda found: f"${names.index(found[1]) + 1}", sql)
    places = f" ({', '.join(['%s'] * len(names))})" if names else ""
    return f"PREPARE p{number} AS {statement}", f"EXECUTE p{number}{places}", names
