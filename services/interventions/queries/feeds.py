"""Calendar feeds: those of a person, and what one shows."""

from __future__ import annotations

import hashlib
import uuid

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.context import Actor
from chassis.errors import NotFound
from chassis.page import First, Listing, meta
from contracts import interventions as c
from services.interventions.queries.filters import conditions
from services.interventions.queries.listings import INTERVENTIONS
from services.interventions.queries.sight import seen_by
from services.kit.homes import tree_of
from services.kit.zone import ZONE

FEEDS = Listing(
    source="calendar_feed x",
    item=f"json_build_object({meta('x')}, 'label', x.label, 'client_id', x.written_client_id, 'key', NULL)",
    key="x.id",
    sorts={"-created_at": ("x.created_at", "timestamptz")},
    default="-created_at",
)
#: What a calendar wants to know: the past two months and the year ahead.
_AROUND = "x.starts_at BETWEEN now() - interval '60 days' AND now() + interval '366 days'"
MOST = 2000


def get_feed(session: Session, identifier: uuid.UUID) -> bytes:
    """One feed, without its secret."""
    body = FEEDS.one(session, ["x.id = :id"], {"id": identifier})
    if body is None:
        raise NotFound("Cet abonnement n’existe pas.")
    return body


def list_feeds(session: Session, request: c.ListCalendarFeeds, actor: Actor) -> bytes:
    """A page of the feeds of the one who asks that are not withdrawn."""
    return FEEDS.page(session, ["x.owner_id::text = :me", "x.withdrawn_at IS NULL"], {"me": actor.id}, request)


def read_feed(session: Session, request: c.ReadCalendarFeed) -> bytes:
    """What the feed shows to its owner, by the roles he has now. Raises `NotFound` for a secret that opens nothing."""
    row = session.execute(
        text(
            "SELECT f.label, f.written_client_id, f.filters, u.id, u.name, u.roles "
            "FROM calendar_feed f JOIN known_user u "
            "ON u.id = f.owner_id AND u.active WHERE f.key_hash = :hash AND f.withdrawn_at IS NULL"
        ),
        {"hash": hashlib.sha256(request.key.encode()).hexdigest()},
    ).one_or_none()
    if row is None:
        raise NotFound("Cet abonnement n’existe pas, ou a été retiré.")
    filters = c.InterventionFilters.model_validate(row.filters)
    if row.written_client_id is not None:
        filters = filters.model_copy(update={"tree": tree_of(session, row.written_client_id)})
    found, params = conditions(filters)
    where = [*found.values(), _AROUND]
    sight = seen_by(Actor(id=str(row.id), name=row.name, roles=tuple(row.roles)))
    if sight is not None:
        condition, more = sight.work()
        where.append(condition)
        params |= more
    page = INTERVENTIONS.page(session, where, params, First(MOST, sort="starts_at"))
    zone = session.execute(text(f"SELECT {ZONE}")).scalar_one()
    return b'{"label":' + orjson.dumps(row.label) + b',"timezone":' + orjson.dumps(zone) + b"," + page[1:]
