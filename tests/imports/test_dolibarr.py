"""Reading a Dolibarr: every row in or listed, figures equal to the tables', nasty cells read right."""

from __future__ import annotations

import shutil
import zipfile
from collections import Counter
from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from services.imports import records
from services.imports.dolibarr import NotADolibarrError, read, row_counts, text
from services.imports.records import Notice, Record, Refused
from tests.imports.conftest import SMALL
from tests.imports.figures import expected, row_numbers

WHAT = {
    records.Client: "clients",
    records.Contact: "contacts",
    records.Intervention: "interventions",
    records.JobSite: "job_sites",
    records.Quote: "quotes",
    records.Invoice: "invoices",
    records.CreditNote: "credit_notes",
    records.Payment: "payments",
}


def records_of(folder: Path) -> list[Record]:
    return [item for item in read(folder) if isinstance(item, Record)]


@pytest.fixture(scope="module")
def small() -> dict[str, Record]:
    return {record.ref: record for record in records_of(SMALL)}


def one(found: dict[str, Record], ref: str) -> object:
    return found[f"dolibarr:{ref}"]


def test_each_row_comes_in_once_or_is_listed_with_its_reason(folder: Path) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    for item in read(folder):
        if isinstance(item, Refused):
            assert item.reason.strip()
            seen[item.table, item.rowid] += 1
        elif isinstance(item, Record):
            for ref in (item.ref, *item.parts):
                system, table, *rest = ref.split(":")
                assert system == "dolibarr"
                # Addresses, billing details and parents are further records made of a company's or contact's row.
                if len(rest) == 1 and not isinstance(item, records.CustomField):
                    seen[table, rest[0]] += 1
    assert [key for key, times in seen.items() if times > 1] == []
    per_table = Counter(table for table, _ in seen)
    assert per_table == row_numbers(folder)
    assert row_counts(folder) == dict(row_numbers(folder))


def test_figures_equal_those_of_the_tables(folder: Path) -> None:
    want = expected(folder)
    counts: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    by_client: Counter[tuple[str, str]] = Counter()
    client_of: dict[str, str] = {}
    for record in records_of(folder):
        what = WHAT.get(type(record))
        if what is None:
            continue
        counts[what] += 1
        if isinstance(record, records.Client):
            continue
        owner = client_of[record.document_ref] if isinstance(record, records.Payment) else record.client_ref  # type: ignore[attr-defined]
        client_of[record.ref] = owner
        amount = getattr(record, "amount", None) or getattr(record, "total_incl_tax", None)
        if amount is not None:
            totals[what] += amount
            by_client[owner.rsplit(":", 1)[1], what] += amount
    assert counts == want.counts
    assert totals == Counter({what: total for what, total in want.money.items() if total})
    wanted = {(c, w): total for c, sums in want.money_by_client.items() for w, total in sums.items() if total}
    assert {key: total for key, total in by_client.items() if total} == wanted


def test_clients_keep_the_name_the_tables_give(folder: Path) -> None:
    found = {r.ref.rsplit(":", 1)[1]: r.display_name for r in records_of(folder) if isinstance(r, records.Client)}
    assert found == {rowid: " ".join(name.split()) for rowid, name in expected(folder).names.items()}


def test_each_record_comes_after_what_it_refers_to(folder: Path) -> None:
    known: set[str] = set()
    for record in records_of(folder):
        for spec in fields(record):
            value = getattr(record, spec.name)
            if spec.name.endswith("_ref") and value is not None:
                assert value in known, (record.ref, spec.name, value)
            elif spec.name.endswith("_refs"):
                assert set(value) <= known
        assert record.ref not in known
        known.add(record.ref)


def test_read_twice_gives_the_same(folder: Path) -> None:
    assert list(read(folder)) == list(read(folder))


def test_a_zip_gives_what_its_folder_gives(folder: Path, tmp_path: Path) -> None:
    packed = tmp_path / "tables.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(folder.glob("*.csv")):
            archive.write(path, f"export/{path.name}")
    assert list(read(packed)) == list(read(folder))


