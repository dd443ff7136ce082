"""`fiche broker` and `fiche partners`: logins on RabbitMQ and what each may do, over its management API."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, unquote, urlsplit

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from chassis import broker
from chassis.errors import FicheError, Unavailable
from chassis.settings import load_settings
from chassis.wire.amqp_events import PUBLIC
from contracts import catalogue

if TYPE_CHECKING:
    import httpx

broker_app = typer.Typer(help="RabbitMQ\u202f: un compte par service, et ses droits.", no_args_is_help=True)
partners_app = typer.Typer(help="Les partenaires qui reçoivent des événements.", no_args_is_help=True)
out = Console()

Json = Annotated[bool, typer.Option("--json", help="Pour un programme.")]
Vhost = Annotated[str, typer.Option(help="Hôte virtuel de RabbitMQ.")]


@contextmanager
def management() -> Iterator[httpx.Client]:
    """RabbitMQ's management API as administrator. Raises `FicheError` where it is not known, refuses or is away."""
    import httpx

    url = load_settings().broker_admin_url
    if not url:
        raise FicheError("Réglez FICHE_BROKER_ADMIN_URL\u202f: http://compte:mot-de-passe@rabbitmq:15672.")
    try:
        parts = urlsplit(url)
        login = (unquote(parts.username or ""), unquote(parts.password or ""))
        base = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")
        client = httpx.Client(base_url=f"{base}/api", auth=login, timeout=30)
    except (ValueError, httpx.InvalidURL):
        # Not shown: a password may be in it.
        raise FicheError("FICHE_BROKER_ADMIN_URL n’est pas une adresse.") from None
    with client as http:
        try:
            yield http
        except httpx.HTTPStatusError as error:
            if error.response.status_code == 401:
                raise FicheError("RabbitMQ refuse le compte de FICHE_BROKER_ADMIN_URL.") from None
            raise FicheError(f"RabbitMQ refuse : {error.response.text[:300]}") from None
        except httpx.HTTPError as error:
            raise Unavailable(f"RabbitMQ ne répond pas à {base} ({error}).") from None
        except json.JSONDecodeError:
            raise FicheError(f"Ce qui répond à {base} n’est pas la gestion de RabbitMQ.") from None


def _get(http: httpx.Client, path: str) -> list[dict[str, Any]]:
    """What the broker lists at a path; nothing where there is no such thing."""
    answer = http.get(path)
    return [] if answer.status_code == 404 else list(answer.raise_for_status().json())


def _put(http: httpx.Client, path: str, body: Any) -> None:
    http.put(path, json=body).raise_for_status()


def _delete(http: httpx.Client, path: str) -> bool:
    """Deletes what may be gone by now; returns whether it was there."""
    answer = http.delete(path)
    if answer.status_code == 404:
        return False
    answer.raise_for_status()
    return True


def _passwords() -> dict[str, str]:
    names = {name: broker.password_variable(name) for name in broker.PROCESSES}
    missing = [variable for variable in names.values() if not os.environ.get(variable)]
    if missing:
        raise FicheError(f"Il manque : {', '.join(missing)}.")
    return {name: os.environ[variable] for name, variable in names.items()}


# --- the product's own logins -------------------------------------------------------------------------------------


@broker_app.callback()
def _broker() -> None:
    """RabbitMQ : un compte par service, et ses droits."""


@broker_app.command("definitions")
def definitions(
    template: Annotated[bool, typer.Option(help="Avec le nom des variables au lieu des mots de passe.")] = False,
    vhost: Vhost = "/",
) -> None:
    """Écrit ce que RabbitMQ importe : comptes, droits, échanges. Mots de passe : FICHE_CLIENTS_PASSWORD, …"""
    made = broker.template(vhost) if template else broker.definitions(_passwords(), vhost)
    typer.echo(orjson.dumps(made, option=orjson.OPT_INDENT_2).decode())


@broker_app.command("setup")
def setup(vhost: Vhost = "/") -> None:
    """Met les comptes, leurs droits et les échanges en place. Sans danger, autant de fois que l’on veut."""
    made = broker.definitions(_passwords(), vhost)
    with management() as http:
        http.post("/definitions", json=made).raise_for_status()
    out.print(f"[green]✓[/green] {len(made['users'])} comptes, {len(made['exchanges'])} échanges", highlight=False)


# --- partners -----------------------------------------------------------------------------------------------------


@partners_app.callback()
def _partners() -> None:
    """Les partenaires qui reçoivent des événements."""


def _login(name: str) -> str:
    """A partner's login. Raises `FicheError` for a name that none can have."""
    if not broker.PARTNER_NAME.fullmatch(name):
        raise FicheError(
            "Un nom de partenaire a 2 à 40 lettres minuscules, chiffres ou tirets, et commence par une lettre."
        )
    return broker.partner_login(name)


def _host(http: httpx.Client, vhost: str) -> str:
    """A virtual host as paths name it. Raises `FicheError` where the broker has none of that name."""
    if vhost not in [each["name"] for each in _get(http, "/vhosts")]:
        raise FicheError(f"RabbitMQ n’a pas d’hôte virtuel «\u202f{vhost}\u202f».")
    return quote(vhost, safe="")


