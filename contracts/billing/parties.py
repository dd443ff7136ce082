"""The company itself, how a client is billed, and what an invoice says of a client."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from contracts.base import DecimalText, Id, Line, Model, Moment, Resource
from contracts.fields import Iban, Siren, Siret, VatNumber


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
