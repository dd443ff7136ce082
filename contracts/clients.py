"""Published language of `clients`: records, contacts, addresses, relations, activities, memo."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from contracts.base import Command, Event, Id, Line, Model, Moment, Name, Page, Query, Resource, RowEvent, Text
from contracts.fields import Email, Phone, Siret, VatNumber, Website

OWNER = "clients"

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


class ClientFields(Model):
    """What a person says of a client. SIRET and VAT number belong to the client (http-api, Rules)."""

    kind: Kind = "individual"
    first_name: Line = ""
    last_name: Line = ""
    company_name: Line = ""
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
    custom_fields: dict[str, Any] = Field(default_factory=dict, max_length=100)


class ClientBody(ClientFields):
    """Body of `POST /clients`: a person needs a last name, a company or property manager its name."""

    reference: Line | None = None
    memo: Text = ""

    @model_validator(mode="after")
    def _named(self) -> ClientBody:
        if self.kind == "individual" and not self.last_name:
            raise ValueError("Donnez au moins le nom de la personne.")
        if self.kind != "individual" and not self.company_name:
            raise ValueError("Donnez le nom de la société.")
        return self


class ClientChanges(ClientFields):
    """JSON merge patch of a client."""

    reference: Line = ""


class ClientView(Resource):
    """A client as answered. `parent` comes from the hierarchical relation."""

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
    secondary_phone: str
    website: str
    sales_rep_id: Id | None
    sales_rep: dict[str, Any] | None
    tags: list[str]
    custom_fields: dict[str, Any]
    memo: str
    status: Status
    main_address: dict[str, Any] | None
    parent: dict[str, Any] | None


class Origin(Model):
    """When and by whom something was made elsewhere, for imports."""

    created_at: Moment | None = None
    created_by_name: Line = ""


class CreateClient(Command):
    """Opens a record. Imports give `id`, `origin` and `archived`."""

    rpc: ClassVar[str] = "clients.create"
    id: Id | None = None
    body: ClientBody
    origin: Origin | None = None
    archived: bool = False


class UpdateClient(Command):
    """Changes a record; each field differing is one line of its history."""

    rpc: ClassVar[str] = "clients.update"
    id: Id
    expected_version: int | None = None
    changes: ClientChanges


class ConvertBody(Model):
    """Body of `/convert`: what the new kind asks for."""

    to: Kind
    company_name: Line = ""
    siret: Siret = ""
    first_name: Line = ""
    last_name: Line = ""


class ConvertClient(Command):
    """Individual → company (the person becomes its first contact) and back; nothing is lost."""

    rpc: ClassVar[str] = "clients.convert"
    id: Id
    expected_version: int | None = None
    body: ConvertBody


class SetStatus(Command):
    """Archives, unarchives, deletes or restores a record; never follows a merged id."""

    rpc: ClassVar[str] = "clients.set_status"
    id: Id
    action: Literal["archive", "unarchive", "delete", "restore"]
    expected_version: int | None = None


class GetClient(Query):
    """One record. A merged id is refused with `moved`, a deleted one with `gone`."""

    rpc: ClassVar[str] = "clients.get"
    id: Id


class ListClients(Page):
    """The list of clients; without `status` active and archived both come."""

    rpc: ClassVar[str] = "clients.list"
    q: str = Field(default="", max_length=200)
    kind: Kind | None = None
    stage: Stage | None = None
    status: Status | None = None
    sales_rep_id: Id | None = None
    tag: str | None = Field(default=None, max_length=300)


class CountClients(Query):
    """How many records there are, by status, and which tags."""

    rpc: ClassVar[str] = "clients.counts"


class ClientFiche(Query):
    """The record and its own sections, with the true tree and forest version."""

    rpc: ClassVar[str] = "clients.fiche"
    client_id: Id
    limit: int = Field(default=50, ge=1, le=200)


class Identify(Query):
    """The door's question: what these ids mean now, and whether addresses and contacts belong there."""

    rpc: ClassVar[str] = "clients.identify"
    ids: list[Id] = Field(max_length=500)
    address_ids: list[Id] = Field(default_factory=list, max_length=500)
    contact_ids: list[Id] = Field(default_factory=list, max_length=500)


