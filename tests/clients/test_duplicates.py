"""Likely duplicates: exact keys before likeness, told with their reasons (field reports 3 and 4)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Invalid
from contracts import clients as c
from contracts.clients import merges as m
from services.clients.commands import pairs
from services.clients.likeness.keys import Facts, bare, facts, place
from services.clients.likeness.score import compare
from tests.clients.support import address, company, contact
from tests.support.services import ServiceUnderTest, make_service


def settle(service: ServiceUnderTest) -> None:
    """All that is due is compared, as the service does by itself."""
    while service.sql("SELECT 1 FROM likeness_due LIMIT 1"):
        service.worker().follow_likeness()


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
    settle(made)
    yield made
    made.close()


@pytest.fixture
def fresh(postgres_url: str) -> Iterator[ServiceUnderTest]:
    made = make_service("clients", postgres_url)
    yield made
    made.close()


def found(service: ServiceUnderTest, **typed: str) -> list[tuple[str, list[str]]]:
    """Names found for what was typed, with the reasons."""
    answer = service.call(c.FindDuplicates(fields=c.DuplicateFields(**typed)))
    c.Duplicates.model_validate(answer)
    return [(each["client"]["display_name"], [why["field"] for why in each["reasons"]]) for each in answer["items"]]


def of(service: ServiceUnderTest, client: dict[str, Any]) -> list[str]:
    """Names of the likely duplicates of one that stands."""
    return [each["client"]["display_name"] for each in service.call(c.ListDuplicates(client_id=client["id"]))["items"]]


def listed(service: ServiceUnderTest, **asked: Any) -> list[set[str]]:
    """Pairs of the whole base, as names."""
    answer = service.call(c.ListLikelyPairs(**asked))
    for item in answer["items"]:
        c.LikelyPair.model_validate(item)
    return [{side["display_name"] for side in item["clients"]} for item in answer["items"]]


@pytest.mark.parametrize(
    ("typed", "reasons"),
    [
        ({"siret": "732 829 320 00074"}, ["siret"]),
        ({"vat_number": "FR 44 732829320"}, ["siren"]),
        ({"email": "contact@vidal.EXAMPLE "}, ["email"]),
        ({"email": "rene@vidal.example"}, ["email"]),
        ({"phone": "+33 (0)6 39 98 41 07"}, ["phone"]),
        ({"secondary_phone": "0199000002"}, ["phone"]),
        ({"company_name": "Vidal SARL"}, ["name"]),
        (
            {"company_name": "VIDALL", "street": "12, rue de la gare", "postal_code": "69100", "city": "Villeurbanne"},
            ["close_name", "street"],
        ),
        (
            {"company_name": "Vidal", "street": "12 r. de la Garre", "city": "VILLEURBANNE CEDEX"},
            ["name", "close_street"],
        ),
    ],
)
def test_a_client_being_typed_is_told_whom_it_is_like_and_why(
    service: ServiceUnderTest, typed: dict[str, Any], reasons: list[str]
) -> None:
    expected = [] if reasons == ["siren"] else [("Ets Vidal", reasons)]
    assert found(service, **typed) == expected


def test_what_is_only_near_or_cannot_be_read_finds_nobody(service: ServiceUnderTest) -> None:
    for typed in (
        {"company_name": "Vi"},
        {"company_name": "Vidalin"},
        {"email": "info+devis@vidal.example"},
        {"siret": "123", "phone": "pas un numéro", "email": "sans arobase"},
        {"city": "Villeurbanne"},
        {"street": "12 rue de la Gare", "city": "Villeurbanne"},
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


def test_the_strongest_sign_comes_first(fresh: ServiceUnderTest) -> None:
    company(fresh, "Ets Vidal", phone="06 39 98 41 07")
    company(fresh, "Vidal", email="autre@vidal.example")
    settle(fresh)
    answer = found(fresh, company_name="Vidal", phone="0639984107")
    assert answer[0] == ("Ets Vidal", ["phone", "name"])


def test_a_record_that_stands_is_not_its_own_duplicate(fresh: ServiceUnderTest) -> None:
    one = company(fresh, "Garage Blanc", email="garage@blanc.example")
    other = company(fresh, "Garage Blanc SARL", email="garage@blanc.example")
    settle(fresh)
    [match] = fresh.call(c.ListDuplicates(client_id=one["id"]))["items"]
    assert match["client"]["id"] == other["id"]
    assert [why["detail"] for why in match["reasons"]] == ["Même e-mail", "Même nom"]
    typed = c.DuplicateFields(email="garage@blanc.example")
    assert [each["client"]["id"] for each in fresh.call(c.FindDuplicates(fields=typed, but=one["id"]))["items"]] == [
        other["id"]
    ]


def test_an_email_of_many_proposes_less_than_one_of_two(fresh: ServiceUnderTest) -> None:
    """A managing agent's e-mail at each of its buildings."""
    buildings = ["Copropriété Les Tilleuls", "Résidence du Parc", "Copropriété Bellevue", "Le Clos Fleuri"]
    made = [company(fresh, name, email="agence@syndic.example") for name in buildings]
    company(fresh, "Boulangerie Petit", email="petit@pain.example")
    pair = company(fresh, "Pains Petit", email="petit@pain.example")
    settle(fresh)
    assert of(fresh, pair) == ["Boulangerie Petit"]
    assert of(fresh, made[0]) == []
    assert listed(fresh) == [{"Boulangerie Petit", "Pains Petit"}]


