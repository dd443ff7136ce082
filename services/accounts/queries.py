"""The read side of `accounts`."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.errors import NotFound, Unauthenticated
from chassis.page import (
    Listing,
    Part,
    meta,
)
from contracts import accounts as c
from services.accounts.model import ApiKey, SessionToken, User
from services.kit.homes import (
    fiche_answer,
    in_tree,
    tree_sections,
)

USERS = Listing(
    source='"user" u',
    item=(
        f"json_build_object({meta('u')}, 'name', u.name, 'email', u.email, 'roles', u.roles, 'active', u.active, "
        "'last_seen_at', u.last_seen_at)"
    ),
    key="u.id",
    sorts={"name": ("u.name", "text")},
    default="name",
)
KEYS = Listing(
    source="api_key k",
    item=(
        f"json_build_object({meta('k')}, 'name', k.name, 'scopes', k.scopes, 'prefix', k.prefix, "
        "'revoked_at', k.revoked_at, 'last_seen_at', k.last_seen_at)"
    ),
    key="k.id",
    sorts={"-created_at": ("k.created_at", "timestamptz")},
    default="-created_at",
)
PORTAL = Listing(
    source="portal_grant p",
    item=(
        "json_build_object('id', p.contact_id, 'name', p.name, 'email', p.email, 'status', "
        "CASE WHEN p.last_seen_at IS NULL THEN 'invited' ELSE 'active' END, 'last_seen_at', p.last_seen_at)"
    ),
    key="p.contact_id",
    sorts={"name": ("p.name", "text")},
    default="name",
)


def get_user(session: Session, identifier: uuid.UUID) -> bytes:
    """One member of staff. Raises `NotFound`."""
    body = USERS.one(session, ["u.id = :id"], {"id": identifier})
    if body is None:
        raise NotFound("Cet utilisateur n’existe pas.")
    return body


def list_users(session: Session, request: c.ListUsers) -> bytes:
    """A page of staff."""
    where, params = [], {}
    if request.role:
        where.append("u.roles @> CAST(:role AS jsonb)")
        params["role"] = orjson.dumps([request.role]).decode()
    if request.active is not None:
        where.append("u.active = :active")
        params["active"] = request.active  # type: ignore[assignment]
    return USERS.page(session, where, params, request)


def get_api_key(session: Session, identifier: uuid.UUID, secret: str | None = None) -> bytes:
    """One key, with its secret only when it was made just now."""
    body = KEYS.one(session, ["k.id = :id"], {"id": identifier})
    if body is None:
        raise NotFound("Cette clé n’existe pas.")
    return body if secret is None else orjson.dumps(orjson.loads(body) | {"key": secret})


def list_api_keys(session: Session, request: c.ListApiKeys) -> bytes:
    """A page of keys."""
    return KEYS.page(session, [], {}, request)


def fiche(session: Session, request: c.AccountsFiche) -> bytes:
    """The section of a fiche: who has access to the portal, count and first page in one query."""

    def parts(tree: Sequence[uuid.UUID]) -> tuple[dict[str, Part], dict[str, Any]]:
        where, params = in_tree("p", tree)
        if len(tree) > 1:
            # A person whom several records of the tree know has one access.
            where.append(
                "NOT EXISTS (SELECT 1 FROM portal_grant o WHERE o.home_client_id = ANY(:tree) AND o.granted "
                "AND lower(o.email) = lower(p.email) AND o.contact_id < p.contact_id)"
            )
        return {"portal": (PORTAL, ["p.granted", *where])}, params

    tree, found, _ = tree_sections(session, request, parts)
    return fiche_answer(tree, found)


def authenticate(session: Session, secret_digest: str, now: datetime) -> c.Identity:
    """Whom a secret belongs to. Raises `Unauthenticated`."""
    key = session.scalar(select(ApiKey).where(ApiKey.digest == secret_digest, ApiKey.revoked_at.is_(None)))
    if key is not None:
        roles = ["admin"] if "admin" in key.scopes else []
        return c.Identity(id=str(key.id), name=key.name, kind="key", roles=roles, scopes=key.scopes)
    row = session.get(SessionToken, secret_digest)
    if row is None or row.one_time or row.ended_at is not None or row.expires_at < now:
        raise Unauthenticated("Cette session n’existe pas ou a expiré. Connectez-vous de nouveau.")
    user = session.get(User, row.user_id)
    if user is None or not user.active:
        raise Unauthenticated("Ce compte n’est plus actif.")
    return identity_of(user)


def identity_of(user: User) -> c.Identity:
    """A member of staff as the gateway knows them; administrators may do all, the rest is asked of their roles."""
    scopes: list[c.Scope] = ["read", "write"]
    if "admin" in user.roles:
        scopes.append("admin")
    return c.Identity(
        id=str(user.id), name=user.name, kind="user", roles=list(user.roles), scopes=scopes, email=user.email
    )
