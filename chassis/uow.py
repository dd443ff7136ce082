"""Unit of work of one message: session, events, idempotent answer; committed whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog
from sqlalchemy import event, text
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session

from chassis import tracing
from chassis.bell import Bell, Told
from chassis.context import SYSTEM, Context
from chassis.db import Database, Tail, is_taken_back, is_transient, later
from chassis.errors import Conflict, FicheError, Invalid, StartOver, Unavailable
from chassis.events.log import is_public
from chassis.ids import new_id
from chassis.wire.base import LoggedEvent
from contracts.base import Command, Envelope, Event, Request

log = structlog.get_logger(__name__)
T = TypeVar("T")

ATTEMPTS = 4

# The last statement of every transaction that tells events, sent with the COMMIT: the head row's lock holds until then,
# so positions have no holes and grow in commit order (events-protocol, Producer), and nobody waits for a round trip.
_NUMBER_AND_INSERT = """
    WITH head AS (
        UPDATE event_head SET position = position + :count
        RETURNING position - :count AS base, set_config('fiche.told', log_id || ' ' || position - :count, false)
    )
    INSERT INTO event_log (position, id, type, subject, ordering_key, event)
    SELECT head.base + e.n, e.id, e.type, e.subject, e.ordering_key, e.event
    FROM head, unnest(
        CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:subjects AS text[]), CAST(:keys AS text[]),
        CAST(:events AS text[])
    ) WITH ORDINALITY AS e(id, type, subject, ordering_key, event, n)
    """
_WHERE = "SELECT current_setting('fiche.told')"


class UnitOfWork:
    """What a command or a query gets. Made per worker by `UnitOfWorkProvider`; not for two threads.

    `session` is open inside `run` only. `now` is the moment the unit began (UTC), one for all rows of the unit.
    """

    def __init__(self, database: Database, bell: Bell, context: Context | None = None) -> None:
        self.database = database
        self.bell = bell
        self.context = context or Context(actor=SYSTEM)
        self.now = datetime.now(UTC)
        self._session: Session | None = None
        self._events: list[tuple[Event, Context]] = []
        #: What is written of them, and the part of the transaction that goes with the COMMIT.
        self._rows: list[tuple[str, str, str, str, str]] = []
        self._tail = Tail()

    @property
    def service(self) -> str:
        """Name of the service whose database this is."""
        return self.database.service

    @property
    def session(self) -> Session:
        """The open session. Raises `RuntimeError` outside of `run`."""
        if self._session is None:
            raise RuntimeError("the unit of work has not begun")
        return self._session

    def emit(self, *events: Event) -> None:
        """Tells facts that become true with this transaction. Lock the business row before making its event."""
        self._events.extend((event, self.context) for event in events)

    @property
    def tells(self) -> bool:
        """Whether events go with this transaction so far."""
        return bool(self._events)

    def later(self, sql: str, params: Mapping[str, Any]) -> None:
        """Has a statement run whose result nobody needs; see `chassis.db.later`."""
        later(self.session, sql, params)

    def after_commit(self, work: Callable[[], None]) -> None:
        """Has something done once this transaction is committed; it must be quick and not raise."""
        event.listen(self.session, "after_commit", lambda _session: work(), once=True)

    def run(self, request: Request | None, work: Callable[[], T]) -> T | bytes:
        """Runs `work` in one transaction and commits; runs it again when the database asks for that.

        A command with an idempotency key that was answered before gets that answer, as bytes. Raises `FicheError`.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._once(request, work)
            except StartOver:
                if attempt == ATTEMPTS:
                    raise Conflict("La fiche change sans cesse en ce moment. Réessayez dans un instant.") from None
            except FicheError:
                raise
            except NoConnection as error:
                # All are in use, and this one has waited for long: nothing was begun, and asking again would not help.
                raise Unavailable("Le service est surchargé. Réessayez dans un instant.") from error
            except Exception as error:
                # A commit whose outcome was never heard may have taken place: then only a keyed command, whose answer
                # would be found, or a query may be run again.
                keyed = _is_remembered(request) and self.context.idempotency_key is not None
                safe = request is None or not request.command or keyed or is_taken_back(error)
                if not (is_transient(error) and safe):
                    raise
                log.warning("transaction.again", attempt=attempt, error=type(error).__name__)
                if attempt == ATTEMPTS:
                    raise Unavailable("Le service est surchargé. Réessayez dans un instant.") from error
        raise AssertionError("unreachable")

    def _once(self, request: Request | None, work: Callable[[], T]) -> T | bytes:
        self.now = datetime.now(UTC)
        self._events.clear()
        asks = request is not None and not request.command
        opened: Any = self.database.question() if asks else self.database.session()
        with opened as session:
            self._session = session
            try:
                keyed = _is_remembered(request) and self.context.idempotency_key is not None
                if keyed and request is not None:
                    earlier = self._earlier_answer(request)
                    if earlier is not None:
                        return earlier
                if self.context.only_remembered:
                    raise Conflict("Cette demande n’a pas encore reçu de réponse.", code="not_remembered")
                result = work()
                if asks and opened.straight and not self._events:
                    return result  # each statement stood by itself: nothing is begun that could be ended
                session.flush()
                if keyed and request is not None:
                    self._remember(request, result)
                count = self.write_events()
                session.commit()
            finally:
                self._session = None
                if session.in_transaction():
                    session.rollback()
        if count:
            self.bell.ring(self._told())
        return result

    # --- idempotent answers -----------------------------------------------------------------------------------

    def _fingerprint(self, request: Request) -> str:
        """Hash of the request without its secrets: a fast hash of a password would undo the slow one kept for it."""
        values = _without_secrets(request.model_dump(mode="json", exclude_unset=True))
        body = request.rpc + "\n" + json.dumps(values, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(body.encode()).hexdigest()

    def _earlier_answer(self, request: Request) -> bytes | None:
        actor, key = self.context.actor.id, self.context.idempotency_key
        # The lock tells a first run that has not ended yet from one that never was; it ends with the transaction.
        free = self.session.scalar(
            text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 7))"), {"name": f"{actor}\n{key}"}
        )
        if not free:
            raise Conflict("La même demande est déjà en cours.", code="in_progress")
        row = self.session.execute(
            text("SELECT request, answer FROM idempotent_answer WHERE actor_id = :actor AND key = :key"),
            {"actor": actor, "key": key},
        ).one_or_none()
        if row is None:
            return None
        if row.request != self._fingerprint(request):
            raise Invalid("Cette clé d’idempotence a déjà servi à une autre demande.", code="idempotency_key_reused")
        return str(row.answer).encode()

    def _remember(self, request: Request, result: Any) -> None:
        self.session.execute(
            text(
                "INSERT INTO idempotent_answer (actor_id, key, request, answer) "
                "VALUES (:actor, :key, :request, :answer)"
            ),
            {
                "actor": self.context.actor.id,
                "key": self.context.idempotency_key,
                "request": self._fingerprint(request),
                "answer": _without_shown_once(request, to_body(result)).decode(),
            },
        )

    # --- events -----------------------------------------------------------------------------------------------

    def write_events(self) -> int:
        """Numbers and inserts what was emitted; must be the last before the commit. Returns how many."""
        self._rows = [self._row(event, context) for event, context in self._events]
        self._events.clear()
        if self._rows:
            columns = (list(column) for column in zip(*self._rows, strict=True))
            params: dict[str, Any] = dict(zip(("ids", "types", "subjects", "keys", "events"), columns, strict=True))
            # A literal of PostgreSQL's: a list of texts would be none of identifiers.
            params |= {"count": len(self._rows), "ids": f"{{{','.join(params['ids'])}}}"}
            self._tail = later(self.session, _NUMBER_AND_INSERT, params)
            self._tail.ask = _WHERE
        return len(self._rows)

    def _told(self) -> Told | None:
        """What was committed, and where in the log it is."""
        # A trigger that changed what was told says so by an empty setting: the log is read then.
        if not self._tail.answer or not self._tail.answer[0]:
            return None
        log_id, _, base = self._tail.answer[0].partition(" ")
        return log_id, [
            LoggedEvent(position, kind, subject, key, is_public(kind), body.encode())
            for position, (_, kind, subject, key, body) in enumerate(self._rows, int(base) + 1)
        ]

    def envelope(self, event: Event, context: Context | None = None) -> Envelope:
        """The event as CloudEvents tell it, under a new id."""
        context = context or self.context
        return Envelope(
            id=str(new_id()),
            source=f"/services/{self.service}",
            type=event.event_type(),
            time=self.now,
            subject=event.about(),
            dataschema=f"/schemas/{event.event_type()}.json",
            partitionkey=event.ordering_key(),
            correlationid=context.correlation_id,
            causationid=context.causation_id,
            actor=context.actor.to_json(),
            traceparent=tracing.traceparent(),
            data=event.model_dump(mode="json"),
        )

    def _row(self, event: Event, context: Context) -> tuple[str, str, str, str, str]:
        with tracing.span(f"{event.event_type()} publish", "producer"):
            envelope = self.envelope(event, context)
        body = envelope.model_dump_json(exclude={"sequence"}, exclude_none=True)
        return envelope.id, envelope.type, envelope.subject, envelope.partitionkey, body


