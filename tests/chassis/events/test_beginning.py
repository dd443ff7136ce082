"""Where a consumer begins: the log, a snapshot, or what a new handler declares; and what may be pruned."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from chassis.errors import Conflict, FicheError
from chassis.events import consumer, snapshot
from chassis.events import log as event_log
from contracts import clients as c
from contracts.chassis import LogPrune, LogRead, Rebuild
from tests.chassis.events.direct import Pair, at_once
from tests.support.waiting import wait_until


@pytest.fixture
def pair(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    # Nothing rings here.
    monkeypatch.setattr(consumer, "ASK_S", 0.2)
    monkeypatch.setattr(consumer, "RARELY", 1)
    made = Pair(postgres_url)
    yield made
    made.close()


def prune(pair: Pair, *forget: str) -> int:
    """Prunes the producer's log of all that was read."""
    return int(pair.producer.call(LogPrune(older_than_days=0, forget=list(forget)))["removed"])


def test_a_new_consumer_reads_the_log_from_its_first_event(pair: Pair) -> None:
    for _ in range(3):
        pair.new_client()
    pair.read_all(pair.following())
    assert (pair.known(), pair.known("known_address")) == (3, 3)


def test_a_new_consumer_starts_from_a_snapshot_when_the_log_no_longer_reaches_back(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "PAGE", 2)
    for _ in range(3):
        pair.new_client()
    assert prune(pair) > 0
    last = pair.new_client()
    pair.read_all(pair.following())
    assert (pair.known(), pair.known("known_address")) == (4, 4)
    assert last in {str(row.id) for row in pair.consumer.sql("SELECT id FROM known_client")}


def test_a_log_is_not_pruned_of_what_a_follower_has_not_read(pair: Pair) -> None:
    pair.new_client()
    pair.read_all(pair.following())
    pair.new_client()
    with pytest.raises(Conflict, match="equipment") as refused:
        prune(pair)
    assert refused.value.code == "log_unread"
    assert pair.producer.sql("SELECT min(position) FROM event_log")[0][0] == 1
    assert prune(pair, "equipment") > 0


def test_a_log_is_pruned_of_nothing_younger_than_the_limit(pair: Pair) -> None:
    pair.new_client()
    pair.producer.sql("UPDATE event_log SET recorded_at = now() - interval '40 days' WHERE position = 1")
    assert pair.producer.call(LogPrune(older_than_days=30)) == {"removed": 1, "upto": 1, "left": 0}


