"""Client records and their own sections → clients."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, cast

from contracts import clients as c
from services.imports import records
from services.imports.runner.post import Post
from services.imports.targets.base import AUTHOR, Home, Order, Resolver


def identify(post: Post, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Home]:
    """What clients mean now (merge-protocol: asked at each write from outside). Unknown and deleted ones are absent."""
    answer: Any = post.ask(c.Identify(ids=list(ids)))
    homes: dict[uuid.UUID, Home] = {}
    for found in answer["clients"]:
        if found["found"] and found["root_id"] is not None and found["status"] != "deleted":
            written = uuid.UUID(found["id"])
            homes[written] = Home(uuid.UUID(found["root_id"]), written, str(found["status"]))
    return homes


def client(record: records.Client, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """The record with its memo, tags and custom fields; an archived one comes in archived."""
    body = c.ClientBody(
        kind=cast(c.Kind, record.kind),
        stage=cast(c.Stage, record.stage),
        first_name=record.first_name or "",
        last_name=record.last_name or "",
        company_name=record.company_name or "",
        reference=record.reference,
        registration_number=record.registration_number or "",
        siret=record.siret or "",
        vat_number=record.vat_number or "",
        email=record.email or "",
        phone=record.phone or "",
        secondary_phone=record.secondary_phone or "",
        website=record.website or "",
        sales_rep_id=resolver.find(record.sales_rep_ref),
        tags=list(record.tags),
        custom_fields=dict(record.custom_fields),
        memo=record.memo,
    )
    request = c.CreateClient(
        id=chosen,
        body=body,
        archived=record.status == "archived",
        origin=c.Origin(created_at=record.created_at, created_by_name=AUTHOR) if record.created_at else None,
    )
    return Order("clients", "client", chosen, [request])


def custom_field(record: records.CustomField, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """The definition; one that exists under this key already is kept as it is."""
    body = c.CustomFieldBody(
        key=record.key, label=record.label, type=cast(Any, record.kind), choices=list(record.choices)
    )
    return Order(
        "clients",
        "custom_field",
        chosen,
        [c.CreateCustomField(id=chosen, body=body)],
        done_codes=frozenset({"key_taken", "conflict"}),
    )


def address(record: records.Address, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """An address; later records keep its place's id."""
    home = resolver.home(record.client_ref)
    body = c.AddressBody(
        label=record.label or "",
        street=record.street or "",
        street_extra=record.street_extra or "",
        postal_code=record.postal_code or "",
        city=record.city or "",
        country=record.country,
        access_notes=record.access_notes or "",
    )
    request = c.CreateAddress(
        id=chosen, home_client_id=home.home, written_client_id=home.written, body=body, main=record.is_main
    )
    return Order("clients", "address", chosen, [request], keep=lambda answer: {"place_id": answer.get("place_id")})


def contact(record: records.Contact, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """A contact."""
    home = resolver.home(record.client_ref)
    body = c.ContactBody(
        first_name=record.first_name or "",
        last_name=record.last_name or "",
        role=record.role or "",
        email=record.email or "",
        phone=record.phone or "",
    )
    request = c.CreateContact(id=chosen, home_client_id=home.home, written_client_id=home.written, body=body)
    return Order("clients", "contact", chosen, [request])


def relation(record: records.Relation, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """A typed link."""
    home, other = resolver.home(record.client_ref), resolver.home(record.other_client_ref)
    request = c.CreateRelation(
        id=chosen,
        home_client_id=home.home,
        written_client_id=home.written,
        other_home_id=other.home,
        body=c.RelationBody(type=cast(c.RelationType, record.type), other_client_id=other.written),
    )
    return Order("clients", "relation", chosen, [request])


def activity(record: records.Activity, chosen: uuid.UUID, resolver: Resolver) -> Order:
    """An exchange, at its own moment."""
    home = resolver.home(record.client_ref)
    body = c.ActivityBody(
        kind=cast(c.ActivityKind, record.kind),
        direction=cast(c.Direction | None, record.direction),
        occurred_at=record.occurred_at,
        subject=record.subject,
        body=record.body,
        contact_id=resolver.find(record.contact_ref),
    )
    request = c.CreateActivity(
        id=chosen,
        home_client_id=home.home,
        written_client_id=home.written,
        origin=c.Origin(created_at=record.occurred_at, created_by_name=record.author_name or AUTHOR),
        body=body,
        automatic=record.automatic,
    )
    return Order("clients", "activity", chosen, [request])
