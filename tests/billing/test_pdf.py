"""The PDF of each document: what it must say, frozen at issue, its tampering seen."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pypdf
import pytest

from chassis.errors import FicheError
from chassis.objects import object_store
from chassis.settings import Settings
from contracts import billing as c
from services.billing.commands.files import make_one
from services.billing.pdf import render
from services.billing.pdf.words import amount, percent, quantity
from tests.billing.conftest import LINE, Billing
from tests.support.services import ServiceUnderTest


@pytest.fixture(autouse=True, scope="module")
def _objects(service: ServiceUnderTest, tmp_path_factory: pytest.TempPathFactory) -> None:
    service.runtime = SimpleNamespace(settings=Settings(data_dir=tmp_path_factory.mktemp("data")))


def file_of(billing: Billing, kind: str, identifier: str) -> tuple[dict[str, Any], bytes]:
    """Where the service says that the PDF is, and its bytes."""
    found = billing.service.call(c.GetFile.model_validate({"kind": kind, "id": identifier}))
    store = object_store(billing.service.runtime.settings)
    return found, b"".join(store.open(found["key"]))


def text_of(body: bytes) -> str:
    """All that a reader sees, with single spaces."""
    pages = pypdf.PdfReader(io.BytesIO(body)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split()).replace("\u202f", " ")


def test_an_invoice_bears_what_the_law_asks_for(billing: Billing) -> None:
    home = billing.client("Régie Bellecour", siret="73282932000074")
    billing.details(home, payment_terms="45 jours", payment_means="Virement")
    lines = [
        {"kind": "section", "label": "Main-d’œuvre"},
        {"label": "Recherche de panne", "quantity": "1.25", "unit_price": "47.90", "discount_percent": "7",
         "vat_rate": "10"},
        {"label": "Robinet", "quantity": "4", "unit_price": "350", "vat_rate": "20"},
        {"label": "Débours", "quantity": "1", "unit_price": "15", "vat_rate": "0"},
    ]  # fmt: skip
    issued = billing.issued(home, *lines, client_reference="BC-4471", title="Radiateur froid", supplied_on="2026-01-05",
                            operations="mixed")  # fmt: skip
    found, body = file_of(billing, "invoice", issued["id"])
    assert found["name"] == f"Facture {issued['number']}.pdf"
    said = text_of(body)
    for words in (
        issued["number"], "Facture", "Date", "Échéance", "Chauffage Morel", "SARL", "4 rue des Tanneurs",
        "35000 Rennes", "SIREN 732 829 320", "RCS Rennes 732 829 320", "FR44732829320", "Régie Bellecour",
            "12 place Chateaubriand",
        "35400 Saint-Malo", "BC-4471", "Radiateur froid", "Recherche de panne", "1,25", "47,90 €", "7 %", "55,68 €",
        "1 400,00 €", "280,00 €", "5,57 €", "Total HT", "1 470,68 €", "Net à payer TTC", "1 756,25 €", "45 jours",
        "Virement", "trois fois le taux d’intérêt légal", "40 €", "L441-10", "Pas d’escompte", "Exonération de TVA",
        "Livraison de biens et prestation de services", "Livré et réalisé le 5 janvier 2026",
    ):  # fmt: skip
        assert words in said, words
    assert "BROUILLON" not in said


def test_the_bytes_of_an_issued_invoice_are_made_once_and_kept(billing: Billing) -> None:
    issued = billing.issued(billing.client())
    first, body = file_of(billing, "invoice", issued["id"])
    assert first["frozen"]
    assert hashlib.sha256(body).hexdigest() == first["sha256"]
    assert len(body) == first["size"]
    billing.pay(issued["id"], "20")
    billing.service.call(c.UpdateCompany(changes=c.CompanyChanges(late_penalty="12 %"), expected_version=None))
    again, same = file_of(billing, "invoice", issued["id"])
    assert (again, same) == (first, body)


def test_what_is_numbered_gets_its_file_without_being_asked_for(billing: Billing) -> None:
    quote = billing.quote(billing.client())
    number = billing.service.call(c.FinaliseQuote(id=quote["id"]))["number"]
    worker = billing.service.worker()
    store = object_store(billing.service.runtime.settings)
    while worker.uow.run(None, lambda: make_one(worker.uow, store)):
        pass
    [row] = billing.service.sql("SELECT sha256, object_key FROM document_file WHERE number = :n", n=number)
    assert hashlib.sha256(b"".join(store.open(row.object_key))).hexdigest() == row.sha256
    waiting = billing.service.sql("SELECT count(*) AS n FROM document_file WHERE sha256 IS NULL")
    assert waiting[0].n == 0


def test_a_quote_says_until_when_it_stands_and_has_room_for_a_signature(billing: Billing) -> None:
    quote = billing.quote(billing.client(billable=False), LINE | {"vat_rate": "10"})
    draft = text_of(file_of(billing, "quote", quote["id"])[1])
    assert "BROUILLON" in draft
    assert "Sans numéro" in draft
    done = billing.service.call(c.FinaliseQuote(id=quote["id"]))
    found, body = file_of(billing, "quote", quote["id"])
    said = text_of(body)
    assert found["frozen"]
    for words in (done["number"], "Valable jusqu’au", "Bon pour accord", "279-0 bis", "12 place Chateaubriand"):
        assert words in said, words
    assert "BROUILLON" not in said


def test_a_credit_note_names_the_invoice_it_corrects(billing: Billing) -> None:
    issued = billing.issued(billing.client())
    note = billing.credit(issued["id"])
    said = text_of(file_of(billing, "credit_note", note["id"])[1])
    assert note["number"] in said
    assert f"Sur la facture {issued['number']}" in said
    assert "Total de l’avoir TTC" in said


def test_a_document_at_zero_percent_says_why(billing: Billing) -> None:
    free = LINE | {"vat_rate": "0"}
    buyer = billing.client(vat_number="FR44732829320")
    issued = billing.issued(buyer, free, vat_mention="Autoliquidation, article 283-2 nonies du CGI.")
    assert "Autoliquidation, article 283-2 nonies" in text_of(file_of(billing, "invoice", issued["id"])[1])


def test_a_text_in_letters_no_typeface_has_is_still_a_pdf(billing: Billing) -> None:
    quote = billing.quote(billing.client("Restaurant 北京"), LINE | {"label": "#strong[x] $a$ 🙂"})
    said = text_of(file_of(billing, "quote", quote["id"])[1])
    assert "#strong[x] $a$" in said, "what a person typed is text, not markup"


def test_tampering_with_a_file_shows(service: ServiceUnderTest, billing: Billing) -> None:
    issued = billing.issued(billing.client())
    file_of(billing, "invoice", issued["id"])
    assert service.call(c.VerifyChain())["broken"] == []
    [row] = service.sql("SELECT sha256 FROM document_file WHERE document_id = :id", id=issued["id"])
    service.sql("UPDATE document_file SET sha256 = repeat('0', 64) WHERE document_id = :id", id=issued["id"])
    assert service.call(c.VerifyChain())["broken"] == [f"{issued['number']}.pdf"]
    service.sql("UPDATE document_file SET sha256 = :sha WHERE document_id = :id", sha=row.sha256, id=issued["id"])


def test_a_file_that_cannot_be_made_does_not_hold_up_the_others(
    billing: Billing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bad, good = billing.issued(billing.client()), billing.issued(billing.client())
    billing.service.sql("UPDATE invoice SET frozen = frozen - 'lines' || '{\"issued_on\": \"2026-02-30\"}' "
                        "WHERE id = :id", id=bad["id"])  # fmt: skip
    frozen = billing.service.sql("SELECT frozen FROM invoice WHERE id = :id", id=bad["id"])[0].frozen
    with pytest.raises(FicheError):
        render(frozen)
    worker = billing.service.worker()
    store = object_store(billing.service.runtime.settings)
    while worker.uow.run(None, lambda: make_one(worker.uow, store)):
        pass
    rows = billing.service.sql(
        "SELECT document_id, sha256 FROM document_file WHERE document_id IN (:a, :b)", a=bad["id"], b=good["id"]
    )
    assert {str(row.document_id): row.sha256 is not None for row in rows} == {bad["id"]: False, good["id"]: True}


def test_figures_are_written_as_the_french_write_them() -> None:
    assert amount(Decimal("1264.5")) == "1\u202f264,50\u202f€"
    assert amount(Decimal("-583.2")) == "−583,20\u202f€"
    assert amount(Decimal("0.123456")) == "0,123456\u202f€"
    assert amount(Decimal("100")) == "100,00\u202f€"
    assert quantity(Decimal("1.250000")) == "1,25"
    assert quantity(Decimal("100")) == "100"
    assert percent("5.50") == "5,5\u202f%"


def test_totals_are_computed_without_keeping_anything(service: ServiceUnderTest) -> None:
    lines = [{"label": "a", "unit_price": "33.33", "vat_rate": "20"}] * 3
    asked = c.ComputeTotals.model_validate({"body": {"lines": lines}})
    before = service.sql("SELECT count(*) AS n FROM quote")[0].n
    found = service.call(asked)
    assert (found["total_excl_tax"], found["total_tax"], found["total_incl_tax"]) == ("99.99", "20.00", "119.99")
    assert sum(Decimal(line["total_tax"]) for line in found["lines"]) == Decimal("20.00")
    assert found["taxes"] == [{"rate": "20", "base": "99.99", "tax": "20.00"}]
    assert service.sql("SELECT count(*) AS n FROM quote")[0].n == before


def test_many_who_ask_at_once_for_a_new_invoice_get_one_file(billing: Billing) -> None:
    issued = billing.issued(billing.client())
    with ThreadPoolExecutor(max_workers=6) as pool:
        found = list(pool.map(lambda _: file_of(billing, "invoice", issued["id"])[0]["key"], range(6)))
    assert len(set(found)) == 1
    chain = billing.service.sql("SELECT position FROM document_file WHERE position IS NOT NULL ORDER BY position")
    assert [row.position for row in chain] == list(range(1, len(chain) + 1))
