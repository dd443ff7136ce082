"""Documents of another system: to the digit, once, and without touching our numbers."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.errors import Conflict, Invalid
from chassis.ids import new_id
from contracts import billing as c
from tests.billing.conftest import Billing


def document(**given: Any) -> c.ImportedDocument:
    values: dict[str, Any] = {
        "kind": "invoice",
        "number": f"FA2601-{new_id().hex[-8:]}",
        "status": "issued",
        "issued_on": "2019-05-06",
        "due_on": "2019-06-06",
        "lines": [
            {"label": "Pose", "quantity": "2", "unit_price": "10.005", "vat_rate": "19.6", "total_excl_tax": "20.01"}
        ],
        "total_excl_tax": "20.02000000",
        "total_tax": "3.92",
        "total_incl_tax": "23.94",
    }
    return c.ImportedDocument.model_validate(values | given)


def bring(billing: Billing, home: Any, made: c.ImportedDocument, identifier: Any = None) -> Any:
    return billing.service.call(
        c.ImportDocument(id=identifier or new_id(), home_client_id=home, written_client_id=home, document=made)
    )


def test_header_totals_of_the_source_are_kept_though_its_lines_say_otherwise(billing: Billing) -> None:
    home = billing.client()
    answer = bring(billing, home, document())
    c.Invoice.model_validate(answer)
    assert [answer[name] for name in ("total_excl_tax", "total_tax", "total_incl_tax")] == ["20.02", "3.92", "23.94"]
    assert answer["lines"][0]["total_excl_tax"] == "20.01"
    assert (answer["imported"], answer["issued_on"], answer["hash"]) == (True, "2019-05-06", None)
    with pytest.raises(Conflict):
        billing.service.call(c.UpdateInvoice(id=answer["id"], changes={"title": "x"}))


def test_brought_in_twice_it_is_there_once(billing: Billing) -> None:
    home, identifier, payment = billing.client(), new_id(), new_id()
    made = document()
    first = bring(billing, home, made, identifier)
    assert bring(billing, home, made, identifier) == first
    pay = c.ImportPayment(
        id=payment, document_id=identifier, payment=c.ImportedPayment(amount="10.00", paid_on="2019-05-07")
    )
    partly = billing.service.call(pay)
    assert (partly["status"], partly["remaining"]) == ("partly_paid", "13.94")
    assert billing.service.call(pay) == partly
    with pytest.raises(Conflict) as refused:
        bring(billing, home, made)
    assert refused.value.code == "number_taken"


@pytest.mark.parametrize("status", ["draft", "issued", "paid", "cancelled"])
def test_states_of_the_source_are_kept(billing: Billing, status: str) -> None:
    answer = bring(
        billing, billing.client(), document(status=status, number=None if status == "draft" else "N" + status)
    )
    assert answer["status"] == status
    assert answer["remaining"] == ("23.94" if status == "issued" else "0.00")


def test_a_closed_invoice_stays_closed_whatever_was_paid(billing: Billing) -> None:
    paid = {"amount": "5", "paid_on": "2019-05-07"}
    answer = bring(billing, billing.client(), document(status="paid", payments=[paid]))
    assert (answer["status"], answer["paid"], answer["remaining"]) == ("paid", "5.00", "0.00")


def test_quotes_and_credit_notes_come_in_with_their_links(billing: Billing) -> None:
    home = billing.client()
    quote = bring(billing, home, document(kind="quote", status="accepted", valid_until="2019-06-01"))
    assert (quote["status"], quote["left_to_invoice"]) == ("accepted", "20.02")
    invoice = bring(billing, home, document(quote_id=quote["id"], invoice_kind="deposit"))
    assert (invoice["quote_id"], invoice["kind"]) == (quote["id"], "deposit")
    note = bring(billing, home, document(kind="credit_note", invoice_id=invoice["id"]))
    assert (note["invoice_id"], note["remaining"]) == (invoice["id"], "23.94")
    spent = bring(billing, home, document(kind="credit_note", status="paid"))
    assert (spent["status"], spent["remaining"]) == ("used", "0.00")
    back = billing.service.call(
        c.ImportPayment(
            id=new_id(),
            document_id=note["id"],
            on_credit_note=True,
            payment=c.ImportedPayment(amount="23.94", paid_on="2019-07-01"),
        )
    )
    assert (back["status"], back["remaining"]) == ("used", "0.00")


def test_an_imported_draft_is_ours_to_issue(billing: Billing) -> None:
    answer = bring(billing, billing.client(), document(status="draft", number=None))
    assert answer["imported"] is False
    issued = billing.service.call(c.IssueInvoice(id=answer["id"]))
    assert issued["number"].startswith("F-")


def test_an_accepted_imported_quote_can_still_be_invoiced(billing: Billing) -> None:
    quote = bring(billing, billing.client(), document(kind="quote", status="accepted"))
    invoice = billing.service.call(c.InvoiceQuote(id=quote["id"]))
    assert invoice["lines"][0]["vat_rate"] == "19.6"


def test_an_unknown_state_is_refused(billing: Billing) -> None:
    with pytest.raises(Invalid):
        bring(billing, billing.client(), document(status="validated"))


def test_imported_documents_are_found_by_their_number_and_told_as_imported(billing: Billing) -> None:
    home = billing.client()
    answer = bring(billing, home, document(number="FA1905-0042"))
    found = billing.service.call(c.ListInvoices(q="fa1905-0042"))["items"]
    assert [item["id"] for item in found] == [answer["id"]]
    [told] = [e for e in billing.service.events("invoice.issued") if e["subject"] == answer["id"]]
    assert told["data"]["imported"] is True
