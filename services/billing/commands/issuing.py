"""Issuing: the number, the frozen data, the chain. What lacks is told field by field before a number is taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chassis.errors import Conflict, Invalid
from chassis.stamp import check_version, lock, touch
from chassis.uow import UnitOfWork
from contracts import billing as c
from services.billing import queries
from services.billing.commands import numbering
from services.billing.commands.content import buyer_of, content, name_of, own_content, quote_number, vat_mention
from services.billing.commands.drafts import lines_of
from services.billing.commands.facts import ABSENT, company_of, document_facts, payer_of, today
from services.billing.commands.files import ask_file
from services.billing.commands.numbering import give_number, refuse_unfit
from services.billing.model import CreditNote, Invoice
from services.billing.model.terms import due_date
from services.kit.homes import root_of

_COMPANY_WORDS = {
    "legal_name": "la raison sociale",
    "siret": "le SIRET (ou le SIREN)",
    "vat_number": "le numéro de TVA",
    "street": "la rue",
    "postal_code": "le code postal",
    "city": "la ville",
}


def missing_of_company(company: Any, *, taxed: bool = True) -> list[str]:
    """Fields that an invoice must bear and the company's identity lacks (Code de commerce R123-237, CGI ann. II 242 A).

    The VAT number is asked for where VAT is charged.
    """
    fields = [name for name in ("legal_name", "street", "postal_code", "city") if not getattr(company, name, "")]
    if not (getattr(company, "siret", "") or getattr(company, "siren", "")):
        fields.append("siret")
    if taxed and not getattr(company, "vat_number", ""):
        fields.append("vat_number")
    return fields


def issue_invoice(uow: UnitOfWork, request: c.IssueInvoice) -> bytes:
    """Numbers and freezes a draft. Raises `Stale`, `Conflict` when it is none, `Invalid` telling all that lacks."""
    row = lock(uow.session, Invoice, request.id, ABSENT[Invoice])
    check_version(row, request.expected_version)
    if row.status != "draft":
        raise Conflict("Cette facture est déjà émise.", code="issued", data={"status": row.status})
    terms = freeze(uow, row, request.parties)
    row.due_on = row.due_on or due_date(row.issued_on or today(uow), terms)
    row.status = "paid" if row.total_incl_tax == 0 else "issued"
    touch(uow, row)
    _number(uow, row, "F")
    uow.emit(c.InvoiceIssued(**document_facts(uow, row)))
    return queries.get_invoice(uow.session, row.id)


def freeze(uow: UnitOfWork, row: Invoice | CreditNote, parties: Sequence[c.Party]) -> str | None:
    """Sets day, payer and the frozen data of a locked draft; returns the payer's payment terms. Raises `Invalid`."""
    lines = lines_of(uow, row)
    refuse_unfit(row, lines)
    session = uow.session
    client = root_of(session, row.home_client_id)
    payer = payer_of(session, client)
    known = {party.id: party for party in parties}
    seller = company_of(session)
    errors = [
        {"field": f"company.{name}", "message": f"Il manque {_COMPANY_WORDS[name]} de votre entreprise."}
        for name in missing_of_company(seller, taxed=row.total_tax != 0)
    ]
    buyer = buyer_of(session, client, payer, known.get(payer))
    errors += _vat_numbers(row, lines, seller, buyer)
    if errors or buyer.lacking:
        raise Invalid(
            "Cette facture ne peut pas être émise\u202f: complétez ce qui manque.",
            code="incomplete",
            errors=[*errors, *buyer.lacking],
        )
    row.issued_on = row.dated_on = today(uow)
    row.payer_id = payer
    row.frozen = content(session, row, lines, buyer, name_of(session, client, known.get(client)))
    return buyer.terms or (seller.payment_terms if seller else None)


def _vat_numbers(row: Any, lines: Sequence[Any], seller: Any, buyer: Any) -> list[dict[str, str]]:
    """Where the buyer owes the VAT, both VAT numbers are on the invoice (CGI, ann. II, 242 nonies A, I, 3° and 4°)."""
    mention = vat_mention(row, lines, seller).lower()
    if "autoliquidation" not in mention and "262 ter" not in mention:
        return []
    found = []
    if not getattr(seller, "vat_number", ""):
        found.append({"field": "company.vat_number", "message": "Il manque le numéro de TVA de votre entreprise."})
    if not buyer.data["vat_number"]:
        found.append(
            {"field": "vat_number", "message": "Il manque le numéro de TVA du client\u202f: c’est lui qui doit la TVA."}
        )
    return found


def _number(uow: UnitOfWork, row: Any, series: str, corrects: str | None = None) -> None:
    """The last act before the commit: everything that can fail has been done."""
    row.number, previous = give_number(uow, series, row.issued_on.year)
    own = own_content(row, number=row.number, corrects=corrects, quote=quote_number(uow.session, row))
    numbering.chain(uow, row, series, row.frozen | own, previous)
    ask_file(uow, row)
    uow.session.flush()


def number_credit_note(uow: UnitOfWork, row: CreditNote, invoice: Invoice | None) -> None:
    """Numbers a frozen credit note."""
    _number(uow, row, "A", invoice.number if invoice else None)
