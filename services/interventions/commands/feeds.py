"""Calendar feeds are made and withdrawn."""

from __future__ import annotations

import hashlib
import secrets
import uuid

import orjson

from chassis.errors import Forbidden
from chassis.ids import new_id
from chassis.stamp import lock, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts import interventions as c
from services.interventions.model import CalendarFeed
from services.interventions.queries.feeds import get_feed

ABSENT = "Cet abonnement n’existe pas."


def create_feed(uow: UnitOfWork, request: c.CreateCalendarFeed) -> bytes:
    """Makes a feed and tells its secret, once. Raises `Forbidden` for who is no member of staff."""
    actor = uow.context.actor
    if actor.kind != "user":
        raise Forbidden("Un abonnement appartient à une personne\u202f: une clé lit le calendrier avec son en-tête.")
    key = secrets.token_urlsafe(32)
    row = CalendarFeed(
        id=new_id(),
        owner_id=uuid.UUID(actor.id),
        label=request.body.label,
        # 256 bits at random: a fast hash keeps them as well as a slow one would.
        key_hash=hashlib.sha256(key.encode()).hexdigest(),
        written_client_id=request.body.client_id,
        filters=request.body.filters.model_dump(mode="json", exclude_unset=True, exclude={"tree"}),
        **stamp_new(uow),
    )
    uow.session.add(row)
    uow.session.flush()
    return orjson.dumps(orjson.loads(get_feed(uow.session, row.id)) | {"key": key})


def withdraw_feed(uow: UnitOfWork, request: c.WithdrawCalendarFeed) -> bytes:
    """Ends a feed of the one who asks. Raises `NotFound`, `Forbidden` for somebody else's."""
    row = lock(uow.session, CalendarFeed, request.id, ABSENT)
    if str(row.owner_id) != uow.context.actor.id:
        raise Forbidden("Cet abonnement n’est pas le vôtre.")
    if row.withdrawn_at is None:
        row.withdrawn_at = uow.now
        touch(uow, row)
    return b"{}"
