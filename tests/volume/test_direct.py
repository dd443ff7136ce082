"""`fiche generate --direct`: a company stamped out of a pattern is one that the services could have made."""

from __future__ import annotations

import re
import secrets
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from chassis.errors import Conflict
from chassis.migrations import upgrade
from chassis.settings import SERVICES, Settings
from cli.volume.command import Made, generate_direct
from cli.volume.reading import Cluster
from cli.volume.stamping import plan
from services.billing.queries.chain import verify_chain
from services.clients.text import fold, phone_digits, search_text
from tests.embedded.test_dev import TOKEN, command
from tests.support.waiting import wait_until

CLIENTS, WORKS = 60, 250


@contextmanager
def running(settings: Settings) -> Iterator[httpx.Client]:
    """The whole product in one process on those databases; its API."""
    output = settings.data_dir.parent / "product.log"
    process = command(settings.data_dir, output, FICHE_DATABASE_URL=settings.database_url, FICHE_BOOTSTRAP_TOKEN=TOKEN)
    try:
        found = wait_until(
            lambda: re.search(r"prête en \S+ s\s?: (\S+)", output.read_text()), "the product is ready", 180
        )
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=f"{found[1]}/api/v1", headers=headers, timeout=20, trust_env=False) as api:
            yield api
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


@dataclass
class Company:
    """What was made, and where."""

    settings: Settings
    made: Made

    def session(self, service: str) -> Session:
        """A session of a service's database."""
        return Session(create_engine(self.settings.service_database_url(service)))

    def rows(self, service: str, sql: str, **params: Any) -> list[Any]:
        """Rows of one statement."""
        with self.session(service) as session:
            found = list(session.execute(text(sql), params).all())
            session.get_bind().dispose()  # type: ignore[union-attr]
            return found


@pytest.fixture(scope="module")
def company(postgres_url: str) -> Iterator[Company]:
    with tempfile.TemporaryDirectory(prefix="fiche-volume-") as folder:
        base = postgres_url.rsplit("/", 1)[0]
        url = f"{base}/volume{secrets.token_hex(3)}_{{service}}"
        settings = Settings(database_url=url, data_dir=Path(folder) / "var")
        yield Company(settings, generate_direct(settings, CLIENTS, WORKS, seed=3, pattern=10))


def test_there_are_as_many_clients_and_interventions_as_were_asked_for(company: Company) -> None:
    assert company.rows("clients", "SELECT count(*) FROM client") == [(CLIENTS,)]
    [(works,)] = company.rows("interventions", "SELECT count(*) FROM intervention")
    assert works == company.made.interventions
    assert WORKS <= works <= WORKS * 1.05


def test_what_was_taken_off_meanwhile_is_back(company: Company) -> None:
    """Triggers that look for erased persons, keys and indexes: as in databases that only migrations have seen."""
    with tempfile.TemporaryDirectory(prefix="fiche-volume-") as folder:
        base = company.settings.database_url.rsplit("/", 1)[0]
        settings = Settings(database_url=f"{base}/bare{secrets.token_hex(3)}_{{service}}", data_dir=Path(folder))
        for service in SERVICES:
            upgrade(service, settings.service_database_url(service))
        bare = Company(settings, company.made)
        for service in SERVICES:
            for what in (
                "SELECT tgrelid::regclass::text, tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal",
                "SELECT conrelid::regclass::text, conname, convalidated::text FROM pg_constraint WHERE conrelid <> 0",
                "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
            ):
                expected = bare.rows(service, f"{what} ORDER BY 1, 2, 3")
                assert expected, service
                assert company.rows(service, f"{what} ORDER BY 1, 2, 3") == expected, service


