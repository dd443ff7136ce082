"""References: each is its record's for ever, so that an old one always finds it and none is borne twice."""

from __future__ import annotations

from sqlalchemy import text

from chassis.errors import Invalid
from chassis.uow import UnitOfWork
from services.clients.model import Client, ClientReference
from services.clients.text import reference_key
from services.kit.homes import tree_of

_NEXT = text(
    "INSERT INTO reference_counter (last) VALUES (1) ON CONFLICT (singleton) "
    "DO UPDATE SET last = reference_counter.last + 1 RETURNING last"
)
# References of this form that were given from outside: the counter goes on behind the highest.
_PAST_GIVEN = text(
    "UPDATE reference_counter SET last = greatest(last, (SELECT max(substr(reference, 5)::bigint) "
    "FROM client_reference WHERE reference ~ '^cli [0-9]{1,9}$'))"
)


def next_reference(uow: UnitOfWork) -> str:
    """The next free `CLI-00001`."""
    while True:
        number = uow.session.execute(_NEXT).scalar_one()
        reference = f"CLI-{number:05d}"
        if uow.session.get(ClientReference, reference_key(reference)) is None:
            return reference
        uow.session.execute(_PAST_GIVEN)


def take(uow: UnitOfWork, row: Client, reference: str) -> None:
    """A reference, once borne, is its record's for ever; two at once are decided by the key."""
    key = reference_key(reference)
    uow.session.execute(
        text("INSERT INTO client_reference (reference, client_id) VALUES (:key, :id) ON CONFLICT DO NOTHING"),
        {"key": key, "id": row.id},
    )
    bearer = uow.session.scalar(text("SELECT client_id FROM client_reference WHERE reference = :key"), {"key": key})
    if bearer not in tree_of(uow.session, row.id):
        raise Invalid.field("reference", "Cette référence est déjà celle d’une autre fiche.")
