"""What the product must show of merging, one test a promise, named after the protocol's sentences.

On real services, gateway and PostgreSQL, in the test's own thread: so each moment between two deeds can be looked at.
`test_planted` runs these with faults planted, to show that each fault is seen.
"""

from __future__ import annotations

import random
import threading
import uuid
from itertools import count, permutations
from typing import Any

import httpx
import pytest

from contracts.forest import FOLLOWERS
from services.clients.commands import merges, relations
from tests.merge.forests import check_forests, forest
from tests.merge.support import move, rows_that_say
from tests.merge.world import SERVICES, World
from tests.support.waiting import wait_until

ROWS = ("equipment", "interventions", "quotes", "contacts", "addresses")
_YEARLY = {"visits_per_period": 1, "period": "year", "starts_on": "2026-01-01"}
_numbers = count(1)


# --- deeds ------------------------------------------------------------------------------------------------------------


def opened(world: World, **fields: Any) -> str:
    """A new client's id."""
    body = {"kind": "company", "company_name": f"Société {next(_numbers)}"} | fields
    answer = world.http.post("/clients", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def added(world: World, section: str, record: str, **fields: Any) -> str:
    """A new row of a section, written under an id."""
    path, body = {
        "equipment": ("/equipment", {"client_id": record, "name": "Chaudière"}),
        "interventions": ("/interventions", {"client_id": record, "title": "Panne"}),
        "quotes": ("/quotes", {"client_id": record, "lines": []}),
        "contacts": (f"/clients/{record}/contacts", {"last_name": "Petit"}),
        "addresses": (f"/clients/{record}/addresses", {"street": "1 rue du Lac", "city": "Ars"}),
        "activities": (f"/clients/{record}/activities", {"kind": "note", "subject": "Passage"}),
        "job-sites": ("/job-sites", {"client_id": record, "title": "Chantier"}),
        "invoices": ("/invoices", {"client_id": record, "lines": []}),
        "maintenance-plans": ("/maintenance-plans", {"client_id": record} | _YEARLY),
    }[section]
    answer = world.http.post(path, json=body | fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def filed(world: World, record: str, word: str) -> str:
    """A new document, whose name, text and description have a word."""
    said = {"client_id": record, "description": word}
    answer = world.http.post("/documents", data=said, files={"file": (f"{word}.txt", word.encode())})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def merged(world: World, survivor: str, duplicate: str, **choices: str) -> str:
    """Merges; the merge's id."""
    body = {"survivor_id": survivor, "duplicate_id": duplicate, "reason": "Doublon", "choices": choices}
    answer = world.http.post("/merges", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def undone(world: World, merge: str, **body: Any) -> None:
    """Takes a merge back."""
    answer = world.http.post(f"/merges/{merge}/undo", json=body)
    assert answer.status_code == 202, answer.text


def edited(world: World, record: str, **fields: Any) -> None:
    """A person changes a record."""
    version = world.http.get(f"/clients/{record}").json()["version"]
    answer = world.http.patch(f"/clients/{record}", json=fields, headers={"If-Match": f'"{version}"'})
    assert answer.status_code == 200, answer.text


def billed(world: World, record: str, **details: str) -> None:
    """A person changes how a client is billed."""
    url = f"/clients/{record}/billing"
    etag = world.http.get(url).headers["ETag"]
    answer = world.http.patch(url, json=details, headers={"If-Match": etag})
    assert answer.status_code == 200, answer.text


def fiche(world: World, record: str) -> dict[str, Any]:
    """The fiche of a living record."""
    answer = world.http.get(f"/clients/{record}/fiche")
    assert answer.status_code == 200, (record, answer.status_code, answer.text)
    return dict(answer.json())


def shown(world: World, record: str, section: str) -> set[str]:
    """Rows of a section of the fiche, which is there."""
    found = fiche(world, record)["sections"][section]
    assert found["status"] == "ok", (section, found)
    assert found["count"] == len(found["items"])
    return {item["id"] for item in found["items"]}


def status(world: World, merge: str) -> str:
    """How far a merge is."""
    return str(world.http.get(f"/merges/{merge}").json()["status"])


def home(world: World, service: str, table: str, row: str) -> str:
    """The record that a row belongs to by itself."""
    [[found]] = world.sql(service, f"SELECT home_client_id FROM {table} WHERE id = :id", id=row)
    return str(found)


# --- the promises -----------------------------------------------------------------------------------------------------


def test_01_at_any_time_in_every_service_aliases_are_the_edges_of_the_first_n_forest_events(world: World) -> None:
    a, b, c, d = (opened(world) for _ in range(4))
    lower = merged(world, b, c)
    world.settle("equipment")
    upper = merged(world, a, b)
    check_forests(world.sql)
    world.settle("billing", "equipment")
    undone(world, lower)
    check_forests(world.sql)
    world.settle("documents")
    merged(world, c, d)
    check_forests(world.sql)
    undone(world, upper)
    merged(world, b, a)
    for name in FOLLOWERS:
        world.step(name, "clients")
        check_forests(world.sql)
    world.settle()
    check_forests(world.sql)


def test_02_at_rest_n_is_equal_everywhere_and_each_row_under_one_root_a_derived_one_with_its_source(
    world: World,
) -> None:
    a, b = opened(world), opened(world)
    boiler = added(world, "equipment", b)
    world.settle()
    merge = merged(world, a, b)
    world.settle()
    # Told when the client of its event is the survivor already: what comes of it is the duplicate's all the same.
    assert world.http.delete(f"/equipment/{boiler}").status_code == 204
    world.settle()
    assert status(world, merge) == "done"
    undone(world, merge)
    world.settle()
    assert status(world, merge) == "undone"
    versions = {name: forest(world.sql, name) for name in ("clients", *FOLLOWERS)}
    assert len({repr(each) for each in versions.values()}) == 1, versions
    told = {record: len(fiche(world, record)["sections"]["activities"]["items"]) for record in (a, b)}
    assert told == {a: 0, b: 2}, "activities of an equipment are with it"


def test_03_the_home_of_a_row_is_a_root_that_its_written_id_had_between_request_and_answer(world: World) -> None:
    a, b = opened(world), opened(world)
    merge = merged(world, a, b)
    world.settle()
    late = added(world, "equipment", b)
    assert home(world, "equipment", "equipment", late) == a
    undone(world, merge)
    own = added(world, "equipment", b)  # acknowledged after the undo, which equipment has not heard of
    assert home(world, "equipment", "equipment", own) == b
    world.settle()
    assert shown(world, a, "equipment") == {late}
    assert shown(world, b, "equipment") == {own}


def test_04_at_any_time_the_fiche_shows_exactly_the_rows_whose_home_stands_under_it(world: World) -> None:
    a, b = opened(world), opened(world)
    rows = {section: added(world, section, b) for section in ROWS}
    world.settle()
    merge = merged(world, a, b)
    for section, row in rows.items():
        assert shown(world, a, section) == {row}, section
    world.settle()
    undone(world, merge)
    for section, row in rows.items():
        assert shown(world, a, section) == set(), section
        assert shown(world, b, section) == {row}, section


def test_04_a_row_on_its_way_while_its_client_is_merged_is_on_the_survivors_fiche(world: World) -> None:
    a, b = opened(world), opened(world)
    before = added(world, "equipment", b)

    def meanwhile(service: str, method: str) -> None:
        if (service, method) == ("equipment", "create"):
            world.before = None
            merged(world, a, b)
            world.settle()

    world.before = meanwhile
    on_its_way = added(world, "equipment", b)
    assert world.before is None, "the merge came between the door and the write"
    assert shown(world, a, "equipment") == {before, on_its_way}


def test_05_merges_and_their_undos_in_any_order_leave_all_as_before(world: World) -> None:
    a, b, c, d = (opened(world, email=f"{name}@exemple.fr", memo=f"Mémo {name}", tags=[name]) for name in "abcd")
    records = (a, b, c, d)
    for record in records:
        for section in ("equipment", "addresses", "contacts"):
            added(world, section, record)
    for one, other in ((a, b), (b, c)):
        body = {"type": "tenant", "other_client_id": other}
        assert world.http.post(f"/clients/{one}/relations", json=body).status_code == 201
    world.settle()
    before = {record: _lasting(fiche(world, record)) for record in records}
    for turn, order in enumerate(permutations(range(3))):
        merges = [
            merged(world, a, b, email="duplicate", memo="join"),
            merged(world, a, c, email="duplicate", memo="duplicate"),
            merged(world, d, a, email="duplicate", memo="join"),
        ]
        if turn % 2:
            world.settle()
        for number in order:
            undone(world, merges[number])
        after = {record: _lasting(fiche(world, record)) for record in records}
        assert after == before, order
    world.settle()
    assert {record: _lasting(fiche(world, record)) for record in records} == before


_CHANGING = {
    "version", "updated_at", "updated_by", "memo_version", "memo_updated_at", "memo_updated_by", "last_activity_at",
}  # fmt: skip


def _lasting(found: Any) -> Any:
    """A fiche without what says that it was touched."""
    if isinstance(found, dict):
        return {key: _lasting(each) for key, each in found.items() if key not in _CHANGING}
    return [_lasting(each) for each in found] if isinstance(found, list) else found


def test_06_fields_are_the_replay_of_the_history_without_the_undone_merges_and_no_later_edit_is_lost(
    world: World,
) -> None:
    a, b, c = (opened(world, email=f"{name}@exemple.fr", memo=f"Mémo {name}") for name in "abc")
    first = merged(world, a, b, email="duplicate", memo="join")
    second = merged(world, a, c, email="duplicate", memo="survivor")
    undone(world, first)
    assert _field(world, a, "email") == "c@exemple.fr"
    undone(world, second)
    assert (_field(world, a, "email"), _field(world, a, "memo")) == ("a@exemple.fr", "Mémo a")
    again = merged(world, a, b, email="duplicate")
    edited(world, a, email="neuf@exemple.fr")
    undone(world, again)
    assert (_field(world, a, "email"), _field(world, b, "email")) == ("neuf@exemple.fr", "b@exemple.fr")
    # A single fact of another service, which hears of the merge after the edit that followed it.
    billed(world, a, payment_terms="30 jours")
    billed(world, b, payment_terms="45 jours")
    late = merged(world, a, b, payment_terms="duplicate")
    billed(world, a, payment_terms="60 jours")
    world.settle()
    assert _terms(world, a) == "60 jours"
    undone(world, late)
    world.settle()
    assert (_terms(world, a), _terms(world, b)) == ("60 jours", "45 jours")
    taken = merged(world, a, b, payment_terms="duplicate")
    world.settle()
    assert _terms(world, a) == "45 jours"
    undone(world, taken)
    world.settle()
    assert _terms(world, a) == "60 jours"


def _field(world: World, record: str, name: str) -> Any:
    return world.http.get(f"/clients/{record}").json()[name]


def _terms(world: World, record: str) -> str:
    return str(world.http.get(f"/clients/{record}/billing").json()["payment_terms"])


def test_07_there_is_one_main_address_while_there_is_an_address_and_it_is_in_the_tree(world: World) -> None:
    a, b = opened(world), opened(world)
    mine, theirs = added(world, "addresses", a), added(world, "addresses", b)
    merge = merged(world, a, b, main_address_id="duplicate")
    assert _main(world, a) == theirs
    late = added(world, "addresses", b)
    assert world.http.post(f"/clients/{a}/addresses/{late}/promote", json={}).status_code == 200
    assert _main(world, a) == late
    undone(world, merge)
    assert (_main(world, a), _main(world, b)) == (late, theirs)
    assert world.http.delete(f"/clients/{a}/addresses/{late}").status_code == 204
    assert _main(world, a) == mine, "none of those chosen is left: the oldest"


def _main(world: World, record: str) -> str | None:
    address = world.http.get(f"/clients/{record}").json()["main_address"]
    return address and str(address["id"])


def test_08_no_reference_twice_and_each_ever_given_finds_one_living_record(world: World) -> None:
    number = next(_numbers)
    names = {key: f"REF {key} {number}" for key in "abc"}
    a, b, c = (opened(world, reference=name) for name in names.values())
    edited(world, b, reference=f"NEUF {number}")
    merge = merged(world, a, b)
    _finds(world, names["b"], a)
    _finds(world, f"NEUF {number}", a)
    version = world.http.get(f"/clients/{c}").json()["version"]
    for wanted in (names["a"], names["b"], f"neuf {number}"):
        taken = world.http.patch(f"/clients/{c}", json={"reference": wanted}, headers={"If-Match": f'"{version}"'})
        assert taken.status_code == 422, taken.text
    undone(world, merge)
    _finds(world, names["b"], b)
    borne = world.sql("clients", "SELECT reference FROM client WHERE merged_into IS NULL AND deleted_at IS NULL")
    assert len({row.reference for row in borne}) == len(borne)


def _finds(world: World, reference: str, record: str) -> None:
    found = world.http.get("/clients", params={"q": reference}).json()["items"]
    assert [item["id"] for item in found][:1] == [record], (reference, record, found)


def test_09_relations_shown_are_no_self_no_twin_no_loop(world: World) -> None:
    a, b, c, d = (opened(world) for _ in range(4))
    within = _relate(world, a, b, "branch")
    twin_one, twin_two = _relate(world, a, c, "branch"), _relate(world, b, c, "branch")
    merge = merged(world, a, b)
    assert _relations(world, a) == {twin_one}
    undone(world, merge)
    assert _relations(world, a) == {within, twin_one}
    assert _relations(world, b) == {within, twin_two}
    # c stands under a; d under c; a merged into d closes a loop.
    below = _relate(world, c, d, "branch")
    loop = merged(world, d, a)
    assert _relations(world, d) == {within, twin_one}, "the later of those that close the loop waits"
    refused = world.http.post(f"/clients/{c}/relations", json={"type": "branch", "other_client_id": d})
    assert refused.status_code == 409, refused.text
    undone(world, loop)
    assert _relations(world, d) == {below}


def _relate(world: World, superior: str, inferior: str, kind: str) -> str:
    answer = world.http.post(f"/clients/{superior}/relations", json={"type": kind, "other_client_id": inferior})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _relations(world: World, record: str) -> set[str]:
    return {item["id"] for item in fiche(world, record)["sections"]["relations"]["items"]}


def test_10_done_is_never_before_the_last_service_and_counts_are_the_rows_that_changed_hands(world: World) -> None:
    a, b = opened(world), opened(world)
    for section in (*ROWS, "equipment", "interventions"):
        added(world, section, b)
    world.settle()
    merge = merged(world, a, b)
    for name in (each for each in FOLLOWERS if each != "interventions"):
        world.settle(name)
        world.settle("clients")
        for _ in range(2):
            world.act_again("clients", name, random.Random(1))
    assert status(world, merge) == "running"
    world.settle()
    found = world.http.get(f"/merges/{merge}").json()
    assert found["status"] == "done"
    moved = {name: told["moved"] for name, told in found["services"].items()}
    assert moved["equipment"] == {"equipment": 2}
    assert moved["interventions"] == {"intervention": 2}
    assert moved["billing"].get("quote") == 1
    assert (moved["clients"].get("address"), moved["clients"].get("contact")) == (1, 1)
    undone(world, merge)
    assert status(world, merge) == "undoing"
    world.settle()
    assert status(world, merge) == "undone"


def test_11_all_events_again_in_any_order_change_nothing(world: World) -> None:
    rng = random.Random(11)
    a, b, c = (opened(world) for _ in range(3))
    for record in (a, b, c):
        added(world, "equipment", record)
        billed(world, record, payment_terms=rng.choice(["30 jours", "45 jours"]))
    lower = merged(world, b, c, payment_terms="duplicate")
    upper = merged(world, a, b, payment_terms="duplicate")
    undone(world, lower)
    world.settle()
    before = _kept(world, (a, b, c))
    for name in FOLLOWERS:
        world.deliver_again(name, "clients", rng)
        world.deliver_again("clients", name, rng)
        world.act_again(name, "clients", rng)
        world.act_again("clients", name, rng)
    world.settle()
    assert _kept(world, (a, b, c)) == before
    undone(world, upper)
    world.settle()


def _kept(world: World, records: tuple[str, ...]) -> Any:
    """Forests, homes, billing details, progress of merges."""
    homes = {
        (service, table): sorted(map(str, world.sql(service, f"SELECT id, home_client_id FROM {table}")))
        for service, table in (("equipment", "equipment"), ("clients", "activity"), ("billing", "billing_details"))
    }
    forests = {name: forest(world.sql, name) for name in ("clients", *FOLLOWERS)}
    progress = sorted(map(str, world.sql("clients", "SELECT * FROM merge_progress")))
    return homes, forests, progress, [_terms(world, each) for each in records if each not in forests["clients"][1]]


def test_11_a_service_that_dies_inside_a_batch_has_neither_lost_nor_done_anything_twice(world: World) -> None:
    a, b = opened(world), opened(world)
    added(world, "equipment", b)
    world.settle()
    for _ in range(2):
        merge = merged(world, a, b)
        world.dying = {"equipment", "clients", "billing"}
        world.settle()
        assert not world.dying, "each was killed"
        assert status(world, merge) == "done"
        check_forests(world.sql)
        world.dying = {"equipment"}
        undone(world, merge)
        world.settle()
        assert status(world, merge) == "undone"
        check_forests(world.sql)


def test_12_deletion_and_archiving_hit_only_the_id_named(world: World) -> None:
    a, b = opened(world), opened(world)
    added(world, "contacts", b)
    world.settle()
    merge = merged(world, a, b)
    for send, path in (
        (world.http.delete, f"/clients/{b}"),
        (world.http.post, f"/clients/{b}/archive"),
        (world.http.post, f"/clients/{b}/restore"),
    ):
        refused = send(path, **({} if send == world.http.delete else {"json": {}}))
        assert refused.status_code == 409, (path, refused.text)
        assert (refused.json()["code"], refused.json()["data"]["client_id"]) == ("client_merged", a)
    assert _field(world, a, "status") == "active"
    assert world.http.delete(f"/clients/{a}").status_code == 204
    undone(world, merge)  # a deleted root still frees what was merged into it
    assert _field(world, b, "status") == "active"
    assert world.http.get(f"/clients/{a}").status_code == 410
    assert world.http.post(f"/clients/{a}/restore", json={}).status_code == 200
    assert world.http.post(f"/clients/{b}/archive", json={}).status_code == 200
    assert (_field(world, a, "status"), _field(world, b, "status")) == ("active", "archived")


def test_the_second_of_two_merges_at_once_that_cross_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = opened(world), opened(world)
    answers: list[httpx.Response] = []
    choices = merges._choices

    def ask(survivor: str, duplicate: str) -> None:
        body = {"survivor_id": survivor, "duplicate_id": duplicate, "reason": "Doublon"}
        answers.append(world.http.post("/merges", json=body))

    other = threading.Thread(target=ask, args=(b, a))

    def in_the_middle(*given: Any) -> Any:
        """The first has checked and has not written yet."""
        if not other.ident:
            other.start()
            waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            wait_until(lambda: not other.is_alive() or world.sql("clients", waits), "it is through, or waits for this")
        return choices(*given)

    monkeypatch.setattr(merges, "_choices", in_the_middle)
    ask(a, b)
    other.join(20)
    assert sorted(answer.status_code for answer in answers) == [202, 409], [answer.text for answer in answers]
    world.settle()
    check_forests(world.sql)


@pytest.mark.parametrize("kind", ["tenant", "branch"])
def test_a_relation_made_at_the_same_moment_as_the_merge_of_its_ends_is_not_shown(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    a, b = opened(world), opened(world)
    check = relations._check
    answers: list[httpx.Response] = []

    def ask() -> None:
        body = {"survivor_id": a, "duplicate_id": b, "reason": "Doublon"}
        answers.append(world.http.post("/merges", json=body))

    other = threading.Thread(target=ask)

    def in_the_middle(*given: Any) -> None:
        """The relation has been checked and is not written yet."""
        check(*given)
        other.start()
        other.join(1)

    monkeypatch.setattr(relations, "_check", in_the_middle)
    made = _relate(world, a, b, kind)
    other.join(20)
    monkeypatch.undo()
    assert answers[0].status_code == 202, answers[0].text
    assert _relations(world, a) == set()
    world.settle()
    undone(world, answers[0].json()["id"])
    assert _relations(world, a) == {made}


def test_13_nothing_is_left_of_an_erased_person_also_of_what_comes_later(world: World) -> None:
    mark = f"zq{uuid.uuid4().hex[:10]}"
    a, b = opened(world, company_name=f"Société {mark}"), opened(world, company_name=f"Doublon {mark}", memo=mark)
    boiler = added(world, "equipment", b, name=f"Chaudière {mark}")
    other = opened(world)
    taken, contact = added(world, "equipment", a), added(world, "contacts", a)
    plan = {"title": mark, "visits_per_period": 1, "period": "year", "starts_on": "2026-01-01"}
    assert world.http.post("/maintenance-plans", json=plan | {"client_id": b}).status_code == 201
    world.settle()
    merge = merged(world, a, b, memo="join")
    world.settle()
    for path in (f"/equipment/{taken}", f"/clients/{a}/contacts/{contact}"):
        given = world.http.post(f"{path}/reassign", json={"client_id": other})
        assert given.status_code == 200, given.text
    past = f"/clients/{other}/history"
    assert f"Société {mark}" in world.http.get(past).text, "whose the contact was"
    assert any(mark in row for row in rows_that_say(world.sql, [mark], SERVICES))
    # On its way to `interventions`, with the plan's title, when the person is erased.
    visit = world.http.get("/maintenance-visits", params={"client_id": a}).json()["items"][0]
    late = {"starts_at": f"{visit['due_on']}T08:00:00Z"}
    assert world.http.post(f"/maintenance-visits/{visit['id']}/schedule", json=late).status_code == 200
    refused = world.http.post(f"/clients/{b}/erase", json={"reason": "Demande"})
    assert (refused.status_code, refused.json()["code"]) == (409, "client_merged")
    erasure = world.http.post(f"/clients/{a}/erase", json={"reason": "Demande"})
    assert erasure.status_code == 202, erasure.text
    assert world.http.get(f"/clients/{a}/fiche").json()["code"] == "client_erased"
    while world.step("interventions", "clients"):
        pass
    world.settle("interventions")  # which hears of the visit afterwards
    assert world.sql("interventions", "SELECT 1 FROM intervention WHERE home_client_id = :id", id=b)
    # What was told of the person acts again before the log is blank; then everybody has done what is theirs.
    for record in (a, b):
        world.act_again("equipment", "clients", random.Random(13), key=record)
    world.settle()
    world.see_to_erased()
    assert rows_that_say(world.sql, [mark], SERVICES) == []
    assert world.http.get(f"/erasures/{erasure.json()['id']}").json()["status"] == "done"
    assert world.http.get(f"/equipment/{boiler}").json()["name"] == "Données effacées"
    undo = world.http.post(f"/merges/{merge}/undo", json={})
    assert (undo.status_code, undo.json()["code"]) == (409, "merge_sealed")
    assert "Données effacées" in world.http.get(past).text
    check_forests(world.sql)


def test_13_what_a_record_had_taken_over_from_an_erased_one_is_gone_though_it_is_merged_itself(world: World) -> None:
    """The merge was undone while the survivor was a signpost already, whose fields nobody reads."""
    mark = f"zq{uuid.uuid4().hex[:10]}"
    a, b = opened(world), opened(world)
    c = opened(world, memo=mark, email=f"{mark}@exemple.fr")
    billed(world, c, billing_name=mark)
    world.settle()
    lower = merged(world, b, c, memo="join", email="duplicate")
    world.settle()
    merged(world, a, b, memo="join", email="duplicate")
    world.settle()
    undone(world, lower)
    world.settle()
    erasure = world.http.post(f"/clients/{c}/erase", json={"reason": "Demande"})
    assert erasure.status_code == 202, erasure.text
    world.settle()
    world.see_to_erased()
    assert rows_that_say(world.sql, [mark], SERVICES) == []


def test_13_what_a_survivor_was_told_to_be_goes_with_the_person_it_had_it_from(world: World) -> None:
    """Events and answers of the survivor, of the time it was merged; what it says of itself since stays."""
    mark = f"zq{uuid.uuid4().hex[:10]}"
    a, b = opened(world, company_name="Société du Port"), opened(world, company_name=mark, email=f"{mark}@exemple.fr")
    billed(world, b, billing_name=f"Chez {mark}")
    world.settle()
    merge = merged(world, a, b, company_name="duplicate", email="duplicate", billing_name="duplicate")
    world.settle()
    etag = {"If-Match": world.http.get(f"/clients/{a}").headers["ETag"], "Idempotency-Key": f"site-{mark[2:]}"}
    edited = world.http.patch(f"/clients/{a}", json={"website": "https://port.example"}, headers=etag)
    assert mark in edited.text
    undone(world, merge)
    world.settle()
    etag = {"If-Match": world.http.get(f"/clients/{a}").headers["ETag"]}
    assert world.http.patch(f"/clients/{a}", json={"phone": "0478000000"}, headers=etag).status_code == 200
    own = ["société du port", "0478000000"]
    of_a = {row for row in rows_that_say(world.sql, own, SERVICES) if "event_log" in row and "merged.v1" not in row}
    assert len(of_a) > 2
    assert world.http.post(f"/clients/{b}/erase", json={"reason": "Demande"}).status_code == 202
    world.settle()
    world.see_to_erased()
    assert rows_that_say(world.sql, [mark], SERVICES) == []
    assert of_a <= set(rows_that_say(world.sql, own, SERVICES))
    check_forests(world.sql)


def test_13_what_was_given_to_the_person_goes_also_where_it_was_told_of_who_had_it_before(world: World) -> None:
    mark = f"zq{uuid.uuid4().hex[:10]}"
    a, b, c = (opened(world) for _ in range(3))
    boiler, contact = added(world, "equipment", a, name=mark), added(world, "contacts", a, last_name=mark)
    merge = merged(world, c, a)
    world.settle()
    moved = added(world, "interventions", c, title=mark)
    undone(world, merge, moves=[move("interventions", "intervention", moved, c, a)])
    world.settle()
    lines = [{"label": mark, "quantity": "1", "unit_price": "1", "vat_rate": "20"}]
    said: dict[str, dict[str, Any]] = {
        "job-sites": {"title": mark, "description": mark},
        "maintenance-plans": {"title": mark},
        "quotes": {"title": mark, "lines": lines},
        "invoices": {"title": mark, "lines": lines},
    }
    below: dict[str, dict[str, Any]] = {"addresses": {"street": mark}, "activities": {"subject": mark, "body": mark}}
    rows = [f"/equipment/{boiler}", f"/interventions/{moved}", f"/clients/{a}/contacts/{contact}"]
    rows += [f"/{section}/{added(world, section, a, **fields)}" for section, fields in said.items()]
    rows += [f"/clients/{a}/{section}/{added(world, section, a, **fields)}" for section, fields in below.items()]
    rows.append(f"/documents/{filed(world, a, mark)}")
    world.settle()
    for path in rows:
        given = world.http.post(f"{path}/reassign", json={"client_id": b})
        assert given.status_code == 200, given.text
    world.settle()
    assert any("equipment.created" in row for row in rows_that_say(world.sql, [mark], SERVICES))
    assert world.http.post(f"/clients/{b}/erase", json={"reason": "Demande"}).status_code == 202
    world.settle()
    world.see_to_erased()
    assert rows_that_say(world.sql, [mark], SERVICES) == []


def test_14_moves_are_done_once_also_through_a_rebuild_unless_the_row_was_reassigned_since(world: World) -> None:
    a, b, c = (opened(world) for _ in range(3))
    merge = merged(world, a, b)
    world.settle()
    heard, rebuilt, reassigned = (added(world, "equipment", a) for _ in range(3))
    undone(world, merge, moves=[_move(heard, a, b)])
    world.settle()
    assert home(world, "equipment", "equipment", heard) == b
    second = merged(world, a, b)
    world.settle()
    undone(world, second, moves=[_move(rebuilt, a, b), _move(reassigned, a, b)])
    answer = world.http.post(f"/equipment/{reassigned}/reassign", json={"client_id": c})
    assert answer.status_code == 200, answer.text
    # What equipment has not heard of comes out of a snapshot.
    world.rebuild("equipment")
    world.settle()
    assert home(world, "equipment", "equipment", rebuilt) == b
    assert home(world, "equipment", "equipment", reassigned) == c
    world.http.post(f"/equipment/{heard}/reassign", json={"client_id": a})
    world.act_again("equipment", "clients", random.Random(14))
    assert home(world, "equipment", "equipment", heard) == a, "an undo's move acts once"
    # What a merge chose comes out of a snapshot, too.
    billed(world, a, payment_terms="30 jours")
    billed(world, b, payment_terms="45 jours")
    added(world, "equipment", b)
    chosen = merged(world, a, b, payment_terms="duplicate")
    world.rebuild("billing")
    world.rebuild("equipment")
    world.settle()
    assert _terms(world, a) == "45 jours"
    # And so does what changed hands by it.
    services = world.http.get(f"/merges/{chosen}").json()["services"]
    assert services["equipment"]["moved"] == {"equipment": 2}
    assert services["billing"]["moved"] == {}
    undone(world, chosen)
    world.settle()
    check_forests(world.sql)


def _move(row: str, seen: str, then: str) -> dict[str, str]:
    return move("equipment", "equipment", row, seen, then)
