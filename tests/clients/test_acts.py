"""What is done to a fiche and its rows: each can be taken back, and leaves its line in the history."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chassis.errors import Conflict, NotFound
from contracts import clients as c
from tests.clients.support import address, at_once, company, contact, relate
from tests.support.services import ServiceUnderTest, make_service


@pytest.fixture(scope="module")
def service(postgres_url: str) -> Iterator[ServiceUnderTest]:
    made = make_service("clients", postgres_url)
    yield made
    made.close()


def person(service: ServiceUnderTest, **fields: Any) -> dict[str, Any]:
    """A person's fiche."""
    body = c.ClientBody(**({"last_name": "Garnier", "first_name": "Odile"} | fields))
    answer: dict[str, Any] = service.call(c.CreateClient(body=body))
    return answer


def convert(service: ServiceUnderTest, client: dict[str, Any], to: c.Kind, **more: Any) -> dict[str, Any]:
    """The fiche after a conversion."""
    answer: dict[str, Any] = service.call(c.ConvertClient(id=client["id"], body=c.ConvertBody(to=to, **more)))
    return answer


def rows(service: ServiceUnderTest, kind: c.SubKind, client: dict[str, Any]) -> list[dict[str, Any]]:
    """What a section of a fiche holds."""
    answer: list[dict[str, Any]] = service.call(c.ListSub(kind=kind, client_id=client["id"]))["items"]
    return answer


def lines(service: ServiceUnderTest, client: dict[str, Any], start: str = "") -> list[tuple[Any, ...]]:
    """The history's lines whose field begins so, newest first: field, before, after."""
    items = service.call(c.History(client_id=client["id"], limit=200))["items"]
    for item in items:
        c.HistoryLine.model_validate(item)
    return [(i["field"], i["previous"], i["value"]) for i in items if i["field"].startswith(start)]


_WHAT_COUNTS = ("kind", "display_name", "first_name", "last_name", "company_name", "siret", "email", "custom_fields")


def test_a_conversion_undone_gives_everything_back_and_takes_its_contact_away(service: ServiceUnderTest) -> None:
    before = person(
        service, email="odile@garnier.example", custom_fields={"energie": "Gaz"}, display_name="Mme Garnier"
    )
    convert(service, before, "company", company_name="Garnier SARL", siret="73282932000074")
    assert len(rows(service, "contacts", before)) == 1
    after = convert(service, before, "individual", undo=True)
    assert {name: after[name] for name in _WHAT_COUNTS} == {name: before[name] for name in _WHAT_COUNTS}
    assert rows(service, "contacts", before) == []


def test_what_was_edited_since_a_conversion_outlives_its_undoing(service: ServiceUnderTest) -> None:
    client = person(service)
    turned = convert(service, client, "company", company_name="Garnier", siret="73282932000074")
    changes = c.ClientChanges(company_name="Garnier et Filles")
    service.call(c.UpdateClient(id=client["id"], expected_version=turned["version"], changes=changes))
    [made] = rows(service, "contacts", client)
    service.call(c.UpdateContact(id=made["id"], changes={"role": "Gérante"}))
    after = convert(service, client, "individual", undo=True)
    assert (after["kind"], after["company_name"], after["siret"]) == ("individual", "Garnier et Filles", "")
    assert [row["role"] for row in rows(service, "contacts", client)] == ["Gérante"]


def test_a_company_made_a_person_becomes_the_company_again(service: ServiceUnderTest) -> None:
    client = company(service, "Atelier Roy", siret="73282932000074", vat_number="FR44732829320")
    convert(service, client, "individual", last_name="Roy", first_name="Paul")
    after = convert(service, client, "company", undo=True)
    assert {name: after[name] for name in _WHAT_COUNTS} == {name: client[name] for name in _WHAT_COUNTS}
    with pytest.raises(Conflict) as refused:
        convert(service, company(service), "individual", undo=True)
    assert refused.value.code == "not_undoable"


def test_conversions_at_once_make_one_contact(service: ServiceUnderTest) -> None:
    client = person(service)
    assert (
        at_once([lambda: convert(service, client, "company", company_name="Garnier") for _ in range(4)]) == ["ok"] * 4
    )
    assert len(rows(service, "contacts", client)) == 1


def test_what_becomes_of_a_contact_is_told_with_what_was_before(service: ServiceUnderTest) -> None:
    client = company(service)
    made = contact(service, client, first_name="Simon", last_name="Blanc", phone="01 99 00 00 02", email="s@b.example")
    changes = {"phone": "01 99 00 00 03", "portal_access": True}
    service.call(c.UpdateContact(id=made["id"], changes=changes))
    service.call(c.DeleteSub(kind="contacts", id=made["id"]))
    restore = c.RestoreSub(kind="contacts", id=made["id"], client_id=client["id"])
    back = service.call(restore)
    assert (back["name"], back["phone"], back["portal_access"]) == ("Simon Blanc", "01 99 00 00 03", False)
    assert lines(service, client, "contacts") == [
        ("contacts.restored", None, "Simon Blanc"),
        ("contacts.deleted", None, "Simon Blanc"),
        ("contacts.portal_access", False, True),
        ("contacts.phone", "01 99 00 00 02", "01 99 00 00 03"),
        ("contacts.created", None, "Simon Blanc"),
    ]
    assert service.call(restore)["version"] == back["version"]
    with pytest.raises(NotFound):
        service.call(c.RestoreSub(kind="contacts", id=made["id"], client_id=company(service)["id"]))


