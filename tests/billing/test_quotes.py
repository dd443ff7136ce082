"""Quotes: their life, what is invoiced of them, and what is refused."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from chassis.errors import Conflict, Invalid, NotFound, Stale
from chassis.ids import new_id
from contracts import billing as c
from tests.billing.conftest import LINE, Billing


def test_an_answer_can_be_taken_back_until_something_is_invoiced(billing: Billing) -> None:
    quote = billing.quote(billing.client())["id"]
    call = billing.service.call
    with pytest.raises(Conflict):
        call(c.ReopenQuote(id=quote))
    call(c.FinaliseQuote(id=quote))
    call(c.RefuseQuote(id=quote))
    again = call(c.ReopenQuote(id=quote))
    assert (again["status"], again["decided_on"]) == ("finalised", None)
    call(c.SendQuote(id=quote))
    call(c.AcceptQuote(id=quote))
    assert call(c.ReopenQuote(id=quote))["status"] == "sent"
    assert billing.service.events("quote.reopened")[-1]["data"]["status"] == "sent"
    call(c.AcceptQuote(id=quote))
    call(c.InvoiceQuote(id=quote))
    with pytest.raises(Conflict):
        call(c.ReopenQuote(id=quote))


def test_a_quote_from_draft_to_invoice(billing: Billing) -> None:
    home, work = billing.client(), new_id()
    call = billing.service.call
    quote = billing.quote(home, LINE, title="Chaudière", intervention_id=work)
    assert c.Quote.model_validate({k: v for k, v in quote.items() if k != "invoices"}).status == "draft"
    assert (quote["number"], quote["total_incl_tax"], quote["payer_id"]) == (None, "120.00", str(home))
    quote = call(c.FinaliseQuote(id=quote["id"]))
    assert re.fullmatch(rf"D-{datetime.now(ZoneInfo('Europe/Paris')).year}-\d{{4}}", quote["number"])
    assert quote["valid_until"] > quote["issued_on"]
    assert call(c.SendQuote(id=quote["id"]))["status"] == "sent"
    quote = call(c.AcceptQuote(id=quote["id"]))
    assert (quote["status"], quote["left_to_invoice"]) == ("accepted", "100.00")
    invoice = call(c.InvoiceQuote(id=quote["id"]))
    assert (invoice["status"], invoice["number"], invoice["quote_id"]) == ("draft", None, quote["id"])
    assert (invoice["total_incl_tax"], invoice["intervention_ids"]) == ("120.00", [str(work)])
    quote = call(c.GetQuote(id=quote["id"]))
    assert (quote["status"], quote["left_to_invoice"]) == ("invoiced", "0.00")
    assert [i["id"] for i in quote["invoices"]] == [invoice["id"]]
    told = [e["type"].split(".")[-2] for e in billing.service.events() if e["subject"] == quote["id"]]
    assert told == ["created", "finalised", "sent", "accepted"]


def test_accepted_or_invoiced_twice_it_happens_once(billing: Billing) -> None:
    call = billing.service.call
    quote = billing.quote(billing.client())
    call(c.FinaliseQuote(id=quote["id"]))
    call(c.AcceptQuote(id=quote["id"]))
    with pytest.raises(Conflict):
        call(c.AcceptQuote(id=quote["id"]))
    call(c.InvoiceQuote(id=quote["id"]))
    with pytest.raises(Conflict):
        call(c.InvoiceQuote(id=quote["id"]))
    accepted = [e for e in billing.service.events("quote.accepted") if e["subject"] == quote["id"]]
    assert len(accepted) == 1


def test_two_lines_of_five_then_the_rest_to_the_cent(billing: Billing) -> None:
    call = billing.service.call
    rates = ("20", "10", "5.5", "20", "10")
    lines = [
        {"label": f"Ligne {n}", "quantity": "3", "unit_price": "33.33", "discount_percent": "5", "vat_rate": rate}
        for n, rate in enumerate(rates)
    ]
    quote = billing.quote(billing.client(), {"kind": "section", "label": "Fourniture"}, *lines)
    call(c.FinaliseQuote(id=quote["id"]))
    call(c.AcceptQuote(id=quote["id"]))
    ids = [line["id"] for line in quote["lines"]]
    first = call(c.InvoiceQuote(id=quote["id"], line_ids=ids[1:3]))
    assert [line["discount_percent"] for line in first["lines"]] == ["5", "5"]
    with pytest.raises(Invalid):
        call(c.InvoiceQuote(id=quote["id"], line_ids=ids[2:4]))
    assert call(c.GetQuote(id=quote["id"]))["left_to_invoice"] == "284.97"
    second = call(c.InvoiceQuote(id=quote["id"]))
    sums = [float(first[name]) + float(second[name]) for name in ("total_excl_tax",)]
    assert [f"{amount:.2f}" for amount in sums] == [quote["total_excl_tax"]]
    assert call(c.GetQuote(id=quote["id"]))["status"] == "invoiced"


def test_a_draft_invoice_thrown_away_frees_its_quote(billing: Billing) -> None:
    call = billing.service.call
    quote = billing.quote(billing.client())
    call(c.FinaliseQuote(id=quote["id"]))
    call(c.AcceptQuote(id=quote["id"]))
    invoice = call(c.InvoiceQuote(id=quote["id"]))
    call(c.DeleteDraft(kind="invoice", id=invoice["id"]))
    assert call(c.GetQuote(id=quote["id"]))["status"] == "accepted"
    assert call(c.InvoiceQuote(id=quote["id"]))["total_incl_tax"] == "120.00"
    with pytest.raises(NotFound):
        call(c.GetInvoice(id=invoice["id"]))


@pytest.mark.parametrize("deed", [c.SendQuote, c.AcceptQuote, c.RefuseQuote, c.InvoiceQuote])
def test_a_draft_quote_is_not_sent_accepted_refused_nor_invoiced(billing: Billing, deed: type) -> None:
    quote = billing.quote(billing.client())
    with pytest.raises(Conflict) as refused:
        billing.service.call(deed(id=quote["id"]))
    assert refused.value.data == {"status": "draft"}
    assert billing.service.call(c.GetQuote(id=quote["id"])) == quote


def test_a_refused_quote_stays_refused_and_a_numbered_one_does_not_change(billing: Billing) -> None:
    call = billing.service.call
    quote = billing.quote(billing.client())
    call(c.FinaliseQuote(id=quote["id"]))
    quote = call(c.RefuseQuote(id=quote["id"]))
    with pytest.raises(Conflict):
        call(c.AcceptQuote(id=quote["id"]))
    with pytest.raises(Conflict):
        call(c.CancelQuote(id=quote["id"]))
    with pytest.raises(Conflict):
        call(c.UpdateQuote(id=quote["id"], expected_version=quote["version"], changes={"title": "Autre"}))
    with pytest.raises(Conflict):
        call(c.DeleteDraft(kind="quote", id=quote["id"]))


def test_a_draft_changes_whole_lines_and_only_what_is_named(billing: Billing) -> None:
    call = billing.service.call
    quote = billing.quote(billing.client(), LINE, LINE, title="Devis", notes="Sous réserve")
    changed = call(
        c.UpdateQuote(id=quote["id"], expected_version=1, changes={"lines": [{"label": "Pose", "unit_price": "12.34"}]})
    )
    assert (changed["version"], changed["total_incl_tax"], changed["notes"]) == (2, "14.81", "Sous réserve")
    assert [line["label"] for line in changed["lines"]] == ["Pose"]
    with pytest.raises(Stale):
        call(c.UpdateQuote(id=quote["id"], expected_version=1, changes={"title": "Autre"}))
    [told] = [e for e in billing.service.events("quote.updated") if e["subject"] == quote["id"]]
    assert told["data"]["total_incl_tax"] == "14.81"


@pytest.mark.parametrize(
    "line",
    [
        {"label": ""},
        {"label": "x", "unit_price": "-1"},
        {"label": "x", "discount_percent": "101"},
        {"label": "x", "vat_rate": "19.61"},
        {"label": "x", "quantity": "NaN"},
        {"label": "x", "quantity": "beaucoup"},
    ],
)
def test_a_wrong_line_is_refused_by_field(billing: Billing, line: dict[str, str]) -> None:
    home = str(billing.client())
    import json

    body = {"home_client_id": home, "written_client_id": home, "body": {"lines": [line]}}
    with pytest.raises(Invalid) as refused:
        billing.service.call_raw("billing.create_quote", json.dumps(body).encode())
    assert refused.value.errors[0]["field"].startswith("body.lines.0.")


def test_lists_by_state_day_and_words(billing: Billing) -> None:
    call = billing.service.call
    home = billing.client("Syndic des Thermes")
    draft, other = billing.quote(home, title="Chaudière collective"), billing.quote(home, title="Adoucisseur")
    call(c.FinaliseQuote(id=other["id"]))
    numbered = call(c.GetQuote(id=other["id"]))

    def found(**filters: object) -> list[str]:
        return [item["id"] for item in call(c.ListQuotes(tree=[home], **filters))["items"]]

    assert set(found()) == {draft["id"], other["id"]}
    assert found(status=["finalised"]) == [other["id"]]
    assert found(q="chaudière") == [draft["id"]]
    assert found(q=numbered["number"]) == [other["id"]]
    assert set(found(q="thermes")) == {draft["id"], other["id"]}
    assert found(q="100%") == []
    assert found(from_="2999-01-01") == []
    assert found(to="1999-01-01") == []
    assert call(c.ListQuotes(tree=[new_id()]))["items"] == []
    assert [item["id"] for item in call(c.ListQuotes(q="thermes", sort="-total", limit=1))["items"]]
