"""Records: one, and the fiche."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import Gone, Moved, NotFound
from chassis.page import Listing, meta
from contracts import clients as c
from contracts.words import CLIENT_DELETED
from services.clients.queries import rows
from services.clients.relations import HIERARCHICAL
from services.kit.homes import (
    fiche_answer,
    tree_sections,
)

ABSENT = "Cette fiche n’existe pas."
ERASED = "Les données de cette personne ont été effacées, pour toujours."

_TREE = "ARRAY(SELECT t.id FROM client_alias t WHERE t.root_id = c.id)"
_TAGS = (
    "coalesce((SELECT json_agg(DISTINCT t.tag ORDER BY t.tag) FROM client_tag t "
    f"WHERE t.home_client_id = c.id OR t.home_client_id = ANY({_TREE})), '[]'::json)"
)
_MAIN = (
    "(SELECT json_build_object('id', a.id, 'label', a.label, 'street', a.street, 'street_extra', a.street_extra, "
    "'postal_code', a.postal_code, 'city', a.city, 'country', a.country) FROM address a WHERE a.id = c.main_address_id)"
)
_STATUS = (
    "CASE WHEN c.deleted_at IS NOT NULL THEN 'deleted' WHEN c.archived_at IS NOT NULL THEN 'archived' ELSE 'active' END"
)
_PARENT = (
    "(SELECT json_build_object('id', p.id, 'name', p.display_name, 'reference', p.reference, 'type', r.type) "
    "FROM relation r JOIN client p ON p.id = coalesce((SELECT root_id FROM client_alias WHERE id = r.home_client_id), "
    "r.home_client_id) WHERE (r.other_home_client_id = c.id OR r.other_home_client_id = ANY"
    f"({_TREE})) AND r.deleted_at IS NULL AND r.waits IS NULL "
    f"AND r.type IN ({', '.join(repr(kind) for kind in HIERARCHICAL)}) "
    "AND p.id <> c.id AND p.deleted_at IS NULL ORDER BY r.created_at, r.id LIMIT 1)"
)
# When something last happened there: what was said or done, else when the record was opened.
_LAST_ACTIVITY = (
    "coalesce((SELECT max(v.occurred_at) FROM activity v WHERE v.home_client_id = c.id AND v.deleted_at IS NULL "
    "AND v.occurred_at <= now()), c.created_at)"
)
_SHORT = (
    f"{meta('c')}, 'kind', c.kind, 'first_name', c.first_name, 'last_name', c.last_name, "
    "'company_name', c.company_name, 'display_name', c.display_name, 'reference', c.reference, "
    "'registration_number', c.registration_number, 'stage', c.stage, 'siret', c.siret, 'vat_number', c.vat_number, "
    "'email', c.email, 'phone', c.phone, 'phone_e164', c.phone_e164, 'phone_display', c.phone_display, "
    "'secondary_phone', c.secondary_phone, 'secondary_phone_e164', c.secondary_phone_e164, "
    "'secondary_phone_display', c.secondary_phone_display, 'website', c.website, "
    "'sales_rep_id', c.sales_rep_id, 'sales_rep', CASE WHEN u.id IS NOT NULL THEN "
    "json_build_object('id', u.id, 'name', u.name) END, "
    f"'tags', {_TAGS}, 'custom_fields', c.custom_fields, 'memo', c.memo, 'status', {_STATUS}, "
    f"'main_address', {_MAIN}, 'parent', {_PARENT}, 'layout', c.layout, "
    f"'last_activity_at', {_LAST_ACTIVITY}, 'memo_version', c.memo_version, "
    "'memo_updated_at', c.memo_updated_at, 'memo_updated_by', c.memo_updated_by"
)

CLIENTS = Listing(
    source="client c LEFT JOIN known_user u ON u.id = c.sales_rep_id",
    item=f"json_build_object({_SHORT})",
    key="c.id",
    sorts={
        "name": ("c.sort_name", "text"),
        "-name": ("c.sort_name", "text"),
        "created_at": ("c.created_at", "timestamptz"),
        "-created_at": ("c.created_at", "timestamptz"),
        "updated_at": ("c.updated_at", "timestamptz"),
        "-updated_at": ("c.updated_at", "timestamptz"),
        "reference": ("c.reference", "text"),
        "-reference": ("c.reference", "text"),
        "-activity": (_LAST_ACTIVITY, "timestamptz"),
    },
    default="name",
)


def get_client(session: Session, identifier: uuid.UUID) -> bytes:
    """One living record. Raises `NotFound`, `Moved` (with the survivor's id), `Gone`."""
    body = CLIENTS.one(session, ["c.id = :id", "c.deleted_at IS NULL", "c.merged_into IS NULL"], {"id": identifier})
    if body is None:
        refuse(session, identifier)
    assert body is not None
    return body


def refuse(session: Session, identifier: uuid.UUID) -> None:
    """Raises why a record cannot be shown; returns when it can."""
    row = session.execute(
        text("SELECT c.deleted_at, a.root_id FROM client c LEFT JOIN client_alias a ON a.id = c.id WHERE c.id = :id"),
        {"id": identifier},
    ).one_or_none()
    if row is None:
        raise NotFound(ABSENT)
    if row.root_id is not None:
        raise Moved("Cette fiche a été fusionnée dans une autre.", data={"client_id": str(row.root_id)})
    if row.deleted_at is not None:
        refuse_erased(session, identifier)
        raise Gone(CLIENT_DELETED)


def refuse_erased(session: Session, identifier: uuid.UUID) -> None:
    """Raises `Gone` (`client_erased`) for a person who was erased."""
    if session.scalar(text("SELECT 1 FROM erased_client WHERE id = :id"), {"id": identifier}):
        raise Gone(ERASED, code="client_erased")


#: Of a deleted record: that it can still be restored.
STILL_KEPT = (
    "c.deleted_at >= now() - make_interval(days => :kept_days) "
    "AND NOT EXISTS (SELECT 1 FROM erased_client e WHERE e.id = c.id)"
)


def counts(session: Session, kept_days: int) -> dict[str, Any]:
    """How many records by status (of deleted ones those that can be restored).

    And what the list can be filtered by: tags, cities and salespeople in use.
    """
    row = session.execute(
        text(
            "SELECT count(*) FILTER (WHERE c.deleted_at IS NULL AND c.archived_at IS NULL) AS active, "
            "count(*) FILTER (WHERE c.deleted_at IS NULL AND c.archived_at IS NOT NULL) AS archived, "
            f"count(*) FILTER (WHERE {STILL_KEPT}) AS deleted FROM client c WHERE c.merged_into IS NULL"
        ),
        {"kept_days": kept_days},
    ).one()
    tags = session.execute(text("SELECT DISTINCT tag FROM client_tag ORDER BY tag LIMIT 200")).scalars().all()
    cities = session.execute(
        text(
            "SELECT min(a.city) AS city FROM client c JOIN address a ON a.id = c.main_address_id "
            "WHERE c.merged_into IS NULL AND c.deleted_at IS NULL AND a.city <> '' "
            "GROUP BY lower(a.city) ORDER BY count(*) DESC, lower(a.city) LIMIT 200"
        )
    ).scalars()
    people = session.execute(
        text(
            "SELECT u.id, u.name FROM known_user u WHERE EXISTS (SELECT 1 FROM client c WHERE c.sales_rep_id = u.id "
            "AND c.deleted_at IS NULL AND c.merged_into IS NULL) ORDER BY u.name LIMIT 200"
        )
    )
    return {
        "active": row.active,
        "archived": row.archived,
        "deleted": row.deleted,
        "tags": list(tags),
        "cities": sorted(cities),
        "sales_reps": [{"id": str(person.id), "name": person.name} for person in people],
    }


_BESIDES = {
    "forest": "SELECT version::text FROM client_forest",
    "client": f"SELECT ({CLIENTS.item})::text FROM {CLIENTS.source} WHERE c.id = CAST(:asked AS uuid) "
    "AND c.deleted_at IS NULL AND c.merged_into IS NULL",
}


def fiche(session: Session, request: c.ClientFiche) -> bytes:
    """The record and its sections, with the true tree and the forest's version. Raises as `get_client`."""
    tree, sections, more = tree_sections(session, request, rows.parts_of, _BESIDES)
    if more["client"] is None:
        refuse(session, request.client_id)
    return fiche_answer(tree, sections, forest=more["forest"].encode(), client=str(more["client"]).encode())
