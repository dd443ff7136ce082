"""A service's database: pooled engine with the session settings that the events protocol asks for."""

from __future__ import annotations

import _socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.orm import Session

from chassis import tracing
from chassis.settings import Settings


def connect_args(settings: Settings, application: str) -> dict[str, object]:
    """Arguments of every connection: time-outs (a frozen process must not stop a service) and TCP keepalive."""
    options = {
        "timezone": "UTC",
        "lock_timeout": f"{int(settings.database_lock_timeout_s * 1000)}ms",
        "idle_in_transaction_session_timeout": f"{int(settings.database_idle_timeout_s * 1000)}ms",
        "jit": "off",
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
            connect_args=connect_args(settings, service),
        )
        event.listen(self.engine, "checkout", _refuse_closed)
        event.listen(self.engine, "checkin", _as_it_was)
        tracing.watch_sql(self.engine, service)

    def session(self, *, by_statement: bool = False) -> Session:
        """A new session; the caller closes it.

        `by_statement`: each statement is a transaction of its own, as it is for what it sees under READ COMMITTED
        anyway: a question is spared the round trips of BEGIN and COMMIT.
        """
        kind = _SessionByStatement if by_statement else Session
        return kind(self.engine, expire_on_commit=False, autoflush=False)

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
    # The driver's own switch, which costs nothing; SQLAlchemy's AUTOCOMMIT costs a statement to leave it.
    if "isolation_level" not in connection.get_execution_options():
        connection.connection.dbapi_connection.autocommit = True  # type: ignore[union-attr]


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


def sqlstate(error: BaseException) -> str | None:
    """SQLSTATE of a database error, None for any other or for a lost connection."""
    if isinstance(error, DBAPIError):
        return getattr(error.orig, "pgcode", None)
    return None


def is_transient(error: BaseException) -> bool:
    """Whether the same transaction may succeed when run again: deadlock, serialisation, lock time-out, connection."""
    state = sqlstate(error)
    if state is not None:
        return state in ("40001", "40P01", "55P03") or state.startswith(("08", "57P", "53"))
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, OperationalError)
