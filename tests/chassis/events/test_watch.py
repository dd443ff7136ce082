"""What Prometheus is told of a service's log, its readers, its places and its parked events."""

from __future__ import annotations

import uuid

from chassis.events.watch import Watch
from tests.support.services import make_service


def test_lags_ages_halts_and_parked_events_are_those_of_the_tables(postgres_url: str) -> None:
    service = make_service("equipment", postgres_url)
    away: list[str] = []
    watch = Watch([service.database], lambda: away, embedded=False)

    def told() -> dict[tuple[str, str], float]:
        return {
            (sample.name, ",".join(sample.labels.values())): sample.value
            for family in watch.collect()
            for sample in family.samples
        }

    try:
        assert told()["fiche_log_position", "equipment"] == 0
        assert told()["fiche_log_unpublished_seconds", "equipment"] == 0
        for position in (1, 2, 3):
            service.sql(
                "INSERT INTO event_log (position, id, type, subject, ordering_key, event, recorded_at) VALUES "
                "(:position, :id, 't', 's', 's', '{}', now() - make_interval(secs => 100 * (4 - :position)))",
                position=position,
                id=str(uuid.uuid4()),
            )
        service.sql("UPDATE event_head SET position = 3, published = 1")
        service.sql(
            "INSERT INTO event_consumer (name, log_id, position, last_seen) SELECT n, log_id, p, now() "
            "FROM event_head, (VALUES ('clients', 2), ('billing', 3)) v (n, p)"
        )
        service.sql(
            "INSERT INTO event_place (producer, position, halted) VALUES ('clients', 7, 'perdu'), ('billing', 9, NULL)"
        )
        service.sql(
            "INSERT INTO parked_event (producer, position, ordering_key, event, error, attempts) "
            "VALUES ('clients', 8, 'k', '{}', 'e', 5)"
        )
        found = told()
        assert found["fiche_log_position", "equipment"] == 3
        assert found["fiche_log_unpublished", "equipment"] == 2
        assert 200 <= found["fiche_log_unpublished_seconds", "equipment"] < 230
        assert found["fiche_log_lag", "equipment,clients"] == 1
        assert 100 <= found["fiche_log_lag_seconds", "equipment,clients"] < 130
        assert found["fiche_log_lag", "equipment,billing"] == 0
        assert found["fiche_log_lag_seconds", "equipment,billing"] == 0
        assert found["fiche_event_place", "equipment,clients"] == 7
        assert found["fiche_event_consumer_halted", "equipment,clients"] == 1
        assert found["fiche_event_consumer_halted", "equipment,billing"] == 0
        assert found["fiche_parked_events", "equipment,clients"] == 1
        assert found["fiche_parked_events", "equipment,billing"] == 0
        assert found["fiche_service_ready", "equipment"] == 1
        away.append("equipment")
        assert told()["fiche_service_ready", "equipment"] == 0
    finally:
        service.close()


def test_a_database_that_is_away_silences_its_log_and_no_more(postgres_url: str) -> None:
    service = make_service("equipment", postgres_url)
    service.sql("DROP TABLE event_place")
    try:
        samples = {
            sample.name
            for family in Watch([service.database], list, embedded=False).collect()
            for sample in family.samples
        }
        assert samples == {"fiche_service_ready"}
    finally:
        service.close()
