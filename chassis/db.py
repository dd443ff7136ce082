"""A service's database: pooled engine with the session settings that the events protocol asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from chassis.settings import Settings


def connect_args(settings: Settings, application: str) -> dict[str, object]:
    """Arguments of every connection: time-outs (a frozen process must not stop a service) and TCP keepalive."""
    options = {
        "timezone": "UTC",
        "lock_timeout": f"{int(settings.database_lock_timeout_s * 1000)}ms",
        "idle_in_transaction_session_timeout": f"{int(settings.database_idle_timeout_s * 1000)}ms",
        "jit": "off",
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
            pool_pre_ping=True,
            pool_use_lifo=True,
            isolation_level="READ COMMITTED",
            connect_args=connect_args(settings, service),
        )

    def session(self) -> Session:
        """A new session; the caller closes it."""
        return Session(self.engine, expire_on_commit=False, autoflush=False)

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
