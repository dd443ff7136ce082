"""Published language of `clients`."""

from __future__ import annotations

from typing import ClassVar

from contracts.base import Event, Id, RowEvent

OWNER = "clients"


class ClientState(Event):
    """What others keep of a client: its name, reference and status."""

    id: Id
    kind: str
    display_name: str
    reference: str
    status: str


class ClientCreated(ClientState):
    """A client record was opened."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "client.created"
    public: ClassVar[bool] = True


class ClientUpdated(ClientState):
    """Something of a client record changed, its status included."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "client.updated"
    public: ClassVar[bool] = True


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
