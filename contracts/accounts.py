"""Published language of `accounts`."""

from __future__ import annotations

from typing import ClassVar

from contracts.base import Event, Id

OWNER = "accounts"


class UserState(Event):
    """What others keep of a member of staff."""

    id: Id
    name: str
    roles: list[str]
    active: bool


class UserCreated(UserState):
    """Someone joined."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "user.created"


class UserUpdated(UserState):
    """Name, roles or activity of someone changed."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "user.updated"
