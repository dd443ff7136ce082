"""The write side of `accounts`."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta

from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from chassis.errors import Conflict, Invalid, TooMany, Unauthenticated
from chassis.ids import new_id
from chassis.stamp import apply_changes, check_version, lock, stamp_new, touch
from chassis.uow import UnitOfWork
from contracts import accounts as c
from services.accounts import queries
from services.accounts.model import ApiKey, PortalGrant, SessionToken, SignInFailure, User
from services.accounts.passwords import hash_password, verify_password

SESSION = timedelta(days=14)
LINK = timedelta(hours=24)
#: Failures in a row before an e-mail has to wait, and how long.
FREE_FAILURES = 8
WAIT = timedelta(minutes=5)


def digest(secret: str) -> str:
    """What is kept of a random secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create_user(uow: UnitOfWork, request: c.CreateUser) -> bytes:
    """Adds a member of staff. Raises `Invalid` when the e-mail is taken."""
    body = request.body
    user = User(
        id=request.id or new_id(),
        name=body.name,
        email=body.email or None,
        roles=list(body.roles),
        password=hash_password(body.password) if body.password else None,
        active=True,
        **stamp_new(uow),
    )
    uow.session.add(user)
    _flush_email(uow)
    uow.emit(c.UserCreated(id=user.id, name=user.name, roles=user.roles, active=True))
    return queries.get_user(uow.session, user.id)


def update_user(uow: UnitOfWork, request: c.UpdateUser) -> bytes:
    """Changes a member of staff. The last active administrator stays one."""
    user = lock(uow.session, User, request.id, "Cet utilisateur n’existe pas.")
    check_version(user, request.expected_version)
    if "name" in request.changes.model_fields_set and not request.changes.name:
        raise Invalid.field("name", "Donnez un nom.")
    changed = apply_changes(user, request.changes, skip=frozenset({"password"}))
    if request.changes.password:
        user.password = hash_password(request.changes.password)
        changed.add("password")
    if changed:
        touch(uow, user)
        _flush_email(uow)
        _keep_an_administrator(uow)
        if not user.active or "password" in changed:
            uow.session.execute(
                text("UPDATE session_token SET ended_at = :now WHERE user_id = :id AND ended_at IS NULL"),
                {"now": uow.now, "id": user.id},
            )
        uow.emit(c.UserUpdated(id=user.id, name=user.name, roles=user.roles, active=user.active))
    return queries.get_user(uow.session, user.id)


def _flush_email(uow: UnitOfWork) -> None:
    try:
        uow.session.flush()
    except IntegrityError as error:
        if "uq_user_email" in str(error):
            raise Invalid.field("email", "Cette adresse e-mail est déjà celle d’un autre utilisateur.") from None
        raise


def _keep_an_administrator(uow: UnitOfWork) -> None:
    count = uow.session.scalar(text("SELECT count(*) FROM \"user\" WHERE active AND roles ? 'admin'"))
    if not count:
        raise Conflict("Il faut au moins un administrateur actif.")


def create_api_key(uow: UnitOfWork, request: c.CreateApiKey) -> bytes:
    """Makes a key; the answer is the only place where it is seen."""
    secret = "fiche_" + secrets.token_urlsafe(32)
    key = _add_key(uow, request.body.name, list(request.body.scopes), secret)
    uow.session.flush()
    return queries.get_api_key(uow.session, key.id, secret)


def _add_key(uow: UnitOfWork, name: str, scopes: list[str], secret: str) -> ApiKey:
    key = ApiKey(id=new_id(), name=name, scopes=scopes, prefix=secret[:10], digest=digest(secret), **stamp_new(uow))
    uow.session.add(key)
    return key


def revoke_api_key(uow: UnitOfWork, request: c.RevokeApiKey) -> bytes:
    """Ends a key; asked again, it stays ended as it was."""
    key = lock(uow.session, ApiKey, request.id, "Cette clé n’existe pas.")
    if key.revoked_at is None:
        key.revoked_at = uow.now
        touch(uow, key)
        uow.session.flush()
    return queries.get_api_key(uow.session, key.id)


def sign_in(uow: UnitOfWork, request: c.SignIn) -> c.Session:
    """A session for e-mail and password.

    Raises `Unauthenticated`, the same for unknown and wrong, and `TooMany` after too many failures in a row.
    """
    email = request.email.strip().lower()
    failure = uow.session.get(SignInFailure, email)
    if failure and failure.count >= FREE_FAILURES and uow.now - failure.last_at < WAIT:
        left = WAIT - (uow.now - failure.last_at)
        raise TooMany(
            "Trop d’essais. Réessayez dans quelques minutes.",
            code="too_many_tries",
            data={"retry_after": int(left.total_seconds()) + 1},
        )
    user = uow.session.scalar(select(User).where(func.lower(User.email) == email, User.active))
    if not verify_password(user.password if user else None, request.password) or user is None:
        raise Unauthenticated("Adresse e-mail ou mot de passe inconnu.", code="wrong_password")
    if failure:
        uow.session.delete(failure)
    return _begin_session(uow, user)