def test_what_was_deleted_is_kept_for_thirty_days_and_no_longer_offered_after(service: ServiceUnderTest) -> None:
    def deleted() -> set[str]:
        return {row["id"] for row in service.call(c.ListClients(status="deleted"))["items"]}

    fresh, old = company(service, "Supprimée hier"), company(service, "Supprimée jadis")
    for client, days in ((fresh, 29), (old, 31)):
        service.call(c.SetStatus(id=client["id"], action="delete"))
        service.sql(
            "UPDATE client SET deleted_at = now() - make_interval(days => :days) WHERE id = :id",
            days=days, id=client["id"],
        )  # fmt: skip
    assert fresh["id"] in deleted()
    assert old["id"] not in deleted()
    before = service.call(c.CountClients())["deleted"]
    assert service.call(c.SetStatus(id=fresh["id"], action="restore"))["status"] == "active"
    assert service.call(c.CountClients())["deleted"] == before - 1
    with pytest.raises(Conflict, match="trop longtemps"):
        service.call(c.SetStatus(id=old["id"], action="restore"))


def test_a_link_is_told_on_both_fiches_and_can_be_put_back(service: ServiceUnderTest) -> None:
    shop, head = company(service, "Boulangerie Martin Lyon"), company(service, "Boulangerie Martin")
    made = relate(service, shop, "head_office", head)
    service.call(c.DeleteSub(kind="relations", id=made["id"]))
    back = service.call(c.RestoreSub(kind="relations", id=made["id"], client_id=shop["id"]))
    assert (back["type"], back["other"]["name"]) == ("head_office", "Boulangerie Martin")
    assert [line[0] for line in lines(service, shop, "relations")] == [
        "relations.restored",
        "relations.deleted",
        "relations.created",
    ]
    assert lines(service, head, "relations")[-1] == (
        "relations.created",
        None,
        "Succursale\u202f: Boulangerie Martin Lyon",
    )


def test_a_link_that_would_close_a_loop_by_now_is_not_put_back(service: ServiceUnderTest) -> None:
    one, other = company(service, "Une"), company(service, "Autre")
    made = relate(service, one, "head_office", other)
    service.call(c.DeleteSub(kind="relations", id=made["id"]))
    relate(service, other, "head_office", one)
    with pytest.raises(Conflict) as refused:
        service.call(c.RestoreSub(kind="relations", id=made["id"], client_id=one["id"]))
    assert refused.value.code == "relation_loop"


def test_links_put_back_and_made_at_once_close_no_loop(service: ServiceUnderTest) -> None:
    for _ in range(5):
        one, other = company(service, "Une"), company(service, "Autre")
        made = relate(service, one, "head_office", other)
        service.call(c.DeleteSub(kind="relations", id=made["id"]))
        restore = c.RestoreSub(kind="relations", id=made["id"], client_id=one["id"])
        outcomes = at_once(
            [lambda r=restore: service.call(r), lambda a=other, b=one: relate(service, a, "head_office", b)]
        )
        assert outcomes == ["ok", "relation_loop"]


def test_older_lines_of_a_history_follow_from_a_line(service: ServiceUnderTest) -> None:
    client = company(service)
    for n in range(5):
        service.call(c.UpdateClient(id=client["id"], changes={"website": f"https://{n}.example"}))
    items = service.call(c.History(client_id=client["id"], limit=200))["items"]
    older = service.call(c.History(client_id=client["id"], limit=2, before=items[1]["seq"]))
    assert older["items"] == items[2:4]
    assert older["next"] is not None


def test_a_client_knows_its_neighbours_in_a_list(service: ServiceUnderTest) -> None:
    made = [company(service, name, tags=["voisins"]) for name in ("Aube", "Brume", "Crue")]
    asked = {"tag": "voisins", "status": "active", "sort": "-name"}
    middle = service.call(c.Neighbours(id=made[1]["id"], **asked))
    assert middle == {"position": 2, "count": 3, "previous": made[2]["id"], "next": made[0]["id"]}
    first = service.call(c.Neighbours(id=made[2]["id"], **asked))
    assert (first["position"], first["previous"]) == (1, None)
    nowhere = service.call(c.Neighbours(id=company(service, "Dune")["id"], **asked))
    assert nowhere == {"position": None, "count": None, "previous": None, "next": None}


def test_the_list_tells_how_many_where_and_who_was_last_heard_of(service: ServiceUnderTest) -> None:
    old, new = company(service, "Ancienne", tags=["liste"]), company(service, "Nouvelle", tags=["liste"])
    address(service, old, city="L’Isle-d’Abeau")
    body = c.ActivityBody(kind="note", subject="Vu", occurred_at="2100-01-01T00:00:00Z")
    service.call(c.CreateActivity(home_client_id=old["id"], written_client_id=old["id"], body=body))
    answer = service.call(c.ListClients(tag="liste", sort="-activity", counted=True, limit=1))
    assert (answer["count"], answer["items"][0]["id"]) == (2, new["id"])
    body = c.ActivityBody(kind="note", subject="Vu")
    service.call(c.CreateActivity(home_client_id=old["id"], written_client_id=old["id"], body=body))
    assert service.call(c.ListClients(tag="liste", sort="-activity"))["items"][0]["id"] == old["id"]
    found = service.call(c.ListClients(city="l’isle-d’abeau", counted=True))
    assert [item["id"] for item in found["items"]] == [old["id"]]
    assert "L’Isle-d’Abeau" in service.call(c.CountClients())["cities"]
