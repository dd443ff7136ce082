"""A client's own rows: addresses, contacts, relations, activities."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.page import Listing, Part, meta, of_pairs
from contracts import clients as c
from services.clients.relations import KINDS
from services.clients.text import asked_digits, fold, looks_like_phone
from services.kit.homes import in_tree, tree_of

_JOIN = "LEFT JOIN client_alias ca ON ca.id = x.home_client_id"
_ROOT = "coalesce(ca.root_id, x.home_client_id)"
_OWNER = f"'client_id', {_ROOT}, 'written_client_id', nullif(x.written_client_id, {_ROOT})"

ADDRESSES = Listing(
    source=f"address x {_JOIN} LEFT JOIN client o ON o.id = {_ROOT}",
    item=of_pairs(
        f"{meta('x')}, {_OWNER}, 'label', x.label, 'street', x.street, "
        "'street_extra', x.street_extra, 'postal_code', x.postal_code, 'city', x.city, 'country', x.country, "
        "'access_notes', x.access_notes, 'role', x.role, 'place_id', x.place_id, "
        "'is_main', x.id IS NOT DISTINCT FROM o.main_address_id, 'retired', x.retired_at IS NOT NULL"
    ),
    key="x.id",
    # The main one on top, the retired ones last, the others as they came.
    sorts={
        "main": (
            "((CASE WHEN x.id = o.main_address_id THEN '0' WHEN x.retired_at IS NULL THEN '1' ELSE '2' END) "
            "|| to_char(x.created_at, 'YYYYMMDDHH24MISSUS'))",
            "text",
        )
    },
    default="main",
)
CONTACTS = Listing(
    source=f"contact x {_JOIN}",
    item=of_pairs(
        f"{meta('x')}, {_OWNER}, 'first_name', x.first_name, 'last_name', x.last_name, "
        "'name', trim(x.first_name || ' ' || x.last_name), 'role', x.role, 'email', x.email, 'phone', x.phone, "
        "'phone_e164', x.phone_e164, 'phone_display', x.phone_display, 'portal_access', x.portal_access"
    ),
    key="x.id",
    sorts={"created_at": ("x.created_at", "timestamptz")},
    default="created_at",
)
ACTIVITIES = Listing(
    source=f"activity x {_JOIN} LEFT JOIN contact k ON k.id = x.contact_id",
    item=of_pairs(
        f"{meta('x')}, {_OWNER}, 'kind', x.kind, 'direction', x.direction, "
        "'occurred_at', x.occurred_at, 'subject', x.subject, 'body', x.body, 'contact_id', x.contact_id, "
        "'contact', CASE WHEN k.id IS NOT NULL THEN json_build_object('id', k.id, 'name', "
        "trim(k.first_name || ' ' || k.last_name)) END, 'document_ids', x.document_ids, "
        "'automatic', x.automatic, 'link', x.link"
    ),
    key="x.id",
    sorts={"-occurred_at": ("x.occurred_at", "timestamptz"), "occurred_at": ("x.occurred_at", "timestamptz")},
    default="-occurred_at",
)
# A relation is seen from one end: `:here` is that end's tree.
_AT_HOME = "(x.home_client_id = ANY(:here))"
_OTHER = (
    f"CASE WHEN {_AT_HOME} THEN coalesce(oa.root_id, x.other_home_client_id) "
    "ELSE coalesce(ca.root_id, x.home_client_id) END"
)


def _case(at_home: str, away: str) -> str:
    pairs = " ".join(
        f"WHEN x.type = '{kind.inferior}' THEN (CASE WHEN {_AT_HOME} THEN '{getattr(kind, at_home)}' "
        f"ELSE '{getattr(kind, away)}' END)"
        for kind in KINDS
    )
    return f"CASE {pairs} END"


_HIERARCHICAL = ", ".join(f"'{kind.inferior}'" for kind in KINDS if kind.hierarchical)
RELATIONS = Listing(
    source=(
        f"relation x {_JOIN} LEFT JOIN client_alias oa ON oa.id = x.other_home_client_id "
        f"LEFT JOIN client oc ON oc.id = ({_OTHER})"
    ),
    item=of_pairs(
        f"{meta('x')}, 'client_id', (CASE WHEN {_AT_HOME} THEN {_ROOT} ELSE "
        f"coalesce(oa.root_id, x.other_home_client_id) END), 'type', {_case('inferior', 'superior')}, "
        f"'label', {_case('inferior_label', 'superior_label')}, 'hierarchical', x.type IN ({_HIERARCHICAL}), "
        "'other_client_id', oc.id, 'other', json_build_object('id', oc.id, 'name', oc.display_name, "
        "'reference', oc.reference)"
    ),
    key="x.id",
    sorts={"created_at": ("x.created_at", "timestamptz")},
    default="created_at",
)
# A relation within one tree (after a merge) waits hidden (merge-protocol, Rules).
_SEEN = "(x.home_client_id = ANY(:here)) <> (x.other_home_client_id = ANY(:here))"
_NEAR = "x.home_client_id = ANY(:here) OR x.other_home_client_id = ANY(:here)"

LISTINGS = {"addresses": ADDRESSES, "contacts": CONTACTS, "activities": ACTIVITIES, "relations": RELATIONS}
_LIVING = {
    "addresses": ["x.deleted_at IS NULL"],
    "contacts": ["x.deleted_at IS NULL"],
    "activities": ["x.deleted_at IS NULL"],
    "relations": ["x.deleted_at IS NULL", "x.waits IS NULL", "oc.id IS NOT NULL AND oc.deleted_at IS NULL"],
}
ABSENT = {
    "addresses": "Cette adresse n’existe pas.",
    "contacts": "Ce contact n’existe pas.",
    "activities": "Cette activité n’existe pas.",
    "relations": "Cette relation n’existe pas.",
}


def of_client(kind: str, tree: Sequence[uuid.UUID]) -> tuple[list[str], dict[str, Any]]:
    """Conditions and parameters that leave the living rows of a client's tree."""
    if kind == "relations":
        return [*_LIVING[kind], _NEAR, _SEEN], {"here": list(tree)}
    where, params = in_tree("x", tree)
    return [*_LIVING[kind], *where], params


