"""Finding a client: whatever the writing, and while typing."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest

from contracts import clients as c
from services.clients.text import fold, one_typo, phone_digits, reference_key
from tests.clients.support import company, contact, names
from tests.support.services import ServiceUnderTest, make_service


@pytest.fixture(scope="module")
def service(postgres_url: str) -> Iterator[ServiceUnderTest]:
    made = make_service("clients", postgres_url)
    for name in (
        "Élec'Étanchéité",
        "BŒUF & Fils",
        unicodedata.normalize("NFD", "L’Haÿ Rénovation"),
        "S.A.R.L. Noël Chauffage",
        "Société d’Équipement Thermique",
        "100 % Bois_Massif",
    ):
        company(made, name)
    company(made, "Téléphone Zéro", phone="01 99 00 00 02")
    company(made, "Téléphone Belge", secondary_phone="+32 2 555 12 12")
    company(made, "Téléphone Long", phone="+33 (0)6 39 98 41 07 poste 12")
    yield made
    made.close()


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("elec etancheite", "Élec'Étanchéité"),
        ("ÉLEC", "Élec'Étanchéité"),
        ("étanchéité", "Élec'Étanchéité"),
        ("elecetanch", "Élec'Étanchéité"),
        ("boeuf", "BŒUF & Fils"),
        ("Bœuf fils", "BŒUF & Fils"),
        ("fils bœuf", "BŒUF & Fils"),
        ("sarl noel", "S.A.R.L. Noël Chauffage"),
        ("noël s.a.r.l.", "S.A.R.L. Noël Chauffage"),
        ("d'equipement", "Société d’Équipement Thermique"),
        ("equipement societe", "Société d’Équipement Thermique"),
        ("bois_massif", "100 % Bois_Massif"),
        # One letter wrong, missing, too many, swapped.
        ("chaufgage", "S.A.R.L. Noël Chauffage"),
        ("chaufage noel", "S.A.R.L. Noël Chauffage"),
        ("chaufffage", "S.A.R.L. Noël Chauffage"),
        ("chauffaeg", "S.A.R.L. Noël Chauffage"),
        ("neol", "S.A.R.L. Noël Chauffage"),
        ("renvoation", "L’Haÿ Rénovation"),
    ],
)
def test_a_name_is_found_however_it_is_typed(service: ServiceUnderTest, asked: str, name: str) -> None:
    wanted = unicodedata.normalize("NFC", name)
    for form in ("NFC", "NFD"):
        found = [unicodedata.normalize("NFC", n) for n in names(service, unicodedata.normalize(form, asked))]
        assert wanted in found, form


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("0199000002", "Téléphone Zéro"),
        ("01.99.00.00.02", "Téléphone Zéro"),
        ("+33 1 99 00 00 02", "Téléphone Zéro"),
        ("0033199000002", "Téléphone Zéro"),
        ("+33 (0)1 99 00 00 02", "Téléphone Zéro"),
        ("00 00 02", "Téléphone Zéro"),
        ("01 99 00", "Téléphone Zéro"),
        ("555 12 12", "Téléphone Belge"),
        ("0032 2 555 12 12", "Téléphone Belge"),
        ("98 41 07", "Téléphone Long"),
    ],
)
def test_a_phone_is_found_in_any_writing(service: ServiceUnderTest, asked: str, name: str) -> None:
    assert names(service, asked) == [name]


def test_wildcards_and_nothing_find_nothing_of_their_own(service: ServiceUnderTest) -> None:
    for asked in ("%%%%", "____", "’", "\\", "zzzz", "' OR 1=1"):
        assert names(service, asked) == [], asked


def test_an_exact_reference_comes_first_also_an_old_one(service: ServiceUnderTest) -> None:
    company(service, "Aaa REF 77 transports")
    made = company(service, "Zzz", reference="REF-77")
    assert names(service, "ref 77")[0] == "Zzz"
    service.call(c.UpdateClient(id=made["id"], changes={"reference": "AUTRE-1"}))
    assert names(service, "REF-77")[0] == "Zzz"


def test_pages_of_a_search_follow_each_other(service: ServiceUnderTest) -> None:
    for n in range(12):
        company(service, f"Copropriété Bellevue {n:02d}")
    for asked in ("bellevue", "bellevuf"):
        seen: list[str] = []
        cursor = None
        while True:
            page = service.call(c.ListClients(q=asked, limit=5, cursor=cursor))
            seen += [item["display_name"] for item in page["items"]]
            if (cursor := page["next"]) is None:
                break
        assert sorted(seen) == [f"Copropriété Bellevue {n:02d}" for n in range(12)], asked
        assert len(seen) == 12


def test_filters_and_search_combine(service: ServiceUnderTest) -> None:
    made = company(service, "Filtrée", stage="prospect", tags=["vip", "gaz"])
    assert [i["id"] for i in service.call(c.ListClients(q="filtree", tag="gaz", stage="prospect"))["items"]] == [
        made["id"]
    ]
    assert service.call(c.ListClients(q="filtree", stage="client"))["items"] == []
    service.call(c.SetStatus(id=made["id"], action="archive"))
    assert service.call(c.ListClients(q="filtree", status="active"))["items"] == []
    assert len(service.call(c.ListClients(q="filtree"))["items"]) == 1


def test_contacts_are_found_across_clients(service: ServiceUnderTest) -> None:
    made = company(service, "Chez Contact")
    contact(service, made, first_name="Éloïse", last_name="Lefèvre", email="eloise@lefevre.example", phone="0199000077")
    for asked in ("lefevre eloise", "eloise@lefevre.example", "00 00 77", "01 99 00 00 77"):
        [found] = service.call(c.FindContacts(q=asked))["items"]
        assert (found["name"], found["client"]["name"]) == ("Éloïse Lefèvre", "Chez Contact"), asked
    assert service.call(c.FindContacts(q="%"))["items"] == []


def test_what_is_stored_and_what_is_asked_are_folded_alike() -> None:
    assert fold("L’Haÿ-les-Roses") == "lhay les roses"
    assert fold(unicodedata.normalize("NFD", "Œuvre Æther")) == "oeuvre aether"
    assert reference_key("C1.1") != reference_key("C11")
    assert reference_key("cli 00001") == reference_key("CLI-00001")
    assert phone_digits("01 99 00 00 02 poste 214") == "0199000002 33199000002"
    assert one_typo("ab") is one_typo("cli12") is None
