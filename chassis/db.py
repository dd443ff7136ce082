"""A service's database: pooled engine with the session settings that the events protocol asks for."""

from __future__ import annotations

import _socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg2.extensions
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from sqlalchemy import Connection, CursorResult, Engine, ExceptionContext, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.orm import Session

from chassis import tracing
from chassis.asking import PREPARED, Question, is_stale, preparation
from chassis.settings import Settings


def connect_args(settings: Settings, application: str) -> dict[str, object]:
    """Arguments of every connection: time-outs (a frozen process must not stop a service) and TCP keepalive."""
    options = {
        "timezone": "UTC",
        "lock_timeout": f"{int(settings.database_lock_timeout_s * 1000)}ms",
        "idle_in_transaction_session_timeout": f"{int(settings.database_idle_timeout_s * 1000)}ms",
        "jit": "off",
        # What is prepared here is planned once, see `prepare`. By itself, PostgreSQL would plan the numbering of events
        # anew each time, for it takes an array of unknown length for ten rows.
        "plan_cache_mode": "force_generic_plan",
        "default_transaction_isolation": r"read\ committed",
    }
    return {
        "application_name": f"fiche-{application}",
        "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
        "keepalives": 1,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "connect_timeout": 5,
    }


class Database:
    """Engine of one service. Made per process at start, never at import."""

    def __init__(self, service: str, url: str, settings: Settings) -> None:
        self.service = service
        self.url: URL = make_url(url)
        self.settings = settings
        self.engine: Engine = create_engine(
            self.url,
            pool_size=settings.database_pool_size,
            max_overflow=2,
            pool_timeout=5,
            pool_use_lifo=True,
            connect_args={**connect_args(settings, service), "connection_factory": _Connection},
        )
        event.listen(self.engine, "checkout", _refuse_closed)
        event.listen(self.engine, "checkin", _as_it_was)
        event.listen(self.engine, "begin", _begin)
        event.listen(self.engine, "before_cursor_execute", _before, retval=True)
        event.listen(self.engine, "handle_error", _give_up_stale)
        tracing.watch_sql(self.engine, service)

    def session(self, *, by_statement: bool = False) -> Session:
        """A new session; the caller closes it.

        `by_statement`: each statement is a transaction of its own, as it is for what it sees under READ COMMITTED
        anyway: a question is spared the round trips of BEGIN and COMMIT.
        """
        kind = _SessionByStatement if by_statement else Session
        return kind(self.engine, expire_on_commit=False, autoflush=False)

    def question(self) -> Question:
        """What a question is answered by, as by a session by statement; the caller closes it."""
        return Question(self.engine, lambda: self.session(by_statement=True))

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reading only; rolled back at the end."""
        with self.session() as session:
            session.execute(text("SET TRANSACTION READ ONLY"))
            try:
                yield session
            finally:
                session.rollback()

    def dispose(self) -> None:
        """Closes all pooled connections."""
        self.engine.dispose()


class _SessionByStatement(Session):
    """See `Database.session`. What asks for an isolation level gets a transaction."""


@event.listens_for(_SessionByStatement, "after_begin")
def _by_statement(_session: Session, _transaction: Any, connection: Connection) -> None:
    _driver(connection).tail = None


# --- fewer round trips: BEGIN goes with the first statement of a transaction, COMMIT with the last -------------------

_AS_IT_IS = {"no_parameters": True}


@dataclass(slots=True)
class Tail:
    """What of an open transaction is not sent yet. `answer` is the row of `ask`, once committed."""

    begun: bool = False
    statements: list[str] = field(default_factory=list)
    #: A statement that is run behind the COMMIT, in the same message.
    ask: str = ""
    answer: tuple[Any, ...] | None = None


class _Connection(psycopg2.extensions.connection):  # type: ignore[misc]
    """The driver's connection; with a `tail`, the transaction is begun and ended by us."""

    tail: Tail | None = None

    def commit(self) -> None:
        tail, self.tail = self.tail, None
        if tail is None:
            super().commit()
        elif tail.begun or tail.statements:
            begin = [] if tail.begun else ["BEGIN"]
            with self.cursor() as cursor:
                cursor.execute("; ".join([*begin, *tail.statements, "COMMIT", *([tail.ask] if tail.ask else [])]))
                tail.answer = cursor.fetchone() if tail.ask else None

    def rollback(self) -> None:
        self.tail = None
        if self.autocommit and self.get_transaction_status() != TRANSACTION_STATUS_IDLE:
            with self.cursor() as cursor:
                cursor.execute("ROLLBACK")
        else:
            super().rollback()


def _driver(connection: Connection) -> _Connection:
    return connection.connection.dbapi_connection  # type: ignore[return-value]