def test_saved_again_by_a_spreadsheet_reads_the_same(folder: Path, tmp_path: Path) -> None:
    """As "CSV UTF-8" with semicolons and a mark, lines ending the Windows way, prefix changed."""
    import csv

    from tests.imports.figures import load

    for path in folder.glob("*.csv"):
        table = path.name.split("_", 1)[1].removesuffix(".csv")
        rows = load(folder, table)
        if not rows:
            shutil.copy(path, tmp_path / f"erp_{table}.csv")
            continue
        with (tmp_path / f"erp_{table}.csv").open("w", encoding="utf-8-sig", newline="") as out:
            writer = csv.DictWriter(out, rows[0].keys(), delimiter=";", lineterminator="\r\n")
            writer.writeheader()
            writer.writerows(rows)
    assert list(read(tmp_path)) == list(read(folder))


def test_a_folder_without_companies_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(NotADolibarrError, match="societe"):
        list(read(tmp_path))


def test_suppliers_only_are_listed_and_their_rows_with_them() -> None:
    refused = {(r.table, r.rowid): r.reason for r in read(SMALL) if isinstance(r, Refused)}
    assert "fournisseur" in refused["societe", "14"]
    for key in (("socpeople", "4"), ("propal", "4"), ("facture", "7"), ("facturedet", "8"), ("contrat", "4")):
        assert "fournisseur" in refused[key]
    assert "999" in refused["fichinter", "4"]
    assert "sans récurrence" in refused["contrat", "2"]
    assert "#REF!" in refused["propal", "6"]


def test_a_company_with_everything(small: dict[str, Record]) -> None:
    client = one(small, "societe:10")
    assert isinstance(client, records.Client)
    assert (client.kind, client.stage, client.status) == ("property_manager", "client", "active")
    assert client.siret == "73282932000074"
    assert client.tags == ("chaufferie",)
    assert client.sales_rep_ref == "dolibarr:user:3"
    assert client.custom_fields == {"contrat_gaz": "Gaz Tarif Réglementé", "date_ramonage": "2023-10-12"}
    assert client.memo.startswith(
        'Prévenir 48 h avant\n\nClés au gardien\xa0: sonner "LOGE".\nChaudière au sous-sol.\n\nÉtage -1'
    )
    # What a contact of ours has no field for.
    assert client.memo.endswith("Olivier Vasseur\u202f: 06 39 98 20 02\u202f; Joignable le matin\nseulement")
    billing = one(small, "societe:10:billing")
    assert isinstance(billing, records.Billing)
    assert billing.iban == "FR7630006000011234567890189"
    assert billing.payment_terms == "30 jours fin de mois"
    address = one(small, "societe:10:address")
    assert isinstance(address, records.Address)
    assert (address.street, address.street_extra) == ("12 rue des Tilleuls", "Bâtiment B")
    postal = one(small, "societe:11:address")
    assert isinstance(postal, records.Address)
    assert postal.postal_code == "01480"


def test_a_private_person_keeps_the_whole_name(small: dict[str, Record]) -> None:
    client = one(small, "societe:12")
    assert isinstance(client, records.Client)
    assert (client.kind, client.display_name, client.company_name) == ("individual", "Moreau Élodie", None)
    assert client.custom_fields == {}


def test_wrong_values_are_told_and_kept_in_the_memo(small: dict[str, Record]) -> None:
    client = one(small, "societe:13")
    assert isinstance(client, records.Client)
    assert (client.siret, client.vat_number, client.email, client.phone) == (None, None, None, None)
    for value in ("12345678901234", "FR00111222333", "boulangerie@@aubepine", "0101990000000000"):
        assert value in client.memo
    told = [item.text for item in read(SMALL) if isinstance(item, Notice) and item.rowid == "13"]
    assert len(told) == 4


def test_the_parent_company_is_the_upper_end_of_the_relation(small: dict[str, Record]) -> None:
    relation = one(small, "societe:11:parent")
    assert isinstance(relation, records.Relation)
    assert relation.client_ref == "dolibarr:societe:10"
    assert relation.other_client_ref == "dolibarr:societe:11"


