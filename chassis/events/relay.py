"""The relay: carries the log to the broker, in order, one replica at a time. The log stays the truth."""

from __future__ import annotations

import random
import select
import socket
import threading
import time

import psycopg2
import psycopg2.extensions
import structlog
from sqlalchemy import text

from chassis.bell import Bell
from chassis.db import Database, connect_args
from chassis.events import log as event_log
from chassis.wire.base import PublishError, Wire

log = structlog.get_logger(__name__)

CHANNEL = "fiche_log"
BATCH = 500
#: Seconds between looks at the log without a bell: the sweep is the guarantee, the bell only makes it quick.
SWEEP_S = 1.0
#: Seconds after which an idle LISTEN connection is tried: a server gone without a word is noticed.
_TRY_S = 5.0
_RELAY_LOCK = 5_021_978


class Notifier:
    """Tells other replicas, after commit, that the log has grown: one NOTIFY for all that waits.

    Never inside the transaction: there it takes a lock of the whole PostgreSQL server through the commit.
    """

    def __init__(self, database: Database, bell: Bell) -> None:
        self._database = database
        self._bell = Bell()
        bell.listen(self._bell.ring)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"notify-{database.service}", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after the notification in hand."""
        self._stopping = True
        self._bell.ring()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stopping:
            if self._bell.wait(5) and not self._stopping:
                try:
                    with self._database.engine.connect() as connection:
                        connection.execution_options(isolation_level="AUTOCOMMIT")
                        connection.execute(text(f"NOTIFY {CHANNEL}"))
                except Exception as error:  # the sweep goes on without it
                    log.debug("notify.failed", error=str(error))


class Relay:
    """Publishes what follows `published`, moves it forward. Two at once are harmless: consumers skip."""

    def __init__(self, database: Database, bell: Bell, wire: Wire) -> None:
        self._database = database
        self._wire = wire
        self._bell = Bell()
        bell.listen(self._bell.ring)
        self._stop = threading.Event()
        #: What the listener waits on beside its connection, so that it ends when asked to.
        self._ending, self._end = socket.socketpair()
        self._leading = False
        self._threads = [
            threading.Thread(target=self._listen, name=f"relay-listen-{database.service}", daemon=True),
            threading.Thread(target=self._run, name=f"relay-{database.service}", daemon=True),
        ]

    @property
    def leading(self) -> bool:
        """Whether this replica is the one that publishes."""
        return self._leading

    def start(self) -> None:
        """Starts listening and publishing."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends after the batch in hand."""
        self._stop.set()
        self._bell.ring()
        self._end.send(b"1")
        for thread in self._threads:
            thread.join(5)

    # --- the LISTEN connection: its session holds the lock that makes this replica the relay ------------------

    def _listen(self) -> None:
        while not self._stop.is_set():
            connection = None
            try:
                connection = self._open()
                cursor = connection.cursor()
                while not self._stop.is_set() and not self._lead(cursor):
                    self._stop.wait(SWEEP_S * (1 + random.random()))
                cursor.execute(f"LISTEN {CHANNEL}")
                self._leading = True
                self._bell.ring()
                while not self._stop.is_set():
                    # A statement at each word of the server, rather than a poll: a poll returns quietly when the
                    # server has hung up, and what came with the answer would be waited for.
                    cursor.execute("SELECT 1")
                    if connection.notifies:
                        connection.notifies.clear()
                        self._bell.ring()
                    select.select([connection, self._ending], [], [], _TRY_S)
            except psycopg2.Error as error:
                log.warning("relay.listen_lost", service=self._database.service, error=str(error).strip())
            finally:
                self._leading = False
                if connection is not None:
                    _quietly_close(connection)
            self._stop.wait(0.2 + random.random() * 0.5)

    def _open(self) -> psycopg2.extensions.connection:
        url = self._database.url
        options = dict(connect_args(self._database.settings, f"{self._database.service}-relay"))
        connection = psycopg2.connect(url.set(drivername="postgresql").render_as_string(hide_password=False), **options)
        connection.autocommit = True
        return connection

    def _lead(self, cursor: psycopg2.extensions.cursor) -> bool:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (_RELAY_LOCK,))
        row = cursor.fetchone()
        return bool(row and row[0])

    # --- publishing -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        publisher = None
        delay = 0.1
        while not self._stop.is_set():
            self._bell.wait(SWEEP_S)
            if not self._leading or self._stop.is_set():
                continue
            try:
                if publisher is None:
                    publisher = self._wire.event_publisher(self._database.service)
                while self._leading and not self._stop.is_set():
                    with self._database.session() as session:
                        at = event_log.head(session)
                        events = event_log.read(session, at.published, BATCH) if at.published < at.position else []
                        session.rollback()
                    if not events:
                        break
                    publisher.publish(str(at.log_id), events)
                    self._move(events[-1].position)
                delay = 0.1
            except Exception as error:
                expected = isinstance(error, PublishError)
                log.warning(
                    "relay.again",
                    service=self._database.service,
                    error=str(error),
                    kind=type(error).__name__,
                    exc_info=not expected,
                )
                if publisher is not None:
                    _quietly_close(publisher)
                    publisher = None
                self._stop.wait(delay * (0.5 + random.random()))
                delay = min(delay * 2, 5.0)
                self._bell.ring()
        if publisher is not None:
            _quietly_close(publisher)

    def _move(self, position: int) -> None:
        with self._database.session() as session:
            session.execute(
                text("UPDATE event_head SET published = :position WHERE published < :position"),
                {"position": position},
            )
            session.commit()


def _quietly_close(thing: object) -> None:
    # Clean-up never raises: the next session starts from the log in any case.
    try:
        thing.close()  # type: ignore[attr-defined]
    except Exception as error:
        log.debug("close.failed", error=str(error), at=time.time())
