"""Issuing: the number, the frozen data, the chain. What lacks is told field by field before a number is taken."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from chassis.errors import Conflict, Invalid
from chassis.stamp import check_version, lock, touch
from chassis.uow import UnitOfWork
from contracts import billing as c
from services.billing import queries
from services.billing.commands import numbering
from services.billing.commands.drafts import lines_of
from services.billing.commands.facts import ABSENT, company_of, details_of, document_facts, payer_of, today
from services.billing.commands.numbering import give_number, refuse_unfit
from services.billing.model import CreditNote, Invoice, KnownParty
from services.billing.model.terms import due_date
from services.kit.homes import root_of

#: Seconds that an issue waits for an address that was made a moment ago and is still on its way as an event.
ADDRESS_WAIT_S = 1.0

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
    _number(uow, row, "F", {"due_on": row.due_on.isoformat(), "kind": row.kind})
    uow.emit(c.InvoiceIssued(**document_facts(uow, row)))
    return queries.get_invoice(uow.session, row.id)


def freeze(uow: UnitOfWork, row: Invoice | CreditNote, parties: Sequence[c.Party]) -> str | None:
    """Sets day, payer and the frozen data of a locked draft; returns the payer's payment terms. Raises `Invalid`."""
    lines = lines_of(uow, row)
    refuse_unfit(row, lines)
    client = root_of(uow.session, row.home_client_id)
    payer = payer_of(uow.session, client)
    known = {party.id: party for party in parties}
    seller = company_of(uow.session)
    errors = [
        {"field": f"company.{name}", "message": f"Il manque {_COMPANY_WORDS[name]} de votre entreprise."}
        for name in missing_of_company(seller, taxed=row.total_tax != 0)
    ]
    billed, lacking, terms = _billed(uow, client, payer, known.get(payer))
    if errors or lacking:
        raise Invalid(
            "Cette facture ne peut pas être émise\u202f: complétez ce qui manque.",
            code="incomplete",
            errors=[*errors, *lacking],
        )
    row.issued_on = row.dated_on = today(uow)
    row.payer_id = payer
    row.frozen = {
        "issued_on": row.issued_on.isoformat(),
        "currency": row.currency,
        "seller": {
            name: getattr(seller, name)
            for name in (
                *("legal_name", "legal_form", "siren", "siret", "rcs", "vat_number"),
                *("street", "postal_code", "city", "iban"),
            )
        },
        "payer": billed,
        "client": {"name": _client_name(uow, client, known.get(client)) or billed["name"]},
        "work_address": _address(uow, row.address_id) if row.address_id else None,
        "title": row.title,
        "client_reference": row.client_reference,
        "notes": row.notes,
        "lines": [
            {"kind": line.kind, "label": line.label, "total_excl_tax": _plain(line.total_excl_tax)}
            | {name: _plain(getattr(line, name)) for name in ("quantity", "unit_price", "discount_percent", "vat_rate")}
            for line in lines
        ],
        "taxes": row.taxes,
        "total_excl_tax": _plain(row.total_excl_tax),
        "total_tax": _plain(row.total_tax),
        "total_incl_tax": _plain(row.total_incl_tax),
    }
    return terms


def _number(uow: UnitOfWork, row: Any, series: str, extra: dict[str, Any]) -> None:
    """The last act before the commit: everything that can fail has been done."""
    row.number, previous = give_number(uow, series, row.issued_on.year)
    numbering.chain(uow, row, series, row.frozen | extra | {"number": row.number}, previous)
    uow.session.flush()


def number_credit_note(uow: UnitOfWork, row: CreditNote, invoice: Invoice | None) -> None:
    """Numbers a frozen credit note."""
    _number(uow, row, "A", {"corrects": invoice.number if invoice else None, "reason": row.reason})


def _billed(
    uow: UnitOfWork, client: uuid.UUID, payer: uuid.UUID, known: c.Party | None
) -> tuple[dict[str, Any], list[dict[str, str]], str | None]:
    """Name and address of who is billed, what lacks of it, and its payment terms.

    The client itself is billed under the billing name and address of its record; a payer that is another client may
    have none, and is then billed under its own name at its main address.
    """
    session, other = uow.session, payer != client
    party = session.get(KnownParty, payer)
    details = details_of(session, payer)
    name = details.billing_name if details else None
    address_id = details.billing_address_id if details else None
    if other:
        name = name or _client_name(uow, payer, known)
        address_id = address_id or (party.main_address_id if party else None)
    address = _address(uow, address_id, known) if address_id else None
    whose = "du payeur" if other else "du client"
    errors = []
    if not name:
        errors.append({"field": "billing_name", "message": f"Il manque le nom de facturation {whose}."})
    if address is None:
        errors.append({"field": "billing_address_id", "message": f"Il manque l’adresse de facturation {whose}."})
    own = details_of(session, client)
    terms = (details.payment_terms if details else None) or (own.payment_terms if own else None)
    siret = (known.siret if known else "") or (party.siret if party else "")
    vat_number = (known.vat_number if known else "") or (party.vat_number if party else "")
    billed = {"name": name, **(address or {}), "siret": siret, "vat_number": vat_number}
    return billed, errors, terms


def _client_name(uow: UnitOfWork, client: uuid.UUID, known: c.Party | None) -> str:
    if known is not None and known.name:
        return known.name
    found = uow.session.execute(text("SELECT display_name FROM known_client WHERE id = :id"), {"id": client})
    return str(found.scalar_one_or_none() or "")


def _address(uow: UnitOfWork, address_id: uuid.UUID, known: c.Party | None = None) -> dict[str, str] | None:
    """An address as the door passed it, or as its events told; waits a moment for one that was just made."""
    if known is not None and known.street and known.city:
        return {"street": known.street, "postal_code": known.postal_code, "city": known.city}
    deadline = time.monotonic() + ADDRESS_WAIT_S
    while True:
        row = uow.session.execute(
            text("SELECT street, postal_code, city FROM known_address WHERE id = :id"), {"id": address_id}
        ).one_or_none()
        if row is not None:
            return {"street": row.street, "postal_code": row.postal_code, "city": row.city}
        if time.monotonic() > deadline:
            return None
        time.sleep(0.05)


def _plain(value: Decimal) -> str:
    return f"{value:f}"
