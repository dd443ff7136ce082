"""Client records: what the service promises, on a real PostgreSQL."""

from __future__ import annotations

import threading
import unicodedata
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event

from chassis.errors import Conflict, FicheError, Gone, Invalid, NotFound, Stale
from chassis.ids import new_id
from contracts import clients as c
from tests.clients.support import address, company, names, relate
from tests.support.services import ServiceUnderTest, make_service


@pytest.fixture(scope="module")
def service(postgres_url: str) -> Iterator[ServiceUnderTest]:
    # As many connections as one test has threads.
    made = make_service("clients", postgres_url, database_pool_size=15)
    yield made
    made.close()


def test_a_client_created_is_answered_as_the_contract_says(service: ServiceUnderTest) -> None:
    answer = company(service, siret="732 829 320 00074", tags=["Syndic", "Contrat P2"], memo="Code 48B12")
    view = c.ClientView.model_validate({k: v for k, v in answer.items() if k in c.ClientView.model_fields})
    assert view.siret == "73282932000074"
    assert view.reference.startswith("CLI-")
    assert view.tags == ["Contrat P2", "Syndic"]
    assert view.memo == "Code 48B12"
    assert view.status == "active"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("siret", "73282932000075"),
        ("vat_number", "FR00732829320"),
        ("email", "sans arobase"),
        ("phone", "01 99 00 00 00 00 00 00 00"),
        ("website", "javascript:alert(1)"),
    ],
)
def test_a_wrong_value_is_refused_at_its_field(service: ServiceUnderTest, field: str, value: str) -> None:
    body = f'{{"body": {{"kind": "company", "company_name": "X", "{field}": "{value}"}}}}'.encode()
    with pytest.raises(Invalid) as refused:
        service.call_raw("clients.create", body)
    assert [error["field"] for error in refused.value.errors] == [f"body.{field}"]


@pytest.mark.parametrize(
    "phone", ["06 39 98 41 07", "+32 2 555 12 12", "01 99 00 00 02 poste 214", "0199000002", "4512"]
)
def test_a_possible_phone_is_kept_as_it_was_given(service: ServiceUnderTest, phone: str) -> None:
    assert company(service, "Téléphonée", phone=phone)["phone"] == phone


def test_accents_case_apostrophes_and_ligatures_do_not_count(service: ServiceUnderTest) -> None:
    company(service, "Élec'Étanchéité")
    company(service, "BŒUF & Fils")
    company(service, unicodedata.normalize("NFD", "L’Haÿ Rénovation"))
    for asked in ("elec etancheite", "ÉLEC", "etancheite elec", "élec'étanchéité"):
        assert "Élec'Étanchéité" in names(service, asked), asked
    assert "BŒUF & Fils" in names(service, "boeuf")
    for asked in ("l'hay", "lhay", "L’HAŸ", "hay renovation"):
        assert any("nov" in name for name in names(service, asked)), asked


def test_a_typo_is_forgiven_and_an_exact_reference_comes_first(service: ServiceUnderTest) -> None:
    made = company(service, "Copropriété Les Tilleuls", reference="TIL-7")
    company(service, "TIL 7 Transports")
    assert "Copropriété Les Tilleuls" in names(service, "tileuls")
    assert "Copropriété Les Tilleuls" in names(service, "copropriete tilluels")
    assert service.call(c.ListClients(q="til-7"))["items"][0]["id"] == made["id"]


def test_a_phone_is_found_in_any_writing_by_its_last_six_digits(service: ServiceUnderTest) -> None:
    company(service, "Chez Odile", phone="06 39 98 41 07")
    for asked in ("0639984107", "+33 6 39 98 41 07", "06.39.98.41.07", "98 41 07"):
        assert "Chez Odile" in names(service, asked), asked


