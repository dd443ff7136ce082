"""`fiche restore`: a log whose database was put back from a backup gets a new identity, so that its readers notice."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from rich.console import Console
from sqlalchemy import text

from chassis.db import Database
from chassis.embedded_pg import EmbeddedPostgres
from chassis.events import log as event_log
from chassis.migrations import upgrade
from chassis.settings import Settings

out = Console()


def renew_log(settings: Settings, service: str) -> None:
    """Renews the log and says what comes next. Works on the database itself: the service is not running yet."""
    with _base(settings) as base:
        url = settings.service_database_url(service, base)
        upgrade(service, url)
        database = Database(service, url, settings)
        try:
            with database.session() as session:
                renewed = event_log.renew(session)
                readers = [row.name for row in session.execute(text("SELECT name FROM event_consumer ORDER BY name"))]
                session.commit()
        finally:
            database.dispose()
    out.print(
        f"[green]✓[/green] Le journal de {service} a une nouvelle identité ({renewed.log_id}), "
        f"commune avec l’ancienne jusqu’à la position {renewed.position}.",
        highlight=False,
    )
    if readers:
        out.print(
            "Une fois le service relancé, ses lecteurs s’arrêtent jusqu’à ce que l’on refasse leurs copies\u202f:"
        )
        for reader in readers:
            out.print(f"    fiche projections rebuild {reader} --producer {service}", highlight=False)


@contextlib.contextmanager
def _base(settings: Settings) -> Iterator[str | None]:
    """The embedded server where there is no other; it refuses while the product runs on it."""
    if settings.database_url:
        yield None
        return
    server = EmbeddedPostgres(settings.data_dir / "postgres")
    try:
        yield server.start()
    finally:
        server.stop()
