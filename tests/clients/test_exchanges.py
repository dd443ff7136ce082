"""Activities by hand, the memo and its texts, addresses that come and go, and what the history says of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.context import Actor
from chassis.errors import NotFound, Stale
from contracts import billing
from contracts import clients as c
from services.clients.joining import join
from tests.clients.support import address, at_once, company, contact
from tests.support.services import CAMILLE, ServiceUnderTest, make_service

NADIA = Actor(id="0193f000-0000-7000-8000-000000000002", name="Nadia Benali", roles=("office",))


@pytest.fixture(scope="module")
def service(postgres_url: str) -> Iterator[ServiceUnderTest]:
    made = make_service("clients", postgres_url)
    yield made
    made.close()


def logged(service: ServiceUnderTest, client: dict[str, Any], **fields: Any) -> dict[str, Any]:
    body = c.ActivityBody(**({"kind": "call", "subject": "Fuite"} | fields))
    answer: dict[str, Any] = service.call(
        c.CreateActivity(home_client_id=client["id"], written_client_id=client["id"], body=body)
    )
    return answer


def history(service: ServiceUnderTest, client: dict[str, Any]) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = service.call(c.History(client_id=client["id"]))["items"]
    for line in lines:
        c.HistoryLine.model_validate(line)
    return lines


# --- memo -----------------------------------------------------------------------------------------------------


def test_a_stale_memo_is_refused_with_both_texts_what_they_stand_on_and_an_offer(service: ServiceUnderTest) -> None:
    made = company(service, "Mémo")
    base = "Code 12B\nChien méchant\nClé chez la gardienne"
    service.call(c.SetMemo(client_id=made["id"], expected_version=0, text=base))
    service.call(c.SetMemo(client_id=made["id"], expected_version=1, text=base.replace("12B", "34C")), actor=NADIA)
    mine = base.replace("Chien méchant", "Chien gentil") + "\nRamoner en mai"
    with pytest.raises(Stale) as stale:
        service.call(c.SetMemo(client_id=made["id"], expected_version=1, text=mine))
    told = c.MemoConflict.model_validate(stale.value.data)
    assert (told.text, told.version, told.updated_by) == (base.replace("12B", "34C"), 2, "Nadia Benali")
    assert (told.yours, told.base) == (mine, base)
    assert told.joined == "Code 34C\nChien gentil\nClé chez la gardienne\nRamoner en mai"
    assert service.call(c.GetMemo(client_id=made["id"]))["text"] == told.text
    joined = service.call(c.SetMemo(client_id=made["id"], expected_version=2, text=told.joined))
    assert joined["version"] == 3


def test_a_memo_written_on_none_that_ever_was_is_joined_under_the_present_one(service: ServiceUnderTest) -> None:
    made = company(service, "Jamais", memo="Présent")
    with pytest.raises(Stale) as stale:
        service.call(c.SetMemo(client_id=made["id"], expected_version=7, text="Autre"))
    assert (stale.value.data["base"], stale.value.data["joined"]) == (None, "Présent\n\nAutre")


def test_past_texts_of_the_memo_are_read_page_by_page(service: ServiceUnderTest) -> None:
    made = company(service, "Textes", memo="un")
    for version, text in enumerate(("deux", "trois", "quatre"), start=1):
        service.call(c.SetMemo(client_id=made["id"], expected_version=version, text=text), actor=NADIA)
    first = service.call(c.MemoVersions(client_id=made["id"], limit=3))
    second = service.call(c.MemoVersions(client_id=made["id"], limit=3, cursor=first["next"]))
    shown = [c.MemoVersion.model_validate(item) for item in first["items"] + second["items"]]
    assert [item.text for item in shown] == ["quatre", "trois", "deux", "un"]
    assert [item.by.name for item in shown] == ["Nadia Benali"] * 3 + ["Camille Roux"]
    assert second["next"] is None
    with pytest.raises(NotFound):
        service.call(c.MemoVersions(client_id=uuid.uuid4()))


_LINES = st.lists(st.sampled_from(["clé", "code", "chien", "", "gaz", "porte"]), max_size=6)


@given(_LINES, _LINES, _LINES)
@settings(max_examples=300)
def test_joining_two_texts_loses_no_line_that_either_wrote(base: list[str], one: list[str], other: list[str]) -> None:
    joined = join("\n".join(base), "\n".join(one), "\n".join(other)).split("\n")
    for text in (one, other):
        assert all(line in joined for line in text if line and line not in base)
    assert join("\n".join(base), "\n".join(one), "\n".join(base)) == "\n".join(one)


# --- activities -----------------------------------------------------------------------------------------------


def test_a_note_has_no_direction_and_a_call_keeps_its_moment_when_it_is_changed(service: ServiceUnderTest) -> None:
    made = company(service, "Échanges")
    at = datetime(2026, 6, 1, 7, 45, 12, tzinfo=UTC)
    assert logged(service, made, kind="note", direction="in")["direction"] is None
    call = logged(service, made, direction="in", occurred_at=at)
    changed = service.call(c.UpdateActivity(id=call["id"], expected_version=1, changes={"subject": "Fuite réparée"}))
    assert (changed["direction"], datetime.fromisoformat(changed["occurred_at"])) == ("in", at)
    assert service.call(c.UpdateActivity(id=call["id"], changes={"kind": "note"}))["direction"] is None


def test_an_activity_taken_off_is_restored_and_the_history_tells_it(service: ServiceUnderTest) -> None:
    made, other = company(service, "Retirée"), company(service, "Étrangère")
    person = contact(service, made, first_name="Odile", last_name="Garnier")
    row = logged(service, made, subject="Appel")
    service.call(c.UpdateActivity(id=row["id"], changes={"contact_id": person["id"]}))
    service.call(c.DeleteSub(kind="activities", id=row["id"], expected_version=2))
    assert service.call(c.ListActivities(client_id=made["id"]))["items"] == []
    with pytest.raises(NotFound):
        service.call(c.RestoreSub(kind="activities", id=row["id"], client_id=other["id"]))
    back = service.call(c.RestoreSub(kind="activities", id=row["id"], client_id=made["id"]))
    assert back["version"] == 4
    assert service.call(c.RestoreSub(kind="activities", id=row["id"], client_id=made["id"])) == back
    assert [e["type"].split(".")[3] for e in service.events() if ".activity." in e["type"]][-2:] == [
        "deleted",
        "restored",
    ]
    lines = history(service, made)
    assert [line["field"] for line in lines[:3]] == [
        "activities.restored",
        "activities.deleted",
        "activities.contact_id",
    ]
    assert (lines[2]["value_name"], lines[2]["row_name"]) == ("Odile Garnier", "Appel")


def test_the_days_of_a_period_are_the_companys(service: ServiceUnderTest) -> None:
    made = company(service, "Outre-mer")
    # Half past ten in the evening of the 1st in Paris is the 2nd in La Réunion.
    logged(service, made, occurred_at=datetime(2026, 6, 1, 20, 30, tzinfo=UTC))
    asked = c.ListActivities(client_id=made["id"], from_day="2026-06-02", to_day="2026-06-02")
    assert service.call(asked)["items"] == []
    told = {"id": uuid.uuid4(), "legal_name": "Froid Austral"}
    service.tell(billing.CompanyUpdated(**told, timezone="Indian/Reunion"))
    try:
        assert len(service.call(asked)["items"]) == 1
    finally:
        service.tell(billing.CompanyUpdated(**told, timezone="Europe/Paris"))


@pytest.mark.parametrize("asked", ["elec etancheite", "L'ALARME", "alarme coupee", "ÉLEC", "oeuvre", "100 %"])
def test_an_exchange_is_found_whatever_its_accents_and_the_order_of_words(
    service: ServiceUnderTest, asked: str
) -> None:
    made = company(service, "Cherchée")
    logged(service, made, subject="E\u0301lec’Étanchéité", body="Gros œuvre : couper l’alarme, coupée à 100\u202f%")
    logged(service, made, subject="Autre chose")
    shown = service.call(c.ListActivities(client_id=made["id"], q=asked))["items"]
    assert [item["subject"] for item in shown] == ["E\u0301lec’Étanchéité"]


# --- addresses ------------------------------------------------------------------------------------------------


def test_a_removed_address_comes_back_as_it_was(service: ServiceUnderTest) -> None:
    made = company(service, "Revenante")
    main, retired = address(service, made, label="Siège"), address(service, made, label="Ancien dépôt")
    service.call(c.UpdateAddress(id=retired["id"], changes={"retired": True}))
    for row in (main, retired):
        service.call(c.DeleteSub(kind="addresses", id=row["id"]))
        service.call(c.RestoreSub(kind="addresses", id=row["id"], client_id=made["id"]))
    first, second = service.call(c.ListSub(kind="addresses", client_id=made["id"]))["items"]
    assert (first["label"], first["is_main"], first["retired"]) == ("Siège", True, False)
    assert (second["label"], second["is_main"], second["retired"]) == ("Ancien dépôt", False, True)


def test_the_history_tells_what_became_of_each_address(service: ServiceUnderTest) -> None:
    made = company(service, "Historique d’adresses")
    row = address(service, made, label="Atelier", street="1 rue du Lac")
    other = address(service, made, label="Dépôt", street="9 rue du Lac")
    service.call(c.UpdateAddress(id=row["id"], changes={"street": "3 rue du Lac", "access_notes": "Code 12B"}))
    service.call(c.UpdateAddress(id=other["id"], changes={"street": "11 rue du Lac", "retired": True}))
    lines = {(line["field"], line["row_id"]): line for line in history(service, made)}
    moved = lines["addresses.street", row["id"]]
    assert (moved["previous"], moved["value"], moved["row_name"]) == (
        "1 rue du Lac",
        "3 rue du Lac",
        "Atelier",
    )
    assert lines["addresses.street", other["id"]]["value"] == "11 rue du Lac"
    assert lines["addresses.retired", other["id"]]["value"] is True
    assert lines["addresses.created", row["id"]]["value"] == "Atelier · 1 rue du Lac, 01480 Ars"
    assert lines["addresses.created", row["id"]]["by"]["name"] == CAMILLE.name


def test_retiring_restoring_and_promoting_at_once_leave_one_living_main(service: ServiceUnderTest) -> None:
    made = company(service, "Bousculade")
    rows = [address(service, made, label=str(n)) for n in range(4)]
    works = [lambda row=row: service.call(c.PromoteAddress(id=row["id"])) for row in rows]
    works += [lambda row=row: service.call(c.DeleteSub(kind="addresses", id=row["id"])) for row in rows[:2]]
    works += [
        lambda row=row: service.call(c.RestoreSub(kind="addresses", id=row["id"], client_id=made["id"]))
        for row in rows[:2]
    ]
    works += [
        lambda flag=flag: service.call(c.UpdateAddress(id=rows[2]["id"], changes={"retired": flag}))
        for flag in (True, False, True)
    ]
    assert set(at_once(works)) <= {"ok", "not_found", "address_retired"}
    items = service.call(c.ListSub(kind="addresses", client_id=made["id"]))["items"]
    assert [item["is_main"] for item in items if not item["retired"]].count(True) == 1
    assert not [item for item in items if item["retired"] and item["is_main"]]
    record = service.call(c.GetClient(id=made["id"]))
    assert record["main_address"]["id"] == items[0]["id"]
