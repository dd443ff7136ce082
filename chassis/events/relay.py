"""The relay: carries the log to the broker, in order, one replica at a time. The log stays the truth.

What this process commits is handed over in memory, and published without a look at the log. The log is read where
something is missing in between, when another replica rings, and at each sweep.
"""

from __future__ import annotations

import random
import select
import socket
import threading
import time
from collections.abc import Callable

import psycopg2
import psycopg2.extensions
import structlog
from sqlalchemy import text

from chassis.bell import Bell, Told
from chassis.db import Database, connect_args
from chassis.events import log as event_log
from chassis.events.fresh import Fresh
from chassis.wire.base import EventPublisher, LoggedEvent, PublishError, Wire

log = structlog.get_logger(__name__)

CHANNEL = "fiche_log"
BATCH = 500
#: Seconds between looks at the log without a bell: the sweep is the guarantee, the bell only makes it quick.
SWEEP_S = 5.0
#: Seconds after which what is published is marked as such, at the latest; what is not is only published again.
MARK_S = 0.1
#: Seconds, up to twice as many, after which a replica tries again to lead.
LEAD_S = 1.0
#: Seconds after which an idle LISTEN connection is tried: a server gone without a word is noticed.
_TRY_S = 5.0
_RELAY_LOCK = 5_021_978

# Marked without waiting for the disk: a mark that a crash forgets costs a repetition, and while it is written every
# writer of the service would wait for the head row.
_MARK = text(
    "UPDATE event_head SET published = :position WHERE published < :position AND log_id = :log_id "
    "AND set_config('synchronous_commit', 'off', true) IS NOT NULL"
)


class Notifier:
    """Tells the replica that leads, after commit, that the log has grown: one NOTIFY for all that waits.

    Never inside the transaction: there it takes a lock of the whole PostgreSQL server through the commit.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stopping = False
        self.bell = Bell()
        self._thread = threading.Thread(target=self._run, name=f"notify-{database.service}", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after the notification in hand."""
        self._stopping = True
        self.bell.ring()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stopping:
            self.bell.wait()
            if not self._stopping:
                try:
                    with self._database.engine.connect() as connection:
                        connection.execution_options(isolation_level="AUTOCOMMIT")
                        connection.execute(text(f"NOTIFY {CHANNEL}"))
                except Exception as error:  # the sweep goes on without it
                    log.debug("notify.failed", error=str(error))


