"""The service class of those that keep rows of clients: it follows names, and can count its rows by home."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.db import later
from chassis.service import on
from contracts import accounts, billing, clients
from contracts.base import Envelope
from services.kit.forest import ForestService

#: Producer → tables that hold nothing but what it told.
_COPIES = {"clients": ("known_client", "known_address"), "accounts": ("known_user",)}


class ClientRowsService(ForestService):
    """Follows `clients` and `accounts` for the names it shows."""

    def forget_copies(self, producer: str) -> None:
        """Names of clients and addresses, or of staff."""
        for table in _COPIES.get(producer, ()):
            self.uow.session.execute(text(f"DELETE FROM {table}"))

    @on(clients.ClientCreated)
    def client_created(self, event: clients.ClientCreated, envelope: Envelope) -> None:
        self._know_client(event)

    @on(clients.ClientUpdated)
    def client_updated(self, event: clients.ClientUpdated, envelope: Envelope) -> None:
        self._know_client(event)

    @on(clients.AddressCreated)
    def address_created(self, event: clients.AddressCreated, envelope: Envelope) -> None:
        self._know_address(event)

    @on(clients.AddressUpdated)
    def address_updated(self, event: clients.AddressUpdated, envelope: Envelope) -> None:
        self._know_address(event)

    @on(accounts.UserCreated)
    def user_created(self, event: accounts.UserCreated, envelope: Envelope) -> None:
        know_user(self.uow.session, event)

    @on(accounts.UserUpdated)
    def user_updated(self, event: accounts.UserUpdated, envelope: Envelope) -> None:
        know_user(self.uow.session, event)

    def _know_client(self, event: Any) -> None:
        self.uow.later(
            "INSERT INTO known_client (id, display_name, reference, status) "
            "VALUES (:id, :display_name, :reference, :status) ON CONFLICT (id) DO UPDATE SET "
            "display_name = EXCLUDED.display_name, reference = EXCLUDED.reference, status = EXCLUDED.status",
            {
                "id": event.id,
                "display_name": event.display_name,
                "reference": event.reference,
                "status": event.status,
            },
        )

    def _know_address(self, event: Any) -> None:
        self.uow.later(
            "INSERT INTO known_address (id, home_client_id, place_id, label, street, postal_code, city, retired) "
            "VALUES (:id, :home, :place, :label, :street, :postal_code, :city, :retired) "
            "ON CONFLICT (id) DO UPDATE SET home_client_id = EXCLUDED.home_client_id, "
            "place_id = EXCLUDED.place_id, label = EXCLUDED.label, street = EXCLUDED.street, "
            "postal_code = EXCLUDED.postal_code, city = EXCLUDED.city, retired = EXCLUDED.retired",
            {
                "id": event.id,
                "home": event.home_client_id,
                "place": event.place_id,
                "label": event.label,
                "street": event.street,
                "postal_code": event.postal_code,
                "city": event.city,
                "retired": event.retired,
            },
        )


def know_user(session: Session, event: accounts.UserState) -> None:
    """Keeps name, roles and activity of a member of staff as accounts told them."""
    later(
        session,
        "INSERT INTO known_user (id, name, roles, active) "
        "VALUES (:id, :name, CAST(:roles AS jsonb), :active) ON CONFLICT (id) DO UPDATE SET "
        "name = EXCLUDED.name, roles = EXCLUDED.roles, active = EXCLUDED.active",
        {
            "id": event.id,
            "name": event.name,
            "roles": orjson.dumps(event.roles).decode(),
            "active": event.active,
        },
    )


def know_company(session: Session, event: billing.CompanyUpdated) -> None:
    """Keeps the company's time zone as billing told it."""
    session.execute(
        text(
            "INSERT INTO known_company (timezone) VALUES (:zone) "
            "ON CONFLICT (singleton) DO UPDATE SET timezone = EXCLUDED.timezone"
        ),
        {"zone": event.timezone},
    )
