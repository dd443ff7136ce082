"""How many duplicates are found, and how many proposals are right, on a labelled company."""

from __future__ import annotations

import pytest
from rich.console import Console

from bench.duplicates import quality, table
from bench.labelled import labelled
from contracts import clients as c
from tests.support.services import make_service


@pytest.mark.timeout(400)
def test_precision_and_recall_stay_above_their_floors(postgres_url: str) -> None:
    """A seed that no weight was set on. Floors lie a little under what was measured."""
    service = make_service("clients", postgres_url)
    try:
        found = quality(service, labelled(seed=7, plain=80, of_each=8, alike=3))
        scanned = service.sql("SELECT low_id, high_id, score FROM likely_pair")
        one_by_one = {
            (*sorted((str(low), each["client"]["id"])), round(each["score"] * 100))
            for (low,) in service.sql("SELECT id FROM client")
            for each in service.call(c.ListDuplicates(client_id=low, limit=50))["items"]
        }
    finally:
        service.close()

    Console(width=120).print(table(found))
    assert {(str(low), str(high), score) for low, high, score in scanned} == one_by_one
    assert found.recall() >= 0.95
    assert found.precision() >= 0.85
    assert found.precision(0.65) >= 0.95
    assert found.recall(0.65) >= 0.75
    wrong = {kind: got for kind, (got, _) in found.by_kind().items() if kind.startswith("≠") and got}
    assert set(wrong) <= {"≠ namesakes"}, wrong