#: How long an answer is kept for a repeat, and how many are removed by one transaction.
REMEMBERED = "7 days"
FORGOTTEN = 1_000


def forget_answers(uow: UnitOfWork) -> int:
    """Removes a batch of answers too old to be asked for again; returns how many."""
    removed = uow.session.execute(
        text(
            "DELETE FROM idempotent_answer WHERE (actor_id, key) IN (SELECT actor_id, key FROM idempotent_answer "
            f"WHERE recorded_at < now() - interval '{REMEMBERED}' ORDER BY recorded_at LIMIT :limit "
            "FOR UPDATE SKIP LOCKED)"
        ),
        {"limit": FORGOTTEN},
    )
    return int(getattr(removed, "rowcount", 0))


#: Fields of requests that are secrets wherever they stand.
_SECRETS = frozenset({"password", "token", "secret"})


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_secrets(part) for name, part in value.items() if name not in _SECRETS}
    if isinstance(value, list):
        return [_without_secrets(part) for part in value]
    return value


def _is_remembered(request: Request | None) -> bool:
    return isinstance(request, Command) and request.remembered


def _without_shown_once(request: Request, body: bytes) -> bytes:
    names = request.shown_once if isinstance(request, Command) else frozenset()
    if not names:
        return body
    return json.dumps(dict(json.loads(body)) | dict.fromkeys(names)).encode()


def to_body(result: Any) -> bytes:
    """JSON of an answer: bytes pass untouched, models are dumped, None is an empty object."""
    if isinstance(result, bytes):
        return result
    if result is None:
        return b"{}"
    if hasattr(result, "model_dump_json"):
        return str(result.model_dump_json()).encode()
    return json.dumps(result).encode()
