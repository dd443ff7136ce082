"""What events of clients tell that an invoice must say."""

from __future__ import annotations

from sqlalchemy import text

from chassis.uow import UnitOfWork
from contracts.clients import ClientCreated, ClientUpdated


def forget_parties(uow: UnitOfWork) -> None:
    """Empties the copies, to be filled from a snapshot."""
    uow.session.execute(text("DELETE FROM known_party"))


def know_party(uow: UnitOfWork, event: ClientCreated | ClientUpdated) -> None:
    """Keeps the SIRET, VAT number and main address of a client."""
    uow.session.execute(
        text(
            "INSERT INTO known_party (id, siret, vat_number, main_address_id) "
            "VALUES (:id, :siret, :vat_number, :address) ON CONFLICT (id) DO UPDATE SET siret = EXCLUDED.siret, "
            "vat_number = EXCLUDED.vat_number, main_address_id = EXCLUDED.main_address_id"
        ),
        {
            "id": event.id,
            "siret": event.siret or "",
            "vat_number": event.vat_number or "",
            "address": event.main_address_id,
        },
    )
