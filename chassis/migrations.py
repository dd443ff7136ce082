"""Migrations of a service's database: Alembic, under a lock time-out, safe from several replicas at once."""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2
import structlog
from sqlalchemy import Connection, MetaData, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from chassis.db import sqlstate
from chassis.settings import load_settings

if TYPE_CHECKING:
    from alembic.config import Config

log = structlog.get_logger(__name__)

#: Seconds that one statement of a migration may wait for a lock: the service keeps working meanwhile.
LOCK_TIMEOUT_S = 5
#: Seconds that a replica waits for another's migrations.
TURN_S = 600
_MIGRATION_LOCK = 5_021_977


def config(service: str, connection: Connection | None = None) -> Config:
    """Alembic's configuration for a service; the environment script is one for all (`chassis/alembic_env.py`)."""
    from alembic.config import Config

    result = Config()
    result.set_main_option("script_location", str(_folder(service)))
    result.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    result.attributes["connection"] = connection
    result.attributes["metadata"] = metadata(service)
    return result


def _folder(service: str) -> Path:
    return Path(importlib.import_module(f"services.{service}").__file__ or "").parent / "migrations"


def metadata(service: str) -> MetaData:
    """All tables of a service, the chassis's included."""
    base = importlib.import_module(f"services.{service}.model").Base
    tables: MetaData = base.metadata
    return tables


def ensure_database(url: str | URL) -> None:
    """Creates the database when it is absent and the login may. Raises `OperationalError` when it cannot be reached."""
    address = make_url(url)
    try:
        engine = create_engine(address)
        with engine.connect():
            return
    except OperationalError as error:
        if "does not exist" not in str(error):
            raise
    finally:
        engine.dispose()
    admin = create_engine(address.set(database="postgres"), isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            quoted = admin.dialect.identifier_preparer.quote(address.database or "")
            connection.execute(text(f"CREATE DATABASE {quoted} ENCODING 'UTF8' TEMPLATE template0 LOCALE 'C.UTF-8'"))
    except DBAPIError as error:
        if sqlstate(error) not in ("42P04", "23505"):  # another replica made it meanwhile
            raise
    finally:
        admin.dispose()


def upgrade(service: str, url: str | URL) -> None:
    """Brings the service's database to the newest schema; one replica at a time, the others wait and find it done.

    A schema newer than this code is left alone: it serves the release before as well (docs/operations.md), so the way
    back is to start that. Raises `TimeoutError` where another replica's migration does not end.
    """
    if _is_newest(service, url):
        return
    from alembic import command

    ensure_database(url)
    engine = create_engine(make_url(url), connect_args={"options": f"-c lock_timeout={LOCK_TIMEOUT_S}s"})
    try:
        with engine.connect() as connection:
            found, wanted = current(connection), head(service)
            connection.rollback()
            if found is not None and wanted is not None and int(found) > int(wanted):
                log.warning("migrate.newer", service=service, schema=found, code=wanted)
                return
            if found != wanted:
                _wait_for_turn(connection)
                command.upgrade(config(service, connection), "head")
    finally:
        engine.dispose()  # which ends the turn


def _wait_for_turn(connection: Connection) -> None:
    """A lock of the session, for each migration commits by itself.

    It is asked for again and again: who waits within a statement has a view of the data, for whose end an index made
    CONCURRENTLY would wait in its turn.
    """
    until = time.monotonic() + TURN_S
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _MIGRATION_LOCK}):
        connection.rollback()
        if time.monotonic() > until:
            raise TimeoutError(f"another migration has run for {TURN_S} seconds")
        time.sleep(0.1)
    connection.rollback()


def _is_newest(service: str, url: str | URL) -> bool:
    """Whether nothing is to be done, found without Alembic: at most starts, where its import would cost the most."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        connection = psycopg2.connect(address)
    except psycopg2.OperationalError:
        return False  # absent, or out of reach: what comes next tells
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT version_num FROM alembic_version")
            found: list[tuple[str]] = cursor.fetchall()
            return found == [(newest(service),)]
    except psycopg2.errors.UndefinedTable:
        return False
    finally:
        connection.close()


def newest(service: str) -> str | None:
    """The newest revision by the files' names, which begin with their number; the suite holds it equal to `head`."""
    return max((path.name.partition("_")[0] for path in _folder(service).glob("versions/[0-9]*.py")), default=None)


def head(service: str) -> str | None:
    """The newest revision in the code. Raises when there are several."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(config(service)).get_current_head()


def current(connection: Connection) -> str | None:
    """The revision a database is at."""
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def revision(service: str, message: str) -> None:
    """Writes a new revision from the difference between model and database (for developers)."""
    from alembic import command

    settings = load_settings()
    url = settings.service_database_url(service)
    ensure_database(url)
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            cfg = config(service, connection)
            known = sorted(Path(cfg.get_main_option("script_location") or "").glob("versions/[0-9]*.py"))
            if known:
                command.upgrade(cfg, "head")
            command.revision(cfg, message, autogenerate=True, rev_id=f"{len(known) + 1:04d}")
    finally:
        engine.dispose()


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] != "revision":
        sys.exit("usage: python -m chassis.migrations revision SERVICE MESSAGE")
    revision(sys.argv[2], sys.argv[3])