def test_pairs_found_to_be_two_are_left_out_until_it_is_taken_back(fresh: ServiceUnderTest) -> None:
    one = company(fresh, "Garage Blanc", email="garage@blanc.example")
    other = company(fresh, "Garage Blanc SARL", email="garage@blanc.example")
    settle(fresh)
    names = {"Garage Blanc", "Garage Blanc SARL"}
    assert listed(fresh) == [names]
    fresh.call(m.NotDuplicates(client_id=other["id"], other_id=one["id"]))
    assert listed(fresh) == of(fresh, one) == of(fresh, other) == []
    settle(fresh)
    fresh.worker().uow.run(None, lambda: None)
    fresh.call(c.StartScan())
    settle(fresh)
    assert listed(fresh) == []
    fresh.call(m.NotDuplicates(client_id=one["id"], other_id=other["id"], same=True))
    assert listed(fresh) == [names]
    with pytest.raises(Invalid):
        fresh.call(m.NotDuplicates(client_id=one["id"], other_id=one["id"]))


def test_a_merge_an_undo_an_edit_and_a_deletion_change_the_pairs(fresh: ServiceUnderTest) -> None:
    one = company(fresh, "Garage Blanc", email="garage@blanc.example")
    two = company(fresh, "Garage Blanc SARL", email="garage@blanc.example")
    three = company(fresh, "Blanc Garage", phone="06 39 98 41 07", email="autre@blanc.example")
    settle(fresh)
    assert len(listed(fresh)) == 3
    body = m.MergeBody(survivor_id=one["id"], duplicate_id=two["id"], reason="Essai")
    merge = fresh.call(m.MergeClients(body=body))
    pair = {"Garage Blanc", "Blanc Garage"}
    assert listed(fresh) == [pair], "what is merged is no pair from the same moment"
    settle(fresh)
    assert listed(fresh) == [pair]
    # Both records of the merged client are one: the value of the signpost finds the living.
    fourth = company(fresh, "Garage Blanc SARL", email="garage@blanc.example")
    settle(fresh)
    assert set(of(fresh, fourth)) == {"Garage Blanc", "Blanc Garage"}
    fresh.call(c.SetStatus(id=fourth["id"], action="delete"))
    assert listed(fresh) == [pair]
    settle(fresh)
    assert listed(fresh) == [pair]
    fresh.call(m.UndoMerge(id=merge["id"]))
    settle(fresh)
    # An undo says that the two are not one.
    assert {"Garage Blanc", "Garage Blanc SARL"} not in listed(fresh)
    assert listed(fresh) == [{"Blanc Garage", "Garage Blanc SARL"}, pair] or len(listed(fresh)) == 2
    changes = {"company_name": "Carrosserie Neuve"}
    fresh.call(c.UpdateClient(id=three["id"], changes=changes, expected_version=three["version"]))
    settle(fresh)
    assert listed(fresh) == []


