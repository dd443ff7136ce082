"""A field's value is the last write that counts: the same for edits and, later, merges."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from chassis.errors import Conflict, Invalid, Stale
from chassis.ids import new_id
from contracts import clients as c
from services.clients import fields
from services.clients.model import Client
from tests.clients.support import address, at_once, company
from tests.support.services import ServiceUnderTest, make_service


@pytest.fixture(scope="module")
def service(postgres_url: str) -> Iterator[ServiceUnderTest]:
    made = make_service("clients", postgres_url)
    yield made
    made.close()


def materialised(service: ServiceUnderTest, identifier: str, names: list[str]) -> dict[str, Any]:
    """Columns as the rule makes them anew from the writes alone."""
    with service.database.session() as session:
        row = session.get(Client, uuid.UUID(identifier))
        assert row is not None
        blank: dict[str, Any] = {"custom_fields": {}, "main_address_id": None}
        for name in names:
            setattr(row, name, blank.get(name, ""))
        customs = session.execute(
            text(
                "SELECT DISTINCT field FROM client_field_write WHERE client_id = :id AND field LIKE 'custom_fields.%'"
            ),
            {"id": identifier},
        ).scalars()
        fields.materialise(session, row, [*(n for n in names if n != "custom_fields"), *customs])
        result = {name: getattr(row, name) for name in names}
        session.rollback()
    return result


def merge_row(service: ServiceUnderTest, survivor: str, duplicate: str, *, undone: bool = False) -> uuid.UUID:
    identifier = new_id()
    service.sql(
        "INSERT INTO merge (id, survivor_id, duplicate_id, reason, actor, merged_at, forest, undone_forest, undo_until)"
        " VALUES (:id, :survivor, :duplicate, '', '{}', now(), 1, :undone, now())",
        id=identifier,
        survivor=survivor,
        duplicate=duplicate,
        undone=2 if undone else None,
    )
    return identifier


def test_any_history_of_edits_gives_the_values_that_its_writes_give(service: ServiceUnderTest) -> None:
    choices = random.Random(7)
    made = company(service, "Rejouée", phone="01 99 00 00 01", custom_fields={"code": "A", "vide": None})
    assert made["custom_fields"] == {"code": "A"}
    names = ["company_name", "phone", "email", "stage", "registration_number", "custom_fields", "sales_rep_id"]
    for _ in range(40):
        patch: dict[str, Any] = choices.choice(
            [
                {"phone": f"01 99 00 {choices.randrange(10, 99)} 02"},
                {"phone": None},
                {"email": f"a{choices.randrange(9)}@b.example", "stage": choices.choice(["prospect", "client"])},
                {"custom_fields": {choices.choice("abc"): choices.choice([1, "deux", True, None])}},
                {"registration_number": str(choices.randrange(3))},
                {"sales_rep_id": choices.choice([None, str(new_id())])},
            ]
        )
        service.call_raw("clients.update", orjson.dumps({"id": made["id"], "changes": patch}))
    now = service.call(c.GetClient(id=made["id"]))
    replayed = materialised(service, made["id"], names)
    assert {k: str(v) if isinstance(v, uuid.UUID) else v for k, v in replayed.items() if v != ""} == {
        name: now[name] for name in names if now[name] != ""
    }


def test_a_patch_of_own_fields_moves_only_its_keys(service: ServiceUnderTest) -> None:
    made = company(service, "Champs", custom_fields={"a": 1, "b": "x"})
    changed = service.call(c.UpdateClient(id=made["id"], changes={"custom_fields": {"b": None, "c": True}}))
    assert changed["custom_fields"] == {"a": 1, "c": True}
    lines = service.call(c.History(client_id=made["id"]))["items"]
    assert {line["field"] for line in lines[:2]} == {"custom_fields.b", "custom_fields.c"}


def test_a_write_of_an_undone_merge_does_not_count_and_a_taken_value_is_as_it_was_then(
    service: ServiceUnderTest,
) -> None:
    survivor, duplicate = company(service, "Survivante", phone="4512"), company(service, "Doublon", phone="4513")
    service.call(c.SetMemo(client_id=survivor["id"], text="Ici"))
    service.call(c.SetMemo(client_id=duplicate["id"], text="Là"))
    merge = merge_row(service, survivor["id"], duplicate["id"])
    for field, op in (("phone", "take"), ("memo", "join")):
        service.sql(
            "INSERT INTO client_field_write "
            "(client_id, field, op, source_client_id, merge_id, actor_id, actor_name, at) "
            "VALUES (:id, :field, :op, :source, :merge, '', '', now())",
            id=survivor["id"],
            field=field,
            op=op,
            source=duplicate["id"],
            merge=merge,
        )
    service.call(c.UpdateClient(id=duplicate["id"], changes={"phone": "4599"}))
    assert materialised(service, survivor["id"], ["phone", "memo"]) == {
        "phone": "4513",
        "memo": "Ici\n— Mémo de Doublon —\nLà",
    }
    service.sql("UPDATE merge SET undone_forest = 2 WHERE id = :id", id=merge)
    assert materialised(service, survivor["id"], ["phone", "memo"]) == {"phone": "4512", "memo": "Ici"}


def test_a_phone_is_kept_dialled_and_shown(service: ServiceUnderTest) -> None:
    made = company(service, "Formes", phone="01 99 00 00 02 poste 214", secondary_phone="+32 2 555 12 12")
    assert made["phone"] == "01 99 00 00 02 poste 214"
    assert (made["phone_e164"], made["phone_display"]) == ("+33199000002;ext=214", "01 99 00 00 02 poste 214")
    assert made["secondary_phone_e164"] == "+3225551212"
    short = company(service, "Interne", phone="214")
    assert (short["phone"], short["phone_e164"], short["phone_display"]) == ("214", "", "214")


def test_null_empties_a_text_and_an_empty_name_is_refused(service: ServiceUnderTest) -> None:
    made = company(service, "Vidée", email="a@b.example", tags=["x"])
    changed = service.call_raw("clients.update", f'{{"id": "{made["id"]}", "changes": {{"email": null}}}}'.encode())
    assert b'"email" : ""' in changed
    with pytest.raises(Invalid) as refused:
        service.call(c.UpdateClient(id=made["id"], changes={"company_name": ""}))
    assert refused.value.errors[0]["field"] == "company_name"
    assert service.call(c.GetClient(id=made["id"]))["company_name"] == "Vidée"


def test_a_name_given_is_shown_instead_of_what_the_others_make(service: ServiceUnderTest) -> None:
    body = c.ClientBody(last_name="MARTIN Jean et Odile", display_name="M. et Mme Martin")
    made = service.call(c.CreateClient(body=body))
    assert made["display_name"] == "M. et Mme Martin"
    back = service.call(c.UpdateClient(id=made["id"], changes={"display_name": ""}))
    assert back["display_name"] == "MARTIN Jean et Odile"


def test_the_main_address_follows_when_the_main_one_goes(service: ServiceUnderTest) -> None:
    made = company(service, "Déménage")
    rows = [address(service, made, label=f"N° {n}") for n in range(3)]
    service.call(c.UpdateAddress(id=rows[2]["id"], changes={"is_main": True}))
    service.call(c.UpdateAddress(id=rows[1]["id"], changes={"is_main": True}))
    service.call(c.UpdateAddress(id=rows[1]["id"], changes={"retired": True}))
    assert service.call(c.GetClient(id=made["id"]))["main_address"]["id"] == rows[2]["id"]
    for row in (rows[2], rows[0]):
        service.call(c.DeleteSub(kind="addresses", id=row["id"]))
    assert service.call(c.GetClient(id=made["id"]))["main_address"] is None
    service.call(c.UpdateAddress(id=rows[1]["id"], changes={"retired": False}))
    assert service.call(c.GetClient(id=made["id"]))["main_address"]["id"] == rows[1]["id"]
    with pytest.raises(Invalid):
        service.call(c.UpdateAddress(id=rows[1]["id"], changes={"is_main": False}))


def test_first_addresses_added_at_once_leave_one_main(service: ServiceUnderTest) -> None:
    made = company(service, "Ensemble")
    assert at_once([lambda n=n: address(service, made, label=str(n)) for n in range(6)]) == ["ok"] * 6
    items = service.call(c.ListSub(kind="addresses", client_id=made["id"]))["items"]
    assert [item["is_main"] for item in items] == [True] + [False] * 5


def test_removing_and_promoting_at_once_leave_one_living_main(service: ServiceUnderTest) -> None:
    made = company(service, "Course")
    rows = [address(service, made, label=str(n)) for n in range(6)]
    works = [lambda row=row: service.call(c.PromoteAddress(id=row["id"])) for row in rows]
    works += [lambda row=row: service.call(c.DeleteSub(kind="addresses", id=row["id"])) for row in rows[:5]]
    assert set(at_once(works)) <= {"ok", "not_found"}
    items = service.call(c.ListSub(kind="addresses", client_id=made["id"]))["items"]
    assert [(item["id"], item["is_main"]) for item in items] == [(rows[5]["id"], True)]


def test_two_memos_written_at_once_lose_no_word(service: ServiceUnderTest) -> None:
    made = company(service, "Deux mains")
    texts = [f"texte {n}" for n in range(5)]
    outcomes = at_once(
        [lambda t=t: service.call(c.SetMemo(client_id=made["id"], expected_version=0, text=t)) for t in texts]
    )
    assert outcomes == ["ok"] + ["stale"] * 4
    memo = service.call(c.GetMemo(client_id=made["id"]))
    assert memo["version"] == 1
    assert memo["text"] in texts


def test_the_same_field_changed_by_two_at_once_is_refused_to_the_second(service: ServiceUnderTest) -> None:
    made = company(service, "Deux téléphones")
    works = [
        lambda n=n: service.call(c.UpdateClient(id=made["id"], expected_version=1, changes={"phone": f"451{n}"}))
        for n in range(4)
    ]
    assert at_once(works) == ["ok"] + ["stale"] * 3
    with pytest.raises(Stale):
        service.call(c.UpdateClient(id=made["id"], expected_version=9, changes={"phone": "1234"}))


def test_references_given_by_the_system_at_once_are_all_different(service: ServiceUnderTest) -> None:
    company(service, "Prise d’avance", reference="CLI-00900")
    company(service, "Une autre forme", reference="CLI-900-B")
    service.sql("UPDATE reference_counter SET last = 895")
    assert at_once([lambda n=n: company(service, f"Numéro {n}") for n in range(8)]) == ["ok"] * 8
    given = [row[0] for row in service.sql("SELECT reference FROM client WHERE display_name LIKE 'Numéro %'")]
    assert sorted(given) == ["CLI-00896", "CLI-00897", "CLI-00898", "CLI-00899"] + [
        f"CLI-{n:05d}" for n in range(901, 905)
    ]


def test_an_id_given_beforehand_makes_one_record(service: ServiceUnderTest) -> None:
    identifier = new_id()
    request = c.CreateClient(id=identifier, body=c.ClientBody(last_name="Reprise"), archived=True)
    first = service.call(request, key="ligne-1")
    assert (first["id"], first["status"]) == (str(identifier), "archived")
    assert service.call(request, key="ligne-1") == first
    with pytest.raises(Conflict) as refused:
        service.call(request, key="ligne-2")
    assert refused.value.code == "exists"