class Identified(Model):
    """What an id means: the living root, its tree, how it stands."""

    id: Id
    found: bool
    root_id: Id | None = None
    tree: list[Id] = Field(default_factory=list)
    status: Status | None = None
    display_name: str = ""


class IdentifyAnswer(Model):
    """`addresses` and `contacts`: id → its root (and place); an unknown id is absent."""

    forest: int
    clients: list[Identified]
    addresses: dict[str, dict[str, Any]]
    contacts: dict[str, dict[str, Any]]


class ForestSnapshot(Query):
    """Active edges, erased ids and forest version in one transaction with the log's position."""

    rpc: ClassVar[str] = "clients.forest_snapshot"
    after: int = Field(default=0, ge=0)


class History(Page):
    """Who changed what and when, field by field, newest first."""

    rpc: ClassVar[str] = "clients.history"
    client_id: Id


class GetMemo(Query):
    """The memo, empty with version 0 before it was ever written."""

    rpc: ClassVar[str] = "clients.get_memo"
    client_id: Id


class MemoBody(Model):
    """Body of `PUT /memo`."""

    text: Text


class SetMemo(Command):
    """Writes the memo. A stale version is refused with the text that stands there now."""

    rpc: ClassVar[str] = "clients.set_memo"
    client_id: Id
    expected_version: int | None = None
    text: Text


# --- sub-resources -------------------------------------------------------------------------------------------------


class AddressBody(Model):
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

    @model_validator(mode="after")
    def _somewhere(self) -> AddressBody:
        if not (self.street or self.city or self.postal_code or self.place_id):
            raise ValueError("Donnez une rue, un code postal ou une ville.")
        return self


class AddressChanges(Model):
    """JSON merge patch of an address."""

    label: Line = ""
    street: Line = ""
    street_extra: Line = ""
    postal_code: Line = ""
    city: Line = ""
    country: str = Field(default="FR", pattern=r"^[A-Z]{2}$")
    access_notes: Text = ""
    role: AddressRole | None = None
    retired: bool = False


class AddressView(Resource):
    """An address as answered. Exactly one of a client's living addresses is main."""

    client_id: Id
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


class ContactBody(Model):
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
            raise ValueError("Donnez un nom, un e-mail ou un téléphone.")
        if self.portal_access and not self.email:
            raise ValueError("L’accès au portail demande une adresse e-mail.")
        return self


class ContactChanges(Model):
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
    first_name: str
    last_name: str
    name: str
    role: str
    email: str
    phone: str
    portal_access: bool


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


class ActivityBody(Model):
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
            raise ValueError("Donnez un objet ou un texte.")
        return self


class ActivityChanges(Model):
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
    kind: str
    direction: Direction | None
    occurred_at: Moment
    subject: str
    body: str
    contact_id: Id | None
    contact: dict[str, Any] | None
    automatic: bool
    link: dict[str, Any] | None


class _CreateRow(Command):
    id: Id | None = None
    home_client_id: Id
    written_client_id: Id
    origin: Origin | None = None


class CreateAddress(_CreateRow):
    """Adds an address; the first of a client is its main one."""

    rpc: ClassVar[str] = "clients.create_address"
    body: AddressBody
    main: bool = False


class UpdateAddress(Command):
    """Changes or retires an address."""

    rpc: ClassVar[str] = "clients.update_address"
    id: Id
    expected_version: int | None = None
    changes: AddressChanges


class PromoteAddress(Command):
    """Makes an address the main one of its client."""

    rpc: ClassVar[str] = "clients.promote_address"
    id: Id


class CreateContact(_CreateRow):
    """Adds a contact."""

    rpc: ClassVar[str] = "clients.create_contact"
    body: ContactBody


class UpdateContact(Command):
    """Changes a contact."""

    rpc: ClassVar[str] = "clients.update_contact"
    id: Id
    expected_version: int | None = None
    changes: ContactChanges


class CreateRelation(_CreateRow):
    """Links two clients. `other_home_id` is what the door made of `other_client_id`."""

    rpc: ClassVar[str] = "clients.create_relation"
    other_home_id: Id
    body: RelationBody


class UpdateRelation(Command):
    """Changes the type of a relation, seen from `client_id`."""

    rpc: ClassVar[str] = "clients.update_relation"
    id: Id
    client_id: Id
    expected_version: int | None = None
    changes: RelationChanges


