"""Likely duplicates: exact keys before likeness, told with their reasons (field reports 3 and 4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from contracts import clients as c
from tests.clients.support import address, company, contact
from tests.support.services import ServiceUnderTest, make_service


@pytest.fixture(scope="module")
def service(postgres_url: str) -> Iterator[ServiceUnderTest]:
    made = make_service("clients", postgres_url)
    vidal = company(made, "Ets Vidal", siret="73282932000074", email="Contact@Vidal.example", phone="06 39 98 41 07")
    address(made, vidal, street="12 rue de la Gare", postal_code="69100", city="Villeurbanne")
    contact(made, vidal, last_name="Vidal", email="rene@vidal.example", phone="+33 1 99 00 00 02")
    company(made, "Vidalenc Plomberie")
    company(made, "Boulangerie Martin")
    gone = company(made, "Ets Vidal", siret="73282932000074")
    made.call(c.SetStatus(id=gone["id"], action="delete"))
    yield made
    made.close()


def found(service: ServiceUnderTest, **typed: str) -> list[tuple[str, list[str]]]:
    """Names found for what was typed, with the reasons."""
    answer = service.call(c.FindDuplicates(fields=c.DuplicateFields(**typed)))
    c.Duplicates.model_validate(answer)
    return [(each["client"]["display_name"], [why["field"] for why in each["reasons"]]) for each in answer["items"]]


@pytest.mark.parametrize(
    ("typed", "reasons"),
    [
        ({"siret": "732 829 320 00074"}, ["siret"]),
        ({"email": "contact@vidal.EXAMPLE "}, ["email"]),
        ({"email": "rene@vidal.example"}, ["email"]),
        ({"phone": "+33 (0)6 39 98 41 07"}, ["phone"]),
        ({"secondary_phone": "0199000002"}, ["phone"]),
        ({"company_name": "Vidal SARL"}, ["name"]),
        (
            {"company_name": "VIDALL", "street": "12, rue de la gare", "postal_code": "69100", "city": "Villeurbanne"},
            ["close_name", "street"],
        ),
    ],
)
def test_a_client_being_typed_is_told_whom_it_is_like_and_why(
    service: ServiceUnderTest, typed: dict[str, Any], reasons: list[str]
) -> None:
    assert found(service, **typed) == [("Ets Vidal", reasons)]


def test_what_is_only_near_or_cannot_be_read_finds_nobody(service: ServiceUnderTest) -> None:
    for typed in (
        {"company_name": "Vi"},
        {"company_name": "Vidalin"},
        {"email": "info+devis@vidal.example"},
        {"siret": "123", "phone": "pas un numéro", "email": "sans arobase"},
        {"city": "Villeurbanne"},
        {},
    ):
        assert found(service, **typed) == [], typed


def test_two_companies_with_sirens_of_their_own_are_less_likely_one(service: ServiceUnderTest) -> None:
    same, other = (
        service.call(c.FindDuplicates(fields=c.DuplicateFields(email="contact@vidal.example", siret=siret)))["items"]
        for siret in ("73282932000074", "55210055400013")
    )
    assert same[0]["score"] > 0.9
    assert not other


def test_the_strongest_sign_comes_first(service: ServiceUnderTest) -> None:
    company(service, "Vidal", email="autre@vidal.example")
    answer = found(service, company_name="Vidal", phone="0639984107")
    assert answer[0] == ("Ets Vidal", ["phone", "name"])
    assert ("Vidal", ["name"]) in answer


def test_a_record_that_stands_is_not_its_own_duplicate(service: ServiceUnderTest) -> None:
    one = company(service, "Garage Blanc", email="garage@blanc.example")
    other = company(service, "Garage Blanc SARL", email="garage@blanc.example")
    [match] = service.call(c.ListDuplicates(client_id=one["id"]))["items"]
    assert match["client"]["id"] == other["id"]
    assert [why["detail"] for why in match["reasons"]] == ["Même e-mail", "Même nom"]
    assert service.call(c.FindDuplicates(fields=c.DuplicateFields(email="garage@blanc.example"), but=one["id"]))[
        "items"
    ]