def test_no_mark_of_the_pattern_is_left(company: Company) -> None:
    for service in SERVICES:
        tables = [
            row[0] for row in company.rows(service, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ]
        for table in tables:
            found = company.rows(
                service, f"""SELECT t::text FROM "{table}" t WHERE t::text ~* '\\mzq[flcsby][a-j]{{4}}'"""
            )
            assert found == [], (service, table, found[:1])


@pytest.mark.parametrize(("table", "series"), [("quote", "D"), ("invoice", "F"), ("credit_note", "A")])
def test_numbers_have_no_hole_and_follow_the_days(company: Company, table: str, series: str) -> None:
    rows = company.rows(
        "billing", f"SELECT split_part(number, '-', 2)::int, split_part(number, '-', 3)::int, dated_on FROM {table} "
        "WHERE number IS NOT NULL ORDER BY 1, 2"
    )  # fmt: skip
    last = dict(company.rows("billing", "SELECT year, last FROM counter WHERE series = :series", series=series))
    for year in {row[0] for row in rows}:
        numbers = [row[1] for row in rows if row[0] == year]
        days = [row[2] for row in rows if row[0] == year]
        assert numbers == list(range(1, last[year] + 1)), (series, year)
        assert days == sorted(days), (series, year)


def test_the_chain_of_issued_invoices_is_whole(company: Company) -> None:
    with company.session("billing") as session:
        checked = verify_chain(session)
    assert checked["broken"] == []
    assert checked["checked"] >= 5


def test_totals_are_those_of_the_lines(company: Company) -> None:
    for kind in ("quote", "invoice"):
        wrong = company.rows(
            "billing",
            f"SELECT d.id FROM {kind} d LEFT JOIN {kind}_line l ON l.document_id = d.id GROUP BY d.id "
            "HAVING d.total_incl_tax <> sum(l.total_incl_tax) OR d.total_excl_tax <> sum(l.total_excl_tax)",
        )
        assert wrong == []
    assert company.rows("billing", "SELECT id FROM invoice WHERE paid > total_incl_tax") == []


def test_names_and_phones_are_found_by_what_the_service_would_have_kept(company: Company) -> None:
    for row in company.rows("clients", "SELECT * FROM client"):
        words = search_text(
            row.display_name, row.first_name, row.last_name, row.company_name, row.reference, row.registration_number
        )
        assert set(row.search.split()) == set(words.split())
        assert row.sort_name == fold(row.display_name)
        assert row.phones == phone_digits(row.phone, row.secondary_phone)
    assert company.rows("clients", "SELECT count(DISTINCT display_name) > 40 FROM client") == [(True,)]


def test_each_client_has_one_main_address_of_its_own(company: Company) -> None:
    mine = "SELECT count(*) FROM client c JOIN address a ON a.id = c.main_address_id AND a.home_client_id = c.id"
    assert company.rows("clients", mine) == [(CLIENTS,)]


def test_what_services_know_of_each_other_is_what_its_owner_has(company: Company) -> None:
    clients = company.rows(
        "clients",
        "SELECT id, display_name, reference, CASE WHEN archived_at IS NULL THEN 'active' ELSE 'archived' END "
        "FROM client ORDER BY id",
    )
    addresses = company.rows("clients", "SELECT id, street, postal_code, city FROM address ORDER BY id")
    for service in ("interventions", "billing", "equipment", "maintenance", "documents"):
        kept = "SELECT id, display_name, reference, status FROM known_client ORDER BY id"
        assert company.rows(service, kept) == clients, service
        assert company.rows(service, "SELECT id, street, postal_code, city FROM known_address ORDER BY id") == addresses


def test_logs_are_numbered_without_a_gap_and_read_to_their_end(company: Company) -> None:
    heads = {}
    for service in SERVICES:
        [(position, published, count, last)] = company.rows(
            service,
            "SELECT position, published, (SELECT count(*) FROM event_log), (SELECT max(position) FROM event_log) "
            "FROM event_head",
        )
        assert position == published == count == (last or 0), service
        heads[service] = position
    assert sum(heads.values()) == company.made.events
    for service in SERVICES:
        for producer, position in company.rows(service, "SELECT producer, position FROM event_place"):
            assert position == heads[producer], (service, producer)


def test_a_company_that_has_clients_is_left_alone(company: Company) -> None:
    with pytest.raises(Conflict, match="entreprise vide"):
        generate_direct(company.settings, 10, 10, seed=3)


def test_the_product_goes_on_behind_it_and_makes_the_same_of_the_same(company: Company) -> None:
    """Reading: `equipment` forgets all that others told, and has it again from their logs as it was stamped."""
    kept = (
        "SELECT 'c', id, display_name, status FROM known_client "
        "UNION ALL SELECT 'a', id, street, city FROM known_address"
    )
    before = sorted(map(str, company.rows("equipment", kept)))
    with company.session("equipment") as session:
        session.execute(text("TRUNCATE known_client, known_address"))
        session.execute(text("UPDATE event_place SET position = 0, event_id = NULL WHERE producer = 'clients'"))
        session.commit()
    with running(company.settings) as api:
        wait_until(lambda: sorted(map(str, company.rows("equipment", kept))) == before, "the log read again", 90)
        [(biggest,)] = company.rows(
            "interventions", "SELECT home_client_id FROM intervention GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
        )
        fiche = api.get(f"/clients/{biggest}/fiche").json()
        assert {section["status"] for section in fiche["sections"].values()} == {"ok"}
        for name in ("interventions", "equipment", "invoices", "activities", "addresses"):
            assert fiche["sections"][name]["count"] > 0, name
        _same_again(api, fiche["client"])
        [document] = api.get("/documents", params={"limit": 1}).json()["items"]
        assert api.get(f"/documents/{document['id']}/content").content
        lines = [{"label": "Dépannage", "quantity": "1", "unit_price": "80.00", "vat_rate": "20"}]
        draft = api.post("/invoices", json={"client_id": str(biggest), "lines": lines}).json()
        issued = api.post(f"/invoices/{draft['id']}/issue", json={})
        assert issued.status_code == 200, issued.text
    series, year, number = issued.json()["number"].split("-")
    last = "SELECT last FROM counter WHERE series = :series AND year = :year"
    assert company.rows("billing", last, series=series, year=int(year)) == [(int(number),)]
    with company.session("billing") as session:
        assert verify_chain(session)["broken"] == []
    for service in SERVICES:
        assert company.rows(service, "SELECT count(*) FROM parked_event") == [(0,)], service


def _same_again(api: Any, client: dict[str, Any]) -> None:
    """The API makes of a stamped client's own words a client that differs by what must differ."""
    given = ("kind", "stage", "first_name", "last_name", "company_name", "email", "phone", "secondary_phone", "website",
             "siret", "vat_number", "sales_rep_id", "tags", "custom_fields", "registration_number")  # fmt: skip
    answer = api.post("/clients", json={name: client[name] for name in given if client.get(name)})
    assert answer.status_code == 201, answer.text
    made = api.get(f"/clients/{answer.json()['id']}").json()
    assert made["reference"] == f"CLI-{CLIENTS + 1:05d}"
    own = {"id", "reference", "version", "created_at", "created_by", "updated_at", "updated_by", "memo", "main_address",
           "parent", "last_activity_at"}  # fmt: skip
    assert {k: v for k, v in made.items() if k not in own} == {k: v for k, v in client.items() if k not in own}


@pytest.mark.parametrize(("clients", "works"), [(1, 0), (50, 0), (100, 300), (1000, 10_000), (997, 3_001)])
def test_a_plan_has_the_clients_asked_for_to_the_one(clients: int, works: int) -> None:
    clusters = [Cluster({0: 0}, count) for count in (0, 1, 2, 5, 12, 60)] + [Cluster({0: 0, 1: 1, 2: 2}, 9)]
    copies = plan(clusters, clients, works, seed=1)
    assert sum(len(clusters[copy.cluster].clients) for copy in copies) == clients
    assert sum(clusters[copy.cluster].interventions for copy in copies) >= works
    ranks = [copy.first + n for copy in copies for n in range(len(clusters[copy.cluster].clients))]
    assert ranks == list(range(1, clients + 1))
    assert len({copy.tail for copy in copies}) == len(copies)