def _checked(types: list[str]) -> list[str]:
    """The patterns asked for, each of which tells at least one public event. Raises `FicheError`."""
    asked = [word for given in types for word in given.replace(",", " ").split()]
    if not asked:
        raise FicheError(
            "Dites au moins un type d’événement. Pour tout retirer à un partenaire\u202f: fiche partners remove."
        )
    public = [name for name, model in catalogue.events().items() if model.public]
    for pattern in asked:
        try:
            allowed = re.compile(broker.partner_topic([pattern])["read"])
        except ValueError:
            raise FicheError(
                f"«\u202f{pattern}\u202f» n’est pas un type d’événement (fiche.clients.client.#, par exemple)."
            ) from None
        if not any(allowed.match(name) for name in public):
            raise FicheError(
                f"Aucun événement public n’est du type «\u202f{pattern}\u202f». Ils sont tous à /api/events-docs."
            )
    return asked


def _unbind(http: httpx.Client, at: str, name: str, asked: list[str]) -> None:
    """Undoes what a partner's queues are bound to and may not be any more: the broker only looks when binding."""
    allowed = re.compile(broker.partner_topic(asked)["read"])
    for bound in _get(http, f"/exchanges/{at}/{PUBLIC}/bindings/source"):
        # An exchange of its own before its queues will do, too.
        kind, to = bound["destination_type"][0], bound["destination"]
        if to.startswith(f"partner.{name}.") and not allowed.match(bound["routing_key"]):
            properties = quote(bound["properties_key"], safe="")
            _delete(http, f"/bindings/{at}/e/{PUBLIC}/{kind}/{quote(to, safe='')}/{properties}")


@partners_app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Lettres minuscules, chiffres et tirets.")],
    types: Annotated[list[str], typer.Option(help="Types d’événements\u202f: fiche.clients.client.#, par exemple.")],
    new_password: Annotated[bool, typer.Option(help="Change le mot de passe d’un partenaire déjà là.")] = False,
    vhost: Vhost = "/",
    as_json: Json = False,
) -> None:
    """Donne à un partenaire un compte RabbitMQ qui lit ces événements, et rien d’autre ; ou change lesquels."""
    login, asked = _login(name), _checked(types)
    with management() as http:
        at = _host(http, vhost)
        # A login without rights is what was left of an `add` that was cut off: nobody has seen its password.
        known = bool(_get(http, f"/users/{login}/permissions"))
        password = secrets.token_urlsafe(24) if new_password or not known else ""
        user = {"password": password, "tags": ""}
        try:
            if not known:
                _put(http, f"/users/{login}", user)
            # What it may be told first: a login without topic rights may bind to anything that it may read.
            _put(http, f"/topic-permissions/{at}/{login}", broker.partner_topic(asked))
            for limit, value in (("max-connections", 10), ("max-channels", 50)):
                _put(http, f"/user-limits/{login}/{limit}", {"value": value})
            _put(http, f"/permissions/{at}/{login}", broker.partner_rights(name))
            if known:
                _unbind(http, at, name, asked)
            if known and password:
                # Last: where something fails before, the old one is still good.
                _put(http, f"/users/{login}", user)
        except BaseException:
            if not known:
                _delete(http, f"/users/{login}")
            raise
    made = {
        "name": name,
        "login": login,
        "password": password,
        "vhost": vhost,
        "exchange": PUBLIC,
        "queues": f"partner.{name}.*",
        "types": asked,
    }
    if as_json:
        out.print_json(orjson.dumps(made).decode())
        return
    word = "changé" if known else "ajouté"
    out.print(f"[green]✓[/green] Partenaire {name} {word} : {', '.join(asked)}", highlight=False)
    out.print(f"    Échange {PUBLIC}, files partner.{name}.*, hôte virtuel {vhost}", highlight=False)
    if password:
        out.print(
            f"    Compte {login}, mot de passe (montré une seule fois)\u202f: {password}",
            highlight=False,
            soft_wrap=True,
        )


@partners_app.command("list")
def listing(vhost: Vhost = "/", as_json: Json = False) -> None:
    """Les partenaires, ce qu’ils peuvent lire, et ce qui les attend."""
    with management() as http:
        at = _host(http, vhost)
        topics = _get(http, "/topic-permissions")
        queues = _get(http, f"/queues/{at}")
    found = []
    for topic in topics:
        if topic["vhost"] == vhost and topic["user"].startswith("partner-"):
            name = topic["user"].removeprefix("partner-")
            own = [queue for queue in queues if queue["name"].startswith(f"partner.{name}.")]
            waiting = {queue["name"]: queue.get("messages", 0) for queue in own}
            found.append({"name": name, "login": topic["user"], "may_bind": topic["read"], "waiting": waiting})
    if as_json:
        out.print_json(orjson.dumps(found).decode())
        return
    table = Table("Partenaire", "Peut lier", "Files et messages en attente")
    for each in found:
        # A partner names its queues as it likes.
        waiting = "\n".join(f"{queue} : {messages}" for queue, messages in each["waiting"].items())
        table.add_row(each["name"], escape(each["may_bind"]), escape(waiting) or "—")
    out.print(table)


@partners_app.command("remove")
def remove(name: str, vhost: Vhost = "/") -> None:
    """Retire un partenaire : son compte, ses connexions et ses files."""
    login = _login(name)
    with management() as http:
        at = _host(http, vhost)
        # First, so that it makes no more of what follows.
        known = _delete(http, f"/users/{login}")
        own = [
            f"/{kind}/{at}/{quote(each['name'], safe='')}"
            for kind in ("queues", "exchanges")
            for each in _get(http, f"/{kind}/{at}")
            if each["name"].startswith(f"partner.{name}.")
        ]
        for path in own:
            _delete(http, path)
    # Queues without a login are what was left of a `remove` that was cut off.
    if not known and not own:
        raise FicheError(f"Il n’y a pas de partenaire {name}.")
    out.print(f"[green]✓[/green] {name} n’est plus partenaire.", highlight=False)
