"""A producer whose database comes from an older backup: its readers notice, say so, and are rebuilt."""

from __future__ import annotations

import pytest

from contracts.chassis import Rebuild
from tests.chassis.events.stack import EventsStack
from tests.support.waiting import wait_until

#: The first test of the folder also starts servers and services.
pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]


def test_a_producer_restored_from_an_older_backup_is_noticed_and_its_readers_rebuilt(stack: EventsStack) -> None:
    kept = {stack.company("Avant la sauvegarde")}
    stack.settle(kept)
    stack.end("clients")
    stack.put_back("backup", "events_clients")
    stack.start("clients")
    lost = {stack.company(f"Après la sauvegarde {n}") for n in range(5)}
    stack.settle(lost)
    stack.end("clients")
    stack.put_back("events_clients", "backup")

    # Started without a word of the restore: the head is below the place.
    stack.start("clients")
    wait_until(lambda: "s’arrête à" in _halted(stack), "the reader says that it stops", 30)
    stack.end("clients")
    said = stack.fiche("restore", "clients")
    assert "fiche projections rebuild equipment --producer clients" in said
    stack.start("clients")
    new = {stack.company(f"Après la restauration {n}") for n in range(10)}
    wait_until(lambda: "restauré d’une sauvegarde" in _halted(stack), "another log is noticed", 30)
    assert not new & stack.known(), "nothing is read of it"
    assert "consumer.halted" in (stack.folder / "equipment.log").read_text()

    stack.call("equipment.rebuild", Rebuild(producer="clients").model_dump_json().encode())
    wait_until(lambda: stack.caught_up() and _halted(stack) == "", "rebuilt and read on", 30)
    assert stack.known() == {str(row.id) for row in stack.sql("clients", "SELECT id FROM client")}
    assert new | kept <= stack.known()
    assert not lost & stack.known()
    stack.forget_past()
    stack.settle({stack.company("Comme avant")})


def _halted(stack: EventsStack) -> str:
    """Why the reader stands still, as its service tells it; empty while it reads."""
    told = stack.call("equipment.health", b"{}")["places"]
    return str(next(place["halted"] for place in told if place["producer"] == "clients") or "")
