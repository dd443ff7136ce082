"""Published language of `equipment`: what is installed at a client's address."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from contracts.base import Command, Day, Id, Line, Model, Moment, Name, Page, Query, Resource, RowEvent, Text
from contracts.clients import Origin
from contracts.uses import CountAddressUses

OWNER = "equipment"

State = Literal["in_service", "out_of_service", "removed"]


class Detail(Model):
    """A technical detail that has no field of its own: « Puissance : 240 kW »."""

    label: Name = Field(max_length=80)
    value: Line


class EquipmentBody(Model):
    """What a person says of an equipment. Dates are calendar days; photos are documents, the first one is shown."""

    name: Name
    address_id: Id | None = None
    description: Text = ""
    brand: Line = ""
    model: Line = ""
    serial_number: Line = ""
    reference: Line = ""
    type_id: Id | None = None
    parent_id: Id | None = None
    state: State = "in_service"
    purchased_on: Day | None = None
    installed_on: Day | None = None
    warranty_until: Day | None = None
    details: list[Detail] = Field(default_factory=list, max_length=50)
    photos: list[Id] = Field(default_factory=list, max_length=50)


class EquipmentChanges(Model):
    """JSON merge patch of an equipment (RFC 7396): what is absent does not move."""

    name: Name = ""
    address_id: Id | None = None
    description: Text = ""
    brand: Line = ""
    model: Line = ""
    serial_number: Line = ""
    reference: Line = ""
    type_id: Id | None = None
    parent_id: Id | None = None
    state: State = "in_service"
    purchased_on: Day | None = None
    installed_on: Day | None = None
    warranty_until: Day | None = None
    details: list[Detail] = Field(default_factory=list, max_length=50)
    photos: list[Id] = Field(default_factory=list, max_length=50)


class Equipment(Resource):
    """An equipment as answered. `client` is the living client it stands under."""

    client_id: Id
    client: dict[str, Any]
    written_client_id: Id | None
    name: str
    address_id: Id | None
    address: dict[str, Any] | None
    place_id: Id | None
    description: str
    brand: str
    model: str
    serial_number: str
    reference: str
    type_id: Id | None
    parent_id: Id | None
    state: State
    purchased_on: Day | None
    installed_on: Day | None
    warranty_until: Day | None
    details: list[Detail]
    photos: list[Id]


class CreateEquipment(Command):
    """Records an equipment. `id` is given by who must know it beforehand (imports); `place_id` comes from the door."""

    rpc: ClassVar[str] = "equipment.create"
    id: Id | None = None
    home_client_id: Id
    written_client_id: Id
    place_id: Id | None = None
    body: EquipmentBody
    origin: Origin | None = None


class UpdateEquipment(Command):
    """Changes an equipment. `expected_version` other than the current one is refused (412)."""

    rpc: ClassVar[str] = "equipment.update"
    id: Id
    expected_version: int | None = None
    place_id: Id | None = None
    changes: EquipmentChanges


class ReassignBody(Model):
    """To which client an equipment goes, and at which of its addresses it stands there."""

    address_id: Id | None = None


class ReassignEquipment(Command):
    """Gives an equipment, with its parts, to another client: its past stays with it (merge-protocol, re-assign).

    `forest`: version of the forest that the ids are of, as `clients.identify` told.
    """

    rpc: ClassVar[str] = "equipment.reassign"
    id: Id
    expected_version: int | None = None
    home_client_id: Id
    written_client_id: Id
    forest: int = 0
    place_id: Id | None = None
    body: ReassignBody


class GetEquipment(Query):
    """One equipment."""

    rpc: ClassVar[str] = "equipment.get"
    id: Id


class ListEquipment(Page):
    """Equipment of a client's tree (all when None), filtered by address, brand, state, parent and text."""

    rpc: ClassVar[str] = "equipment.list"
    tree: list[Id] | None = None
    address_id: list[Id] = Field(default_factory=list, max_length=100)
    brand: list[Line] = Field(default_factory=list, max_length=100)
    state: list[State] = Field(default_factory=list, max_length=3)
    parent_id: Id | None = None
    id: list[Id] = Field(default_factory=list, max_length=200)
    q: str = Field(default="", max_length=200)


class EquipmentChoices(Query):
    """What the equipment of a tree can be filtered by: its addresses and brands, each with how many there are."""

    rpc: ClassVar[str] = "equipment.choices"
    tree: list[Id]


class ListEquipmentHistory(Page):
    """What was changed of an equipment, newest first; of one taken away too."""

    rpc: ClassVar[str] = "equipment.history"
    id: Id


class DeleteEquipment(Command):
    """Takes an equipment off the fiche. It is kept, and can be restored."""

    rpc: ClassVar[str] = "equipment.delete"
    id: Id
    expected_version: int | None = None


class RestoreEquipment(Command):
    """Puts an equipment back on the fiche; one that is there stays as it is."""

    rpc: ClassVar[str] = "equipment.restore"
    id: Id


class EquipmentFiche(Query):
    """The section `equipment` of a fiche. With `tree` the service uses it instead of its own aliases."""

    rpc: ClassVar[str] = "equipment.fiche"
    client_id: Id
    tree: list[Id] | None = None
    limit: int = Field(default=50, ge=1, le=200)


class CheckEquipment(Query):
    """Which of these belong to the tree; the door refuses the others (422)."""

    rpc: ClassVar[str] = "equipment.check"
    ids: list[Id] = Field(max_length=200)
    tree: list[Id]


class AddressUses(CountAddressUses):
    """Equipment at each of these addresses."""

    rpc: ClassVar[str] = "equipment.address_uses"


class EquipmentEvent(RowEvent):
    """What each event of an equipment tells."""

    id: Id
    name: str
    brand: str
    model: str
    serial_number: str
    address_id: Id | None
    place_id: Id | None
    #: Documents that are its photos.
    photos: list[Id] = Field(default_factory=list)


class EquipmentCreated(EquipmentEvent):
    """An equipment was recorded."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "equipment.created"
    public: ClassVar[bool] = True
    installed_on: Day | None
    #: Came in from another system: a fact of the past that nobody has to be told of as news.
    imported: bool = False


class EquipmentUpdated(EquipmentEvent):
    """Something of an equipment changed; `changed` names the fields."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "equipment.updated"
    public: ClassVar[bool] = True
    changed: list[str]


class EquipmentDeleted(EquipmentEvent):
    """An equipment was taken off the fiche."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "equipment.deleted"
    public: ClassVar[bool] = True
    deleted_at: Moment


class EquipmentMoved(EquipmentEvent):
    """An equipment stands at another address now; its past stays with it. `equipment.updated` is told too."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "equipment.moved"
    public: ClassVar[bool] = True
    former_address_id: Id | None
    former_place_id: Id | None


class EquipmentReassigned(EquipmentEvent):
    """An equipment is another client's now, with all its past; what was billed of it stays where it was."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "equipment.reassigned"
    public: ClassVar[bool] = True
    former_home_client_id: Id
    former_address_id: Id | None


class EquipmentRestored(EquipmentEvent):
    """An equipment is back on the fiche."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "equipment.restored"
    public: ClassVar[bool] = True
