"""Jobs: asked for, taken by one worker at a time, taken up again after a crash, stopped by a person."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from chassis.bell import Bell
from chassis.errors import Invalid, NotFound
from contracts import imports as c
from services.imports.dolibarr import NotADolibarrError
from services.imports.records import Record
from services.imports.runner.ledger import LeaseLost, Ledger, Score
from services.imports.runner.reading import Reading
from tests.support.services import ServiceUnderTest, make_service


@pytest.fixture
def service(postgres_url: str) -> Iterator[ServiceUnderTest]:
    made = make_service("imports", postgres_url)
    yield made
    made.close()


def ask(service: ServiceUnderTest, **values: object) -> c.Import:
    request = c.CreateImport(**{"source": "demo", "clients": 3, "seed": 1, **values})  # type: ignore[arg-type]
    return c.Import.model_validate(service.call(request))


def ledger(service: ServiceUnderTest) -> Ledger:
    return Ledger(service.database, Bell())


def read(service: ServiceUnderTest, job: uuid.UUID) -> c.Import:
    return c.Import.model_validate(service.call(c.GetImport(id=job)))


def test_a_job_says_what_it_was_asked_and_by_whom(service: ServiceUnderTest) -> None:
    job = ask(service)
    assert (job.status, job.source, job.clients, job.seed, job.tables) == ("queued", "demo", 3, 1, {})
    assert job.created_by.name == "Camille Roux"
    assert job.totals == c.TableProgress(rows=0, created=0, updated=0, unchanged=0, refused=0)
    assert [item["id"] for item in service.call(c.ListImports())["items"]] == [str(job.id)]


def test_dolibarr_asks_for_its_file(service: ServiceUnderTest) -> None:
    with pytest.raises(Invalid) as refused:
        service.call(c.CreateImport(source="dolibarr"))
    assert refused.value.errors[0]["field"] == "file"
    with pytest.raises(NotFound):
        service.call(c.GetImport(id=uuid.uuid4()))


def test_one_worker_has_a_job_and_the_oldest_comes_first(service: ServiceUnderTest) -> None:
    first, second = ask(service), ask(service, today=date(2026, 1, 1))
    one, other, third = ledger(service), ledger(service), ledger(service)
    taken, also = one.take(), other.take()
    assert taken is not None
    assert also is not None
    assert (taken.id, also.id) == (first.id, second.id)
    assert third.take() is None
    assert read(service, first.id).status == "running"


def test_a_job_of_a_dead_worker_is_taken_up_and_the_dead_one_may_not_speak(service: ServiceUnderTest) -> None:
    job = ask(service)
    dead, heir = ledger(service), ledger(service)
    held = dead.take()
    assert held is not None
    assert heir.take() is None
    service.sql("UPDATE import_job SET lease_until = now() - interval '1 second'")
    again = heir.take()
    assert again is not None
    assert (again.id, again.attempts) == (job.id, 2)
    for deed in (lambda: dead.save(held, Score()), lambda: dead.finish(held, "done")):
        with pytest.raises(LeaseLost):
            deed()
    heir.finish(again, "done")
    assert read(service, job.id).status == "done"


def test_a_job_given_back_waits_for_the_next(service: ServiceUnderTest) -> None:
    ask(service)
    one = ledger(service)
    job = one.take()
    assert job is not None
    one.release(job)
    assert ledger(service).take() is not None


def test_a_stopped_job_is_left_alone(service: ServiceUnderTest) -> None:
    job = ask(service)
    one = ledger(service)
    held = one.take()
    assert held is not None
    service.call(c.CancelImport(id=job.id))
    with pytest.raises(LeaseLost):
        one.save(held, Score())
    assert one.take() is None
    assert service.call(c.CancelImport(id=job.id))["status"] == "cancelled"


def test_the_end_is_told_with_the_totals(service: ServiceUnderTest) -> None:
    job = ask(service)
    one = ledger(service)
    held = one.take()
    assert held is not None
    score = Score()
    score.start({"societe": 3, "facture": 1})
    score.count("societe", "created", 2)
    score.count("societe", "refused")
    score.count("facture", "unchanged")
    one.save(held, score)
    one.finish(held, "done")
    totals = {"rows": 4, "created": 2, "updated": 0, "unchanged": 1, "refused": 1}
    assert read(service, job.id).totals.model_dump() == totals
    [told] = service.events("import.finished")
    assert told["data"] == {"id": str(job.id), "source": "demo", "status": "done", "totals": totals}


def test_lines_are_said_once_in_the_order_met(service: ServiceUnderTest) -> None:
    job = ask(service)
    one = ledger(service)
    held = one.take()
    assert held is not None
    lines = [("refused", "societe", str(n), "fournisseur") for n in range(30)]
    one.say(held, lines)
    one.say(held, [*lines, ("notice", "societe", "1", "SIRET")])
    page = service.call(c.ListImportLines(id=job.id, limit=20))
    assert [line["row"] for line in page["items"]] == [str(n) for n in range(20)]
    rest = service.call(c.ListImportLines(id=job.id, limit=20, cursor=page["next"]))
    assert len(rest["items"]) == 11
    notices = service.call(c.ListImportLines(id=job.id, level="notice"))
    assert [line["reason"] for line in notices["items"]] == ["SIRET"]
    with pytest.raises(NotFound):
        service.call(c.ListImportLines(id=uuid.uuid4()))


def test_an_id_is_chosen_once_and_kept(service: ServiceUnderTest) -> None:
    ask(service)
    one = ledger(service)
    job = one.take()
    assert job is not None
    first, second = uuid.uuid4(), uuid.uuid4()
    row = {"ref": "dolibarr:societe:1", "service": "clients", "kind": "client"}
    one.choose(job, [{**row, "id": str(first), "digest": "a", "said": {}}])
    one.choose(job, [{**row, "id": str(second), "digest": "b", "said": {"x": 1}}])
    known = one.known(["dolibarr:societe:1", "dolibarr:societe:2"])
    assert set(known) == {"dolibarr:societe:1"}
    assert (known["dolibarr:societe:1"].id, known["dolibarr:societe:1"].done) == (first, False)
    assert service.call(c.FindOutside(refs=["dolibarr:societe:1"]))["items"] == []
    one.done({"dolibarr:societe:1": {"place_id": "x"}})
    found = one.known(["dolibarr:societe:1"])["dolibarr:societe:1"]
    assert (found.done, found.digest, found.answer, found.said) == (True, "b", {"place_id": "x"}, {"x": 1})
    [item] = service.call(c.FindOutside(refs=["dolibarr:societe:1"]))["items"]
    assert item == {**row, "id": str(first)}


def test_a_source_is_read_by_a_child_that_ends_with_its_reader(tmp_path: Path) -> None:
    with Reading("demo", "3", "5", "2026-11-25") as source:
        rows = source.rows()
        items = source.items()
        first = next(items)
        child = source._child
    assert child.returncode is not None
    assert isinstance(first, Record)
    with Reading("demo", "3", "5", "2026-11-25") as again:
        assert again.rows() == rows
        told = list(again.items())
    assert next(item for item in told if isinstance(item, Record)) == first
    assert len(told) == sum(rows.values())
    with Reading("dolibarr", str(tmp_path)) as nothing, pytest.raises(NotADolibarrError, match="societe"):
        nothing.rows()


def test_a_child_that_dies_fails_the_reading(tmp_path: Path) -> None:
    with Reading("demo", "200", "5", "2026-11-25") as source:
        source.rows()
        source._child.kill()
        with pytest.raises(RuntimeError, match="ended"):
            list(source.items())
