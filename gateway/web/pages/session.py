"""Coming in and going out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request
from flask import g as flask_g

from chassis.errors import TooMany, Unauthenticated
from contracts import accounts
from gateway.rights import on_the_road
from gateway.web.backend import Backend


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""

    def _enter(session: dict[str, Any], target: str) -> Response:
        safe = target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/"
        answer = make_response(redirect(safe, 303))
        backend.begin_session(answer, session["token"])
        return answer

    @web.get("/connexion")
    def sign_in_page() -> str:
        return render_template("sign_in.html")

    @web.post("/connexion")
    def sign_in() -> Any:
        email, password = request.form.get("email", ""), request.form.get("password", "")
        try:
            session = backend.ask(accounts.SignIn(email=email[:254], password=password[:200]))
        except Unauthenticated as error:
            return render_template("sign_in.html", problem=error.detail, email=email), 401
        except TooMany as error:
            return render_template("sign_in.html", problem=error.detail, email=email), 429
        return _enter(session, request.args.get("suite", "/"))

    @web.get("/connexion/<token>")
    def link_page(token: str) -> str:
        return render_template("sign_in.html", token=token)

    @web.post("/connexion/<token>")
    def sign_in_by_link(token: str) -> Any:
        try:
            session = backend.ask(accounts.SignInByLink(token=token[:200]))
        except Unauthenticated as error:
            return render_template("sign_in.html", problem=error.detail), 401
        return _enter(session, "/")

    @web.get("/connexion/jeton")
    def form_token() -> dict[str, str]:
        # For a form that stayed open while its session was begun again in another tab.
        csrf: str = current_app.jinja_env.globals["csrf_token"]()  # type: ignore[operator]
        return {"csrf_token": csrf}

    @web.get("/connexion/faite")
    def signed_in() -> str:
        return render_template("signed_in.html")

    @web.post("/deconnexion")
    def sign_out() -> Any:
        answer = make_response(redirect("/connexion", 303))
        backend.end_session(answer)
        return answer

    @web.get("/")
    def home() -> Any:
        # Somebody on the road begins with his own work.
        road = flask_g.get("user") and on_the_road(flask_g.user)
        return redirect("/interventions" if road else "/clients", 302)
