"""Published language of `accounts`: who may come in."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from contracts.base import Command, Event, Flag, Id, Model, Moment, Name, Page, Query, Resource
from contracts.fields import check_email

OWNER = "accounts"

Role = Literal[
    "admin", "manager", "office", "salesperson", "technician", "lead_technician", "accountant", "subcontractor"
]
Scope = Literal["read", "write", "admin"]
Email = Annotated[str, Field(max_length=254), AfterValidator(check_email)]
Password = Annotated[str, Field(min_length=10, max_length=200)]


class UserBody(Model):
    """What an administrator says of a member of staff. Without a password one signs in by a link."""

    name: Name
    email: Email | None = None
    roles: list[Role] = Field(default_factory=list, max_length=8)
    password: Password | None = None


class UserChanges(Model):
    """JSON merge patch of a user."""

    name: Name = ""
    email: Email | None = None
    roles: list[Role] = Field(default_factory=list, max_length=8)
    password: Password | None = None
    active: Flag = True


class User(Resource):
    """A member of staff as answered; never a password."""

    name: str
    email: str | None
    roles: list[Role]
    active: bool
    last_seen_at: Moment | None


class CreateUser(Command):
    """Adds a member of staff."""

    rpc: ClassVar[str] = "accounts.create_user"
    patience: ClassVar[float] = 15.0
    id: Id | None = None
    body: UserBody


class UpdateUser(Command):
    """Changes a member of staff; deactivating ends the sessions."""

    rpc: ClassVar[str] = "accounts.update_user"
    patience: ClassVar[float] = 15.0
    id: Id
    expected_version: int | None = None
    changes: UserChanges


class GetUser(Query):
    """One member of staff."""

    rpc: ClassVar[str] = "accounts.get_user"
    id: Id


class ListUsers(Page):
    """Staff by name."""

    rpc: ClassVar[str] = "accounts.list_users"
    role: Role | None = None
    active: bool | None = None


class ApiKeyBody(Model):
    """A machine's key: what it is for and what it may do."""

    name: Name
    scopes: list[Scope] = Field(default=["read"], min_length=1, max_length=3)


class ApiKey(Resource):
    """A key as answered; `key` only once, when it is made."""

    name: str
    scopes: list[Scope]
    prefix: str
    revoked_at: Moment | None
    last_seen_at: Moment | None
    key: str | None = None


class CreateApiKey(Command):
    """Makes a key and shows it once."""

    rpc: ClassVar[str] = "accounts.create_api_key"
    shown_once: ClassVar[frozenset[str]] = frozenset({"key"})
    body: ApiKeyBody


class ListApiKeys(Page):
    """Keys, newest first."""

    rpc: ClassVar[str] = "accounts.list_api_keys"


class RevokeApiKey(Command):
    """Ends a key at once."""

    rpc: ClassVar[str] = "accounts.revoke_api_key"
    id: Id


class PortalAccess(Model):
    """A contact who may enter the portal, as the section `portal` of a fiche shows it; `id` is the contact's."""

    id: Id
    name: str
    email: str
    status: Literal["invited", "active"]
    last_seen_at: Moment | None


class AccountsFiche(Query):
    """The section `portal` of a fiche. With `tree` the service uses it instead of its own aliases."""

    rpc: ClassVar[str] = "accounts.fiche"
    client_id: Id
    tree: list[Id] | None = None
    limit: int = Field(default=50, ge=1, le=200)


class Authenticate(Query):
    """Whom a session token or a key belongs to. `secret` is what came over HTTP."""

    rpc: ClassVar[str] = "accounts.authenticate"
    secret: str = Field(max_length=500)


class Identity(Model):
    """Who is at the door."""

    id: str
    name: str
    kind: Literal["user", "key"]
    roles: list[str]
    scopes: list[Scope]
    email: str | None = None


class SignIn(Command):
    """E-mail and password for a session."""

    rpc: ClassVar[str] = "accounts.sign_in"
    patience: ClassVar[float] = 15.0
    remembered: ClassVar[bool] = False
    email: str = Field(max_length=254)
    password: str = Field(max_length=200)


class SignInByLink(Command):
    """A one-time link's token for a session."""

    rpc: ClassVar[str] = "accounts.sign_in_by_link"
    remembered: ClassVar[bool] = False
    token: str = Field(max_length=200)


class Session(Model):
    """A session begun: `token` goes into the cookie or behind `Bearer`."""

    token: str
    expires_at: Moment
    user: Identity


class SignOut(Command):
    """Ends a session."""

    rpc: ClassVar[str] = "accounts.sign_out"
    remembered: ClassVar[bool] = False
    token: str = Field(max_length=200)


class Bootstrap(Command):
    """First start: makes the administrator, and the key or the one-time link to come in with."""

    rpc: ClassVar[str] = "accounts.bootstrap"
    remembered: ClassVar[bool] = False
    token: str = Field(default="", max_length=500)
    #: Ask for a new one-time link for the first administrator also when there is one already.
    link: bool = True


class BootstrapAnswer(Model):
    """`link_token` is None where staff with a password exist or a key was given."""

    created: bool
    link_token: str | None


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
