"""Fields of one's own and layouts: what an administrator sets holds on every fiche."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from chassis.errors import Conflict, Gone, Invalid, NotFound, Stale
from contracts import clients as c
from tests.clients.support import at_once, company
from tests.support.services import ServiceUnderTest, make_service


@pytest.fixture(scope="module")
def service(postgres_url: str) -> Iterator[ServiceUnderTest]:
    made = make_service("clients", postgres_url)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _no_fields(service: ServiceUnderTest) -> None:
    service.sql("DELETE FROM custom_field")


def define(service: ServiceUnderTest, label: str, **more: Any) -> dict[str, Any]:
    """A field defined."""
    answer: dict[str, Any] = service.call(c.CreateCustomField(body=c.CustomFieldBody(label=label, **more)))
    return answer


def keys(service: ServiceUnderTest) -> list[str]:
    """Keys of the fields in their order."""
    return [item["key"] for item in service.call(c.ListCustomFields())["items"]]


def test_a_key_is_made_of_the_label_and_never_borne_twice(service: ServiceUnderTest) -> None:
    first = define(service, "Date d’inscription", type="date")
    assert first["key"] == "date_d_inscription"
    assert define(service, "Date d'inscription")["key"] == "date_d_inscription_2"
    assert define(service, "2ᵉ étage")["key"] == "champ_2e_etage"
    service.call(c.DeleteCustomField(id=first["id"]))
    assert define(service, "Date d’inscription")["key"] == "date_d_inscription_3"


@pytest.mark.parametrize(
    ("definition", "good", "bad"),
    [
        ({"type": "number"}, 12.5, "12"),
        ({"type": "number"}, 0, True),
        ({"type": "boolean"}, False, "oui"),
        ({"type": "date"}, "2019-03-12", "12/03/2019"),
        ({"type": "date"}, "2024-02-29", "2023-02-29"),
        ({"type": "choice", "choices": ["Gaz naturel", "Fioul"]}, "Fioul", "Charbon"),
        ({"type": "text"}, "Chaufferie A", 12),
    ],
)
def test_a_value_fits_its_field_or_is_refused_at_it(
    service: ServiceUnderTest, definition: dict[str, Any], good: Any, bad: Any
) -> None:
    key = define(service, "Essai", **definition)["key"]
    client = company(service, custom_fields={key: good})
    assert client["custom_fields"][key] == good
    with pytest.raises(Invalid) as refused:
        service.call(c.UpdateClient(id=client["id"], changes={"custom_fields": {key: bad}}))
    assert [error["field"] for error in refused.value.errors] == [f"custom_fields.{key}"]


def test_a_required_field_is_asked_for_when_a_fiche_is_opened_and_cannot_be_emptied(service: ServiceUnderTest) -> None:
    old = company(service)
    key = define(service, "Énergie", required=True)["key"]
    with pytest.raises(Invalid) as refused:
        company(service, "Nouvelle")
    assert refused.value.errors == [{"field": "custom_fields.energie", "message": "Renseignez «\u202fÉnergie\u202f»."}]
    # What stood before the field was defined can be edited, and an import brings what it has.
    service.call(c.UpdateClient(id=old["id"], changes={"website": "https://martin.example"}))
    service.call(c.CreateClient(id=uuid.uuid4(), body=c.ClientBody(kind="company", company_name="Importée")))
    filled = company(service, "Remplie", custom_fields={key: "Gaz"})
    with pytest.raises(Invalid):
        service.call(c.UpdateClient(id=filled["id"], changes={"custom_fields": {key: None}}))


def test_a_choice_taken_away_stays_where_it_was_chosen(service: ServiceUnderTest) -> None:
    field = define(service, "Énergie", type="choice", choices=["Gaz", "Fioul"])
    client = company(service, custom_fields={"energie": "Fioul"})
    service.call(c.UpdateCustomField(id=field["id"], changes={"choices": ["Gaz"]}))
    service.call(
        c.UpdateClient(id=client["id"], changes={"custom_fields": {"energie": "Fioul"}, "phone": "0199000001"})
    )
    with pytest.raises(Invalid):
        company(service, "Autre", custom_fields={"energie": "Fioul"})


def test_the_type_of_a_field_in_use_does_not_change(service: ServiceUnderTest) -> None:
    field = define(service, "Étages")
    service.call(c.UpdateCustomField(id=field["id"], changes={"type": "number"}))
    company(service, custom_fields={"etages": 4})
    with pytest.raises(Conflict) as refused:
        service.call(c.UpdateCustomField(id=field["id"], changes={"type": "text"}))
    assert refused.value.code == "field_in_use"
    assert "1 fiche a une valeur" in refused.value.detail
    assert service.call(c.GetCustomField(id=field["id"]))["used_by"] == 1


def test_fields_keep_the_order_they_are_given(service: ServiceUnderTest) -> None:
    made = {label: define(service, label) for label in ("a", "b", "c", "d")}
    service.call(c.UpdateCustomField(id=made["d"]["id"], changes={"position": 2}))
    assert keys(service) == ["a", "d", "b", "c"]
    service.call(c.DeleteCustomField(id=made["d"]["id"]))
    service.call(c.UpdateCustomField(id=made["a"]["id"], changes={"position": 3}))
    assert keys(service) == ["b", "c", "a"]
    service.call(c.RestoreCustomField(id=made["d"]["id"]))
    assert keys(service) == ["b", "d", "c", "a"]
    places = service.sql("SELECT position FROM custom_field WHERE deleted_at IS NULL ORDER BY 1")
    assert [row[0] for row in places] == [1, 2, 3, 4]


def test_a_deleted_field_comes_back_with_its_values(service: ServiceUnderTest) -> None:
    field = define(service, "Énergie")
    client = company(service, custom_fields={"energie": "Gaz"})
    service.call(c.DeleteCustomField(id=field["id"], expected_version=field["version"]))
    assert keys(service) == []
    assert service.call(c.ListCustomFields(deleted=True))["items"][0]["deleted"]
    with pytest.raises(NotFound):
        service.call(c.GetCustomField(id=field["id"]))
    with pytest.raises(Gone):
        service.call(c.UpdateCustomField(id=field["id"], changes={"label": "Autre"}))
    service.call(c.RestoreCustomField(id=field["id"]))
    assert keys(service) == ["energie"]
    assert service.call(c.GetClient(id=client["id"]))["custom_fields"] == {"energie": "Gaz"}
    told = [event["type"].split(".")[-2] for event in service.events() if event["subject"] == field["id"]]
    assert told == ["created", "deleted", "created"]


def test_fields_defined_at_once_take_places_of_their_own(service: ServiceUnderTest) -> None:
    assert at_once([lambda: define(service, "Étage") for _ in range(6)]) == ["ok"] * 6
    assert len(set(keys(service))) == 6
    places = service.sql("SELECT position FROM custom_field ORDER BY 1")
    assert [row[0] for row in places] == [1, 2, 3, 4, 5, 6]


def test_what_is_wrong_in_a_definition_is_told_at_its_field(service: ServiceUnderTest) -> None:
    define(service, "Énergie")
    for body, field in (
        ({"label": "X", "type": "choice"}, "choices"),
        ({"label": "X", "type": "text", "choices": ["a"]}, "choices"),
        ({"label": "X", "type": "choice", "choices": ["Gaz", "gaz"]}, "body.choices"),
        ({"label": "X", "key": "energie"}, "key"),
        ({"label": " "}, "body.label"),
        ({"label": "X", "key": "Énergie"}, "body.key"),
    ):
        with pytest.raises(Invalid) as refused:
            service.call_raw("clients.create_custom_field", orjson.dumps({"body": body}))
        assert [error["field"] for error in refused.value.errors] == [field], body


def test_the_layout_of_the_company_is_whole_and_takes_in_what_comes_later(service: ServiceUnderTest) -> None:
    first = service.call(c.GetLayout())
    assert first["version"] == 0
    assert [each["key"] for each in first["sections"]][:2] == ["informations", "contacts"]
    define(service, "Énergie")
    wanted = {
        "sections": [{"key": "contacts"}, {"key": "informations"}, {"key": "job_sites", "shown": False}],
        "custom_fields": [{"key": "energie", "shown": False}],
    }
    written = service.call(c.SetLayout(expected_version=0, body=c.Layout.model_validate(wanted)))
    assert [each["key"] for each in written["sections"]][:4] == ["contacts", "informations", "job_sites", "relations"]
    assert {each["key"]: each["shown"] for each in written["sections"]}["job_sites"] is False
    define(service, "Étages")
    settings = service.call(c.FicheSettings())
    assert settings["layout"]["custom_fields"] == [
        {"key": "energie", "shown": False},
        {"key": "etages", "shown": True},
    ]
    assert [field["label"] for field in settings["custom_fields"]] == ["Énergie", "Étages"]
    with pytest.raises(Stale):
        service.call(c.SetLayout(expected_version=0, body=c.Layout()))


def test_a_fiche_may_be_laid_out_otherwise_and_as_the_company_s_again(service: ServiceUnderTest) -> None:
    client = company(service)
    own = {"sections": [{"key": "billing", "shown": True}, {"key": "portal", "shown": False}], "custom_fields": []}
    answer = service.call(c.UpdateClient(id=client["id"], changes={"layout": own}))
    assert answer["layout"] == own
    assert service.call(c.UpdateClient(id=client["id"], changes={"layout": None}))["layout"] is None
    lines = service.call(c.History(client_id=client["id"]))["items"]
    assert [line["field"] for line in lines[:2]] == ["layout", "layout"]
    with pytest.raises(Invalid):
        service.call_raw(
            "clients.update",
            b'{"id": "%b", "changes": {"layout": {"sections": [{"key": "portal"}, {"key": "portal"}]}}}'
            % client["id"].encode(),
        )
