"""`fiche broker` and `fiche partners`: logins on RabbitMQ and what each may do, over its management API."""

from __future__ import annotations

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
    """RabbitMQ's management API as administrator. Raises `FicheError` where it is not known or does not answer."""
    import httpx

    url = load_settings().broker_admin_url
    if not url:
        raise FicheError("Réglez FICHE_BROKER_ADMIN_URL\u202f: http://compte:mot-de-passe@rabbitmq:15672.")
    parts = urlsplit(url)
    login = (unquote(parts.username or ""), unquote(parts.password or ""))
    base = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")
    with httpx.Client(base_url=f"{base}/api", auth=login, timeout=30) as http:
        try:
            yield http
        except httpx.HTTPStatusError as error:
            if error.response.status_code == 401:
                raise FicheError("RabbitMQ refuse le compte de FICHE_BROKER_ADMIN_URL.") from None
            raise FicheError(f"RabbitMQ refuse : {error.response.text[:300]}") from None
        except httpx.HTTPError as error:
            raise Unavailable(f"RabbitMQ ne répond pas à {base} ({error}).") from None


def _put(http: httpx.Client, path: str, body: Any) -> None:
    http.put(path, json=body).raise_for_status()


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


def _checked(types: list[str]) -> list[str]:
    """The patterns asked for, each of which tells at least one public event. Raises `FicheError`."""
    asked = [word for given in types for word in given.replace(",", " ").split()]
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
    for bound in http.get(f"/exchanges/{at}/{PUBLIC}/bindings/source").raise_for_status().json():
        queue = bound["destination"]
        if queue.startswith(f"partner.{name}.") and not allowed.match(bound["routing_key"]):
            path = f"/bindings/{at}/e/{PUBLIC}/q/{quote(queue, safe='')}/{quote(bound['properties_key'], safe='')}"
            http.delete(path).raise_for_status()


@partners_app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Lettres minuscules, chiffres et tirets.")],
    types: Annotated[list[str], typer.Option(help="Types d’événements\u202f: fiche.clients.client.#, par exemple.")],
    new_password: Annotated[bool, typer.Option(help="Change le mot de passe d’un partenaire déjà là.")] = False,
    vhost: Vhost = "/",
    as_json: Json = False,
) -> None:
    """Donne à un partenaire un compte RabbitMQ qui lit ces événements, et rien d’autre ; ou change lesquels."""
    if not broker.PARTNER_NAME.match(name):
        raise FicheError(
            "Un nom de partenaire a 2 à 40 lettres minuscules, chiffres ou tirets, et commence par une lettre."
        )
    asked = _checked(types)
    login, at = broker.partner_login(name), quote(vhost, safe="")
    password = ""
    with management() as http:
        known = http.get(f"/users/{login}").status_code == 200
        if not known or new_password:
            password = secrets.token_urlsafe(24)
            _put(http, f"/users/{login}", {"password": password, "tags": ""})
        # What it may be told first: a login without topic rights may bind to anything that it may read.
        _put(http, f"/topic-permissions/{at}/{login}", broker.partner_topic(asked))
        _put(http, f"/permissions/{at}/{login}", broker.partner_rights(name))
        if known:
            _unbind(http, at, name, asked)
        for limit, value in (("max-connections", 10), ("max-channels", 50)):
            _put(http, f"/user-limits/{login}/{limit}", {"value": value})
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
    at = quote(vhost, safe="")
    with management() as http:
        topics = http.get("/topic-permissions").raise_for_status().json()
        queues = http.get(f"/queues/{at}").raise_for_status().json()
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
        table.add_row(
            each["name"], each["may_bind"], "\n".join(f"{n} : {m}" for n, m in each["waiting"].items()) or "—"
        )
    out.print(table)


@partners_app.command("remove")
def remove(name: str, vhost: Vhost = "/") -> None:
    """Retire un partenaire : son compte, ses connexions et ses files."""
    login, at = broker.partner_login(name), quote(vhost, safe="")
    with management() as http:
        if http.get(f"/users/{login}").status_code == 404:
            raise FicheError(f"Il n’y a pas de partenaire {name}.")
        http.delete(f"/users/{login}").raise_for_status()
        for queue in http.get(f"/queues/{at}").raise_for_status().json():
            if queue["name"].startswith(f"partner.{name}."):
                http.delete(f"/queues/{at}/{quote(queue['name'], safe='')}").raise_for_status()
    out.print(f"[green]✓[/green] {name} n’est plus partenaire.", highlight=False)
