"""Connections of a service's database: lost ones, and what a question costs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg2.extensions
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, ProgrammingError

from chassis.bell import Bell
from chassis.db import Database, is_transient, later, send, sqlstate
from chassis.embedded_pg import free_port
from chassis.errors import Unavailable
from chassis.events.parked import is_passing
from chassis.page import prepared
from chassis.settings import Settings
from chassis.uow import UnitOfWork
from contracts.chassis import Health


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    """A database of its own, over a pool of one connection."""
    address = make_url(postgres_url).set(drivername="postgresql+psycopg2")
    name = f"db_{uuid.uuid4().hex[:8]}"
    admin = create_engine(address, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    admin.dispose()
    url = address.set(database=name).render_as_string(hide_password=False)
    made = Database("clients", url, Settings(database_pool_size=1, max_workers=1))
    yield made
    made.dispose()


def close_all(database: Database) -> None:
    """Ends every connection, as a restart of the server does, and waits until they are gone."""
    other = create_engine(database.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with other.connect() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name"),
            {"name": database.url.database},
        )
    other.dispose()


def test_a_connection_that_the_server_closed_is_never_handed_out(database: Database) -> None:
    with database.session() as session:
        before = session.scalar(text("SELECT pg_backend_pid()"))
    close_all(database)
    with database.session() as session:
        assert session.scalar(text("SELECT pg_backend_pid()")) != before


def test_a_question_whose_connection_is_lost_while_it_is_answered_is_asked_again(database: Database) -> None:
    uow, seen = UnitOfWork(database, Bell()), []

    def work() -> object:
        seen.append(uow.session.scalar(text("SELECT pg_backend_pid()")))
        if len(seen) == 1:
            close_all(database)
        return uow.session.scalar(text("SELECT 7"))

    assert uow.run(Health(), work) == 7
    assert len(set(seen)) == 2


def test_a_question_opens_no_transaction_and_what_follows_on_its_connection_does(database: Database) -> None:
    uow = UnitOfWork(database, Bell())

    def twice() -> list[object]:
        # Within a transaction, now() is the moment of its first statement.
        return [uow.session.scalar(text("SELECT now()")) for _ in range(2)]

    [first, second] = uow.run(Health(), twice)
    assert first != second
    [first, second] = uow.run(None, twice)
    assert first == second
    with database.session() as session:
        assert session.scalar(text("SHOW transaction_isolation")) == "read committed"


def test_a_question_that_asks_for_one_view_of_all_gets_it(database: Database) -> None:
    uow = UnitOfWork(database, Bell())

    def level() -> object:
        uow.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        return uow.session.scalar(text("SHOW transaction_isolation"))

    assert uow.run(Health(), level) == "repeatable read"
    with database.session() as session:
        assert session.scalar(text("SHOW transaction_isolation")) == "read committed"


def test_a_statement_is_prepared_once_a_connection_and_again_on_the_next(database: Database) -> None:
    sql = "SELECT CAST(:n AS int) + :n AS twice, '12:30'::text AS clock, :word::text AS word, '%'::text AS sign"

    def rows(n: int) -> list[object]:
        with database.question() as session:
            [found] = prepared(session, sql, {"n": n, "word": "l’été : 100 %"})
            counted = session.scalar(text("SELECT count(*) FROM pg_prepared_statements"))
            return [*found, counted]

    assert rows(2) == [4, "12:30", "l’été : 100 %", "%", 1]
    assert rows(3) == [6, "12:30", "l’été : 100 %", "%", 1]
    close_all(database)
    assert rows(4)[0::4] == [8, 1]


@pytest.mark.parametrize("asked", [True, False], ids=["question", "unit of work"])
def test_a_prepared_statement_that_fails_tells_why_and_leaves_its_connection_sound(
    database: Database, asked: bool
) -> None:
    """Past SQLAlchemy or not: the same errors."""
    pid = "SELECT pg_backend_pid() AS pid"
    with database.question() if asked else database.session() as session:
        before = prepared(session, pid, {})[0].pid
    with database.question() if asked else database.session() as session:
        with pytest.raises(DataError) as caught:
            prepared(session, "SELECT 1 / CAST(:n AS int)", {"n": 0})
        assert sqlstate(caught.value) == "22012"
        assert not is_transient(caught.value)
    with database.question() if asked else database.session() as session:
        assert prepared(session, pid, {})[0].pid == before
        with pytest.raises(ProgrammingError):
            prepared(session, "SELECT nothing FROM nowhere", {})


def test_a_prepared_question_whose_connection_is_lost_in_the_middle_is_asked_again(database: Database) -> None:
    uow, tried = UnitOfWork(database, Bell()), []

    def work() -> object:
        tried.append(1)
        ends = "pg_terminate_backend(pg_backend_pid())" if len(tried) == 1 else "false"
        return prepared(uow.session, f"SELECT {ends} AS ended", {})[0].ended

    assert uow.run(Health(), work) is False
    assert len(tried) == 2


def test_a_pool_that_stays_empty_is_an_overload_and_asked_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, asked = database.engine.pool, []
    monkeypatch.setattr(pool, "_timeout", 0.1)
    taken = [database.engine.connect() for _ in range(3)]  # with what the pool may overflow by
    uow = UnitOfWork(database, Bell())

    def work() -> object:
        asked.append(1)
        return prepared(uow.session, "SELECT 1 AS one", {})

    for request in (None, Health()):
        with pytest.raises(Unavailable) as raised:
            uow.run(request, work)
        assert is_passing(raised.value)
        assert is_passing(raised.value.__cause__)
    assert len(asked) == 2
    for connection in taken:
        connection.close()
    assert uow.run(Health(), work) == [(1,)]


@pytest.mark.parametrize("asked", [True, False], ids=["question", "unit of work"])
def test_where_no_server_answers_it_is_said_as_what_may_be_asked_again(asked: bool) -> None:
    away = Database("clients", f"postgresql+psycopg2://fiche@127.0.0.1:{free_port()}/fiche", Settings())
    with away.question() if asked else away.session() as session, pytest.raises(OperationalError) as raised:
        prepared(session, "SELECT 1 AS one", {})
    assert is_transient(raised.value)
    away.dispose()


@pytest.mark.parametrize("asked", [True, False], ids=["question", "unit of work"])
def test_a_statement_prepared_before_a_migration_is_prepared_anew(noted: Database, asked: bool) -> None:
    uow = UnitOfWork(noted, Bell())
    health = Health()  # a query: it may be run again

    def read() -> object:
        if not asked:
            uow.session.connection()  # begins a transaction, which asks in the other way
        return prepared(uow.session, "SELECT n, word FROM noted ORDER BY n", {})

    assert uow.run(health, read) == []
    with noted.session() as session:
        session.execute(text("ALTER TABLE noted ALTER n TYPE bigint"))
        session.commit()
    assert uow.run(health, read) == []


def test_a_prepared_question_that_is_given_up_takes_its_connection_with_it(database: Database) -> None:
    """What is left of its answer would be the next one's."""

    class GivenUp(BaseException):
        pass

    def give_up(_connection: object) -> None:
        raise GivenUp

    pid = "SELECT pg_backend_pid() AS pid"
    with database.question() as session:
        before = prepared(session, pid, {})[0].pid
        waits = psycopg2.extensions.get_wait_callback()
        psycopg2.extensions.set_wait_callback(give_up)
        try:
            with pytest.raises(GivenUp):
                prepared(session, "SELECT pg_sleep(1)", {})
        finally:
            psycopg2.extensions.set_wait_callback(waits)
        assert prepared(session, pid, {})[0].pid != before
    assert database.engine.pool.status().count("Connections in pool: 1") == 1


