"""`fiche users` and `fiche api-keys`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from cli.http import api

users_app = typer.Typer(help="Les utilisateurs.", no_args_is_help=True)
keys_app = typer.Typer(help="Les clés d’API.", no_args_is_help=True)
out = Console()


@users_app.callback()
def _users() -> None:
    """Les utilisateurs."""


@users_app.command("add")
def add_user(
    name: str,
    email: str,
    role: Annotated[list[str], typer.Option(help="admin, manager, office, technician…")],
    password: Annotated[str, typer.Option(envvar="FICHE_USER_PASSWORD", help="10 caractères ou plus.")] = "",
) -> None:
    """Ajoute un utilisateur."""
    body = {"name": name, "email": email, "roles": role} | ({"password": password} if password else {})
    user = api("POST", "/api/v1/users", body)
    out.print(f"[green]✓[/green] {escape(user['name'])} ({user['id']})", highlight=False)


@keys_app.callback()
def _keys() -> None:
    """Les clés d’API."""


@keys_app.command("add")
def add_key(name: str, scope: Annotated[list[str], typer.Option(help="read, write, admin")] = ["read"]) -> None:  # noqa: B006
    """Crée une clé ; elle n’est montrée qu’une fois."""
    key = api("POST", "/api/v1/api-keys", {"name": name, "scopes": scope})
    out.print(key["key"], highlight=False, soft_wrap=True)