def note_failure(uow: UnitOfWork, email: str) -> None:
    """Counts a failed sign-in; in a transaction of its own, since the refusal rolls the other back."""
    uow.session.execute(
        text(
            "INSERT INTO sign_in_failure (email, count, last_at) VALUES (:email, 1, :now) "
            "ON CONFLICT (email) DO UPDATE SET count = sign_in_failure.count + 1, last_at = :now"
        ),
        {"email": email.strip().lower(), "now": uow.now},
    )


def sign_in_by_link(uow: UnitOfWork, request: c.SignInByLink) -> c.Session:
    """A session for a one-time link, which is used up."""
    link = uow.session.get(SessionToken, digest(request.token), with_for_update=True)
    if link is None or not link.one_time or link.ended_at is not None or link.expires_at < uow.now:
        raise Unauthenticated("Ce lien a déjà servi ou a expiré. Relancez le produit pour en avoir un autre.")
    link.ended_at = uow.now
    user = uow.session.get(User, link.user_id)
    if user is None or not user.active:
        raise Unauthenticated("Ce compte n’est plus actif.")
    return _begin_session(uow, user)


def sign_out(uow: UnitOfWork, request: c.SignOut) -> bytes:
    """Ends a session; an unknown token is no error."""
    row = uow.session.get(SessionToken, digest(request.token), with_for_update=True)
    if row is not None and row.ended_at is None:
        row.ended_at = uow.now
    return b"{}"


def _begin_session(uow: UnitOfWork, user: User) -> c.Session:
    token, expires = _add_token(uow, user.id, one_time=False, life=SESSION)
    user.last_seen_at = uow.now
    uow.session.flush()
    return c.Session(token=token, expires_at=expires, user=queries.identity_of(user))


def _add_token(uow: UnitOfWork, user_id: uuid.UUID, *, one_time: bool, life: timedelta) -> tuple[str, datetime]:
    token = secrets.token_urlsafe(32)
    uow.session.add(
        SessionToken(
            digest=digest(token),
            user_id=user_id,
            one_time=one_time,
            created_at=uow.now,
            expires_at=uow.now + life,
        )
    )
    return token, uow.now + life


def bootstrap(uow: UnitOfWork, request: c.Bootstrap) -> c.BootstrapAnswer:
    """First start. With a token: it becomes an administrator's key. Without: a one-time link for the administrator."""
    uow.session.execute(text("SELECT pg_advisory_xact_lock(5021979)"))
    admin = uow.session.scalar(
        select(User).where(User.active, User.roles.contains(["admin"])).order_by(User.created_at, User.id).limit(1)
    )
    created = admin is None
    if admin is None:
        admin = User(id=new_id(), name="Administrateur", roles=["admin"], active=True, **stamp_new(uow))
        uow.session.add(admin)
        uow.session.flush()
        uow.emit(c.UserCreated(id=admin.id, name=admin.name, roles=admin.roles, active=True))
    if request.token:
        known = uow.session.scalar(select(ApiKey).where(ApiKey.digest == digest(request.token)))
        if known is None:
            _add_key(uow, "Clé de démarrage (FICHE_BOOTSTRAP_TOKEN)", ["read", "write", "admin"], request.token)
        return c.BootstrapAnswer(created=created, link_token=None)
    if not request.link or admin.password is not None:
        return c.BootstrapAnswer(created=created, link_token=None)
    token, _ = _add_token(uow, admin.id, one_time=True, life=LINK)
    return c.BootstrapAnswer(created=created, link_token=token)


def revoke_grants(uow: UnitOfWork) -> None:
    """Takes every contact's access to the portal away, until `clients` tells it again."""
    uow.session.execute(update(PortalGrant).values(granted=False))


def follow_contact(
    uow: UnitOfWork, contact_id: uuid.UUID, home: uuid.UUID, written: uuid.UUID, email: str, name: str, granted: bool
) -> None:
    """Keeps a contact's access to the portal as `clients` tells it."""
    row = uow.session.get(PortalGrant, contact_id)
    if row is None:
        if not granted:
            return
        row = PortalGrant(contact_id=contact_id, home_client_id=home, written_client_id=written)
        uow.session.add(row)
    row.home_client_id = home
    row.email, row.name, row.granted = email, name, granted
