"""A service's process that can end at a named point, and that keeps, beside each event's effect, a witness of it.

`python -m tests.faults.process SERVICE FOLDER` runs the service as `fiche run` does. The points are those of
`tests.chassis.events.faulty`, asked for in FOLDER. The witness is a row written in the transaction of the effect: an
event applied twice leaves two, one never applied leaves none, and their numbers tell the order.
"""

from __future__ import annotations

from tests.chassis.events.faulty import arm, fiche  # isort: skip  (turns threads green before anything else is there)

import sys
from pathlib import Path
from typing import Any

import psycopg2
from sqlalchemy import text

from chassis.events import parked
from chassis.settings import load_settings

_TABLE = """
SELECT pg_advisory_lock(71);
CREATE TABLE IF NOT EXISTS witness (n bigserial PRIMARY KEY, producer text, event_id uuid, ordering_key text);
SELECT pg_advisory_unlock(71);
"""


def watch() -> None:
    """Has every effect of an event leave its witness."""
    original = parked.handle

    def handle(service: Any, handlers: dict[str, str], raw: dict[str, Any]) -> None:
        original(service, handlers, raw)
        if str(raw.get("type")) in handlers:
            service.uow.session.execute(
                text("INSERT INTO witness (producer, event_id, ordering_key) VALUES (:producer, :id, :key)"),
                {
                    "producer": str(raw["source"]).rpartition("/")[2],
                    "id": raw["id"],
                    "key": raw.get("partitionkey", ""),
                },
            )

    parked.handle = handle


def main(service: str, folder: Path) -> None:
    """Runs the service."""
    address = load_settings().service_database_url(service).replace("+psycopg2", "")
    connection = psycopg2.connect(address)
    connection.autocommit = True
    connection.cursor().execute(_TABLE)
    connection.close()
    arm(folder)
    watch()
    sys.argv[1:] = ["run", service]
    fiche()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
