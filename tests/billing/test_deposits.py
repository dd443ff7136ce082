"""Deposits, progress and balance of a quote: to the cent, and work billed once whoever asks and however fast."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from chassis.errors import Conflict, FicheError, Invalid
from chassis.ids import new_id
from contracts import billing as c
from tests.billing.conftest import LINE, Billing

#: Three rates, a discount, cents that do not divide.
LINES = [
    {"label": "Fourniture", "quantity": "3", "unit_price": "33.33", "vat_rate": "20"},
    {"label": "Pose", "quantity": "1.25", "unit_price": "47.90", "discount_percent": "7", "vat_rate": "10"},
    {"label": "Isolation", "quantity": "7", "unit_price": "12.34", "vat_rate": "5.5"},
]
NAMES = ("total_excl_tax", "total_tax", "total_incl_tax")


def accepted(billing: Billing, *lines: dict[str, Any], **body: Any) -> Any:
    """An accepted quote."""
    quote = billing.quote(billing.client(), *(lines or LINES), **body)
    billing.service.call(c.FinaliseQuote(id=quote["id"]))
    return billing.service.call(c.AcceptQuote(id=quote["id"]))


def issue(billing: Billing, invoice: Any) -> Any:
    return billing.service.call(c.IssueInvoice(id=invoice["id"]))


def amounts(*rows: Any) -> list[Decimal]:
    return [sum((Decimal(row[name]) for row in rows), Decimal(0)) for name in NAMES]


def test_deposits_progress_and_balance_come_to_the_quote_to_the_cent(billing: Billing) -> None:
    call = billing.service.call
    quote = accepted(billing)
    deposit = issue(billing, call(c.InvoiceQuote(id=quote["id"], kind="deposit", percent="33.33")))
    assert {line["vat_rate"] for line in deposit["lines"]} == {"20", "10", "5.5"}
    assert deposit["lines"][0]["label"].startswith("Acompte de 33,33\u202f% sur le devis D-")
    progress = issue(billing, call(c.InvoiceQuote(id=quote["id"], kind="progress", amount="71.07")))
    assert progress["total_excl_tax"] == "71.07"
    left = Decimal(quote["total_excl_tax"]) - amounts(deposit, progress)[0]
    assert Decimal(call(c.GetQuote(id=quote["id"]))["left_to_invoice"]) == left
    balance = issue(billing, call(c.InvoiceQuote(id=quote["id"])))
    assert balance["kind"] == "balance"
    assert amounts(deposit, progress, balance) == amounts(quote)
    assert [line["deducts_id"] for line in balance["lines"]].count(deposit["id"]) == 3
    assert amounts(*balance["lines"]) == amounts(balance)
    assert call(c.GetQuote(id=quote["id"]))["status"] == "invoiced"


def test_a_quote_invoiced_in_parts_has_its_own_vat_in_the_end(billing: Billing) -> None:
    call = billing.service.call
    cent = {"label": "Vis", "quantity": "1", "unit_price": "0.03", "vat_rate": "20"}
    quote = accepted(billing, *[cent] * 4)
    parts = [call(c.InvoiceQuote(id=quote["id"], line_ids=[line["id"]])) for line in quote["lines"][:3]]
    parts.append(call(c.InvoiceQuote(id=quote["id"])))
    assert amounts(*parts) == amounts(quote)


def test_a_deposit_asks_for_no_more_than_is_left_and_is_issued_before_the_balance(billing: Billing) -> None:
    call = billing.service.call
    quote = accepted(billing)
    for body in ({}, {"percent": "30", "amount": "10"}, {"amount": "10000"}):
        with pytest.raises(Invalid):
            call(c.InvoiceQuote(id=quote["id"], kind="deposit", **body))
    with pytest.raises(Invalid):
        call(c.InvoiceQuote(id=quote["id"], percent="30"))
    draft = call(c.InvoiceQuote(id=quote["id"], kind="deposit", percent="90"))
    with pytest.raises(Conflict, match="en brouillon"):
        call(c.InvoiceQuote(id=quote["id"]))
    with pytest.raises(Invalid, match="Il ne reste que"):
        call(c.InvoiceQuote(id=quote["id"], kind="deposit", percent="20"))
    issue(billing, draft)
    # The first line alone would bring what is invoiced above the quote.
    with pytest.raises(Invalid, match="dépassent le devis"):
        call(c.InvoiceQuote(id=quote["id"], line_ids=[quote["lines"][0]["id"]]))


def test_a_deposit_that_was_given_back_is_taken_off_no_more(billing: Billing) -> None:
    call = billing.service.call
    quote = accepted(billing)
    wrong = issue(billing, call(c.InvoiceQuote(id=quote["id"], kind="deposit", percent="50")))
    billing.credit(wrong["id"])
    kept = issue(billing, call(c.InvoiceQuote(id=quote["id"], kind="deposit", amount="60")))
    part = billing.credit(kept["id"], {"label": "Remise", "quantity": "1", "unit_price": "10", "vat_rate": "20"})
    balance = call(c.InvoiceQuote(id=quote["id"]))
    assert {line["deducts_id"] for line in balance["lines"] if line["deducts_id"]} == {kept["id"]}
    assert [a + b - d for a, b, d in zip(amounts(kept), amounts(balance), amounts(part), strict=True)] == amounts(quote)
    more = {"label": "Le reste", "quantity": "1", "unit_price": "1", "vat_rate": "20"}
    with pytest.raises(Conflict, match="déduit d’une facture en brouillon"):
        billing.credit(kept["id"], more)
    call(c.DeleteDraft(kind="invoice", id=balance["id"]))
    billing.credit(kept["id"], more)


def test_an_invoice_of_a_quote_keeps_its_reason_for_no_vat(billing: Billing) -> None:
    line = {"label": "Sous-traitance", "quantity": "1", "unit_price": "500", "vat_rate": "0"}
    mention = "Autoliquidation de la TVA, article 283-2 nonies du CGI."
    quote = accepted(billing, line, vat_mention=mention, operations="mixed")
    invoice = billing.service.call(c.InvoiceQuote(id=quote["id"]))
    assert (invoice["vat_mention"], invoice["operations"]) == (mention, "mixed")
    # The buyer owes the VAT: the law wants its VAT number on the invoice.
    with pytest.raises(Invalid) as refused:
        issue(billing, invoice)
    assert [error["field"] for error in refused.value.errors] == ["vat_number"]


def test_the_same_work_asked_for_many_times_at_once_is_billed_once(billing: Billing) -> None:
    home, works = billing.client(), [new_id(), new_id()]

    def bill(n: int) -> str:
        try:
            # Both orders, so that nobody waits for each other.
            return str(billing.invoice(home, intervention_ids=works[:: 1 if n % 2 else -1])["id"])
        except FicheError as error:
            return str(error.code)

    with ThreadPoolExecutor(max_workers=8) as pool:
        outcomes = list(pool.map(bill, range(8)))
    assert sorted(outcomes)[1:] == ["invoiced"] * 7
    [made] = [outcome for outcome in outcomes if outcome != "invoiced"]
    with pytest.raises(Conflict, match="en brouillon"):
        billing.invoice(home, intervention_id=works[0])
    billing.service.call(c.DeleteDraft(kind="invoice", id=made))
    again = billing.issued(home, intervention_id=works[0])
    with pytest.raises(Conflict, match=again["number"]):
        billing.invoice(home, intervention_id=works[0])
    billing.credit(again["id"])
    assert billing.invoice(home, intervention_id=works[0])["status"] == "draft"


def test_a_work_may_have_a_deposit_and_then_its_invoice(billing: Billing) -> None:
    home, work = billing.client(), new_id()
    billing.invoice(home, intervention_id=work, kind="deposit")
    final = billing.invoice(home, intervention_id=work, kind="balance")
    other = billing.invoice(home, LINE)
    with pytest.raises(Conflict):
        billing.service.call(c.UpdateInvoice(id=other["id"], changes=c.InvoiceChanges(intervention_ids=[work])))
    empty = c.CreateInvoice(home_client_id=home, written_client_id=home, body=c.InvoiceBody(intervention_id=work))
    draft = billing.service.call(empty)
    with pytest.raises(Conflict):
        billing.service.call(c.UpdateInvoice(id=draft["id"], changes=c.InvoiceChanges(lines=[LINE])))
    billing.service.call(c.UpdateInvoice(id=final["id"], changes=c.InvoiceChanges(intervention_ids=[])))
    billing.service.call(c.UpdateInvoice(id=other["id"], changes=c.InvoiceChanges(intervention_ids=[work])))


def test_the_invoices_of_one_quote_share_its_work(billing: Billing) -> None:
    work = new_id()
    quote = accepted(billing, intervention_id=work)
    first = billing.service.call(c.InvoiceQuote(id=quote["id"], line_ids=[quote["lines"][0]["id"]]))
    second = billing.service.call(c.InvoiceQuote(id=quote["id"]))
    assert first["intervention_ids"] == second["intervention_ids"] == [str(work)]
    billing.service.call(c.DeleteDraft(kind="invoice", id=first["id"]))
    with pytest.raises(Conflict):
        billing.invoice(billing.client(), intervention_id=work)
