"""What a document says: who sells, who is billed, the lines, the terms. Frozen at issue; a draft's is of today."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from contracts import billing as c
from services.billing.commands.facts import company_of, details_of
from services.billing.model import Company, CreditNote, Invoice, KnownParty, Quote

#: Seconds that an issue waits for an address that was made a moment ago and is still on its way as an event.
ADDRESS_WAIT_S = 1.0
_SELLER = (
    *("legal_name", "legal_form", "share_capital", "siren", "siret", "rcs", "vat_number"),
    *("street", "postal_code", "city", "iban", "phone", "email", "website", "insurance"),
)


@dataclass(frozen=True)
class Buyer:
    """Who is billed, what lacks of it (as errors of fields), and its payment terms and means."""

    data: dict[str, Any]
    lacking: list[dict[str, str]]
    terms: str | None
    means: str | None


def content(
    session: Session,
    row: Quote | Invoice | CreditNote,
    lines: Sequence[Any],
    buyer: Buyer,
    client_name: str,
) -> dict[str, Any]:
    """The whole of a document as plain values: what is frozen, hashed and printed. `issued_on` must be set."""
    seller = company_of(session)
    day = row.issued_on or row.dated_on
    return {
        "issued_on": day.isoformat(),
        "currency": row.currency,
        "seller": {name: getattr(seller, name, "") for name in _SELLER},
        "payer": buyer.data,
        "client": {"name": client_name or buyer.data["name"]},
        "work_address": address(session, row.address_id) if row.address_id else None,
        "title": row.title,
        "client_reference": row.client_reference,
        "notes": row.notes,
        "lines": [
            {"kind": line.kind, "label": line.label, "total_excl_tax": plain(line.total_excl_tax)}
            | {name: plain(getattr(line, name)) for name in ("quantity", "unit_price", "discount_percent", "vat_rate")}
            for line in lines
        ],
        "taxes": row.taxes,
        "total_excl_tax": plain(row.total_excl_tax),
        "total_tax": plain(row.total_tax),
        "total_other_taxes": plain(row.total_other_taxes),
        "total_incl_tax": plain(row.total_incl_tax),
        "terms": {
            "payment_terms": buyer.terms or (seller.payment_terms if seller else ""),
            "payment_means": buyer.means or "",
            "late_penalty": seller.late_penalty if seller else "",
            "early_discount": seller.early_discount if seller else "",
        },
        "vat_mention": vat_mention(row, lines, seller),
        "vat_on_debits": bool(seller and seller.vat_on_debits),
        "operations": row.operations or (seller.operations if seller else "services"),
    }


def own_content(
    row: Any, *, number: str | None, corrects: str | None = None, quote: str | None = None
) -> dict[str, Any]:
    """What only documents of this kind say. `corrects` and `quote` are numbers of others."""
    if isinstance(row, Quote):
        valid = row.valid_until.isoformat() if row.valid_until else None
        return {"document": "quote", "valid_until": valid, "number": number}
    if isinstance(row, Invoice):
        due = row.due_on.isoformat() if row.due_on else None
        supplied = row.supplied_on.isoformat() if row.supplied_on else None
        own = {"document": "invoice", "due_on": due, "kind": row.kind, "number": number, "supplied_on": supplied}
        return own | ({"quote": quote} if quote else {})
    return {"document": "credit_note", "corrects": corrects, "reason": row.reason, "number": number}


def vat_mention(row: Any, lines: Sequence[Any], seller: Company | None) -> str:
    """Why lines at 0 % bear no VAT (CGI, annexe II, 242 nonies A, I, 12°); empty where all of them bear some."""
    if not any(line.kind == "line" and line.vat_rate == 0 for line in lines):
        return ""
    usual = seller.vat_mention if seller else ""
    if row.vat_mention or usual:
        return str(row.vat_mention or usual)
    if seller is None or not seller.vat_number:
        return "TVA non applicable, article 293 B du CGI."
    return "Exonération de TVA."


def buyer_of(
    session: Session, client: uuid.UUID, payer: uuid.UUID, known: c.Party | None, *, lenient: bool = False
) -> Buyer:
    """Name and address of who is billed, and what lacks of them.

    The client itself is billed under the billing name and address of its record; a payer that is another client may
    have none, and is then billed under its own name at its main address. So is anyone where `lenient`: a quote may
    go out before the details of billing are known.
    """
    other = payer != client
    party = session.get(KnownParty, payer)
    details = details_of(session, payer)
    name = details.billing_name if details else None
    address_id = details.billing_address_id if details else None
    if other or lenient:
        name = name or name_of(session, payer, known)
        address_id = address_id or (party.main_address_id if party else None)
    where = address(session, address_id, known) if address_id else None
    whose = "du payeur" if other else "du client"
    lacking = []
    if not name:
        lacking.append({"field": "billing_name", "message": f"Il manque le nom de facturation {whose}."})
    if where is None:
        lacking.append({"field": "billing_address_id", "message": f"Il manque l’adresse de facturation {whose}."})
    own = details_of(session, client)
    siret = (known.siret if known else "") or (party.siret if party else "")
    vat_number = (known.vat_number if known else "") or (party.vat_number if party else "")
    return Buyer(
        {"name": name or "", **(where or {}), "siret": siret, "vat_number": vat_number},
        lacking,
        (details.payment_terms if details else None) or (own.payment_terms if own else None),
        (details.payment_means if details else None) or (own.payment_means if own else None),
    )


def quote_number(session: Session, row: Any) -> str | None:
    """The number of the quote that an invoice is made of."""
    quote = session.get(Quote, row.quote_id) if isinstance(row, Invoice) and row.quote_id else None
    return quote.number if quote else None


def name_of(session: Session, client: uuid.UUID, known: c.Party | None = None) -> str:
    """A client's name as the door passed it, or as its events told."""
    if known is not None and known.name:
        return known.name
    found = session.execute(text("SELECT display_name FROM known_client WHERE id = :id"), {"id": client})
    return str(found.scalar_one_or_none() or "")


def address(session: Session, address_id: uuid.UUID, known: c.Party | None = None) -> dict[str, str] | None:
    """An address as the door passed it, or as its events told; waits a moment for one that was just made."""
    if known is not None and known.street and known.city:
        return {"street": known.street, "postal_code": known.postal_code, "city": known.city}
    deadline = time.monotonic() + ADDRESS_WAIT_S
    while True:
        row = session.execute(
            text("SELECT street, postal_code, city FROM known_address WHERE id = :id"), {"id": address_id}
        ).one_or_none()
        if row is not None:
            return {"street": row.street, "postal_code": row.postal_code, "city": row.city}
        if time.monotonic() > deadline:
            return None
        time.sleep(0.05)


def plain(value: Decimal) -> str:
    """A decimal's own digits."""
    return f"{value:f}"
