"""The commands of `fiche`, by Typer; what they do is in the modules beside this one."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from chassis.settings import SERVICES, Settings, load_settings

app = typer.Typer(
    help="Fiche\u202f: la fiche client des entreprises de service.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
out = Console()
err = Console(stderr=True)


def failure(message: str) -> NoReturn:
    """One line for a person, and exit 1."""
    err.print(f"[red]✗[/red] {escape(message)}", highlight=False, soft_wrap=True)
    sys.exit(1)


def settings_or_exit() -> Settings:
    """Settings of this process; a wrong value ends it with one line (`main` prints it)."""
    return load_settings()


def _known(service: str) -> None:
    if service not in SERVICES:
        failure(f"Service inconnu : {service}. Services : {', '.join(SERVICES)}.")


@contextlib.contextmanager
def _database_answers() -> Iterator[None]:
    """A PostgreSQL out of reach, or another's migration that does not end, is one line; the command may be repeated."""
    from sqlalchemy.exc import OperationalError

    try:
        yield
    except OperationalError as error:
        if getattr(error.orig, "pgcode", None):  # it did answer: what it refused is for who wrote the migration
            raise
        told = next(iter(str(error.orig).strip().splitlines()), "connexion coupée")
        failure(f"PostgreSQL ne répond pas ou refuse la connexion\u202f: {told}. Relancez la commande quand il répond.")
    except TimeoutError:
        failure("Une autre migration de cette base est en cours et ne finit pas. Relancez la commande ensuite.")


@app.command()
def dev(
    demo: Annotated[bool, typer.Option(help="Crée une entreprise de démonstration si la base est vide.")] = False,
    clients: Annotated[
        int, typer.Option(min=1, max=100_000, envvar="FICHE_DEMO_CLIENTS", help="Taille de cette entreprise.")
    ] = 200,
) -> None:
    """Le produit entier en un processus, avec sa propre base de données."""
    from cli.embedded import run_embedded

    run_embedded(settings_or_exit(), demo=clients if demo else 0)


@app.command()
def run(service: Annotated[str, typer.Argument(help="Nom du service\u202f: " + ", ".join(SERVICES))]) -> None:
    """Un service, sur RabbitMQ et PostgreSQL."""
    from cli.stack import run_service

    _known(service)
    run_service(settings_or_exit(), service)


@app.command()
def gateway(
    workers: Annotated[int, typer.Option(help="Processus.")] = 2,
    threads: Annotated[int, typer.Option(help="Fils par processus.")] = 16,
) -> None:
    """La passerelle HTTP, servie par gunicorn."""
    settings = settings_or_exit()
    if settings.embedded:
        failure(
            "FICHE_AMQP_URL manque\u202f: la passerelle seule a besoin de RabbitMQ. Pour tout en un\u202f: fiche dev."
        )
    # Its workers count in one place, whichever of them Prometheus asks (`chassis.metrics.exposition`).
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="fiche-metrics-")
    gunicorn = Path(sys.executable).with_name("gunicorn")
    os.execv(
        gunicorn,
        [
            str(gunicorn),
            "gateway.wsgi:create()",
            "--config=python:gateway.workers",
            "--worker-class=gateway.overload.Worker",
            f"--workers={workers}",
            f"--threads={threads}",
            f"--bind={settings.host}:{settings.port}",
            # Longer than a proxy in front keeps its own end open, which would else meet a closed one.
            "--keep-alive=75",
            # Lists take many filters at once.
            "--limit-request-line=8190",
            "--graceful-timeout=20",
            "--timeout=60",
            "--no-control-socket",
        ],
    )


@app.command()
def migrate(
    service: Annotated[str, typer.Argument(help="Un seul service ; tous sinon.")] = "",
) -> None:
    """Met les bases de données au dernier schéma. Sans danger depuis plusieurs machines à la fois."""
    from chassis.migrations import upgrade

    if service:
        _known(service)
    settings = settings_or_exit()
    if not settings.database_url:
        failure("FICHE_DATABASE_URL manque\u202f: fiche dev s’occupe lui-même de sa base.")
    with _database_answers():
        for name in [service] if service else SERVICES:
            upgrade(name, settings.service_database_url(name))
            out.print(f"[green]✓[/green] {name}")


@app.command()
def restore(
    service: Annotated[str, typer.Argument(help="Service dont la base vient d’une sauvegarde.")],
) -> None:
    """Dit qu’une base vient d’être restaurée d’une sauvegarde, avant de relancer le service."""
    from cli.restore import renew_log

    _known(service)
    with _database_answers():
        renew_log(settings_or_exit(), service)


def _add_groups() -> None:
    from cli import accounts, broker, operators

    app.add_typer(operators.log_app, name="log")
    app.add_typer(operators.parked_app, name="dead-letters")
    app.add_typer(operators.projections_app, name="projections")
    app.add_typer(accounts.users_app, name="users")
    app.add_typer(accounts.keys_app, name="api-keys")
    app.add_typer(broker.broker_app, name="broker")
    app.add_typer(broker.partners_app, name="partners")
    from cli import import_

    app.add_typer(import_.import_app, name="import")
    app.command(name="generate")(import_.generate)


_add_groups()
