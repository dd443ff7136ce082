"""Bodies and answers of what belongs to a client: addresses, contacts, relations, activities."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from contracts.base import Flag, Id, Line, Model, Moment, Resource, Text
from contracts.clients.shapes import NullIsEmpty
from contracts.fields import Email, Phone, at_field

AddressRole = Literal["owner", "tenant", "agent"]
ActivityKind = Literal["call", "email", "sms", "visit", "note"]
#: Of what the system tells by itself.
ToldKind = Literal[
    "quote",
    "invoice",
    "credit_note",
    "payment",
    "intervention",
    "job_site",
    "maintenance",
    "equipment",
    "document",
    "merge",
]
ActivityFilter = Literal[
    "call", "email", "sms", "visit", "note", "automatic",
    "quote", "invoice", "credit_note", "payment", "intervention", "job_site", "maintenance", "equipment", "document",
]  # fmt: skip
Direction = Literal["in", "out"]
#: What the other client is to this one.
RelationType = Literal[
    "head_office", "branch", "owner", "tenant", "managing_agent", "building", "principal", "subcontractor"
]


class AddressBody(NullIsEmpty):
    """An address of a client, a view of a place. `place_id` given: an address at a place that is known."""

    label: Line = ""
    street: Line = ""
    street_extra: Line = ""
    postal_code: Line = ""
    city: Line = ""
    country: str = Field(default="FR", pattern=r"^[A-Z]{2}$")
    access_notes: Text = ""
    role: AddressRole | None = None
    place_id: Id | None = None
    is_main: Flag = False

    @model_validator(mode="after")
    def _somewhere(self) -> AddressBody:
        if not (self.street or self.city or self.postal_code or self.place_id):
            raise at_field("street", "Donnez une rue, un code postal ou une ville.")
        return self


class AddressChanges(NullIsEmpty):
    """JSON merge patch of an address. `is_main` can be set, not taken away; `place_id` says it lies elsewhere."""

    label: Line = ""
    street: Line = ""
    street_extra: Line = ""
    postal_code: Line = ""
    city: Line = ""
    country: str = Field(default="FR", pattern=r"^[A-Z]{2}$")
    access_notes: Text = ""
    role: AddressRole | None = None
    place_id: Id | None = None
    is_main: Flag = False
    retired: Flag = False


class AddressView(Resource):
    """An address as answered. Exactly one of a client's living addresses is main."""

    client_id: Id
    written_client_id: Id | None
    label: str
    street: str
    street_extra: str
    postal_code: str
    city: str
    country: str
    access_notes: str
    role: AddressRole | None
    place_id: Id
    is_main: bool
    retired: bool


class ContactBody(NullIsEmpty):
    """A person at a client, with phone and e-mail of their own."""

    first_name: Line = ""
    last_name: Line = ""
    role: Line = ""
    email: Email = ""
    phone: Phone = ""
    portal_access: Flag = False

    @model_validator(mode="after")
    def _named(self) -> ContactBody:
        if not (self.first_name or self.last_name or self.email or self.phone):
            raise at_field("last_name", "Donnez un nom, un e-mail ou un téléphone.")
        if self.portal_access and not self.email:
            raise at_field("email", "L’accès au portail demande une adresse e-mail.")
        return self


class ContactChanges(NullIsEmpty):
    """JSON merge patch of a contact."""

    first_name: Line = ""
    last_name: Line = ""
    role: Line = ""
    email: Email = ""
    phone: Phone = ""
    portal_access: Flag = False


class ContactView(Resource):
    """A contact as answered."""

    client_id: Id
    written_client_id: Id | None
    first_name: str
    last_name: str
    name: str
    role: str
    email: str
    phone: str
    phone_e164: str
    phone_display: str
    portal_access: bool


class FoundContact(ContactView):
    """A contact found across clients, with the client it stands under."""

    client: dict[str, Any]


class RelationBody(Model):
    """A link: `type` says what the other client is to this one."""

    type: RelationType
    other_client_id: Id


class RelationChanges(Model):
    """JSON merge patch of a relation: only its type."""

    type: RelationType


class RelationView(Resource):
    """A relation as seen from one end; both ends named."""

    client_id: Id
    type: RelationType
    label: str
    hierarchical: bool
    other_client_id: Id
    other: dict[str, Any]


class ActivityBody(NullIsEmpty):
    """An exchange logged by hand. `document_ids`: what was joined to it, documents of the same client."""

    kind: ActivityKind
    direction: Direction | None = None
    occurred_at: Moment | None = None
    subject: Line = ""
    body: Text = ""
    contact_id: Id | None = None
    document_ids: list[Id] = Field(default_factory=list, max_length=20)

    @model_validator(mode="after")
    def _said(self) -> ActivityBody:
        if not (self.subject or self.body):
            raise at_field("subject", "Donnez un objet ou un texte.")
        return self


class ActivityChanges(NullIsEmpty):
    """JSON merge patch of an activity."""

    kind: ActivityKind = "note"
    direction: Direction | None = None
    occurred_at: Moment | None = None
    subject: Line = ""
    body: Text = ""
    contact_id: Id | None = None
    document_ids: list[Id] = Field(default_factory=list, max_length=20)


class ActivityView(Resource):
    """An activity as answered; `automatic` ones come from events and link to what they tell of."""

    client_id: Id
    written_client_id: Id | None
    kind: ActivityKind | ToldKind
    direction: Direction | None
    occurred_at: Moment
    subject: str
    body: str
    contact_id: Id | None
    contact: dict[str, Any] | None
    document_ids: list[Id]
    automatic: bool
    link: dict[str, Any] | None