def test_a_scan_goes_on_after_a_restart_and_tells_how_far_it_is(fresh: ServiceUnderTest) -> None:
    for number in range(50):
        company(fresh, f"Client {chr(65 + number % 26)}{number} Dupond", email=f"c{number // 2}@exemple.fr")
    settle(fresh)
    fresh.sql("DELETE FROM likely_pair")
    assert fresh.call(c.GetScan())["status"] == "never"
    begun = c.Scan.model_validate(fresh.call(c.StartScan()))
    assert (begun.status, begun.total, begun.done) == ("running", 100, 0)
    assert fresh.call(c.StartScan())["id"] == str(begun.id), "one at a time"
    worker = fresh.worker()
    worker.uow.run(None, lambda: pairs.step(worker.uow, 60))
    # Another process goes on with what is left.
    assert c.Scan.model_validate(fresh.call(c.GetScan())).done == 50
    settle(fresh)
    fresh.worker().follow_likeness()
    ended = c.Scan.model_validate(fresh.call(c.GetScan()))
    assert (ended.status, ended.done) == ("done", 100)
    assert fresh.call(c.ListLikelyPairs(counted=True))["count"] == 25
    assert fresh.call(c.StartScan())["id"] != str(begun.id)


def test_a_flood_of_changes_is_worked_off_as_a_scan_and_ends_as_if_it_were_not(
    fresh: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [company(fresh, f"Toiture {number // 2}", email=f"t{number // 2}@exemple.fr") for number in range(12)]
    settle(fresh)
    before = fresh.call(c.ListLikelyPairs(counted=True))["count"]
    assert before == 6
    gone, merged, into = made[0], made[3], made[2]
    fresh.call(c.SetStatus(id=gone["id"], action="delete"))
    body = m.MergeBody(survivor_id=into["id"], duplicate_id=merged["id"], reason="Essai")
    fresh.call(m.MergeClients(body=body))
    late = [company(fresh, f"Toiture {number}", email=f"t{number}@exemple.fr") for number in (4, 7)]
    # Too few yet to be worth a scan.
    assert fresh.call(c.GetScan())["status"] == "never"
    monkeypatch.setattr(pairs, "FLOOD", 4)
    settle(fresh)
    fresh.worker().follow_likeness()
    assert fresh.call(c.GetScan())["status"] == "done"
    kept = fresh.sql("SELECT low_id, high_id FROM likely_pair")
    assert not {gone["id"], merged["id"]} & {str(each) for row in kept for each in row}
    # Four pairs that nothing happened to, and the newcomer with each of the two that bear its name already.
    assert fresh.call(c.ListLikelyPairs(counted=True))["count"] == 4 + 2
    assert len(of(fresh, late[0])) == 2
    assert of(fresh, late[1]) == []


def test_pairs_come_page_by_page_by_score_and_by_reason(fresh: ServiceUnderTest) -> None:
    for number, name in enumerate(("Alpha", "Bravo", "Charlie")):
        for _ in range(2):
            company(fresh, f"{name} Chauffage", email=f"{name}@exemple.fr".lower() if number else "")
    settle(fresh)
    seen, cursor = [], None
    while True:
        page = fresh.call(c.ListLikelyPairs(limit=1, cursor=cursor))
        seen += [(each["score"], each["id"]) for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == 3
    assert seen == sorted(seen, reverse=True)
    assert len(listed(fresh, reason="email")) == 2
    assert len(listed(fresh, min_score=0.8)) == 2
    with pytest.raises(Invalid):
        fresh.call(c.ListLikelyPairs(cursor="abc"))


def test_what_cannot_be_compared_keeps_no_other_waiting(
    fresh: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = company(fresh, "Cassé", email="a@exemple.fr")
    company(fresh, "Un", email="b@exemple.fr")
    company(fresh, "Deux", email="b@exemple.fr")
    real = pairs.read

    def fails(session: Any, records: Any) -> None:
        if uuid.UUID(broken["id"]) in records:
            raise ValueError("cannot be read")
        real(session, records)

    monkeypatch.setattr(pairs, "read", fails)
    settle(fresh)
    assert listed(fresh) == [{"Un", "Deux"}]


# --- names, addresses, scores -----------------------------------------------------------------------------------------


def of_person(first: str, last: str, **more: Any) -> Facts:
    return facts({"first_name": first, "last_name": last}, **more)


HOME = [("3 bis av. Jean-Jaurès", "69007", "Lyon 7e")]


@pytest.mark.parametrize(
    ("one", "other", "likely"),
    [
        (of_person("Jean", "Martin", addresses=HOME), of_person("Martin", "Jean", addresses=HOME), True),
        (of_person("Jean", "Martin", addresses=HOME), of_person("J.", "MARTIN", addresses=HOME), True),
        (of_person("Hélène", "Lefèvre", addresses=HOME), of_person("Helene", "Lefebvre", addresses=HOME), True),
        # Father and son at one door, with one line.
        (
            of_person("Jean", "Martin", addresses=HOME, phones={"+33478000001"}),
            of_person("Luc", "Martin", addresses=HOME, phones={"+33478000001"}),
            False,
        ),
        # A married name, one mobile.
        (
            of_person("Marie", "Durand", phones={"+33639980001"}),
            of_person("Marie", "Lopez", phones={"+33639980001"}),
            True,
        ),
        # Neighbours.
        (of_person("Jean", "Martin", addresses=HOME), of_person("Zoé", "Perrin", addresses=HOME), False),
        # Two buildings told by a number.
        (
            facts({"company_name": "Résidence du Lac 1"}, emails={"a@b.fr"}, addresses=HOME),
            facts({"company_name": "Résidence du Lac 2"}, emails={"a@b.fr"}, addresses=HOME),
            False,
        ),
    ],
)
def test_who_is_likely_the_same(one: Facts, other: Facts, likely: bool) -> None:
    assert (compare(one, other, {}).score >= 0.5) is likely
    assert compare(other, one, {}) == compare(one, other, {})


def test_names_and_addresses_are_bared() -> None:
    assert bare("S.A.R.L. Vidal & Fils") == bare("VIDAL") == "vidal"
    assert bare("SARL") == "sarl"
    assert place("3 bis av. Jean-Jaurès", "69007", "Lyon 7e Arrondissement CEDEX").number == "3bis"
    assert place("3bis avenue Jean Jaurès", "69 007", "LYON").exact == place(*HOME[0]).exact
    assert place("Lieu-dit La Combe", "38000", "St-Égrève").city == "saint egreve"
    assert place("Lieu-dit La Combe", "38000", "Grenoble").exact == ""


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30), st.text(max_size=40), st.text(max_size=30))
def test_whatever_is_typed_can_be_compared_with_itself(
    first: str, last: str, name: str, street: str, city: str
) -> None:
    one = facts({"first_name": first, "last_name": last, "company_name": name}, addresses=[(street, "", city)])
    assert Facts.from_json(orjson.loads(one.to_json())) == one
    likeness = compare(one, one, {})
    assert 0 <= likeness.score <= 1
    assert all(re.fullmatch(r"[a-z_]+:.+", key, re.DOTALL) for key in one.keys)
