"""A row given to a client by hand stays with it, whatever an undo says and however late its service hears of that.

"No later undo takes it back" (merge-protocol, *Re-assign a row*), and property 14: an undo's `moves` are done unless
the row was re-assigned since. Events go on only where a test says so: that one has not been heard of is certain.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.merge.support import move
from tests.merge.test_properties import _move, added, filed, home, merged, opened, shown, undone
from tests.merge.world import World

#: Service, kind, path and table of every other row that an undo may move; `clients` moves its own as the undo is made.
_OTHERS = [
    ("interventions", "intervention", "/interventions", "intervention"),
    ("interventions", "job_site", "/job-sites", "job_site"),
    ("billing", "quote", "/quotes", "quote"),
    ("billing", "invoice", "/invoices", "invoice"),
    ("maintenance", "plan", "/maintenance-plans", "plan"),
    ("documents", "document", "/documents", "document"),
]


def given(world: World, row: str, to: str, **more: Any) -> dict[str, Any]:
    """The equipment passes to a client, by hand; as answered."""
    answer = world.http.post(f"/equipment/{row}/reassign", json={"client_id": to, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def left_aside(world: World) -> list[Any]:
    """What equipment remembers of rows given away before it heard of an undo."""
    return world.sql("equipment", "SELECT id FROM given_away")


@pytest.mark.parametrize("rebuilt", [False, True], ids=["heard", "from a snapshot"])
def test_an_undos_move_comes_too_late_for_a_row_given_to_the_record_it_has_already(world: World, rebuilt: bool) -> None:
    """Its home is what the undo has seen all the same: that it was re-assigned is remembered until the undo is here."""
    a, b = opened(world), opened(world)
    merge = merged(world, a, b)
    world.settle()
    row, ticked = added(world, "equipment", a), added(world, "equipment", a)
    undone(world, merge, moves=[_move(row, a, b), _move(ticked, a, b)])
    given(world, row, a)
    assert left_aside(world)
    if rebuilt:
        world.rebuild("equipment")
    world.settle()
    assert home(world, "equipment", "equipment", row) == a
    assert home(world, "equipment", "equipment", ticked) == b
    assert not left_aside(world)


def test_an_undos_move_comes_too_late_for_a_row_that_went_to_a_third_and_came_back(world: World) -> None:
    a, b, c = (opened(world) for _ in range(3))
    merge = merged(world, a, b)
    world.settle()
    row = added(world, "equipment", a)
    undone(world, merge, moves=[_move(row, a, b)])
    given(world, row, c)
    given(world, row, a)
    world.settle()
    assert home(world, "equipment", "equipment", row) == a


def test_a_later_undos_move_counts_again(world: World) -> None:
    """What was re-assigned after one undo may change sides with the next, which was asked for after that."""
    a, b = opened(world), opened(world)
    first = merged(world, a, b)
    world.settle()
    row = added(world, "equipment", a)
    undone(world, first, moves=[_move(row, a, b)])
    given(world, row, a)
    second = merged(world, a, b)
    undone(world, second, moves=[_move(row, a, b)])
    world.settle()
    assert home(world, "equipment", "equipment", row) == b


def test_a_row_given_to_the_survivor_after_an_undo_that_its_service_has_not_heard_of_is_the_survivors(
    world: World,
) -> None:
    """For the service it is the survivor's already; what it knows of ids may be old, and says nothing of homes."""
    a, b = opened(world), opened(world)
    row = added(world, "equipment", b)
    merge = merged(world, a, b)
    world.settle()
    undone(world, merge)
    assert given(world, row, a)["client_id"] == a
    world.settle()
    assert home(world, "equipment", "equipment", row) == a
    assert (shown(world, a, "equipment"), shown(world, b, "equipment")) == ({row}, set())


def test_a_row_given_to_the_survivor_that_shows_it_by_a_merge_stays_with_it_after_the_undo(world: World) -> None:
    a, b = opened(world), opened(world)
    address = added(world, "addresses", b)
    row, part = added(world, "equipment", b, address_id=address), added(world, "equipment", b)
    contact = added(world, "contacts", b)
    merge = merged(world, a, b)
    world.settle()
    version = world.http.get(f"/equipment/{part}").json()["version"]
    fit = world.http.patch(f"/equipment/{part}", json={"parent_id": row}, headers={"If-Match": f'"{version}"'})
    assert fit.status_code == 200, fit.text
    # Under the old id too: that means the survivor now.
    moved = given(world, row, b)
    assert (moved["client_id"], moved["address_id"]) == (a, address), "it stands where it stood"
    assert moved["written_client_id"] in (None, a)
    handed = world.http.post(f"/clients/{a}/contacts/{contact}/reassign", json={"client_id": a})
    assert handed.status_code == 200, handed.text
    undone(world, merge)
    world.settle()
    for each in (row, part):
        assert home(world, "equipment", "equipment", each) == a
    assert home(world, "clients", "contact", contact) == a
    assert given(world, row, a)["version"] == moved["version"], "it is that record's already"


def test_a_row_that_went_back_is_written_to_also_where_its_service_still_has_it_with_one_deleted_since(
    world: World,
) -> None:
    """Found by the random deeds: the survivor was deleted, the merge undone, and the service has heard of neither."""
    a, b = opened(world), opened(world)
    row, of_a = added(world, "equipment", b), added(world, "equipment", a)
    merge = merged(world, a, b)
    world.settle()
    version = world.http.get(f"/clients/{a}").headers["ETag"]
    assert world.http.delete(f"/clients/{a}", headers={"If-Match": version}).status_code == 204
    gone = world.http.patch(f"/equipment/{row}", json={"name": "Ballon"}, headers={"If-Match": '"1"'})
    assert gone.status_code == 410, gone.text
    undone(world, merge)
    written = world.http.patch(f"/equipment/{row}", json={"name": "Ballon"}, headers={"If-Match": '"1"'})
    assert written.status_code == 200, written.text
    gone = world.http.patch(f"/equipment/{of_a}", json={"name": "Ballon"}, headers={"If-Match": '"1"'})
    assert gone.status_code == 410, gone.text
    given(world, row, b)


@pytest.mark.parametrize(("service", "kind", "path", "table"), _OTHERS, ids=[kind for _, kind, _, _ in _OTHERS])
def test_it_holds_in_every_service(world: World, service: str, kind: str, path: str, table: str) -> None:
    """As for equipment: one row given by hand before its service hears of the undo, another moved by the undo."""
    a, b = opened(world), opened(world)
    merge = merged(world, a, b)
    world.settle()
    by_hand, ticked = (
        filed(world, a, uuid.uuid4().hex) if kind == "document" else added(world, path[1:], a) for _ in range(2)
    )
    moves = [move(service, kind, row, a, b) for row in (by_hand, ticked)]
    undone(world, merge, moves=moves)
    answer = world.http.post(f"{path}/{by_hand}/reassign", json={"client_id": a})
    assert answer.status_code == 200, answer.text
    world.settle()
    assert home(world, service, table, by_hand) == a
    assert home(world, service, table, ticked) == b
    assert world.sql(service, "SELECT id FROM given_away") == []
