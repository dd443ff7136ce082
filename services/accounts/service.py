"""The Nameko class of `accounts`."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from chassis.errors import Unauthenticated
from chassis.service import on, rpc
from chassis.uow import UnitOfWork
from contracts import accounts as c
from contracts import clients
from contracts.base import Envelope, Event
from services.accounts import commands, queries
from services.accounts.model import KINDS, Base, User
from services.kit.forest import ForestService


class AccountsService(ForestService):
    """Staff, keys, sessions, and who has access to the portal."""

    name = "accounts"
    base = Base
    kinds = KINDS

    snapshot_covers = (c.UserCreated, c.UserUpdated)

    def snapshot_events(self) -> Iterator[Event]:
        """Every member of staff."""
        for user in self.uow.session.scalars(select(User)):
            yield c.UserUpdated(id=user.id, name=user.name, roles=user.roles, active=user.active)

    def forget_copies(self, producer: str) -> None:
        """Nobody has access to the portal until the snapshot tells it; when each last came is kept."""
        if producer == "clients":
            commands.revoke_grants(self.uow)

    @rpc(c.CreateUser)
    def create_user(self, request: c.CreateUser) -> bytes:
        return commands.create_user(self.uow, request)

    @rpc(c.UpdateUser)
    def update_user(self, request: c.UpdateUser) -> bytes:
        return commands.update_user(self.uow, request)

    @rpc(c.GetUser)
    def get_user(self, request: c.GetUser) -> bytes:
        return queries.get_user(self.uow.session, request.id)

    @rpc(c.ListUsers)
    def list_users(self, request: c.ListUsers) -> bytes:
        return queries.list_users(self.uow.session, request)

    @rpc(c.CreateApiKey)
    def create_api_key(self, request: c.CreateApiKey) -> bytes:
        return commands.create_api_key(self.uow, request)

    @rpc(c.ListApiKeys)
    def list_api_keys(self, request: c.ListApiKeys) -> bytes:
        return queries.list_api_keys(self.uow.session, request)

    @rpc(c.RevokeApiKey)
    def revoke_api_key(self, request: c.RevokeApiKey) -> bytes:
        return commands.revoke_api_key(self.uow, request)

    @rpc(c.Authenticate)
    def authenticate(self, request: c.Authenticate) -> c.Identity:
        return queries.authenticate(self.uow.session, commands.digest(request.secret), self.uow.now)

    @rpc(c.SignIn)
    def sign_in(self, request: c.SignIn) -> c.Session:
        try:
            return commands.sign_in(self.uow, request)
        except Unauthenticated:
            # A transaction of its own, since the refusal rolls this one back.
            beside = UnitOfWork(self.uow.database, self.uow.bell, self.uow.context)
            beside.run(None, lambda: commands.note_failure(beside, request.email))
            raise

    @rpc(c.SignInByLink)
    def sign_in_by_link(self, request: c.SignInByLink) -> c.Session:
        return commands.sign_in_by_link(self.uow, request)

    @rpc(c.SignOut)
    def sign_out(self, request: c.SignOut) -> bytes:
        return commands.sign_out(self.uow, request)

    @rpc(c.Bootstrap)
    def bootstrap(self, request: c.Bootstrap) -> c.BootstrapAnswer:
        return commands.bootstrap(self.uow, request)

    @rpc(c.AccountsFiche)
    def fiche(self, request: c.AccountsFiche) -> bytes:
        return queries.fiche(self.uow.session, request)

    @on(clients.ContactCreated)
    def contact_created(self, event: clients.ContactCreated, envelope: Envelope) -> None:
        self._follow(event)

    @on(clients.ContactUpdated)
    def contact_updated(self, event: clients.ContactUpdated, envelope: Envelope) -> None:
        self._follow(event)

    @on(clients.ContactDeleted)
    def contact_deleted(self, event: clients.ContactDeleted, envelope: Envelope) -> None:
        self._follow(event, granted=False)

    def _follow(self, event: clients.ContactState, *, granted: bool | None = None) -> None:
        commands.follow_contact(
            self.uow,
            event.id,
            event.home_client_id,
            event.client_id,
            event.email,
            event.name,
            event.portal_access if granted is None else granted,
        )