def get_row(session: Session, kind: str, identifier: uuid.UUID) -> bytes:
    """One row of addresses, contacts or activities. Raises `NotFound`."""
    body = LISTINGS[kind].one(session, [*_LIVING[kind], "x.id = :id"], {"id": identifier})
    if body is None:
        raise NotFound(ABSENT[kind])
    return body


def get_relation(session: Session, identifier: uuid.UUID, here: uuid.UUID) -> bytes:
    """One relation, seen from a client."""
    body = RELATIONS.one(
        session, ["x.deleted_at IS NULL", "x.id = :id", _SEEN], {"id": identifier, "here": tree_of(session, here)}
    )
    if body is None:
        raise NotFound(ABSENT["relations"])
    return body


def get_sub(session: Session, request: c.GetSub) -> bytes:
    """One row, only if it is of that client's tree: a foreign id is unknown."""
    where, params = of_client(request.kind, tree_of(session, request.client_id))
    body = LISTINGS[request.kind].one(session, [*where, "x.id = :id"], params | {"id": request.id})
    if body is None:
        raise NotFound(ABSENT[request.kind])
    return body


def list_sub(session: Session, request: c.ListSub) -> bytes:
    """A page of one section."""
    where, params = of_client(request.kind, tree_of(session, request.client_id))
    return LISTINGS[request.kind].page(session, where, params, request)


def parts_of(tree: Sequence[uuid.UUID]) -> tuple[dict[str, Part], dict[str, Any]]:
    """The client's own sections and their parameters."""
    parts: dict[str, Part] = {}
    bound: dict[str, Any] = {}
    for kind, listing in LISTINGS.items():
        where, params = of_client(kind, tree)
        parts[kind] = (listing, where)
        bound |= params
    return parts, bound


FOUND_CONTACTS = dataclasses.replace(
    CONTACTS,
    source=f"{CONTACTS.source} JOIN client o ON o.id = {_ROOT}",
    item=f"({CONTACTS.item}::jsonb || jsonb_build_object('client', jsonb_build_object('id', o.id, "
    "'name', o.display_name, 'reference', o.reference)))",
    sorts={"name": ("(x.last_name || ' ' || x.first_name)", "text")},
    default="name",
)


def find_contacts(session: Session, request: c.FindContacts) -> bytes:
    """Contacts of living clients whose name, e-mail or phone holds what is asked, in whatever order of words."""
    where, params = ["x.deleted_at IS NULL", "o.deleted_at IS NULL"], {}
    words = [asked_digits(request.q)] if looks_like_phone(request.q) else fold(request.q).split()
    for n, word in enumerate(words or ["\x01"]):
        where.append(f"x.search LIKE :word{n}")
        params[f"word{n}"] = f"%{word}%"
    return FOUND_CONTACTS.page(session, where, params, request)
