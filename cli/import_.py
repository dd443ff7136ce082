"""`fiche import` and `fiche generate`: they ask a running product for a job and watch it."""

from __future__ import annotations

import csv
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from chassis.errors import FicheError, Unavailable
from chassis.ids import new_id
from cli import http

if TYPE_CHECKING:
    from cli.embedded import EmbeddedProduct

import_app = typer.Typer(help="Reprendre les données d’un autre logiciel.", no_args_is_help=True)
out = Console()
err = Console(stderr=True)

_POLL_S = 0.5
_SHOWN = 20
_ENDED = {"done": "terminé", "failed": "échoué", "cancelled": "annulé"}
_NAMES = ("rows", "created", "updated", "unchanged", "refused")
Fetch = Callable[[], dict[str, Any]]


@import_app.command("dolibarr")
def import_dolibarr(
    folder: Annotated[Path, typer.Argument(help="Dossier (ou zip) des tables exportées en CSV.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tout lire, ne rien écrire.")] = False,
    refused: Annotated[Path | None, typer.Option(help="Fichier CSV où écrire chaque ligne refusée.")] = None,
) -> None:
    """Reprend un Dolibarr. Sortie 0 quand chaque ligne est reprise ou listée, 1 quand l’import a échoué."""
    if not folder.exists():
        raise FicheError(f"«\u202f{folder}\u202f» n’existe pas.")
    with tempfile.TemporaryDirectory(prefix="fiche-") as place:
        packed = folder if folder.is_file() else _pack(folder, Path(place) / "tables.zip")
        job = _upload(packed, folder.name, dry_run)
    _finish(job["id"], refused)


def generate(
    clients: Annotated[int, typer.Option(min=1, max=1_000_000, help="Nombre de clients.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Même graine, même entreprise.")] = 1,
    direct: Annotated[
        bool,
        typer.Option("--direct", help="Écrit droit dans les bases d’un produit arrêté et vide\u202f: pour le volume."),
    ] = False,
    interventions: Annotated[
        int | None, typer.Option(min=0, help="Avec --direct\u202f: nombre d’interventions (dix par client sinon).")
    ] = None,
) -> None:
    """Crée une entreprise de démonstration, la même pour une même graine."""
    if direct:
        from chassis.settings import load_settings
        from cli.volume.command import generate_direct, tell

        tell(generate_direct(load_settings(), clients, clients * 10 if interventions is None else interventions, seed))
        return
    if interventions is not None:
        raise FicheError("--interventions va avec --direct.")
    job = http.api("POST", "/api/v1/imports", {"source": "demo", "clients": clients, "seed": seed})
    _finish(job["id"], None)


