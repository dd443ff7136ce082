"""Bodies and answers of `clients`, the same in RPC and HTTP."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema, model_validator

from contracts.base import Id, Line, Model, Moment, Name, Person, Resource, Text
from contracts.fields import Email, Phone, Siret, VatNumber, Website, at_field

Kind = Literal["individual", "company", "property_manager"]
Stage = Literal["prospect", "client"]
Status = Literal["active", "archived", "deleted"]
AddressRole = Literal["owner", "tenant", "agent"]
ActivityKind = Literal["call", "email", "sms", "visit", "note"]
Direction = Literal["in", "out"]
#: What the other client is to this one.
RelationType = Literal[
    "head_office", "branch", "owner", "tenant", "managing_agent", "building", "principal", "subcontractor"
]
Tag = Name


def _custom_value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if (isinstance(value, str) and len(value) <= 10_000) or (isinstance(value, float) and isfinite(value)):
        return value
    raise ValueError("Un texte, un nombre, vrai ou faux est attendu.")


CustomKey = Annotated[str, StringConstraints(min_length=1, max_length=100)]
#: Value of a field of one's own; a null in a patch takes the key away.
CustomValue = Annotated[
    Any, AfterValidator(_custom_value), WithJsonSchema({"type": ["string", "boolean", "number", "null"]})
]


class NullIsEmpty(Model):
    """`null` empties a text or a list, as a JSON merge patch means it (RFC 7396)."""

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: cls._emptied(name) if value is None else value for name, value in data.items()}

    @classmethod
    def _emptied(cls, name: str) -> Any:
        field = cls.model_fields.get(name)
        empty = field.get_default(call_default_factory=True) if field else None
        return empty if empty in ("", [], {}) else None


class ClientFields(NullIsEmpty):
    """What a person says of a client. SIRET and VAT number belong to the client (http-api, Rules).

    `display_name` is given only where the name shown is not what the other names make (imports). In a patch,
    `custom_fields` names the keys that change; a null takes its key away.
    """

    kind: Kind = "individual"
    first_name: Line = ""
    last_name: Line = ""
    company_name: Line = ""
    display_name: Line = ""
    registration_number: Line = ""
    stage: Stage = "client"
    siret: Siret = ""
    vat_number: VatNumber = ""
    email: Email = ""
    phone: Phone = ""
    secondary_phone: Phone = ""
    website: Website = ""
    sales_rep_id: Id | None = None
    tags: list[Tag] = Field(default_factory=list, max_length=50)
    custom_fields: dict[CustomKey, CustomValue] = Field(default_factory=dict, max_length=100)


class ClientBody(ClientFields):
    """Body of `POST /clients`: a person needs a last name, a company or property manager its name."""

    reference: Line | None = None
    memo: Text = ""

    @model_validator(mode="after")
    def _named(self) -> ClientBody:
        if self.kind == "individual" and not self.last_name:
            raise at_field("last_name", "Donnez au moins le nom de la personne.")
        if self.kind != "individual" and not self.company_name:
            raise at_field("company_name", "Donnez le nom de la société.")
        return self


class ClientChanges(ClientFields):
    """JSON merge patch of a client."""

    reference: Line = ""


class ClientView(Resource):
    """A client as answered. `parent` comes from the hierarchical relation.

    A phone comes as it was given, as it is dialled (`…_e164`, RFC 3966 `;ext=` behind it; empty for short internal
    numbers) and as a French reader is shown it (`…_display`).
    """

    kind: Kind
    first_name: str
    last_name: str
    company_name: str
    display_name: str
    reference: str
    registration_number: str
    stage: Stage
    siret: str
    vat_number: str
    email: str
    phone: str
    phone_e164: str
    phone_display: str
    secondary_phone: str
    secondary_phone_e164: str
    secondary_phone_display: str
    website: str
    sales_rep_id: Id | None
    sales_rep: dict[str, Any] | None
    tags: list[str]
    custom_fields: dict[str, Any]
    memo: str
    memo_version: int
    memo_updated_at: Moment | None
    memo_updated_by: str
    status: Status
    main_address: dict[str, Any] | None
    parent: dict[str, Any] | None


class Origin(Model):
    """When and by whom something was made elsewhere, for imports."""

    created_at: Moment | None = None
    created_by_name: Line = ""


class ConvertBody(NullIsEmpty):
    """Body of `/convert`: what the new kind asks for."""

    to: Kind
    company_name: Line = ""
    siret: Siret = ""
    first_name: Line = ""
    last_name: Line = ""


class MemoBody(Model):
    """Body of `PUT /memo`."""

    text: Text


class MemoView(Model):
    """The memo as answered; version 0 before it was ever written."""

    text: str
    version: int
    updated_at: Moment | None
    updated_by: str


class HistoryLine(Model):
    """One change of one field: what it was, what it became, when and by whom.

    `…_name`: what stands behind an id (salesperson, main address); null where the value is readable by itself.
    """

    seq: int
    field: str
    op: Literal["set", "take", "join"]
    value: Any
    previous: Any
    value_name: str | None
    previous_name: str | None
    at: Moment
    by: Person


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
    is_main: bool = False

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
    is_main: bool = False
    retired: bool = False


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
    portal_access: bool = False

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
    portal_access: bool = False


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
    """An exchange logged by hand."""

    kind: ActivityKind
    direction: Direction | None = None
    occurred_at: Moment | None = None
    subject: Line = ""
    body: Text = ""
    contact_id: Id | None = None

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


class ActivityView(Resource):
    """An activity as answered; `automatic` ones come from events and link to what they tell of."""

    client_id: Id
    written_client_id: Id | None
    kind: str
    direction: Direction | None
    occurred_at: Moment
    subject: str
    body: str
    contact_id: Id | None
    contact: dict[str, Any] | None
    automatic: bool
    link: dict[str, Any] | None


class CustomFieldBody(Model):
    """Definition of a field of one's own."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")
    label: Name
    type: Literal["text", "number", "date", "choice", "boolean"] = "text"
    required: bool = False
    choices: list[Name] = Field(default_factory=list, max_length=200)


class CustomFieldView(Resource):
    """Definition of a field of one's own, as answered."""

    key: str
    label: str
    type: Literal["text", "number", "date", "choice", "boolean"]
    required: bool
    choices: list[str]
