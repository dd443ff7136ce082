"""What a unit of work keeps beyond its transaction."""

from __future__ import annotations

import threading
import uuid

import pytest
from sqlalchemy import text

from chassis import uow
from chassis.errors import Unavailable
from contracts import clients as c
from tests.support.services import make_service


def test_answers_are_kept_for_a_week_and_forgotten_in_batches(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uow, "FORGOTTEN", 2)
    service = make_service("clients", postgres_url)
    keys = [str(uuid.uuid4()) for _ in range(6)]
    for key in keys:
        service.call(c.CreateClient(body=c.ClientBody(kind="company", company_name=key)), key=key)
    service.sql("UPDATE idempotent_answer SET recorded_at = now() - interval '8 days' WHERE key <> :kept", kept=keys[0])
    service.worker().forget_the_old()
    assert [row.key for row in service.sql("SELECT key FROM idempotent_answer")] == [keys[0]]
    again = service.call(c.CreateClient(body=c.ClientBody(kind="company", company_name=keys[0])), key=keys[0])
    assert again["company_name"] == keys[0]
    assert len(service.sql("SELECT 1 FROM client")) == 6
    service.close()


def test_a_command_without_a_key_that_finds_a_row_locked_for_too_long_is_asked_again(postgres_url: str) -> None:
    """The server took back what it had done: a lock not had in time is no fault of who asked."""
    service = make_service("clients", postgres_url, database_lock_timeout_s=0.2)
    made = service.call(c.CreateClient(body=c.ClientBody(kind="company", company_name="Prise")))
    change = c.UpdateClient(id=made["id"], expected_version=1, changes=c.ClientChanges(phone="02 99 00 00 00"))
    with service.database.session() as other:
        other.execute(text("SELECT 1 FROM client WHERE id = :id FOR UPDATE"), {"id": made["id"]})
        with pytest.raises(Unavailable):
            service.call(change)
        freed = threading.Timer(0.3, other.rollback)
        freed.start()
        service.call(change)
        freed.join()
    assert service.call(c.GetClient(id=made["id"]))["version"] == 2
    service.close()
