"""Contacts, relations, activities, and what the door asks."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from chassis.errors import Conflict, Gone, Invalid, Moved, NotFound, Stale
from chassis.ids import new_id
from contracts import accounts
from contracts import clients as c
from tests.clients.support import address, at_once, company, contact, relate
from tests.support.services import ServiceUnderTest, make_service


@pytest.fixture(scope="module")
def service(postgres_url: str) -> Iterator[ServiceUnderTest]:
    made = make_service("clients", postgres_url)
    yield made
    made.close()


def test_a_row_asks_for_a_living_record(service: ServiceUnderTest) -> None:
    gone = company(service, "Partie")
    service.call(c.SetStatus(id=gone["id"], action="delete"))
    with pytest.raises(Gone):
        contact(service, gone, last_name="X")
    with pytest.raises(Gone):
        address(service, gone)
    nobody = {"id": str(new_id())}
    with pytest.raises(NotFound):
        contact(service, nobody, last_name="X")
    with pytest.raises(NotFound):
        relate(service, company(service), "owner", nobody)


def test_the_portal_switch_is_told_with_every_contact(service: ServiceUnderTest) -> None:
    made = company(service, "Portail")
    with pytest.raises(Invalid):
        service.call_raw(
            "clients.create_contact",
            f'{{"home_client_id": "{made["id"]}", "written_client_id": "{made["id"]}", '
            '"body": {"last_name": "Sans", "portal_access": true}}'.encode(),
        )
    row = contact(service, made, last_name="Garnier", email="o@garnier.example", phone="06 39 98 00 01")
    assert row["phone_e164"] == "+33639980001"
    service.call(c.UpdateContact(id=row["id"], expected_version=1, changes={"portal_access": True}))
    told = service.events("contact.updated")[-1]["data"]
    assert (told["portal_access"], told["email"], told["home_client_id"]) == (True, "o@garnier.example", made["id"])
    service.call(c.DeleteSub(kind="contacts", id=row["id"]))
    assert service.events("contact.deleted")[-1]["data"]["portal_access"] is False


def test_twins_asked_at_once_are_one_relation(service: ServiceUnderTest) -> None:
    owner, tenant = company(service, "Bailleur"), company(service, "Preneur")
    works = [lambda: relate(service, owner, "tenant", tenant), lambda: relate(service, tenant, "owner", owner)] * 3
    assert at_once(works) == ["ok"] + ["relation_exists"] * 5
    [seen] = service.call(c.ListSub(kind="relations", client_id=owner["id"]))["items"]
    service.call(c.DeleteSub(kind="relations", id=seen["id"]))
    assert service.call(c.ListSub(kind="relations", client_id=tenant["id"]))["items"] == []
    relate(service, tenant, "owner", owner)


def test_a_type_changed_turns_the_link_round_and_cannot_close_a_loop(service: ServiceUnderTest) -> None:
    a, b = company(service, "A"), company(service, "B")
    row = relate(service, a, "branch", b)
    turned = service.call(
        c.UpdateRelation(id=row["id"], client_id=a["id"], expected_version=1, changes={"type": "head_office"})
    )
    assert (turned["type"], turned["version"]) == ("head_office", 2)
    assert service.call(c.GetClient(id=a["id"]))["parent"]["id"] == b["id"]
    with pytest.raises(Conflict):
        relate(service, b, "head_office", a)


def test_an_activity_names_a_contact_of_its_client(service: ServiceUnderTest) -> None:
    made, other = company(service, "Une"), company(service, "Autre")
    row, foreign = contact(service, made, last_name="Ici"), contact(service, other, last_name="Là")
    body = c.ActivityBody(kind="call", direction="in", subject="Panne", contact_id=row["id"])
    home = uuid.UUID(made["id"])
    logged = service.call(c.CreateActivity(home_client_id=home, written_client_id=home, body=body))
    assert logged["contact"]["name"] == "Ici"
    with pytest.raises(Invalid):
        service.call(c.UpdateActivity(id=logged["id"], changes={"contact_id": foreign["id"]}))
    with pytest.raises(Invalid):
        service.call(c.UpdateActivity(id=logged["id"], changes={"subject": "", "body": ""}))


def test_activities_are_filtered_by_kind_day_author_and_text(service: ServiceUnderTest) -> None:
    made = company(service, "Filtres")
    home = uuid.UUID(made["id"])
    for kind, day, subject in (("call", 1, "Fuite"), ("note", 2, "Code 100%"), ("call", 3, "Devis")):
        # Half past midnight in Paris, where the day counts.
        body = c.ActivityBody(kind=kind, subject=subject, occurred_at=datetime(2026, 6, day, 22, 30, tzinfo=UTC))
        service.call(c.CreateActivity(home_client_id=home, written_client_id=home, body=body))

    def subjects(**filters: object) -> list[str]:
        answer = service.call(c.ListActivities(client_id=home, **filters))
        return [item["subject"] for item in answer["items"]]

    assert subjects() == ["Devis", "Code 100%", "Fuite"]
    assert subjects(kind=["call"]) == ["Devis", "Fuite"]
    assert subjects(kind=["call", "note"]) == subjects()
    assert subjects(kind=["automatic"]) == []
    assert subjects(from_day="2026-06-03", to_day="2026-06-03") == ["Code 100%"]
    assert subjects(q="100%") == ["Code 100%"]
    assert subjects(author_id=service.actor.id) == subjects()
    assert subjects(author_id="personne") == []


def test_the_door_is_told_whose_addresses_and_contacts_are(service: ServiceUnderTest) -> None:
    made, other = company(service, "Porte"), company(service, "Voisine")
    mine, foreign = address(service, made, label="Atelier"), address(service, other)
    person = contact(service, made, last_name="Concierge")
    gone = contact(service, made, last_name="Parti")
    service.call(c.DeleteSub(kind="contacts", id=gone["id"]))
    answer = service.call(
        c.Identify(
            ids=[other["id"], made["id"]],
            address_ids=[mine["id"], foreign["id"], new_id()],
            contact_ids=[person["id"], gone["id"]],
        )
    )
    assert answer["forest"] == 0
    assert [found["root_id"] for found in answer["clients"]] == [other["id"], made["id"]]
    assert answer["clients"][1]["tree"] == [made["id"]]
    assert {key: row["root_id"] for key, row in answer["addresses"].items()} == {
        mine["id"]: made["id"],
        foreign["id"]: other["id"],
    }
    assert answer["addresses"][mine["id"]]["label"] == "Atelier"
    assert answer["addresses"][mine["id"]]["place_id"] == mine["place_id"]
    assert list(answer["contacts"]) == [person["id"]]


def test_a_signpost_leads_to_its_survivor_and_its_rows_are_shown_there(service: ServiceUnderTest) -> None:
    """The edge is laid by hand: the deed comes with the merge; what an id means is read from the first day."""
    survivor, duplicate = company(service, "Survivante"), company(service, "Doublon", tags=["gaz"])
    row = address(service, duplicate, label="Du doublon")
    merge = new_id()
    service.sql("UPDATE client SET merged_into = :to WHERE id = :id", to=survivor["id"], id=duplicate["id"])
    service.sql(
        "INSERT INTO client_alias (id, parent_id, merge_id, root_id) VALUES (:id, :to, :merge, :to)",
        id=duplicate["id"],
        to=survivor["id"],
        merge=merge,
    )
    fiche = service.call(c.ClientFiche(client_id=survivor["id"]))
    assert set(fiche["tree"]) == {survivor["id"], duplicate["id"]}
    assert fiche["sections"]["addresses"]["items"][0]["id"] == row["id"]
    assert fiche["client"]["tags"] == ["gaz"]
    with pytest.raises(Moved) as moved:
        service.call(c.GetClient(id=duplicate["id"]))
    assert moved.value.data["client_id"] == survivor["id"]
    with pytest.raises(Conflict) as refused:
        service.call(c.SetStatus(id=duplicate["id"], action="archive"))
    assert refused.value.code == "client_merged"
    with pytest.raises(Stale) as stale:
        service.call(c.SetMemo(client_id=duplicate["id"], expected_version=0, text="x"))
    assert stale.value.data["client_id"] == survivor["id"]
    [found] = service.call(c.Identify(ids=[duplicate["id"]]))["clients"]
    assert (found["root_id"], set(found["tree"])) == (survivor["id"], set(fiche["tree"]))
    assert [i["id"] for i in service.call(c.ListClients(tag="gaz"))["items"]] == [survivor["id"]]
    assert [i["id"] for i in service.call(c.ListClients(q=duplicate["reference"]))["items"]] == [survivor["id"]]


def test_names_of_staff_come_by_event(service: ServiceUnderTest) -> None:
    boss = new_id()
    service.tell(accounts.UserCreated(id=boss, name="Camille Roux", roles=["salesperson"], active=True))
    made = company(service, "Suivie", sales_rep_id=boss)
    assert made["sales_rep"] == {"id": str(boss), "name": "Camille Roux"}
    address(service, made, label="Atelier")
    service.call(c.UpdateClient(id=made["id"], changes={"sales_rep_id": None}))
    lines = service.call(c.History(client_id=made["id"]))["items"]
    assert [(line["field"], line["value_name"], line["previous_name"]) for line in lines[:2]] == [
        ("sales_rep_id", None, "Camille Roux"),
        ("main_address_id", "Atelier", None),
    ]


def test_the_life_of_a_record_is_told(service: ServiceUnderTest) -> None:
    made = company(service, "Vie")
    for action in ("archive", "unarchive", "delete", "restore"):
        service.call(c.SetStatus(id=made["id"], action=action))
    told = [e["type"].removeprefix("fiche.clients.") for e in service.events() if e["subject"] == made["id"]]
    assert told == [
        "client.created.v1",
        *("client.updated.v1", "client.archived.v1", "client.updated.v1", "client.unarchived.v1"),
        *("client.updated.v1", "client.deleted.v1", "client.updated.v1", "client.restored.v1"),
    ]
    assert [line["value"] for line in service.call(c.History(client_id=made["id"]))["items"][:4]] == [
        "active",
        "deleted",
        "active",
        "archived",
    ]


def test_every_answer_is_what_the_contract_says_no_more_no_less(service: ServiceUnderTest) -> None:
    made, other = company(service, "Contrat"), company(service, "Tiers")
    home = uuid.UUID(made["id"])
    address(service, made)
    contact(service, made, last_name="Contractuelle", email="x@y.example", portal_access=True)
    relate(service, made, "owner", other)
    service.call(
        c.CreateActivity(home_client_id=home, written_client_id=home, body=c.ActivityBody(kind="note", subject="Vu"))
    )
    views = {
        "addresses": c.AddressView,
        "contacts": c.ContactView,
        "relations": c.RelationView,
        "activities": c.ActivityView,
    }
    fiche = service.call(c.ClientFiche(client_id=home))
    c.ClientView.model_validate(fiche["client"])
    assert set(fiche["sections"]) == set(views)
    for name, section in fiche["sections"].items():
        assert section["count"] == 1
        [row] = section["items"]
        views[name].model_validate(row)
        assert service.call(c.GetSub(kind=name, id=row["id"], client_id=home)) == row
        with pytest.raises(NotFound):
            service.call(c.GetSub(kind=name, id=row["id"], client_id=new_id()))
    for item in service.call(c.ListClients())["items"]:
        c.ClientView.model_validate(item)
    for item in service.call(c.FindContacts(q="contractuelle"))["items"]:
        c.FoundContact.model_validate(item)
    c.MemoView.model_validate(service.call(c.SetMemo(client_id=home, expected_version=0, text="Vu")))
    for line in service.call(c.History(client_id=home))["items"]:
        c.HistoryLine.model_validate(line)
    field = c.CustomFieldBody(key="inscription", label="Date d’inscription", type="choice", choices=["a", "b"])
    c.CustomFieldView.model_validate(service.call(c.CreateCustomField(body=field)))
    with pytest.raises(Invalid) as refused:
        service.call(c.UpdateClient(id=home, changes={"custom_fields": {"inscription": "z"}}))
    assert refused.value.errors[0]["field"] == "custom_fields.inscription"
    worker = service.worker()
    told = worker.uow.run(None, lambda: list(worker.snapshot_events()))
    assert {type(event).__name__ for event in told} == {
        "ClientUpdated", "AddressUpdated", "ContactUpdated", "ForestTold"
    }  # fmt: skip
