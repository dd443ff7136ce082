"""The company itself, how a client is billed, and what an invoice says of a client."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from contracts.base import DecimalText, Flag, Id, Line, Model, Moment, Resource
from contracts.billing.shapes import Operations
from contracts.fields import Email, Iban, Phone, Siren, Siret, VatNumber, Website


def _known_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("Ce fuseau horaire n’existe pas (exemple\u202f: Europe/Paris).")
    return value


TimeZone = Annotated[str, Field(max_length=64), AfterValidator(_known_zone)]


class Party(Model):
    """A client as the door knows it; frozen at issue. What is empty comes from what events told.

    `street` to `city` are those of its billing address.
    """

    id: Id
    name: Line = ""
    siret: Line = ""
    vat_number: Line = ""
    street: Line = ""
    postal_code: Line = ""
    city: Line = ""


class CompanyChanges(Model):
    """Merge patch of the company's legal identity."""

    legal_name: Line = ""
    legal_form: Line = ""
    siren: Siren = ""
    siret: Siret = ""
    rcs: Line = ""
    vat_number: VatNumber = ""
    street: Line = ""
    postal_code: Line = ""
    city: Line = ""
    iban: Iban = ""
    timezone: TimeZone = "Europe/Paris"
    #: As the papers of a company bear it: « SARL au capital de 10 000 € » (Code de commerce, R123-238).
    share_capital: Line = ""
    email: Email = ""
    phone: Phone = ""
    website: Website = ""
    insurance: Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")] = ""
    #: Terms of a client that has none of its own.
    payment_terms: Line = ""
    #: Rate of late penalties, in words; empty: three times the legal interest rate.
    late_penalty: Line = ""
    #: Terms of a discount for early payment, in words; empty: none.
    early_discount: Line = ""
    #: Why the company's lines at 0 % bear no VAT; empty: article 293 B of the CGI for a company without a VAT number.
    vat_mention: Line = ""
    #: VAT is due on debits rather than on receipts (CGI, article 269, 2, c), told on each invoice.
    vat_on_debits: Flag = False
    operations: Operations = "services"


class Company(Resource):
    """The company itself. `missing` names what issuing an invoice still asks for."""

    legal_name: str
    legal_form: str
    siren: str
    siret: str
    rcs: str
    vat_number: str
    street: str
    postal_code: str
    city: str
    iban: str
    timezone: str
    share_capital: str
    email: str
    phone: str
    website: str
    insurance: str
    payment_terms: str
    late_penalty: str
    early_discount: str
    vat_mention: str
    vat_on_debits: bool
    operations: Operations
    complete: bool
    missing: list[str]


class DetailsChanges(Model):
    """Merge patch of how a client is billed; null empties a field."""

    billing_name: Line | None = None
    billing_address_id: Id | None = None
    payer_id: Id | None = None
    payment_terms: Line | None = None
    payment_means: Line | None = None
    iban: Iban | None = None
    accounting_account: Line | None = None
    invoice_contact_id: Id | None = None


class Details(Model):
    """How a client is billed. `id` is the client's; version 0 where nothing was ever written."""

    id: Id
    client_id: Id
    version: int
    created_at: Moment | None
    created_by: dict[str, Any] | None
    updated_at: Moment | None
    updated_by: dict[str, Any] | None
    billing_name: str | None
    billing_address_id: Id | None
    billing_address: dict[str, Any] | None
    payer_id: Id
    payer: dict[str, Any]
    pays_for: list[dict[str, Any]]
    payment_terms: str | None
    payment_means: str | None
    iban: str | None
    accounting_account: str | None
    invoice_contact_id: Id | None
    balance_due: DecimalText
    balance_overdue: DecimalText
    #: Paid above totals, and what is left of credit notes.
    credit_available: DecimalText
