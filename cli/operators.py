"""`fiche log` and `fiche dead-letters`: what an operator sees and mends, over the product's own API."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from cli.http import api

log_app = typer.Typer(help="Le journal des événements de chaque service.", no_args_is_help=True)
parked_app = typer.Typer(help="Les événements rangés à part, que personne n’a pu traiter.", no_args_is_help=True)
out = Console()

Json = Annotated[bool, typer.Option("--json", help="Pour un programme.")]


def _dump(value: Any) -> None:
    out.print_json(orjson.dumps(value).decode())


@log_app.callback()
def _log() -> None:
    """Le journal des événements de chaque service."""


@log_app.command("status")
def status(as_json: Json = False) -> None:
    """Jusqu’où va chaque journal, et où en sont ceux qui le lisent."""
    services = api("GET", "/api/v1/operations/services")["items"]
    if as_json:
        _dump(services)
        return
    table = Table("Service", "État", "Journal", "Publié", "Rangés à part", "Lit")
    for service in services:
        if service["status"] != "ok":
            table.add_row(service["service"], "[red]indisponible[/red]", "", "", "", "")
            continue
        places = ", ".join(f"{place['producer']} {place['position']}" for place in service["places"])
        table.add_row(
            service["service"],
            "[green]ok[/green]",
            str(service["position"]),
            str(service["published"]),
            str(service["parked"]),
            places,
        )
    out.print(table)


@parked_app.command("list")
def parked_list(as_json: Json = False) -> None:
    """Tous les événements rangés à part, par service."""
    items = api("GET", "/api/v1/operations/dead-letters")["items"]
    if as_json:
        _dump(items)
        return
    table = Table("Service", "Producteur", "Position", "Type", "Attendent", "Essais", "Depuis", "Erreur")
    for item in items:
        table.add_row(
            item["consumer"],
            item["producer"],
            str(item["position"]),
            item["type"] or "(illisible)",
            str(item["sequence"]),
            str(item["attempts"]),
            item["parked_at"][:19],
            item["error"][:80],
        )
    out.print(table)


@parked_app.command("show")
def parked_show(consumer: str, producer: str, position: int) -> None:
    """Un événement rangé à part, entier."""
    _dump(api("GET", f"/api/v1/operations/dead-letters/{consumer}/{producer}/{position}"))


@parked_app.command("replay")
def replay(consumer: str, producer: str, position: int) -> None:
    """Rejoue, dans l’ordre, la suite de cet événement."""
    answer = api("POST", f"/api/v1/operations/dead-letters/{consumer}/{producer}/{position}/replay", {})
    out.print(f"{answer['replayed']} événement(s) rejoué(s).")


@parked_app.command("drop")
def drop(consumer: str, producer: str, position: int, reason: Annotated[str, typer.Option(help="Pourquoi.")]) -> None:
    """Abandonne la suite de cet événement ; qui, quand et pourquoi sont gardés."""
    answer = api("POST", f"/api/v1/operations/dead-letters/{consumer}/{producer}/{position}/drop", {"reason": reason})
    out.print(f"{answer['dropped']} événement(s) abandonné(s).")