def test_archived_and_unknown_third_parties(small: dict[str, Record]) -> None:
    old, neither = one(small, "societe:15"), one(small, "societe:17")
    assert isinstance(old, records.Client)
    assert isinstance(neither, records.Client)
    assert (old.status, old.created_at) == ("archived", None)
    assert neither.stage == "prospect"


def test_interventions_with_their_report(small: dict[str, Record]) -> None:
    done, draft, old, planned = (one(small, f"fichinter:{n}") for n in (1, 2, 3, 5))
    assert isinstance(done, records.Intervention)
    assert (done.state, done.number, done.title) == ("done", "FI2401-0001", "Panne de brûleur")
    assert done.report_text == "Diagnostic\nRemplacement du gicleur & réglage"
    assert (done.minutes, [line.minutes for line in done.work_lines]) == (150, [60, 90])
    assert done.starts_at == datetime(2024, 1, 10, 7, 0, tzinfo=UTC)
    assert done.ends_at == datetime(2024, 1, 10, 9, 30, tzinfo=UTC)
    assert done.lead_technician_ref == "dolibarr:user:2"
    assert done.job_site_ref == "dolibarr:projet:1"
    assert isinstance(draft, records.Intervention)
    assert (draft.state, draft.starts_at) == ("to_plan", None)
    assert isinstance(old, records.Intervention)
    assert old.invoiced
    assert not old.billable
    assert isinstance(planned, records.Intervention)
    # Its author has an outside access: no member of staff did it.
    assert planned.technician_refs == ()


def test_quotes_and_their_states(small: dict[str, Record]) -> None:
    quote, draft, refused = (one(small, f"propal:{n}") for n in (1, 2, 5))
    assert isinstance(quote, records.Quote)
    assert (quote.number, quote.status, quote.client_reference) == ("PR2401-0001", "invoiced", "BC-77")
    # The header says another tax than its lines: it is kept, and told.
    assert (quote.total_tax, quote.total_incl_tax) == (Decimal("223.60000000"), Decimal("1474.10000000"))
    assert [line.kind for line in quote.lines] == ["section", "line", "line"]
    assert quote.lines[1].label == "Chaudière 24 kW"
    assert quote.lines[2].label == "Déplacement"
    assert any(isinstance(i, Notice) and (i.table, i.rowid) == ("propal", "1") for i in read(SMALL))
    assert isinstance(draft, records.Quote)
    assert (draft.number, draft.status, draft.valid_until) == (None, "draft", None)
    assert isinstance(refused, records.Quote)
    assert refused.status == "refused"


def test_invoices_deposit_replacement_and_credit_note(small: dict[str, Record]) -> None:
    invoice, deposit, credit, draft, given_up, replacement, negative = (
        one(small, f"facture:{n}") for n in (1, 2, 3, 4, 5, 6, 9)
    )
    assert isinstance(invoice, records.Invoice)
    assert (invoice.number, invoice.status, invoice.quote_ref) == ("FA2401-0001", "paid", "dolibarr:propal:1")
    assert invoice.issued_on == date(2024, 1, 25)
    assert invoice.intervention_refs == ("dolibarr:fichinter:1",)
    assert invoice.lines[0].label == "Chaudière 24 kW\nGarantie 2 ans"
    assert isinstance(deposit, records.Invoice)
    assert (deposit.kind, deposit.notes) == ("deposit", "Acompte de 30\xa0%")
    assert isinstance(credit, records.CreditNote)
    assert (credit.total_incl_tax, credit.invoice_ref) == (Decimal("120.00000000"), "dolibarr:facture:1")
    assert [(line.quantity, line.unit_price, line.total_excl_tax) for line in credit.lines] == [
        (Decimal(2), Decimal(100), Decimal(200)),
        (Decimal(-1), Decimal(100), Decimal(-100)),
    ]
    assert isinstance(draft, records.Invoice)
    assert (draft.number, draft.status) == (None, "draft")
    assert isinstance(given_up, records.Invoice)
    assert (given_up.status, given_up.total_other_taxes) == ("cancelled", Decimal("0.50000000"))
    assert isinstance(replacement, records.Invoice)
    assert (replacement.kind, replacement.replaces_ref) == ("replacement", given_up.ref)
    assert isinstance(negative, records.Invoice)
    assert (negative.lines[0].quantity, negative.lines[0].unit_price) == (Decimal(1), Decimal(100))


