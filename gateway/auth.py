"""The door's lock: who comes in by key, session token or cookie; CSRF for cookies; what each may do."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time

from flask import Flask, Response, g, request

from chassis.errors import FicheError, Forbidden, Unauthenticated
from contracts.accounts import Authenticate, Identity, SignOut
from gateway.rpc import Rpc

COOKIE = "fiche_session"
CSRF_COOKIE = "fiche_csrf"
#: Known sessions and keys are believed this long, so that `accounts` away does not shut the door on those inside.
BELIEVED_S = 30.0
SAFE = {"GET", "HEAD", "OPTIONS"}

#: Endpoints that never ask who it is.
WITHOUT_ACCOUNTS = {
    "healthz",
    "readyz",
    "metrics",
    "openapi",
    "docs",
    "asyncapi",
    "event_schema",
    "events_docs",
    "web.static",
}

#: Endpoints that need no sign-in; a test holds the list.
PUBLIC = WITHOUT_ACCOUNTS | {
    "web.sign_in_page",
    "web.sign_in",
    "web.link_page",
    "web.sign_in_by_link",
    "web.sign_out",
    "web.home",
    "api.begin_session",
    "api.calendar_feed",
}


class Door:
    """Authenticates each request before its view runs."""

    def __init__(self, app: Flask, rpc: Rpc, *, secure_cookies: bool) -> None:
        self._rpc = rpc
        self._secure = secure_cookies
        self._known: dict[str, tuple[float, Identity]] = {}
        self._lock = threading.Lock()
        app.before_request(self._check)
        app.jinja_env.globals["csrf_token"] = self.csrf_token
        app.after_request(self._keep_csrf)

    # --- who ----------------------------------------------------------------------------------------------------

    def _check(self) -> None:
        g.user = None
        g.by_cookie = False
        if request.endpoint in WITHOUT_ACCOUNTS:
            return
        token = request.cookies.get(COOKIE, "")
        secret = _bearer()
        if not secret:
            secret, g.by_cookie = token, bool(token)
        public = request.endpoint in PUBLIC or request.endpoint is None
        if secret:
            try:
                g.user = self._identity(secret)
            except FicheError:
                if not public:
                    raise
        if g.user is None and not public:
            raise Unauthenticated("Connectez-vous, ou donnez une clé d’API.")
        page_form = request.blueprint == "web" and request.method not in SAFE
        if (g.by_cookie and request.method not in SAFE) or page_form:
            self._check_csrf()
        if g.user is not None and not public:
            self._check_scope(g.user)

    def _identity(self, secret: str) -> Identity:
        digest = hashlib.sha256(secret.encode()).hexdigest()
        now = time.monotonic()
        with self._lock:
            known = self._known.get(digest)
        if known and now - known[0] < BELIEVED_S:
            return known[1]
        try:
            identity = Identity.model_validate(self._rpc.ask_json(Authenticate(secret=secret[:500])))
        except FicheError:
            with self._lock:
                self._known.pop(digest, None)
            raise
        with self._lock:
            if len(self._known) > 10_000:
                self._known.clear()
            self._known[digest] = (now, identity)
        return identity

    def _check_scope(self, user: Identity) -> None:
        needed = "read" if request.method in SAFE else "write"
        if needed not in user.scopes:
            raise Forbidden("Cette clé ne permet que la lecture.", code="read_only")

    # --- cookies and CSRF ---------------------------------------------------------------------------------------

    def csrf_token(self) -> str:
        """The token that forms carry: a random value that the cookie bears too (signed double submit by SameSite)."""
        if "csrf" not in g:
            given = request.cookies.get(CSRF_COOKIE, "")
            g.csrf = given if len(given) >= 32 else secrets.token_urlsafe(32)
        return str(g.csrf)

    def _check_csrf(self) -> None:
        cookie = request.cookies.get(CSRF_COOKIE, "")
        sent = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
        if not cookie or not hmac.compare_digest(cookie.encode(), sent.encode()):
            raise Forbidden("Cette page est trop ancienne\u202f: rechargez-la, puis recommencez.", code="csrf")

    def _keep_csrf(self, answer: Response) -> Response:
        if "csrf" in g and request.cookies.get(CSRF_COOKIE) != g.csrf:
            answer.set_cookie(
                CSRF_COOKIE,
                g.csrf,
                httponly=True,
                samesite="Strict",
                secure=self._secure or request.is_secure,
                path="/",
            )
        return answer

    def _https(self) -> bool:
        return self._secure or request.is_secure

    def begin(self, answer: Response, token: str) -> None:
        """Puts the session's cookie on a response."""
        age = 14 * 24 * 3600
        answer.set_cookie(
            COOKIE,
            token,
            max_age=age,
            httponly=True,
            samesite="Lax",
            secure=self._secure or request.is_secure,
            path="/",
        )

    def end(self, answer: Response) -> None:
        """Ends the session and takes its cookie away."""
        token = _bearer() or request.cookies.get(COOKIE, "")
        if token:
            self._rpc.ask(SignOut(token=token[:200]))
            with self._lock:
                self._known.pop(hashlib.sha256(token.encode()).hexdigest(), None)
        answer.delete_cookie(COOKIE, path="/")


def _bearer() -> str:
    given = request.headers.get("Authorization", "")
    return given[7:].strip() if given.lower().startswith("bearer ") else ""


def require_admin() -> None:
    """Raises `Forbidden` unless an administrator (or a key with scope admin) asks."""
    if "admin" not in g.user.scopes:
        raise Forbidden("Seul un administrateur peut faire cela.")