def test_a_question_that_has_its_transaction_asks_in_it(database: Database) -> None:
    """Of a pool of one connection a second could not be had."""
    count = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() "
    count += "AND backend_type = 'client backend'"
    with database.question() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        assert prepared(session, "SELECT current_setting('transaction_isolation')", {})[0][0] == "repeatable read"
        assert prepared(session, count, {})[0].n == 1


# --- what is put off ----------------------------------------------------------------------------------------------


@pytest.fixture
def noted(database: Database) -> Database:
    """With a table that refuses a number twice, at once, and a word twice, at the commit."""
    with database.session() as session:
        session.execute(
            text("CREATE TABLE noted (n int PRIMARY KEY, word text UNIQUE DEFERRABLE INITIALLY DEFERRED, at bigserial)")
        )
        session.commit()
    return database


def note(n: int, word: str) -> tuple[str, dict[str, object]]:
    return "INSERT INTO noted (n, word) VALUES (:n, :word)", {"n": n, "word": word}


def words(database: Database) -> list[str]:
    with database.session() as session:
        return list(session.scalars(text("SELECT word FROM noted ORDER BY at")))


def test_what_is_put_off_is_done_in_order_and_seen_by_the_next_statement_and_kept_by_the_commit(
    noted: Database,
) -> None:
    with noted.session() as session:
        later(session, *note(1, "un : 100 %"))
        later(session, *note(2, "l’autre ; 'fin"))
        assert session.scalar(text("SELECT count(*) FROM noted")) == 2
        later(session, *note(3, "trois"))
        session.commit()
        later(session, *note(4, "quatre"))
        session.commit()
    assert words(noted) == ["un : 100 %", "l’autre ; 'fin", "trois", "quatre"]


def test_what_is_put_off_is_undone_with_its_transaction(noted: Database) -> None:
    with noted.session() as session:
        later(session, *note(1, "un"))
        session.rollback()
        later(session, *note(2, "deux"))
        send(session)
        session.rollback()
        later(session, *note(3, "trois"))
    assert words(noted) == []


@pytest.mark.parametrize("second", [(1, "deux"), (2, "un")], ids=["statement", "commit"])
def test_what_is_put_off_and_refused_fails_the_commit_whole(noted: Database, second: tuple[int, str]) -> None:
    with noted.session() as session:
        later(session, *note(1, "un"))
        later(session, *note(*second))
        with pytest.raises(IntegrityError):
            session.commit()
        session.rollback()
        later(session, *note(3, "trois"))
        session.commit()
    assert words(noted) == ["trois"]


def test_a_transaction_that_waits_for_its_first_statement_is_seen_by_nobody_before_its_commit(noted: Database) -> None:
    other = Database("clients", noted.url.render_as_string(hide_password=False), Settings())
    try:
        with noted.session() as session:
            session.execute(text(note(1, "un")[0]), [note(1, "un")[1], note(2, "deux")[1]])
            assert words(other) == []
            with session.begin_nested():
                later(session, *note(3, "trois"))
            assert words(other) == []
            session.commit()
        assert words(other) == ["un", "deux", "trois"]
    finally:
        other.dispose()


def test_rows_are_read_in_pieces_in_a_transaction_of_their_own(noted: Database) -> None:
    with noted.session() as session:
        found = session.scalars(text("SELECT generate_series(1, 1000)").execution_options(yield_per=10))
        assert next(found) == 1
        later(session, *note(1, "un"))
        session.commit()
    assert words(noted) == ["un"]
