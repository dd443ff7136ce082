"""Tables of `accounts` and the rules that always hold."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.tables import StampedMixin, new_base
from services.kit.erased import Erased, Nobodys, texts
from services.kit.model import HomeMixin, attach_forest

Base = new_base()
attach_forest(Base)


class User(StampedMixin, Base):  # type: ignore[valid-type,misc]
    """A member of staff. `email` is unique whatever its case; `password` is an argon2id hash or null."""

    __tablename__ = "user"
    __erased__ = Nobodys("the staff")
    name: Mapped[str]
    email: Mapped[str | None]
    roles: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    password: Mapped[str | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    last_seen_at: Mapped[datetime | None]
    __table_args__ = (Index("uq_user_email", text("lower(email)"), unique=True),)


class ApiKey(StampedMixin, Base):  # type: ignore[valid-type,misc]
    """A machine's key. Only its SHA-256 is kept: it is random, so a slow hash would protect nothing more."""

    __tablename__ = "api_key"
    __erased__ = Nobodys("machines")
    name: Mapped[str]
    scopes: Mapped[list[Any]]
    prefix: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    revoked_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]


class SessionToken(Base):  # type: ignore[valid-type,misc]
    """A session or a one-time link; only the digest of its token is kept."""

    __tablename__ = "session_token"
    __erased__ = Nobodys("the staff")
    digest: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"), index=True)
    #: True for a link that opens one session and is then used up.
    one_time: Mapped[bool]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SignInFailure(Base):  # type: ignore[valid-type,misc]
    """Failed sign-ins of an e-mail, to slow down guessing."""

    __tablename__ = "sign_in_failure"
    __erased__ = Nobodys("addresses tried at the door, of the staff")
    email: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    last_at: Mapped[datetime]


class PortalGrant(HomeMixin, Base):  # type: ignore[valid-type,misc]
    """A contact with access to the portal, as `clients` told. Rights are asked for at each request, by home."""

    __tablename__ = "portal_grant"
    __erased__ = Erased(texts("email", "name", granted="false"))
    contact_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    granted: Mapped[bool]
    #: When the contact last came to the portal; null while it never did.
    last_seen_at: Mapped[datetime | None]
    __table_args__ = (Index("ix_portal_grant_home", "home_client_id", "name"),)


KINDS = {"portal_grant": PortalGrant}
