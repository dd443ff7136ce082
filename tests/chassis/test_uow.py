"""What a unit of work keeps beyond its transaction."""

from __future__ import annotations

import uuid

import pytest

from chassis import uow
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