def later(session: Session, sql: str, params: Mapping[str, Any]) -> Tail:
    """Has a statement run whose result nobody needs: in order, with the next one that is waited for, or the COMMIT.

    So an error of it shows there (before a savepoint ends, `send`); and a row locked by what goes with the COMMIT is
    held for no round trip. It is prepared, see `execution`.
    """
    session.flush()
    execute = execution(session, sql, params)
    tail = _driver(session.connection()).tail
    if tail is None:
        rows_of(session, execute)
        return Tail()
    tail.statements.append(execute)
    return tail


def execution(session: Session, sql: str, params: Mapping[str, Any]) -> str:
    """The EXECUTE of a statement that PostgreSQL parses and plans once a connection; parameters named as in `text()`.

    For statements whose text never varies: each is kept as long as the connection.
    """
    connection = session.connection()
    execute, names = prepare(connection, sql)
    with _driver(connection).cursor() as cursor:
        return str(cursor.mogrify(execute, [params[name] for name in names]).decode())


def prepare(connection: Connection, sql: str) -> tuple[str, list[str]]:
    """An EXECUTE with a place for each parameter, and their names; the statement is prepared where it was not yet."""
    known: dict[str, tuple[str, list[str]]] = connection.info.setdefault(PREPARED, {})
    if sql not in known:
        statement, execute, names = preparation(sql, len(known))
        connection.exec_driver_sql(statement, execution_options=_AS_IT_IS)
        known[sql] = execute, names
    return known[sql]


def rows_of(session: Session, *statements: str) -> CursorResult[Any]:
    """What the last of some statements gives, sent in one message; they are as PostgreSQL takes them."""
    return session.connection().exec_driver_sql("; ".join(statements), execution_options=_AS_IT_IS)


def send(session: Session) -> None:
    """Sends what was put off, and waits for it."""
    connection = session.connection()
    tail = _driver(connection).tail
    if tail is not None and tail.statements:
        _send(connection, tail)


def _send(connection: Connection, tail: Tail) -> None:
    sent, tail.statements = tail.statements, []
    connection.exec_driver_sql("; ".join(sent), execution_options=_AS_IT_IS)


def _begin(connection: Connection) -> None:
    # What asks for an isolation level is begun and ended by the driver.
    if "isolation_level" not in connection.get_execution_options():
        driver = _driver(connection)
        driver.autocommit = True  # which costs nothing: from here on the driver sends no BEGIN by itself
        driver.tail = Tail()


def _before(
    connection: Connection, cursor: Any, statement: str, parameters: Any, _context: Any, executemany: bool
) -> tuple[str, Any]:
    driver = _driver(connection)
    tail = driver.tail
    if tail is None:
        return statement, parameters
    if tail.statements:
        _send(connection, tail)
    if cursor.name is not None:
        # Read in pieces, which the driver allows only where it ends the transaction itself.
        driver.tail = None
        driver.autocommit = False
    elif not tail.begun:
        tail.begun = True
        if executemany:
            connection.exec_driver_sql("BEGIN", execution_options=_AS_IT_IS)
        else:
            statement = f"BEGIN; {statement}"
    return statement, parameters


def _as_it_was(connection: Any, _record: Any) -> None:
    """At a pool's checkin: a transaction begins with the first statement, at the level of the session."""
    if connection is not None and (connection.autocommit or connection.isolation_level is not None):
        connection.set_session(isolation_level="DEFAULT", autocommit=False)


def _refuse_closed(connection: Any, _record: Any, _fairy: Any) -> None:
    """At a pool's checkout: a connection on which the server has spoken unasked, or hung up, gives way to a new one.

    A look at the socket, where a ping would cost a round trip. What is lost later is the unit of work's to run again.
    """
    sock = _socket.socket(fileno=connection.fileno())
    try:
        sock.recv(1, _socket.MSG_PEEK | _socket.MSG_DONTWAIT)
    except BlockingIOError:
        return
    except OSError:
        pass
    finally:
        sock.detach()
    raise InvalidatePoolError()


def _give_up_stale(context: ExceptionContext) -> None:
    """What was prepared before a migration fails for as long as its connection lives: all of them are made anew."""
    if is_stale(context.original_exception):
        context.is_disconnect = True


def sqlstate(error: BaseException) -> str | None:
    """SQLSTATE of a database error, None for any other or for a lost connection."""
    if isinstance(error, DBAPIError):
        return getattr(error.orig, "pgcode", None)
    return None


#: What the server itself takes a transaction back for: a serialisation failure, a deadlock, a lock not had in time.
_TAKEN_BACK = ("40001", "40P01", "55P03")


def is_taken_back(error: BaseException) -> bool:
    """Whether the server said that it took the transaction back: nothing of it is kept, whatever it was."""
    return sqlstate(error) in _TAKEN_BACK


def is_transient(error: BaseException) -> bool:
    """Whether the same transaction may succeed when run again: deadlock, serialisation, lock time-out, connection."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = sqlstate(error)
    if state is not None:
        return state in _TAKEN_BACK or state.startswith(("08", "57P", "53"))
    return isinstance(error, OperationalError)