def test_a_log_is_not_pruned_of_what_partners_have_not_been_told(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.new_client()
    told = pair.producer.sql("UPDATE event_head SET published = position RETURNING position")[0][0]
    pair.new_client()
    with_broker = pair.producer.settings.model_copy(update={"amqp_url": "amqp://somewhere"})
    monkeypatch.setattr(pair.producer, "settings", with_broker)
    assert pair.producer.call(LogPrune(older_than_days=0)) == {"removed": told, "upto": told, "left": 0}
    assert pair.producer.sql("SELECT min(position) FROM event_log")[0][0] == told + 1
    # Without a broker nothing is published, and partners read the log itself.
    monkeypatch.undo()
    assert pair.producer.call(LogPrune(older_than_days=0))["removed"] > 0


def test_a_log_is_pruned_in_batches(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "PRUNED", 1)
    pair.new_client()
    first = pair.producer.call(LogPrune(older_than_days=0))
    assert first["removed"] == 1
    assert first["left"] == first["upto"] - 1
    assert pair.producer.call(LogPrune(older_than_days=0, upto=first["upto"]))["left"] == first["left"] - 1


def test_a_consumer_put_back_behind_a_pruned_log_says_so_and_is_rebuilt(pair: Pair) -> None:
    pair.new_client()
    pair.read_all(pair.following())
    pair.new_client()
    prune(pair, "equipment")
    with pair.reading(pair.following()):
        wait_until(lambda: "fiche projections rebuild equipment" in pair.halted(), "it says so")
        pair.consumer.call(Rebuild(producer="clients"))
        wait_until(lambda: pair.level() and not pair.halted(), "rebuilt")
    assert pair.known() == 2


def test_a_damaged_copy_is_rebuilt_and_keeps_nothing_that_is_no_more(pair: Pair) -> None:
    made = pair.new_client()
    pair.read_all(pair.following())
    pair.consumer.sql("UPDATE known_client SET display_name = 'abîmé'")
    pair.consumer.sql(
        "INSERT INTO known_client (id, display_name, reference, status) VALUES (gen_random_uuid(), 'x', 'x', 'active')"
    )
    pair.consumer.call(Rebuild(producer="clients"))
    with pair.reading(pair.following()):
        wait_until(lambda: pair.consumer.sql("SELECT rebuilt_at FROM event_place")[0][0], "rebuilt")
    [row] = pair.consumer.sql("SELECT id, display_name FROM known_client")
    assert str(row.id) == made
    assert row.display_name != "abîmé"


def test_a_rebuild_drops_what_was_parked_of_the_facts_that_it_replaces(pair: Pair) -> None:
    pair.new_client()
    pair.read_all(pair.following())
    pair.consumer.sql("ALTER TABLE known_client ADD CONSTRAINT poison CHECK (display_name <> 'Poison')")
    pair.producer.call(c.CreateClient(body=c.ClientBody(kind="company", company_name="Poison")))
    with pair.reading(pair.following()):
        wait_until(lambda: pair.consumer.sql("SELECT 1 FROM parked_event"), "parked")
        pair.consumer.sql("ALTER TABLE known_client DROP CONSTRAINT poison")
        pair.consumer.call(Rebuild(producer="clients"))
        wait_until(lambda: pair.known() == 2, "rebuilt")
    assert pair.consumer.sql("SELECT 1 FROM parked_event") == []
    assert len(pair.consumer.sql("SELECT 1 FROM dropped_event WHERE reason LIKE 'copies reconstruites%'")) == 1


def test_a_rebuild_that_fails_changes_nothing_and_is_not_tried_for_ever(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "ASK_S", 60)  # it goes on reading after so many seconds, and says so no more
    pair.new_client()
    pair.read_all(pair.following())
    pair.consumer.sql("ALTER TABLE known_client ADD CONSTRAINT poison CHECK (display_name = '') NOT VALID")
    pair.consumer.call(Rebuild(producer="clients"))
    with pair.reading(pair.following()):
        wait_until(lambda: "a échoué" in pair.halted(), "the failure is told")
    assert pair.known() == 1
    assert pair.consumer.sql("SELECT rebuild_asked_at FROM event_place")[0][0] is None


# --- a new handler in an old consumer -----------------------------------------------------------------------------


def old_consumer(pair: Pair) -> None:
    """A release that has no handler for addresses has read the log."""
    for _ in range(3):
        pair.new_client()
    pair.read_all(pair.following(c.ClientCreated, c.ClientUpdated))
    assert pair.known("known_address") == 0


def test_a_new_handler_that_declares_nothing_does_not_start_in_silence(pair: Pair) -> None:
    old_consumer(pair)
    made = pair.new_client()
    with pair.reading(pair.following()):
        wait_until(lambda: "fiche.clients.address.created.v1" in pair.halted(), "it says so")
    assert made not in {str(row.id) for row in pair.consumer.sql("SELECT id FROM known_client")}


@pytest.mark.parametrize(("since", "past"), [("now", 0), ("log", 3), ("snapshot", 3)])
def test_a_new_handler_starts_as_it_declares(pair: Pair, since: str, past: int) -> None:
    old_consumer(pair)
    pair.new_client()
    pair.read_all(pair.following(since=since))
    assert (pair.known(), pair.known("known_address")) == (4, past + 1)
    # Declared once, it is known, and nothing is done again.
    pair.consumer.sql("DELETE FROM known_address")
    pair.new_client()
    pair.read_all(pair.following())
    assert pair.known("known_address") == 1


def test_a_new_handlers_past_that_the_log_has_no_more_is_not_skipped_in_silence(pair: Pair) -> None:
    old_consumer(pair)
    prune(pair, "equipment")
    with pair.reading(pair.following(since="log")):
        wait_until(lambda: "ne remonte plus" in pair.halted(), "it says so")


def test_a_new_handlers_past_that_it_refuses_is_parked(pair: Pair) -> None:
    old_consumer(pair)
    pair.consumer.sql("ALTER TABLE known_address ADD CONSTRAINT poison CHECK (city <> 'Brest')")
    with pair.reading(pair.following(since="log")):
        wait_until(lambda: len(pair.consumer.sql("SELECT 1 FROM parked_event")) == 3, "parked")


@pytest.mark.parametrize("since", ["now", "log", "snapshot"])
def test_what_replicas_of_the_former_release_pass_by_is_told_to_the_new_handler_once(pair: Pair, since: str) -> None:
    """A rolling upgrade, and one taken back and made again."""
    old_consumer(pair)
    former, new = pair.following(c.ClientCreated, c.ClientUpdated), pair.following(since=since)
    pair.new_client()
    pair.read_all(new)
    before = pair.known("known_address")
    pair.consumer.sql(
        "CREATE TABLE told (id uuid);"
        "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO told VALUES (NEW.id); RETURN NULL; END $$;"
        "CREATE TRIGGER tell AFTER INSERT ON known_address FOR EACH ROW EXECUTE FUNCTION tell()"
    )
    for _ in range(3):
        pair.new_client()
        pair.read_all(former)
    assert pair.known("known_address") == before, "the former release knows nothing of addresses"

    def all_told() -> bool:
        return pair.level() and pair.known("known_address") == pair.producer.sql("SELECT count(*) FROM address")[0][
            0
        ] - (3 if since == "now" else 0)

    with pair.reading(new), pair.reading(former, 2) as others:
        for _ in range(5):
            pair.new_client()
            for other in others:
                other.rung()
        wait_until(all_told, "the new handler was told of all since it is there")
    told = [row.id for row in pair.consumer.sql("SELECT id FROM told")]
    assert len(told) == len(set(told)) == 8


# --- many at once -------------------------------------------------------------------------------------------------


def test_three_consumers_active_at_once_apply_each_event_once_and_in_order(pair: Pair) -> None:
    pair.consumer.sql(
        "CREATE TABLE seen (n bigserial PRIMARY KEY, name text);"
        "CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO seen (name) VALUES (NEW.display_name); RETURN NULL; END $$;"
        "CREATE TRIGGER see AFTER INSERT OR UPDATE ON known_client FOR EACH ROW EXECUTE FUNCTION see()"
    )
    with pair.reading(pair.following(), 3) as consumers:
        for _ in range(30):
            pair.new_client()
            for consumer in consumers:
                consumer.rung()
        wait_until(pair.level, "all is read")
    told = [
        event["data"]["display_name"]
        for event in pair.producer.events()
        if event["type"] in ("fiche.clients.client.created.v1", "fiche.clients.client.updated.v1")
    ]
    assert [row.name for row in pair.consumer.sql("SELECT name FROM seen ORDER BY n")] == told


def test_a_log_that_holds_another_event_at_the_readers_place_is_another_log(pair: Pair) -> None:
    pair.new_client()
    log_id = pair.producer.sql("SELECT log_id FROM event_head")[0][0]
    with pytest.raises(FicheError) as refused:
        pair.producer.call(LogRead(log_id=log_id, after=1, after_id=uuid.uuid4()))
    assert refused.value.code == "other_log"


def test_a_reader_with_a_cursor_loses_events_of_a_sequence_and_none_of_the_log(pair: Pair) -> None:
    database = pair.producer.database
    pair.producer.sql("CREATE TABLE sequenced (n bigserial PRIMARY KEY)")
    with database.engine.connect() as slow, database.engine.connect() as quick:
        slow.exec_driver_sql("INSERT INTO sequenced DEFAULT VALUES")
        quick.exec_driver_sql("INSERT INTO sequenced DEFAULT VALUES")
        quick.commit()
        [cursor] = [row.n for row in pair.producer.sql("SELECT n FROM sequenced ORDER BY n")]
        slow.commit()
        assert pair.producer.sql("SELECT n FROM sequenced WHERE n > :cursor", cursor=cursor) == []
    assert len(pair.producer.sql("SELECT n FROM sequenced")) == 2, "one of two was lost for the reader"

    read: list[int] = []

    def all_read() -> bool:
        with database.reading() as session:
            read.extend(event.position for event in event_log.read_on(session, read[-1] if read else 0, 50)[1])
        assert read == list(range(1, len(read) + 1)), "whoever has read up to n has missed nothing below n"
        done = len(pair.producer.sql("SELECT 1 FROM client")) == 60
        return done and read[-1] == pair.producer.sql("SELECT position FROM event_head")[0][0]

    writers = [lambda: [pair.new_client() for _ in range(10)]] * 6
    at_once(lambda: wait_until(all_read, "all is read", 60), *writers)
