"""Equipment: what the service promises, on a real PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from chassis.errors import Gone, Invalid, NotFound, Stale
from chassis.ids import new_id
from contracts import equipment as c
from tests.support.services import ServiceUnderTest, make_service


@pytest.fixture(scope="module")
def service(postgres_url: str) -> Iterator[ServiceUnderTest]:
    made = make_service("equipment", postgres_url)
    yield made
    made.close()


def create(service: ServiceUnderTest, home: uuid.UUID, name: str = "Chaudière", **body: object) -> dict[str, object]:
    request = c.CreateEquipment(home_client_id=home, written_client_id=home, body=c.EquipmentBody(name=name, **body))
    answer: dict[str, object] = service.call(request)
    return answer


def test_an_equipment_created_is_answered_as_the_contract_says_and_told(service: ServiceUnderTest) -> None:
    home = new_id()
    answer = create(service, home, "Chaudière à condensation", brand="Viessmann", photos=[new_id()])
    read = c.Equipment.model_validate(service.call(c.GetEquipment(id=answer["id"])))
    assert read.name == "Chaudière à condensation"
    assert read.client_id == home
    assert read.version == 1
    assert read.created_by.name == "Camille Roux"
    told = [event for event in service.events("equipment.created") if event["subject"] == answer["id"]]
    assert len(told) == 1
    assert told[0]["data"]["home_client_id"] == str(home)


def test_a_repeat_under_one_key_acts_once_and_gets_the_first_answer(service: ServiceUnderTest) -> None:
    home = new_id()
    request = c.CreateEquipment(home_client_id=home, written_client_id=home, body=c.EquipmentBody(name="Brûleur"))
    first = service.call(request, key="une-clé")
    assert service.call(request, key="une-clé") == first
    assert service.call(c.ListEquipment(tree=[home]))["items"] == [first]
    other = c.CreateEquipment(home_client_id=home, written_client_id=home, body=c.EquipmentBody(name="Vanne"))
    with pytest.raises(Invalid) as refused:
        service.call(other, key="une-clé")
    assert refused.value.code == "idempotency_key_reused"


def test_a_change_of_a_stale_version_is_refused_and_changes_nothing(service: ServiceUnderTest) -> None:
    answer = create(service, new_id())
    changed = service.call(c.UpdateEquipment(id=answer["id"], expected_version=1, changes={"brand": "Atlantic"}))
    assert (changed["brand"], changed["version"], changed["name"]) == ("Atlantic", 2, "Chaudière")
    with pytest.raises(Stale):
        service.call(c.UpdateEquipment(id=answer["id"], expected_version=1, changes={"brand": "De Dietrich"}))
    assert service.call(c.GetEquipment(id=answer["id"])) == changed


def test_a_part_cannot_contain_itself(service: ServiceUnderTest) -> None:
    home = new_id()
    boiler = create(service, home)
    burner = create(service, home, "Brûleur", parent_id=boiler["id"])
    with pytest.raises(Invalid):
        service.call(c.UpdateEquipment(id=boiler["id"], changes={"parent_id": burner["id"]}))
    stranger = create(service, new_id())
    with pytest.raises(Invalid):
        service.call(c.UpdateEquipment(id=boiler["id"], changes={"parent_id": stranger["id"]}))


def test_a_deleted_equipment_leaves_the_lists_and_says_so(service: ServiceUnderTest) -> None:
    home = new_id()
    answer = create(service, home)
    service.call(c.DeleteEquipment(id=answer["id"], expected_version=1))
    with pytest.raises(NotFound):
        service.call(c.GetEquipment(id=answer["id"]))
    with pytest.raises(Gone):
        service.call(c.UpdateEquipment(id=answer["id"], changes={"brand": "x"}))
    assert service.call(c.EquipmentFiche(client_id=home))["sections"]["equipment"]["count"] == 0


def test_pages_follow_each_other_without_hole_nor_double(service: ServiceUnderTest) -> None:
    home = new_id()
    names = [f"Appareil {n:02d}" for n in range(23)]
    for name in names:
        create(service, home, name)
    seen: list[str] = []
    cursor = None
    while True:
        page = service.call(c.ListEquipment(tree=[home], limit=5, cursor=cursor))
        seen += [item["name"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == names
    with pytest.raises(Invalid):
        service.call(c.ListEquipment(tree=[home], cursor="n’importe quoi"))
    with pytest.raises(Invalid):
        service.call(c.ListEquipment(tree=[home], sort="couleur"))


def test_the_fiche_counts_and_gives_the_first_page_with_the_tree_it_used(service: ServiceUnderTest) -> None:
    home = new_id()
    for n in range(7):
        create(service, home, f"Radiateur {n}")
    answer = service.call(c.EquipmentFiche(client_id=home, limit=3))
    section = answer["sections"]["equipment"]
    assert answer["tree"] == [str(home)]
    assert (section["count"], len(section["items"])) == (7, 3)
    following = service.call(c.ListEquipment(tree=[home], cursor=section["next"]))
    assert len(following["items"]) == 4


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"home_client_id": 3}', b"\xff\x00", b'{"id": "x", "zzz": 1}'])
def test_a_malformed_payload_is_refused_by_the_service_itself(service: ServiceUnderTest, body: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        service.call_raw("equipment.create", body)
    assert refused.value.errors