class CreateActivity(_CreateRow):
    """Logs an exchange."""

    rpc: ClassVar[str] = "clients.create_activity"
    body: ActivityBody
    automatic: bool = False


class UpdateActivity(Command):
    """Changes an activity logged by hand."""

    rpc: ClassVar[str] = "clients.update_activity"
    id: Id
    expected_version: int | None = None
    changes: ActivityChanges


SubKind = Literal["addresses", "contacts", "relations", "activities"]


class GetSub(Query):
    """One row of a client's own sections."""

    rpc: ClassVar[str] = "clients.get_sub"
    kind: SubKind
    id: Id
    client_id: Id


class ListSub(Page):
    """Rows of one of a client's own sections."""

    rpc: ClassVar[str] = "clients.list_sub"
    kind: SubKind
    client_id: Id
    activity_kind: str | None = Field(default=None, max_length=20)
    occurred_from: date | None = None
    occurred_to: date | None = None


class DeleteSub(Command):
    """Removes a row: a used address is retired, the others leave the fiche."""

    rpc: ClassVar[str] = "clients.delete_sub"
    kind: SubKind
    id: Id
    expected_version: int | None = None


class CustomFieldBody(Model):
    """Definition of a field of one's own."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")
    label: Name
    type: Literal["text", "number", "date", "choice", "boolean"] = "text"
    required: bool = False
    choices: list[Name] = Field(default_factory=list, max_length=200)


class CreateCustomField(Command):
    """Defines a field."""

    rpc: ClassVar[str] = "clients.create_custom_field"
    id: Id | None = None
    body: CustomFieldBody


class ListCustomFields(Page):
    """Definitions, in their order."""

    rpc: ClassVar[str] = "clients.list_custom_fields"


# --- events --------------------------------------------------------------------------------------------------------


class ClientState(Event):
    """What others keep of a client: its name, reference and status, and what partners may see."""

    id: Id
    kind: str
    stage: str
    display_name: str
    reference: str
    status: str
    email: str
    phone: str
    siret: str
    vat_number: str
    sales_rep_id: Id | None
    main_address_id: Id | None


class ClientCreated(ClientState):
    """A client record was opened."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "client.created"
    public: ClassVar[bool] = True


class ClientUpdated(ClientState):
    """Something of a client record changed, its status included; `changed` names the fields."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "client.updated"
    public: ClassVar[bool] = True
    changed: list[str]


class AddressState(RowEvent):
    """What others keep of an address."""

    id: Id
    label: str
    street: str
    street_extra: str
    postal_code: str
    city: str
    country: str
    place_id: Id | None
    retired: bool


class AddressCreated(AddressState):
    """A client got an address."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "address.created"
    public: ClassVar[bool] = True


class AddressUpdated(AddressState):
    """An address changed, was retired or taken back into use."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "address.updated"
    public: ClassVar[bool] = True


class ContactState(RowEvent):
    """What others keep of a contact."""

    id: Id
    name: str
    role: str
    email: str
    phone: str
    portal_access: bool


class ContactCreated(ContactState):
    """A client got a contact."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "contact.created"
    public: ClassVar[bool] = True


class ContactUpdated(ContactState):
    """A contact changed, its portal switch included."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "contact.updated"
    public: ClassVar[bool] = True


class ContactDeleted(ContactState):
    """A contact left the fiche."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "contact.deleted"
    public: ClassVar[bool] = True


class RelationState(RowEvent):
    """A link between two clients; the home is the superior end."""

    id: Id
    type: str
    other_home_client_id: Id


class RelationCreated(RelationState):
    """Two clients were linked."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "relation.created"
    public: ClassVar[bool] = True


class RelationDeleted(RelationState):
    """A link was taken away."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "relation.deleted"
    public: ClassVar[bool] = True


class ActivityLogged(RowEvent):
    """An exchange was logged by hand."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "activity.logged"
    public: ClassVar[bool] = True
    id: Id
    kind: str
    direction: str | None
    occurred_at: Moment
    subject: str


class MemoUpdated(Event):
    """The memo was written."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "memo.updated"
    id: Id
    version: int
