"""Equipment: what the service promises, on a real PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from chassis.errors import Gone, Invalid, NotFound, Stale
from chassis.ids import new_id
from contracts import clients
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


def history(service: ServiceUnderTest, identifier: object) -> list[tuple[str, str, object, object]]:
    """Lines of an equipment's history, oldest first."""
    items = service.call(c.ListEquipmentHistory(id=identifier))["items"]
    return [(line["action"], line["field"], line["before"], line["after"]) for line in reversed(items)]


def test_a_move_keeps_the_past_and_tells_where_it_stood(service: ServiceUnderTest) -> None:
    cellar, roof, place = new_id(), new_id(), new_id()
    made = create(service, new_id(), address_id=cellar)
    moved = service.call(
        c.UpdateEquipment(id=made["id"], place_id=place, changes={"address_id": roof, "brand": "Weishaupt"})
    )
    assert (moved["address_id"], moved["place_id"], moved["created_at"]) == (str(roof), str(place), made["created_at"])
    names = [e["type"].split(".")[-2] for e in service.events() if e["subject"] == made["id"]]
    assert names == ["created", "updated", "moved"]
    told = service.events("equipment.moved")[-1]["data"]
    assert (told["former_address_id"], told["former_place_id"], told["place_id"]) == (str(cellar), None, str(place))
    assert history(service, made["id"]) == [
        ("created", "", None, None), ("changed", "brand", "", "Weishaupt"),
        ("moved", "address_id", str(cellar), str(roof)),
    ]  # fmt: skip


def test_what_was_taken_away_can_be_put_back_and_its_history_read_meanwhile(service: ServiceUnderTest) -> None:
    home = new_id()
    made = create(service, home, details=[{"label": "Puissance", "value": "240 kW"}])
    service.call(c.DeleteEquipment(id=made["id"]))
    assert [line[0] for line in history(service, made["id"])] == ["created", "deleted"]
    back = service.call(c.RestoreEquipment(id=made["id"]))
    assert (back["details"], back["version"]) == ([{"label": "Puissance", "value": "240 kW"}], 3)
    assert service.call(c.RestoreEquipment(id=made["id"])) == back
    assert service.call(c.ListEquipment(tree=[home]))["items"] == [back]
    assert len(service.events("equipment.restored")) == 1
    with pytest.raises(NotFound):
        service.call(c.ListEquipmentHistory(id=new_id()))


def test_found_by_words_without_accents_and_by_a_serial_number_however_it_is_spaced(service: ServiceUnderTest) -> None:
    home = new_id()
    boiler = create(service, home, "Chaudière n° 1", brand="Viessmann", serial_number="7571 0842 1190")
    valve = create(service, home, "Vanne d’arrêt", brand="viessmann", reference="100%")
    create(service, home, "Adoucisseur", brand="BWT")
    for q, found in {
        "chaudiere viess": [boiler], "757108421190": [boiler], "0842-1190": [boiler], "ARRET": [valve], "100%": [valve],
        "viessmann": [boiler, valve], "rien": [],
    }.items():  # fmt: skip
        assert service.call(c.ListEquipment(tree=[home], q=q))["items"] == found, q


def test_filtered_by_address_and_brand_with_how_many_there_are(service: ServiceUnderTest) -> None:
    home, address = new_id(), new_id()
    service.tell(
        clients.AddressCreated(
            id=address, home_client_id=home, client_id=home, place_id=None, label="Bâtiment A", street="1 rue Haute",
            street_extra="", postal_code="69100", city="Villeurbanne", country="FR", retired=False,
        )
    )  # fmt: skip
    here = create(service, home, address_id=address, brand="Grundfos", state="out_of_service")
    other = create(service, home, "Régulateur", brand="GRUNDFOS")
    create(service, home, "Vase")
    assert service.call(c.EquipmentChoices(tree=[home])) == {
        "addresses": [
            {"id": str(address), "label": "Bâtiment A", "street": "1 rue Haute", "city": "Villeurbanne", "count": 1}
        ],
        "brands": [{"brand": "GRUNDFOS", "count": 2}],
    }
    for asked, found in (
        ({"address_id": [address]}, [here["id"]]),
        ({"brand": ["grundfos"]}, [here["id"], other["id"]]),
        ({"brand": ["grundfos"], "state": ["in_service"]}, [other["id"]]),
        ({"id": [other["id"]]}, [other["id"]]),
    ):
        items = service.call(c.ListEquipment(tree=[home], **asked))["items"]
        assert [item["id"] for item in items] == found