def test_payments_are_those_of_the_split(small: dict[str, Record]) -> None:
    first, refund = one(small, "paiement_facture:1"), one(small, "paiement_facture:4")
    assert isinstance(first, records.Payment)
    assert (first.amount, first.means, first.reference) == (Decimal("1000.00000000"), "Virement", "VIR-55")
    assert isinstance(refund, records.Payment)
    assert (refund.on_credit_note, refund.amount) == (True, Decimal("20.00000000"))
    assert any(isinstance(i, Notice) and (i.table, i.rowid) == ("paiement", "3") for i in read(SMALL))


def test_contracts_that_recur(small: dict[str, Record]) -> None:
    yearly, twice, every_two_months = (one(small, f"contrat:{n}") for n in (1, 3, 5))
    assert isinstance(yearly, records.Plan)
    assert (yearly.visits_per_period, yearly.period, yearly.status) == (1, "year", "active")
    assert (yearly.starts_on, yearly.ends_on) == (date(2024, 2, 1), date(2027, 1, 31))
    assert isinstance(twice, records.Plan)
    assert (twice.visits_per_period, twice.period, twice.status) == (2, "year", "ended")
    assert isinstance(every_two_months, records.Plan)
    assert (every_two_months.rrule, every_two_months.status) == ("FREQ=MONTHLY;INTERVAL=2", "paused")


def test_activities_have_their_kind_and_what_dolibarr_wrote_is_marked(small: dict[str, Record]) -> None:
    kinds = {
        r.ref.rsplit(":", 1)[1]: (r.kind, r.direction, r.automatic)
        for r in small.values()
        if isinstance(r, records.Activity)
    }
    assert kinds == {
        "1": ("call", None, False),
        "2": ("email", "out", False),
        "3": ("visit", None, False),
        "4": ("note", None, True),
        "5": ("email", "out", True),
        "8": ("call", None, False),
        "10": ("note", None, True),
    }


def test_job_sites_and_files(small: dict[str, Record]) -> None:
    site = one(small, "projet:1")
    assert isinstance(site, records.JobSite)
    assert (site.status, site.estimated_hours) == ("in_progress", Decimal("60.50"))
    assert site.description == "Deux chaudières\n\nTâches\u202f:\n- Dépose\n- Pose"
    files = {r.ref.rsplit(":", 1)[1]: (r.name, r.about_ref) for r in small.values() if isinstance(r, records.Document)}
    assert files == {
        "1": ("FA2401-0001.pdf", "dolibarr:facture:1"),
        "2": ("photo.jpg", "dolibarr:fichinter:1"),
        "3": ("photo.jpg", "dolibarr:societe:12"),
        "4": ("contrat signé.pdf", "dolibarr:contrat:1"),
    }


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        (None, ""),
        ("NULL", ""),
        ("a < b et c > d", "a < b et c > d"),
        ("un\r\ndeux\rtrois", "un\ndeux\ntrois"),
        ("<p>un</p><p>deux</p>", "un\n\ndeux"),
        ("<ul><li>un</li><li>deux</li></ul>", "- un\n\n- deux"),
        ("AT&amp;T", "AT&T"),
        ("nul\x00ici", "nulici"),
        ("<script>alert(1)</script>reste<br/>là", "reste\nlà"),
    ],
)
def test_notes_become_plain_text(raw: str | None, want: str) -> None:
    assert text.plain(raw) == want


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ("2024-02-30", None),
        ("0000-00-00 00:00:00", None),
        ("25/01/2024 08:00", date(2024, 1, 25)),
        ("2024-1-5", date(2024, 1, 5)),
    ],
)
def test_days(raw: str, want: date | None) -> None:
    assert text.day(raw) == want
