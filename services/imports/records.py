"""What every source yields: normalised records, in an order where each is told after what it refers to.

Fields are named as in the bodies of the HTTP API. A reference to another record is an *outside reference*,
a string such as `dolibarr:societe:12`, and its field ends in `_ref`; the import service knows which id each
became. `parts` names the other rows of the source that went into the record (lines, tags, bank account…), so
that every row can be accounted for: it is the `ref` of a record, one of its `parts`, or a `Refused`.

Money and quantities are `Decimal` as written in the source, moments are aware, texts are plain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

#: Values of custom fields as the source wrote them, by key.
Values = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Base of all records: `ref` is unique in the source and stable between two readings of it."""

    ref: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that does not come in, with the reason, in French, for the person who reads the list."""

    table: str
    rowid: str
    reason: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What a person should know about a row that comes in (a total that differs, a value left out)."""

    table: str
    rowid: str
    text: str


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
    mobile: str | None = None
    notes: str = ""
    active: bool = True


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
    automatic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InterventionType(Record):
    """A type of intervention."""

    name: str
    free_of_charge: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSite(Record):
    """A job site (*chantier*); `status` is not_started, in_progress or done."""

    client_ref: str
    title: str
    number: str | None = None
    description: str = ""
    status: str = "not_started"
    starts_on: date | None = None
    ends_on: date | None = None
    address_ref: str | None = None
    estimated_hours: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkLine:
    """A line of a report: what was done, when, for how many minutes."""

    text: str
    done_at: datetime | None
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention(Record):
    """An intervention or an appointment; `state` is to_plan, planned, in_progress, done or cancelled."""

    client_ref: str
    title: str
    kind: str = "intervention"
    type_ref: str | None = None
    number: str | None = None
    state: str = "to_plan"
    address_ref: str | None = None
    lead_technician_ref: str | None = None
    technician_refs: tuple[str, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    has_appointment: bool = False
    needs_quote: bool = False
    billable: bool = True
    invoiced: bool = False
    archived: bool = False
    priority: str | None = None
    client_reference: str | None = None
    contact_ref: str | None = None
    equipment_refs: tuple[str, ...] = ()
    job_site_ref: str | None = None
    plan_ref: str | None = None
    description: str = ""
    report_text: str = ""
    work_lines: tuple[WorkLine, ...] = ()
    minutes: int = 0
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """A line of a quote, invoice or credit note. Totals are those of the source, never computed again.

    `kind` is line, or section for a title without an amount. A unit price is never negative: the quantity is.
    """

    label: str
    kind: str = "line"
    quantity: Decimal = Decimal(1)
    unit_price: Decimal = Decimal(0)
    discount_percent: Decimal = Decimal(0)
    vat_rate: Decimal = Decimal(0)
    total_excl_tax: Decimal = Decimal(0)
    total_tax: Decimal = Decimal(0)
    total_incl_tax: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommercialDocument(Record):
    """What quotes, invoices and credit notes have in common. `number` is None on a draft that has none yet.

    `total_other_taxes` (local taxes, revenue stamp) is in `total_incl_tax` and not in `total_tax`.
    """

    client_ref: str
    number: str | None
    status: str
    issued_on: date | None
    lines: tuple[DocumentLine, ...]
    total_excl_tax: Decimal
    total_tax: Decimal
    total_incl_tax: Decimal
    total_other_taxes: Decimal = Decimal(0)
    currency: str = "EUR"
    client_reference: str | None = None
    job_site_ref: str | None = None
    intervention_refs: tuple[str, ...] = ()
    address_ref: str | None = None
    title: str = ""
    notes: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote(CommercialDocument):
    """A quote; `status` is draft, finalised, sent, accepted, refused, cancelled or invoiced."""

    valid_until: date | None = None
    decided_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice(CommercialDocument):
    """An invoice; `kind` is standard, replacement, deposit or progress.

    `status` is draft, issued, paid or cancelled (given up).
    """

    kind: str = "standard"
    due_on: date | None = None
    quote_ref: str | None = None
    replaces_ref: str | None = None
    close_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote(CommercialDocument):
    """A credit note, totals positive; `invoice_ref` is what it corrects."""

    invoice_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment(Record):
    """Money put on one invoice (or, `on_credit_note`, paid back on a credit note)."""

    document_ref: str
    amount: Decimal
    paid_on: date
    means: str | None = None
    reference: str | None = None
    on_credit_note: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment(Record):
    """Something installed at a client's address."""

    client_ref: str
    name: str
    address_ref: str | None = None
    type: str | None = None
    description: str = ""
    brand: str | None = None
    model: str | None = None
    serial_number: str | None = None
    reference: str | None = None
    parent_ref: str | None = None
    purchased_on: date | None = None
    installed_on: date | None = None
    warranty_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Record):
    """A maintenance plan: `visits_per_period` a `period` (month, quarter, half_year, year), or `rrule`."""

    client_ref: str
    title: str
    starts_on: date
    ends_on: date | None = None
    visits_per_period: int | None = None
    period: str | None = None
    rrule: str | None = None
    status: str = "active"
    address_ref: str | None = None
    equipment_refs: tuple[str, ...] = ()
    assignee_ref: str | None = None
    contract_reference: str | None = None
    description: str = ""
    #: Visits due before this day are not made; the day of the import where None.
    visits_from: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedVisit(Record):
    """A visit of a plan that has its date and people."""

    plan_ref: str
    starts_at: datetime
    ends_at: datetime | None = None
    technician_refs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Record):
    """A file known by name only: its content is not in the source and is marked as missing."""

    client_ref: str
    name: str
    folder: str
    description: str = ""
    about_ref: str | None = None
    created_at: datetime | None = None
    author_ref: str | None = None


Item = Record | Refused | Notice
