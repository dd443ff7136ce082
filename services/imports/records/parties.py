"""People and companies: staff, clients and what hangs on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from services.imports.records.base import Record

#: Values of custom fields as the source wrote them, by key.
Values = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Record):
    """A member of staff. `role` is one of administrator, manager, office, salesperson, technician."""

    login: str
    first_name: str | None
    last_name: str
    email: str | None = None
    phone: str | None = None
    job_title: str | None = None
    role: str = "office"
    technician: bool = False
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomField(Record):
    """Definition of a custom field of clients; `kind` is text, number, date, choice or boolean."""

    key: str
    label: str
    kind: str = "text"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Client(Record):
    """A client record; `display_name` is what the source calls it, kept also for a private person."""

    kind: str
    stage: str
    status: str = "active"
    display_name: str
    company_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    reference: str | None = None
    registration_number: str | None = None
    siret: str | None = None
    vat_number: str | None = None
    email: str | None = None
    phone: str | None = None
    secondary_phone: str | None = None
    website: str | None = None
    sales_rep_ref: str | None = None
    tags: tuple[str, ...] = ()
    custom_fields: Values = field(default_factory=dict)
    memo: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Billing(Record):
    """How a client is billed."""

    client_ref: str
    billing_name: str | None = None
    billing_address_ref: str | None = None
    payment_terms: str | None = None
    payment_means: str | None = None
    iban: str | None = None
    accounting_account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address(Record):
    """An address of a client; the first told of a client is its main one."""

    client_ref: str
    label: str | None = None
    street: str | None = None
    street_extra: str | None = None
    postal_code: str | None = None
    city: str | None = None
    country: str = "FR"
    access_notes: str | None = None
    is_main: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact(Record):
    """A person to speak to at a client."""

    client_ref: str
    first_name: str | None
    last_name: str | None
    role: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation(Record):
    """A link between clients; `type` says what the other is to `client_ref`, the upper end of a hierarchy."""

    client_ref: str
    other_client_ref: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity(Record):
    """An exchange with a client; `automatic` ones were written by the source itself."""

    client_ref: str
    kind: str
    direction: str | None
    occurred_at: datetime
    subject: str
    body: str = ""
    contact_ref: str | None = None
    author_ref: str | None = None
    author_name: str | None = None
    automatic: bool = False
