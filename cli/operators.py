"""`fiche log` and `fiche dead-letters`: what an operator sees and mends, over the product's own API."""

from __future__ import annotations

import time
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from chassis.errors import FicheError
from cli.http import api

log_app = typer.Typer(help="Le journal des événements de chaque service.", no_args_is_help=True)
projections_app = typer.Typer(help="Ce que les services gardent des faits des autres.", no_args_is_help=True)
parked_app = typer.Typer(help="Les événements rangés à part, que personne n’a pu traiter.", no_args_is_help=True)
out = Console()

Json = Annotated[bool, typer.Option("--json", help="Pour un programme.")]

#: A message that could not be read is parked at a position below 0, which would else be taken for an option.
_POSITIONS = {"ignore_unknown_options": True}


def _dump(value: Any) -> None:
    out.print_json(orjson.dumps(value).decode())


def _parked(consumer: str, producer: str, position: int) -> str:
    return f"/api/v1/operations/dead-letters/{quote(consumer, safe='')}/{quote(producer, safe='')}/{position}"


@projections_app.callback()
def _projections() -> None:
    """Ce que les services gardent des faits des autres."""


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
    table = Table("Service", "État", "Journal", "Publié", "Rangés à part", "Lit", "Lu par")
    for service in services:
        if service["status"] != "ok":
            table.add_row(service["service"], "[red]indisponible[/red]", "", "", "", "", "")
            continue
        halted = [place for place in service["places"] if place["halted"]]
        table.add_row(
            service["service"],
            "[red]lecture arrêtée[/red]" if halted else "[green]ok[/green]",
            str(service["position"]),
            str(service["published"]),
            str(service["parked"]),
            ", ".join(f"{place['producer']} {place['position']}" for place in service["places"]),
            ", ".join(f"{reader['name']} {reader['position']}" for reader in service["followers"]),
        )
    out.print(table)
    for service in services:
        for place in service.get("places", []):
            if place["halted"]:
                out.print(
                    f"[red]✗[/red] {service['service']} ← {place['producer']} : {escape(place['halted'])}",
                    highlight=False,
                )


@log_app.command("prune")
def prune(
    service: str,
    older_than_days: Annotated[int, typer.Option(help="Garde les événements de tant de jours.", min=0)] = 365,
    forget: Annotated[
        list[str] | None, typer.Option(help="Lecteur qui n’existe plus et que l’on n’attend plus.")
    ] = None,
) -> None:
    """Retire du journal ce qui est plus ancien qu’une limite et que tous ses lecteurs ont lu ; refuse sinon."""
    path, body = (
        f"/api/v1/operations/logs/{quote(service, safe='')}/prune",
        {"older_than_days": older_than_days, "forget": forget or []},
    )
    removed = 0
    with Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=out) as progress:
        task = progress.add_task(f"Journal de {escape(service)}")
        while True:
            answer = api("POST", path, body)
            removed += answer["removed"]
            progress.update(task, total=removed + answer["left"], completed=removed)
            body["upto"] = answer["upto"]
            if not answer["left"]:
                break
    out.print(
        f"[green]✓[/green] {removed} événement(s) retiré(s), jusqu’à la position {answer['upto']}.", highlight=False
    )


@projections_app.command("rebuild")
def rebuild(
    service: str,
    producer: Annotated[str, typer.Option(help="Un seul producteur ; tous sinon.")] = "",
    wait: Annotated[float, typer.Option(help="Secondes d’attente.", min=0)] = 600,
) -> None:
    """Refait, d’instantanés de leurs producteurs, les copies qu’un service garde de leurs faits."""
    asked = api("POST", f"/api/v1/operations/projections/{quote(service, safe='')}/rebuild", {"producer": producer})[
        "items"
    ]
    left = {each["producer"] for each in asked}
    deadline = time.monotonic() + wait
    with out.status(f"{service} relit {', '.join(sorted(left))}…"):
        while left:
            [found] = [
                each for each in api("GET", "/api/v1/operations/services")["items"] if each["service"] == service
            ]
            for place in found.get("places", []):
                if place["producer"] in left and not place["rebuilding"]:
                    if place["halted"]:
                        raise FicheError(f"{place['producer']} : {place['halted']}")
                    left.discard(place["producer"])
                    out.print(f"[green]✓[/green] {service} ← {place['producer']}, lu jusqu’à {place['position']}")
            if time.monotonic() > deadline:
                raise FicheError(f"Pas encore refait\u202f: {', '.join(sorted(left))}. fiche log status le dira.")
            if left:
                time.sleep(0.5)


@parked_app.command("list")
def parked_list(as_json: Json = False) -> None:
    """Tous les événements rangés à part, par service."""
    told = api("GET", "/api/v1/operations/dead-letters")
    items = told["items"]
    if as_json:
        _dump(items)
    else:
        out.print(_parked_table(items))
    if away := told.get("away"):  # a gateway of the release before does not say
        raise FicheError(f"Sans réponse, donc absents de cette liste\u202f: {', '.join(away)}.")


def _parked_table(items: list[dict[str, Any]]) -> Table:
    table = Table("Service", "Producteur", "Position", "Type", "Attendent", "Essais", "Depuis", "Erreur")
    for item in items:
        table.add_row(
            item["consumer"],
            item["producer"],
            str(item["position"]),
            escape(item["type"] or "(illisible)"),
            str(item["sequence"]),
            str(item["attempts"]),
            item["parked_at"][:19],
            # Written by whatever failed: brackets in it are not ours.
            escape(item["error"][:80]),
        )
    return table


@parked_app.command("show", context_settings=_POSITIONS)
def parked_show(consumer: str, producer: str, position: int) -> None:
    """Un événement rangé à part, entier."""
    _dump(api("GET", _parked(consumer, producer, position)))


@parked_app.command("replay", context_settings=_POSITIONS)
def replay(consumer: str, producer: str, position: int) -> None:
    """Rejoue, dans l’ordre, la suite de cet événement."""
    answer = api("POST", f"{_parked(consumer, producer, position)}/replay", {})
    out.print(f"{answer['replayed']} événement(s) rejoué(s).")


@parked_app.command("drop", context_settings=_POSITIONS)
def drop(consumer: str, producer: str, position: int, reason: Annotated[str, typer.Option(help="Pourquoi.")]) -> None:
    """Abandonne la suite de cet événement ; qui, quand et pourquoi sont gardés."""
    answer = api("POST", f"{_parked(consumer, producer, position)}/drop", {"reason": reason})
    out.print(f"{answer['dropped']} événement(s) abandonné(s).")
