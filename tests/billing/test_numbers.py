"""Numbers without a hole nor a double, also when many issue at once and some fail; the chain shows tampering."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from chassis.errors import FicheError, Invalid
from chassis.ids import new_id
from contracts import billing as c
from services.billing.commands import numbering
from tests.billing.conftest import COMPANY, LINE, Billing
from tests.support.services import make_service


def test_fifty_issued_at_once_some_failing_leave_no_hole_and_no_double(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service("billing", postgres_url, database_pool_size=12)
    billing = Billing(service)
    service.call(c.UpdateCompany(changes=c.CompanyChanges(**COMPANY)))
    home, unbillable = billing.client(), billing.client(billable=False)
    drafts = [billing.invoice(unbillable if n % 10 == 3 else home)["id"] for n in range(50)]
    cursed = {drafts[n] for n in (5, 25)}
    crashed = drafts[45]
    honest = numbering.chain

    def after_the_number(uow: Any, row: Any, *rest: Any) -> None:
        honest(uow, row, *rest)
        if str(row.id) in cursed:
            raise Invalid("Le contrôle de la facture électronique a échoué.")
        if str(row.id) == crashed:
            # What the server sees when a process is killed between the number and the commit.
            uow.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    monkeypatch.setattr(numbering, "chain", after_the_number)

    def issue(identifier: str) -> str | None:
        try:
            return str(service.call(c.IssueInvoice(id=identifier))["number"])
        except FicheError:
            return None

    with ThreadPoolExecutor(max_workers=12) as pool:
        numbers = list(pool.map(issue, drafts))
    given = sorted(number for number in numbers if number)
    year = given[0].split("-")[1]
    assert given == [f"F-{year}-{n:04d}" for n in range(1, 43)]
    for identifier, number in zip(drafts, numbers, strict=True):
        read = billing.get(identifier)
        assert (read["number"], read["status"]) == ((number, "issued") if number else (None, "draft"))
    assert service.call(c.VerifyChain()) == {"checked": 42, "broken": []}
    monkeypatch.undo()
    assert [issue(drafts[5]), issue(crashed)] == [f"F-{year}-0043", f"F-{year}-0044"]
    service.close()


def test_one_invoice_issued_many_times_at_once_is_issued_once(billing: Billing) -> None:
    draft = billing.invoice(billing.client())["id"]

    def issue(_: int) -> str:
        try:
            billing.service.call(c.IssueInvoice(id=draft))
        except FicheError as error:
            return error.kind
        return "ok"

    with ThreadPoolExecutor(max_workers=8) as pool:
        outcomes = sorted(pool.map(issue, range(8)))
    assert outcomes == ["conflict"] * 7 + ["ok"]


def test_payments_at_once_are_all_counted(billing: Billing) -> None:
    invoice = billing.issued(billing.client())
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda _: billing.pay(invoice["id"], "10"), range(12)))
    after = billing.get(invoice["id"])
    assert (after["status"], after["remaining"], len(after["payments"])) == ("paid", "0.00", 12)


def test_two_credit_notes_at_once_never_pass_the_invoice(billing: Billing) -> None:
    invoice = billing.issued(billing.client())

    def credit(_: int) -> bool:
        try:
            billing.credit(invoice["id"])
        except FicheError:
            return False
        return True

    with ThreadPoolExecutor(max_workers=6) as pool:
        assert sum(pool.map(credit, range(6))) == 1


def test_tampering_with_what_was_issued_shows(postgres_url: str) -> None:
    service = make_service("billing", postgres_url)
    billing = Billing(service)
    service.call(c.UpdateCompany(changes=c.CompanyChanges(**COMPANY)))
    home = billing.client()
    numbers = [billing.issued(home)["number"] for _ in range(3)]
    assert service.call(c.VerifyChain()) == {"checked": 3, "broken": []}
    service.sql(
        "UPDATE invoice SET frozen = jsonb_set(frozen, '{total_incl_tax}', '\"99.00\"') WHERE number = :n", n=numbers[1]
    )
    assert service.call(c.VerifyChain())["broken"] == [numbers[1]]
    service.close()


def test_the_numbers_of_a_whole_imported_year_are_passed_over_at_once(postgres_url: str) -> None:
    service = make_service("billing", postgres_url)
    billing = Billing(service)
    service.call(c.UpdateCompany(changes=c.CompanyChanges(**COMPANY)))
    home = billing.client()
    quote = billing.quote(home)
    year = quote["date"][:4]
    for n in range(1, 61):
        document = c.ImportedDocument(
            kind="quote", number=f"D-{year}-{n:04d}", status="sent", issued_on=f"{year}-01-02", lines=[],
            total_excl_tax="10", total_tax="2", total_incl_tax="12",
        )  # fmt: skip
        service.call(c.ImportDocument(id=new_id(), home_client_id=home, written_client_id=home, document=document))
    assert service.call(c.FinaliseQuote(id=quote["id"]))["number"] == f"D-{year}-0061"
    assert service.call(c.FinaliseQuote(id=billing.quote(home)["id"]))["number"] == f"D-{year}-0062"
    service.close()


def test_numbers_taken_by_an_import_are_passed_over_and_not_counted(postgres_url: str) -> None:
    service = make_service("billing", postgres_url)
    billing = Billing(service)
    service.call(c.UpdateCompany(changes=c.CompanyChanges(**COMPANY)))
    home = billing.client()
    first = billing.issued(home)["number"]
    year = first.split("-")[1]
    document = c.ImportedDocument(
        kind="invoice", number=f"F-{year}-0002", status="issued", issued_on=f"{year}-01-02", lines=[],
        total_excl_tax="10", total_tax="2", total_incl_tax="12",
    )  # fmt: skip
    service.call(c.ImportDocument(id=new_id(), home_client_id=home, written_client_id=home, document=document))
    assert billing.issued(home, LINE)["number"] == f"F-{year}-0003"
    service.close()
