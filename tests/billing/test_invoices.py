"""Invoices: issuing, what lacks, freezing, payments, credit notes, balances."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from chassis.errors import Conflict, Invalid, NotFound, Stale
from chassis.ids import new_id
from contracts import billing as c
from contracts import clients
from tests.billing.conftest import LINE, Billing
from tests.support.services import ServiceUnderTest


def test_a_payment_entered_by_mistake_is_taken_back_once_and_kept_in_sight(billing: Billing) -> None:
    home = billing.client()
    other = billing.credit(billing.issued(home)["id"])
    paid = billing.issued(home)
    note = billing.service.call(c.GetCreditNote(id=other["id"]))
    assert note["remaining"] == "0.00", "it was set against its own invoice"
    own = billing.get(note["invoice_id"])
    with pytest.raises(Conflict):
        billing.service.call(c.CancelPayment(invoice_id=own["id"], id=own["payments"][0]["id"]))
    billing.pay(paid["id"], "120")
    [payment] = billing.get(paid["id"])["payments"]
    for _ in range(2):
        after = billing.service.call(c.CancelPayment(invoice_id=paid["id"], id=payment["id"]))
        assert (after["status"], after["paid"], after["remaining"]) == ("issued", "0.00", "120.00")
    assert after["payments"][0]["cancelled_at"]
    assert [event["data"]["remaining"] for event in billing.service.events("payment.cancelled")] == ["120.00"]
    with pytest.raises(NotFound):
        billing.service.call(c.CancelPayment(invoice_id=other["invoice_id"], id=payment["id"]))


def test_figures_say_what_is_due_late_and_billed(billing: Billing) -> None:
    home = billing.client()
    late, paid = billing.issued(home), billing.issued(home)
    billing.invoice(home)
    billing.service.sql(
        "UPDATE invoice SET due_on = (now() AT TIME ZONE 'Europe/Paris')::date - 41 WHERE id = :id", id=late["id"]
    )
    billing.pay(late["id"], "20")
    billing.pay(paid["id"], "120")
    billing.credit(paid["id"], LINE | {"quantity": "0.5"})
    billing.service.call(c.FinaliseQuote(id=billing.quote(home)["id"]))
    found = billing.service.call(c.Figures(tree=[home]))
    assert (found["invoices"]["count"], found["invoices"]["total_incl_tax"]) == (3, "360.00")
    assert (found["due"], found["due_count"]) == ("100.00", 1)
    assert (found["overdue"], found["overdue_count"], found["overdue_days"]) == ("100.00", 1, 41)
    assert (found["billed"], found["credited"]) == ("150.00", "50.00")
    assert (found["waiting"]["count"], found["waiting"]["total_incl_tax"]) == (1, "120.00")
    assert billing.service.call(c.Figures(tree=[billing.client()]))["due"] == "0.00"


def test_an_issued_invoice_is_numbered_frozen_and_told(billing: Billing) -> None:
    call = billing.service.call
    home = billing.client("Piscine du Prieuré", siret="73282932000074")
    billing.details(home, payment_terms="30 jours fin de mois")
    draft = billing.invoice(home, LINE, title="Vidange")
    assert draft["number"] is None
    invoice = call(c.IssueInvoice(id=draft["id"], expected_version=1))
    read = c.Invoice.model_validate(invoice)
    assert re.fullmatch(rf"F-{datetime.now(ZoneInfo('Europe/Paris')).year}-\d{{4,}}", read.number or "")
    assert (read.status, invoice["remaining"], invoice["payer_id"]) == ("issued", "120.00", str(home))
    assert read.due_on is not None
    assert read.due_on > (read.issued_on or read.date)
    assert invoice["payer"]["name"] == "Piscine du Prieuré"
    assert (invoice["payer"]["city"], invoice["payer"]["siret"]) == ("Saint-Malo", "73282932000074")
    with pytest.raises(Conflict):
        call(c.UpdateInvoice(id=draft["id"], expected_version=invoice["version"], changes={"title": "Autre"}))
    with pytest.raises(Conflict):
        call(c.IssueInvoice(id=draft["id"]))
    with pytest.raises(Conflict):
        call(c.DeleteDraft(kind="invoice", id=draft["id"]))
    assert billing.get(draft["id"]) == invoice
    [told] = [e for e in billing.service.events("invoice.issued") if e["subject"] == draft["id"]]
    assert (told["data"]["number"], told["data"]["total_incl_tax"]) == (invoice["number"], "120.00")


def test_what_is_frozen_does_not_follow_later_changes_of_the_client(billing: Billing) -> None:
    home = billing.client("Ancien Nom")
    invoice = billing.issued(home)
    billing.details(home, billing_name="Nouveau Nom")
    assert billing.get(invoice["id"])["payer"]["name"] == "Ancien Nom"


def test_issuing_says_all_that_lacks_and_takes_no_number(bare: ServiceUnderTest) -> None:
    billing = Billing(bare)
    home = billing.client(billable=False)
    draft = billing.invoice(home)
    with pytest.raises(Invalid) as refused:
        bare.call(c.IssueInvoice(id=draft["id"]))
    lacking = {error["field"] for error in refused.value.errors}
    assert lacking >= {"company.legal_name", "company.siret", "company.vat_number", "company.city"}
    assert lacking >= {"billing_name", "billing_address_id"}
    assert billing.get(draft["id"]) == draft
    assert bare.sql("SELECT * FROM counter") == []
    assert bare.call(c.GetCompany())["complete"] is False


def test_an_invoice_without_lines_or_below_zero_is_not_issued(billing: Billing) -> None:
    home = billing.client()
    empty = billing.invoice(home, {"kind": "section", "label": "Rien"})
    below = billing.invoice(home, {**LINE, "quantity": "-1"})
    for draft in (empty, below):
        with pytest.raises(Invalid) as refused:
            billing.service.call(c.IssueInvoice(id=draft["id"]))
        assert refused.value.errors[0]["field"] == "lines"


def test_the_payer_is_billed_the_client_is_named(billing: Billing) -> None:
    payer, home = billing.client("Cabinet Le Goff", billable=False), billing.client("Résidence Les Ormes")
    details = billing.details(home, payer_id=payer)
    assert details["payer"] == {"id": str(payer), "name": "Cabinet Le Goff"}
    invoice = billing.issued(home)
    assert (invoice["payer_id"], invoice["payer"]["name"]) == (str(payer), "Cabinet Le Goff")
    assert invoice["client"]["name"] == "Résidence Les Ormes"
    pays_for = billing.service.call(c.GetDetails(client_id=payer))["pays_for"]
    assert pays_for == [{"id": str(home), "name": "Résidence Les Ormes"}]


def test_payments_part_then_all_then_above(billing: Billing) -> None:
    home = billing.client()
    invoice = billing.issued(home)
    with pytest.raises(Conflict):
        billing.pay(billing.invoice(home)["id"], "10")
    partly = billing.pay(invoice["id"], "50.00", means="cheque", paid_on="2026-03-01")
    assert (partly["status"], partly["remaining"], len(partly["payments"])) == ("partly_paid", "70.00", 1)
    paid = billing.pay(invoice["id"], "100.00")
    assert (paid["status"], paid["remaining"], paid["credit"]) == ("paid", "0.00", "30.00")
    events = [e["type"].split(".")[-2] for e in billing.service.events() if e["subject"] == invoice["id"]]
    assert events == ["created", "issued", "recorded", "recorded", "paid"]
    details = billing.service.call(c.GetDetails(client_id=home))
    assert (details["balance_due"], details["credit_available"]) == ("0.00", "30.00")
    for wrong in ("0", "-5", "10.001"):
        with pytest.raises(ValueError):
            billing.pay(invoice["id"], wrong)


def test_sent_is_a_mark_and_does_not_hide_what_was_paid(billing: Billing) -> None:
    call = billing.service.call
    home = billing.client()
    invoice = billing.issued(home)
    assert call(c.SendInvoice(id=invoice["id"]))["status"] == "sent"
    assert call(c.SendInvoice(id=invoice["id"]))["version"] == invoice["version"] + 1
    assert billing.pay(invoice["id"], "20")["status"] == "partly_paid"
    with pytest.raises(Conflict):
        call(c.SendInvoice(id=billing.invoice(home)["id"]))


def test_a_full_credit_note_cancels_the_invoice_with_its_signs(billing: Billing) -> None:
    home = billing.client()
    lines = ({**LINE, "unit_price": "200"}, {**LINE, "quantity": "-1", "label": "Remise"})
    invoice = billing.issued(home, *lines)
    assert invoice["total_excl_tax"] == "100.00"
    note = billing.credit(invoice["id"])
    c.CreditNote.model_validate(note)
    assert re.fullmatch(r"A-\d{4}-\d{4,}", note["number"])
    assert (note["total_excl_tax"], note["total_incl_tax"], note["status"]) == ("100.00", "120.00", "used")
    assert [line["total_excl_tax"] for line in note["lines"]] == ["200.00", "-100.00"]
    after = billing.get(invoice["id"])
    assert (after["status"], after["remaining"]) == ("cancelled", "0.00")
    assert [n["number"] for n in after["credit_notes"]] == [note["number"]]
    with pytest.raises(Conflict):
        billing.credit(invoice["id"])
    [told] = [e for e in billing.service.events("credit_note.issued") if e["subject"] == note["id"]]
    assert told["data"]["invoice_number"] == invoice["number"]


def test_a_credit_is_used_by_halves_and_never_more_than_it(billing: Billing) -> None:
    home, call = billing.client(), billing.service.call
    thousand = {**LINE, "unit_price": "1000", "vat_rate": "0"}
    invoice = billing.issued(home, thousand)
    billing.pay(invoice["id"], "1000")
    note = billing.credit(invoice["id"])
    assert (note["remaining"], note["status"]) == ("1000.00", "issued")
    call(c.RefundCreditNote(credit_note_id=note["id"], body=c.PaymentBody(amount="500", means="transfer")))
    following = billing.issued(home, {**thousand, "unit_price": "200"})
    paid = billing.pay(following["id"], "200", credit_note_id=note["id"])
    assert paid["status"] == "paid"
    assert call(c.GetCreditNote(id=note["id"]))["remaining"] == "300.00"
    another = billing.issued(home, thousand)
    with pytest.raises(Invalid):
        billing.pay(another["id"], "300.01", credit_note_id=note["id"])
    with pytest.raises(Invalid):
        call(c.RefundCreditNote(credit_note_id=note["id"], body=c.PaymentBody(amount="300.01")))
    with pytest.raises(Invalid):
        billing.pay(billing.issued(billing.client())["id"], "10", credit_note_id=note["id"])
    billing.pay(another["id"], "300", credit_note_id=note["id"])
    assert call(c.GetCreditNote(id=note["id"]))["status"] == "used"


def test_partial_credit_notes_never_pass_the_invoice(billing: Billing) -> None:
    invoice = billing.issued(billing.client())
    billing.credit(invoice["id"], {**LINE, "unit_price": "40"})
    after = billing.get(invoice["id"])
    assert (after["remaining"], after["status"]) == ("72.00", "partly_paid")
    with pytest.raises(Invalid):
        billing.credit(invoice["id"], {**LINE, "unit_price": "60.01"})
    with pytest.raises(Conflict):
        billing.credit(invoice["id"])
    billing.credit(invoice["id"], {**LINE, "unit_price": "60"})
    assert billing.get(invoice["id"])["status"] == "cancelled"


def test_a_credit_note_drafted_first_is_issued_later(billing: Billing) -> None:
    home, call = billing.client(), billing.service.call
    invoice = billing.issued(home)
    body = c.CreditNoteBody(
        invoice_id=invoice["id"], reason="Geste", lines=[c.LineBody(label="Geste", unit_price="10")]
    )
    draft = call(c.CreateCreditNote(home_client_id=home, written_client_id=home, body=body))
    assert (draft["status"], draft["number"]) == ("draft", None)
    assert call(c.IssueCreditNote(id=draft["id"]))["status"] == "used"
    assert billing.get(invoice["id"])["remaining"] == "108.00"
    stranger = billing.client()
    with pytest.raises(Invalid):
        call(c.CreateCreditNote(home_client_id=stranger, written_client_id=stranger, body=body))


def test_balances_and_overdue_days(billing: Billing) -> None:
    home, call = billing.client(), billing.service.call
    late = billing.issued(home, due_on="2020-01-01")
    billing.issued(home, due_on="2999-01-01")
    details = call(c.GetDetails(client_id=home))
    assert (details["balance_due"], details["balance_overdue"]) == ("240.00", "120.00")
    overdue = call(c.ListInvoices(tree=[home], overdue=True))["items"]
    assert [item["id"] for item in overdue] == [late["id"]]
    assert overdue[0]["overdue_days"] > 2000
    assert len(call(c.ListInvoices(tree=[home], overdue=False))["items"]) == 1


def test_details_are_kept_write_by_write_and_an_iban_is_checked(billing: Billing) -> None:
    home = billing.client(billable=False)
    empty = billing.service.call(c.GetDetails(client_id=home))
    c.Details.model_validate(empty)
    assert (empty["version"], empty["payer_id"], empty["iban"]) == (0, str(home), None)
    first = billing.details(home, iban="FR76 3000 6000 0112 3456 7890 189", payment_means="transfer")
    assert first["version"] == 1
    billing.details(home, payment_means="cheque", iban="FR7630006000011234567890189")
    writes = billing.service.sql(
        "SELECT field, value, forest FROM billing_field_write WHERE home_client_id = :home ORDER BY seq", home=home
    )
    assert [(row.field, row.value) for row in writes] == [
        ("iban", "FR7630006000011234567890189"),
        ("payment_means", "transfer"),
        ("payment_means", "cheque"),
    ]
    with pytest.raises(ValueError):
        billing.details(home, iban="FR7630006000011234567890188")
    with pytest.raises(Stale):
        billing.service.call(
            c.UpdateDetails(
                home_client_id=home,
                written_client_id=home,
                expected_version=1,
                changes=c.DetailsChanges(payment_means="card"),
            )
        )
    cleared = billing.details(home, iban=None)
    assert cleared["iban"] is None


def test_a_company_is_checked_and_told(billing: Billing) -> None:
    call = billing.service.call
    company = c.Company.model_validate(call(c.GetCompany()))
    assert (company.complete, company.missing) == (True, [])
    with pytest.raises(Invalid):
        call(c.UpdateCompany(changes=c.CompanyChanges(siren="552100554")))
    with pytest.raises(ValueError):
        c.CompanyChanges(timezone="Europe/Rennes")
    with pytest.raises(Stale):
        call(c.UpdateCompany(expected_version=company.version + 1, changes=c.CompanyChanges(rcs="x")))
    assert billing.service.events("company.updated")[-1]["data"]["timezone"] == "Europe/Paris"


def test_the_fiche_has_all_sections_in_a_bounded_number_of_queries(billing: Billing) -> None:
    home = billing.client()
    for _ in range(7):
        billing.quote(home)
    invoice = billing.issued(home)
    billing.credit(invoice["id"], {**LINE, "unit_price": "10"})
    answer = billing.service.call(c.BillingFiche(client_id=home, limit=3))
    sections = answer["sections"]
    assert answer["tree"] == [str(home)]
    assert {name: section.get("count") for name, section in sections.items()} == {
        "quotes": 7,
        "invoices": 1,
        "credit_notes": 1,
        "billing": None,
    }
    assert len(sections["quotes"]["items"]) == 3
    rest = billing.service.call(c.ListQuotes(tree=[home], cursor=sections["quotes"]["next"]))
    assert len(rest["items"]) == 4
    assert sections["billing"]["data"]["balance_due"] == "108.00"


def test_a_merged_client_shows_the_rows_of_its_tree_under_the_living_one(billing: Billing) -> None:
    survivor, duplicate = billing.client("Survivant"), billing.client("Doublon")
    invoice = billing.issued(duplicate)
    billing.service.sql(
        "INSERT INTO client_alias (id, parent_id, merge_id, root_id) VALUES (:d, :s, :m, :s)",
        d=duplicate,
        s=survivor,
        m=new_id(),
    )
    answer = billing.service.call(c.BillingFiche(client_id=duplicate))
    assert answer["tree"] == [str(survivor), str(duplicate)]
    [item] = answer["sections"]["invoices"]["items"]
    assert (item["client_id"], item["written_client_id"]) == (str(survivor), str(duplicate))
    assert item["payer_id"] == str(survivor)
    assert item["payer"]["name"] == "Doublon"
    assert answer["sections"]["billing"]["data"]["balance_due"] == "120.00"
    assert billing.get(invoice["id"])["number"] == invoice["number"]


def test_numbered_documents_tie_a_client_and_strangers_are_told(billing: Billing) -> None:
    home = billing.client()
    quote, invoice = billing.quote(home), billing.issued(home)
    ties = billing.service.call(c.ClientTies(tree=[home]))
    assert ties == {"quotes": 0, "invoices": 1, "credit_notes": 0, "pays_for": 0}
    foreign = new_id()
    checked = billing.service.call(c.CheckBilling(ids=[quote["id"], invoice["id"], foreign], tree=[home]))
    assert checked == {"foreign": [str(foreign)]}


def test_an_address_known_a_moment_later_is_waited_for(billing: Billing, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address made just before the issue comes by an event that may still be on its way."""
    import threading

    monkeypatch.setattr("services.billing.commands.content.ADDRESS_WAIT_S", 60)
    home, address = billing.client(billable=False), new_id()
    billing.details(home, billing_name="Tout Neuf", billing_address_id=address)
    draft = billing.invoice(home)
    event = clients.AddressCreated(
        id=address, home_client_id=home, client_id=home, label="", street="1 rue Neuve", street_extra="",
        postal_code="35000", city="Rennes", country="FR", place_id=None, retired=False,
    )  # fmt: skip
    timer = threading.Timer(0.2, billing.service.tell, [event])
    timer.start()
    try:
        issued = billing.service.call(c.IssueInvoice(id=draft["id"]))
    finally:
        timer.join()
    assert issued["payer"]["street"] == "1 rue Neuve"
