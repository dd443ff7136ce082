"""Facts that `clients` tells."""

from __future__ import annotations

from typing import Any, ClassVar

from contracts.base import Event, Id, Moment, RowEvent

OWNER = "clients"


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


class ClientArchived(ClientState):
    """A client was put away: no new work for it. `client.updated` tells it too, to those that keep copies."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "client.archived"
    public: ClassVar[bool] = True


class ClientUnarchived(ClientState):
    """A client was taken back into use."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "client.unarchived"
    public: ClassVar[bool] = True


class ClientDeleted(ClientState):
    """A client was deleted; it can be restored for a time (30 days unless set otherwise)."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "client.deleted"
    public: ClassVar[bool] = True


class ClientRestored(ClientState):
    """A deleted client is back, as it was."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "client.restored"
    public: ClassVar[bool] = True


#: The forest is one sequence: if one of its events is parked, all later ones wait behind it (merge-protocol).
FOREST_KEY = "client-forest"


class ClientMerged(Event):
    """A record became a signpost of another. `choices` are those of other services' facts."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "client.merged"
    public: ClassVar[bool] = True
    subject_field: ClassVar[str] = "survivor_id"
    ordering_key_constant: ClassVar[str | None] = FOREST_KEY
    in_turns: ClassVar[bool] = True
    merge_id: Id
    forest: int
    survivor_id: Id
    duplicate_id: Id
    survivor_tree: list[Id]
    duplicate_tree: list[Id]
    choices: dict[str, Any]
    survivor: dict[str, Any]


class ClientMergeUndone(Event):
    """A merge was taken back. `moves`: rows that change sides, `{service, kind, id, home_seen, home}`."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "client.merge_undone"
    public: ClassVar[bool] = True
    subject_field: ClassVar[str] = "duplicate_id"
    ordering_key_constant: ClassVar[str | None] = FOREST_KEY
    in_turns: ClassVar[bool] = True
    merge_id: Id
    forest: int
    survivor_id: Id
    survivor_root_id: Id
    duplicate_id: Id
    duplicate_tree: list[Id]
    moves: list[dict[str, Any]]


class ClientErased(Event):
    """A person was erased: services blank by home and remember the ids, for what comes late."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "client.erased"
    public: ClassVar[bool] = True
    subject_field: ClassVar[str] = "client_id"
    ordering_key_constant: ClassVar[str | None] = FOREST_KEY
    in_turns: ClassVar[bool] = True
    forest: int
    client_id: Id
    tree: list[Id]


class ForestTold(Event):
    """The merge forest as it stands. Told in snapshots only, to services that begin or rebuild, never logged.

    `aliases`: `{id, parent_id, merge_id, root_id}` of every merged id. `deeds`: every merge in the order of the forest,
    with what else it asks of services: `{merge_id, survivor_id, duplicate_id, choices, forest, undone_forest, moves,
    duplicate_tree}`.
    """

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "forest.told"
    subject_field: ClassVar[str] = "forest"
    ordering_key_constant: ClassVar[str | None] = FOREST_KEY
    forest: int
    aliases: list[dict[str, Any]]
    erased: list[Id]
    deeds: list[dict[str, Any]]


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
    """An address changed, was retired (removed from the fiche, too) or taken back into use."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "address.updated"
    public: ClassVar[bool] = True


class AddressPromoted(AddressState):
    """An address became the main one of its client."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "address.promoted"
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


class RelationUpdated(RelationState):
    """A link got another type."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "relation.updated"
    public: ClassVar[bool] = True


class RelationDeleted(RelationState):
    """A link was taken away."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "relation.deleted"
    public: ClassVar[bool] = True


class ActivityState(RowEvent):
    """What is told of an exchange; its text stays here."""

    id: Id
    kind: str
    direction: str | None
    occurred_at: Moment
    subject: str


class ActivityLogged(ActivityState):
    """An exchange was logged by hand."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "activity.logged"
    public: ClassVar[bool] = True


class ActivityUpdated(ActivityState):
    """An exchange logged by hand was changed."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "activity.updated"
    public: ClassVar[bool] = True


class ActivityDeleted(ActivityState):
    """An exchange logged by hand left the fiche."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "activity.deleted"
    public: ClassVar[bool] = True


class ActivityRestored(ActivityState):
    """An exchange that had left the fiche is back."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "activity.restored"
    public: ClassVar[bool] = True


class MemoUpdated(Event):
    """The memo was written."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "memo.updated"
    id: Id
    version: int


class CustomFieldState(Event):
    """Definition of a field of one's own."""

    id: Id
    key: str
    label: str
    type: str
    required: bool
    choices: list[str]


class CustomFieldCreated(CustomFieldState):
    """A field was defined, or a deleted one put back."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "custom_field.created"
    public: ClassVar[bool] = True


class CustomFieldUpdated(CustomFieldState):
    """A definition changed."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "custom_field.updated"
    public: ClassVar[bool] = True


class CustomFieldDeleted(CustomFieldState):
    """A field was taken off the fiches; clients keep their values."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "custom_field.deleted"
    public: ClassVar[bool] = True


class LayoutUpdated(Event):
    """The company laid its fiches out anew."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "layout.updated"
    id: Id
    version: int


class ContactReassigned(ContactState):
    """A contact is another client's now; `contact.updated` is told too."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "contact.reassigned"
    public: ClassVar[bool] = True
    former_home_client_id: Id


class AddressReassigned(AddressState):
    """An address is another client's now; `address.updated` is told too."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "address.reassigned"
    public: ClassVar[bool] = True
    former_home_client_id: Id


class ActivityReassigned(ActivityState):
    """An exchange logged by hand is another client's now."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "activity.reassigned"
    public: ClassVar[bool] = True
    former_home_client_id: Id