class Relay:
    """Publishes what follows `published`, moves it forward. Two at once are harmless: consumers skip."""

    def __init__(
        self, database: Database, bell: Bell, wire: Wire, connected: Callable[[], None] = lambda: None
    ) -> None:
        """`connected` is called whenever the LISTEN connection is made: the server may have started anew."""
        self._database = database
        self._wire = wire
        self._connected = connected
        self._bell = Bell()
        self._fresh = Fresh()
        self._notifier = Notifier(database)
        bell.listen(self._told)
        self._stop = threading.Event()
        #: What the listener waits on beside its connection, so that it ends when asked to.
        self._ending, self._end = socket.socketpair()
        self._leading = False
        #: Log and position of the last event that was confirmed; None: what the log says of it.
        self._at: tuple[str, int] | None = None
        #: What the log says is published.
        self._marked = -1
        self._marked_at = 0.0
        #: The log's head at the last sweep of one that does not lead, and whether it publishes in the leader's place.
        self._before: event_log.Head | None = None
        self._stands_in = False
        #: Whether the log may hold more than was handed over.
        self._look = True
        self._looked_at = 0.0
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
        self._notifier.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends after the batch in hand."""
        self._stop.set()
        self._bell.ring()
        self._end.send(b"1")
        for thread in self._threads:
            thread.join(5)
        self._notifier.stop()
        for end in (self._ending, self._end):
            end.close()

    def _told(self, told: Told | None) -> None:
        if not self._leading:
            self._notifier.bell.ring()
            return
        if told is None or not self._fresh.put(told):
            self._look = True
        self._bell.ring()

    # --- the LISTEN connection: its session holds the lock that makes this replica the relay ------------------

    def _listen(self) -> None:
        while not self._stop.is_set():
            connection = None
            try:
                connection = self._open()
                cursor = connection.cursor()
                self._connected()
                while not self._stop.is_set() and not self._lead(cursor):
                    self._stop.wait(LEAD_S * (1 + random.random()))
                cursor.execute(f"LISTEN {CHANNEL}")
                self._leading = self._look = True
                self._bell.ring()
                while not self._stop.is_set():
                    # A statement at each word of the server, rather than a poll: a poll returns quietly when the
                    # server has hung up, and what came with the answer would be waited for.
                    cursor.execute("SELECT 1")
                    if connection.notifies:
                        connection.notifies.clear()
                        self._look = True
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
        publisher: EventPublisher | None = None
        delay = 0.1
        while not self._stop.is_set():
            rung = self._bell.wait(SWEEP_S if self._at is None or self._marked >= self._at[1] else MARK_S)
            if self._stop.is_set():
                break
            try:
                if self._leading or (not rung and self._leader_is_stuck()):
                    publisher = publisher or self._wire.event_publisher(self._database.service)
                    self._publish(publisher)
                    if not rung:
                        self._mark()
                if not self._leading:
                    self._at = None
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
                self._at = None
                self._stop.wait(delay * (0.5 + random.random()))
                delay = min(delay * 2, 5.0)
                self._bell.ring()
        if publisher is not None:
            _quietly_close(publisher)

    def _publish(self, publisher: EventPublisher) -> None:
        """Publishes all there is."""
        while not self._stop.is_set():
            log_id, events = self._next()
            if not events:
                break
            publisher.publish(log_id, events)
            self._at = log_id, events[-1].position
            if time.monotonic() - self._marked_at > MARK_S:
                self._mark()

    def _next(self) -> tuple[str, list[LoggedEvent]]:
        """What follows the last that was confirmed: as handed over, or as the log has it."""
        if self._at is not None:
            run, others = self._fresh.after(*self._at)
            if run:
                return self._at[0], run
            if not (self._look or others or time.monotonic() - self._looked_at > SWEEP_S):
                return self._at[0], []
        self._look = False
        with self._database.session(by_statement=True) as session:
            head, events = event_log.read_on(session, self._at[1] if self._at else None, BATCH)
        log_id = str(head.log_id)
        if self._at is not None and (log_id != self._at[0] or head.position < self._at[1]):
            # Put back from a backup: from what that one says is published.
            self._at = None
            return self._next()
        self._looked_at = time.monotonic()
        self._look = len(events) == BATCH
        self._at = self._at or (log_id, head.published)
        self._marked = head.published
        return log_id, events

    def _mark(self) -> None:
        if self._at is None or self._marked >= self._at[1]:
            return
        log_id, position = self._at
        with self._database.session(by_statement=True) as session:
            session.execute(_MARK, {"log_id": log_id, "position": position})
        self._marked, self._marked_at = position, time.monotonic()

    def _leader_is_stuck(self) -> bool:
        """Whether what the log held at the sweep before is still not published: frozen, a leader keeps its lock.

        Whoever stands in for it goes on doing so until another has published something.
        """
        with self._database.session(by_statement=True) as session:
            head = event_log.head(session)
        before, self._before = self._before, head
        mine, self._marked = self._marked, head.published
        if head.published != mine:
            self._stands_in = False  # somebody publishes
        if before is not None and head.published == before.published < before.position:
            self._stands_in = True
        return self._stands_in and head.published < head.position


def _quietly_close(thing: object) -> None:
    # Clean-up never raises: the next session starts from the log in any case.
    try:
        thing.close()  # type: ignore[attr-defined]
    except Exception as error:
        log.debug("close.failed", error=str(error), at=time.time())