def _pack(folder: Path, target: Path) -> Path:
    """The folder's tables as one zip."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            if path.is_file() and path.suffix.lower() == ".csv":
                archive.write(path, path.name)
    return target


def _upload(packed: Path, name: str, dry_run: bool) -> dict[str, Any]:
    import httpx

    try:
        with http.client(timeout=600.0) as session, packed.open("rb") as content:
            answer = session.post(
                "/api/v1/imports",
                files={"file": (f"{name}.zip" if not name.endswith(".zip") else name, content, "application/zip")},
                data={"source": "dolibarr", "dry_run": "true" if dry_run else "false"},
                headers={"Idempotency-Key": str(new_id())},
            )
    except httpx.HTTPError as error:
        raise Unavailable(f"Rien ne répond à {http.base_url()} ({error}). Lancez d’abord make run.") from None
    if answer.status_code >= 400:
        try:
            detail = answer.json().get("detail") or answer.text
        except ValueError:
            detail = answer.text[:500]
        raise FicheError(str(detail))
    job: dict[str, Any] = answer.json()
    return job


def _finish(job_id: str, refused: Path | None) -> None:
    """Watch the job to its end, show the figures, exit."""
    job = watch(lambda: http.api("GET", f"/api/v1/imports/{job_id}"))
    show(job)
    lines = _lines(job_id) if job["totals"]["refused"] or job["notices"] else []
    _show_lines(lines)
    if refused is not None:
        _write_lines(refused, lines)
    if job["status"] != "done":
        err.print(f"[red]✗[/red] {escape(job['error'] or 'L’import a été arrêté.')}", highlight=False)
        raise typer.Exit(1)


def watch(fetch: Fetch) -> dict[str, Any]:
    """Poll a job until it has ended, with a bar."""
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=out, transient=True,
    ) as progress:  # fmt: skip
        task = progress.add_task("Lecture", total=None)
        while True:
            job = fetch()
            totals = job["totals"]
            seen = sum(totals[name] for name in _NAMES[1:])
            progress.update(
                task,
                description="Import" if totals["rows"] else "Lecture",
                total=totals["rows"] or None,
                completed=seen,
            )
            if job["status"] not in ("queued", "running"):
                return job
            time.sleep(_POLL_S)


def show(job: dict[str, Any]) -> None:
    """Figures by table."""
    table = Table(title="Essai à blanc" if job["dry_run"] else "Import")
    table.add_column("Table")
    for title in ("Lignes", "Créées", "Modifiées", "Inchangées", "Refusées"):
        table.add_column(title, justify="right")
    for name in sorted(job["tables"]):
        counts = job["tables"][name]
        table.add_row(name, *(str(counts[key]) for key in _NAMES))
    table.add_section()
    table.add_row("Total", *(str(job["totals"][key]) for key in _NAMES))
    out.print(table)


def _lines(job_id: str) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = http.api("GET", f"/api/v1/imports/{job_id}/lines?limit=200{cursor}")
        lines += page["items"]
        if page["next"] is None:
            return lines
        cursor = f"&cursor={page['next']}"


def _show_lines(lines: list[dict[str, Any]]) -> None:
    for line in lines[:_SHOWN]:
        mark = "[red]refusée[/red]" if line["level"] == "refused" else "[yellow]à noter[/yellow]"
        out.print(f"{mark} {line['table']} {line['row']} : {escape(line['reason'])}", highlight=False)
    if len(lines) > _SHOWN:
        out.print(f"… et {len(lines) - _SHOWN} autres (page Import, ou --refused FICHIER).", highlight=False)


def _write_lines(target: Path, lines: list[dict[str, Any]]) -> None:
    with target.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(("niveau", "table", "ligne", "motif"))
        writer.writerows((line["level"], line["table"], line["row"], line["reason"]) for line in lines)


def ensure_demo(product: EmbeddedProduct, clients: int, seed: int = 1) -> None:
    """Asks for a made-up company when there is no client yet, and says when it is there. Does not wait."""
    from contracts.clients import ListClients
    from contracts.imports import CreateImport, GetImport

    assert product.runtime is not None
    ask = _Rpc(product.runtime.client)
    if ask(ListClients(limit=1))["items"]:
        return
    job = ask(CreateImport(source="demo", clients=clients, seed=seed))
    out.print(f"Création d’une entreprise de démonstration de {clients} clients…", highlight=False)

    def follow() -> None:
        try:
            ended = watch(lambda: ask(GetImport(id=job["id"])))
        except FicheError:
            return  # The product stops: the job is taken up again at the next start.
        made = ended["tables"].get("client", {}).get("created", 0)
        out.print(
            f"Entreprise de démonstration\u202f: {made} clients, import {_ENDED[ended['status']]}.", highlight=False
        )

    threading.Thread(target=follow, name="demo", daemon=True).start()


class _Rpc:
    """Calls a service of this process."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __call__(self, request: Any) -> dict[str, Any]:
        import orjson

        from chassis.context import SYSTEM, Context
        from chassis.wire.base import OK, Call

        service, _, method = request.rpc.partition(".")
        context = Context(actor=SYSTEM, idempotency_key=str(new_id()) if request.command else None)
        call = Call(service, method, request.model_dump_json(exclude_unset=True).encode(), context.headers())
        [answer] = self._client.call_many([call], 20.0)
        if answer.status != OK:
            raise FicheError.from_json(answer.status, answer.body)
        found: dict[str, Any] = orjson.loads(answer.body)
        return found