def test_a_reference_is_unique_for_ever_also_under_races(service: ServiceUnderTest) -> None:
    made = company(service, "Première", reference="REF-ABC")
    service.call(c.UpdateClient(id=made["id"], changes={"reference": "REF-DEF"}))
    with pytest.raises(Invalid):
        company(service, "Voleuse", reference="ref abc")
    outcomes: list[str] = []

    def claim(n: int) -> None:
        try:
            company(service, f"Course {n}", reference="UNIQUE-1")
            outcomes.append("got")
        except FicheError as error:
            outcomes.append(error.kind)

    threads = [threading.Thread(target=claim, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("got") == 1
    assert set(outcomes) <= {"got", "invalid"}


def test_a_patch_moves_only_what_it_names_and_is_one_line_of_history_a_field(service: ServiceUnderTest) -> None:
    made = company(service, "Historique", phone="06 39 98 00 01", email="a@b.example")
    changed = service.call(c.UpdateClient(id=made["id"], expected_version=1, changes={"phone": "06 39 98 00 02"}))
    assert (changed["phone"], changed["email"], changed["version"]) == ("06 39 98 00 02", "a@b.example", 2)
    with pytest.raises(Stale):
        service.call(c.UpdateClient(id=made["id"], expected_version=1, changes={"email": ""}))
    lines = service.call(c.History(client_id=made["id"]))["items"]
    assert lines[0]["field"] == "phone"
    assert (lines[0]["previous"], lines[0]["value"]) == ("06 39 98 00 01", "06 39 98 00 02")
    assert lines[0]["by"]["name"] == "Camille Roux"


def test_the_first_address_is_main_and_there_is_exactly_one_whatever_races(service: ServiceUnderTest) -> None:
    made = company(service, "Adresses")
    rows = [address(service, made, label=f"Bâtiment {n}") for n in range(5)]
    assert rows[0]["is_main"]
    assert not rows[1]["is_main"]
    threads = [
        threading.Thread(target=lambda row=row: service.call(c.PromoteAddress(id=row["id"]))) for row in rows * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    items = service.call(c.ListSub(kind="addresses", client_id=made["id"]))["items"]
    assert [item["is_main"] for item in items] == [True, False, False, False, False]
    service.call(c.UpdateAddress(id=items[1]["id"], changes={"retired": True}))
    with pytest.raises(Conflict):
        service.call(c.PromoteAddress(id=items[1]["id"]))
    service.call(c.DeleteSub(kind="addresses", id=items[0]["id"]))
    left = service.call(c.ListSub(kind="addresses", client_id=made["id"]))["items"]
    assert [item["is_main"] for item in left] == [True, False, False, False]
    assert items[0]["id"] not in [item["id"] for item in left]


def test_two_clients_may_have_an_address_at_one_place(service: ServiceUnderTest) -> None:
    owner, tenant = company(service, "Bailleur"), company(service, "Locataire")
    first = address(service, owner, role="owner")
    second = address(service, tenant, role="tenant", place_id=first["place_id"])
    assert second["place_id"] == first["place_id"]
    assert first["is_main"]
    assert second["is_main"]
    with pytest.raises(Invalid):
        address(service, tenant, place_id=str(new_id()))


def test_a_relation_is_named_from_both_ends_and_gives_the_parent(service: ServiceUnderTest) -> None:
    shop, head = company(service, "Magasin"), company(service, "Enseigne")
    made = relate(service, shop, "head_office", head)
    assert (made["label"], made["other"]["name"]) == ("Siège", "Enseigne")
    [seen] = service.call(c.ListSub(kind="relations", client_id=head["id"]))["items"]
    assert (seen["type"], seen["label"], seen["other"]["name"]) == ("branch", "Succursale", "Magasin")
    assert service.call(c.GetClient(id=shop["id"]))["parent"]["id"] == head["id"]
    with pytest.raises(Conflict):
        relate(service, head, "branch", shop)
    with pytest.raises(Invalid):
        relate(service, head, "branch", head)


def test_no_loop_of_a_hierarchy_closes_also_under_races(service: ServiceUnderTest) -> None:
    ring = [company(service, f"Anneau {n}") for n in range(4)]
    outcomes: list[str] = []

    def link(n: int) -> None:
        try:
            relate(service, ring[n], "head_office", ring[(n + 1) % 4])
            outcomes.append("ok")
        except Conflict as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=link, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["ok", "ok", "ok", "relation_loop"]


def test_archived_deleted_and_restored_say_what_they_are(service: ServiceUnderTest) -> None:
    made = company(service, "Rangée")
    identify = c.Identify(ids=[made["id"], new_id()])
    assert service.call(c.SetStatus(id=made["id"], action="archive"))["status"] == "archived"
    known, unknown = service.call(identify)["clients"]
    assert (known["status"], unknown["found"]) == ("archived", False)
    service.call(c.SetStatus(id=made["id"], action="delete"))
    with pytest.raises(Gone):
        service.call(c.GetClient(id=made["id"]))
    with pytest.raises(NotFound):
        service.call(c.GetClient(id=new_id()))
    assert made["id"] in [item["id"] for item in service.call(c.ListClients(status="deleted", limit=200))["items"]]
    assert service.call(c.SetStatus(id=made["id"], action="restore"))["status"] == "archived"


def test_a_person_becomes_a_company_and_its_first_contact_and_back(service: ServiceUnderTest) -> None:
    body = c.ClientBody(last_name="Garnier", first_name="Odile", email="odile@garnier.example")
    made = service.call(c.CreateClient(body=body))
    assert made["display_name"] == "Garnier Odile"
    with pytest.raises(Invalid):
        service.call(c.ConvertClient(id=made["id"], body=c.ConvertBody(to="company")))
    turned = service.call(c.ConvertClient(id=made["id"], body=c.ConvertBody(to="company", company_name="Garnier SARL")))
    assert (turned["kind"], turned["display_name"]) == ("company", "Garnier SARL")
    [contact] = service.call(c.ListSub(kind="contacts", client_id=made["id"]))["items"]
    assert contact["name"] == "Odile Garnier"
    back = service.call(c.ConvertClient(id=made["id"], body=c.ConvertBody(to="individual")))
    assert (back["kind"], back["last_name"], back["company_name"]) == ("individual", "Garnier", "Garnier SARL")


def test_the_fiche_takes_as_many_queries_however_many_rows_there_are(service: ServiceUnderTest) -> None:
    made = company(service, "Grande")
    home = uuid.UUID(made["id"])

    def count() -> int:
        statements: list[str] = []

        def note(*args: Any) -> None:
            statements.append(args[2])

        sqlalchemy_event.listen(service.database.engine, "before_cursor_execute", note)
        answer = service.call(c.ClientFiche(client_id=home))
        sqlalchemy_event.remove(service.database.engine, "before_cursor_execute", note)
        assert answer["tree"] == [str(home)]
        return len([statement for statement in statements if not statement.startswith("PREPARE ")])

    before = count()
    for n in range(60):
        service.call(
            c.CreateActivity(
                home_client_id=home, written_client_id=home, body=c.ActivityBody(kind="call", subject=f"Appel {n}")
            )
        )
    address(service, made)
    assert count() == before <= 4
    section = service.call(c.ClientFiche(client_id=home))["sections"]["activities"]
    assert (section["count"], len(section["items"])) == (60, 50)


def test_pages_of_the_list_hold_under_every_sort(service: ServiceUnderTest) -> None:
    everyone = {item["id"] for item in service.call(c.ListClients(limit=200))["items"]}
    for sort in ("name", "-name", "-updated_at", "reference"):
        seen: list[str] = []
        cursor = None
        while True:
            page = service.call(c.ListClients(limit=7, sort=sort, cursor=cursor))
            seen += [item["id"] for item in page["items"]]
            if (cursor := page["next"]) is None:
                break
        assert len(seen) == len(set(seen))
        assert set(seen) == everyone


@pytest.mark.parametrize(
    ("rpc", "body"),
    [
        ("clients.create", b'{"body": {"last_name": "a\\u0000b"}}'),
        ("clients.create", b'{"body": {"last_name": "a", "custom_fields": {"x": "\\u0000"}}}'),
        ("clients.create", b'{"body": {"last_name": "a", "custom_fields": {"x": NaN}}}'),
        ("clients.create", b'{"body": {"last_name": "a", "custom_fields": {"x": {"y": 1}}}}'),
        ("clients.create", b'{"body": {"last_name": "\\ud800"}}'),
        ("clients.create", b'{"body": {"last_name": "   "}}'),
        ("clients.list", b'{"q": "\\u0000"}'),
        ("clients.list", b'{"limit": 201}'),
        ("clients.list", b'{"sort": "couleur"}'),
        ("clients.list", b'{"cursor": "W10"}'),
        ("clients.set_memo", b'{"client_id": "0193f000-0000-7000-8000-000000000001", "text": "\\u0000"}'),
    ],
)
def test_bad_input_is_refused_with_its_field_never_a_fault_of_ours(
    service: ServiceUnderTest, rpc: str, body: bytes
) -> None:
    with pytest.raises(Invalid) as refused:
        service.call_raw(rpc, body)
    assert refused.value.errors


def test_a_backslash_typed_by_a_person_is_text(service: ServiceUnderTest) -> None:
    assert company(service, "Chemin C:\\u0000\\dossier")["company_name"] == "Chemin C:\\u0000\\dossier"


@pytest.mark.parametrize(
    ("rpc", "body", "field"),
    [
        ("clients.create", '{"body": {"kind": "company"}}', "body.company_name"),
        ("clients.create", '{"body": {"first_name": "Odile"}}', "body.last_name"),
        ("clients.create", '{"body": {"last_name": "a", "custom_fields": {"x": []}}}', "body.custom_fields.x"),
        ("clients.create_contact", '{"home_client_id": "ID", "written_client_id": "ID", "body": {}}', "body.last_name"),
        ("clients.create_address", '{"home_client_id": "ID", "written_client_id": "ID", "body": {}}', "body.street"),
    ],
)
def test_what_lacks_is_told_at_the_field_to_fill(service: ServiceUnderTest, rpc: str, body: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        service.call_raw(rpc, body.replace("ID", str(new_id())).encode())
    assert [error["field"] for error in refused.value.errors] == [field]
