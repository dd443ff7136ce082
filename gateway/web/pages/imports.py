"""Imports and the demonstration company."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from uuid import UUID
from zipfile import ZIP_STORED, ZipFile

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.datastructures import FileStorage

from contracts import imports
from gateway.web.backend import Backend


@contextmanager
def _zipped(tables: list[FileStorage]) -> Iterator[IO[bytes]]:
    """The tables as one zip, on disk beyond a few megabytes, as the import wants them."""
    with SpooledTemporaryFile(max_size=8 * 1024 * 1024) as whole:
        with ZipFile(whole, "w", ZIP_STORED) as archive:
            for table in tables:
                with archive.open(PurePath(table.filename or "").name, "w", force_zip64=True) as copy:
                    copyfileobj(table.stream, copy, 1024 * 1024)
        whole.seek(0)
        yield whole  # type: ignore[misc]


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""

    def _jobs() -> list[dict[str, Any]]:
        jobs: list[dict[str, Any]] = backend.ask(imports.ListImports(limit=20))["items"]
        return jobs

    @web.get("/import")
    def import_page() -> str:
        return render_template("import.html", jobs=_jobs())

    @web.get("/import/suivi")
    def import_progress() -> str:
        return render_template("_jobs.html", jobs=_jobs())

    @web.post("/import")
    def start_import() -> Any:
        files = [file for file in request.files.getlist("file") if file.filename]
        tables = [file for file in files if (file.filename or "").lower().endswith(".csv")]
        if not files or (tables != files and len(files) > 1):
            problem = "Choisissez un fichier zip, ou les fichiers CSV des tables."
            return render_template("import.html", jobs=_jobs(), problem=problem), 422
        if tables:
            with _zipped(tables) as stream:
                key = backend.stage(stream)
        else:
            key = backend.stage(files[0].stream)
        name = files[0].filename or ""
        backend.ask(
            imports.CreateImport(
                source="dolibarr",
                staging_key=key,
                file_name=(name if len(files) == 1 else f"{name} et {len(files) - 1} autres")[:300],
                dry_run=request.form.get("dry_run") == "true",
            )
        )
        return redirect("/import", 303)

    @web.post("/import/demo")
    def start_demo() -> Any:
        try:
            number = min(5000, max(1, int(request.form.get("clients", "60"))))
        except ValueError:
            abort(422)
        backend.ask(imports.CreateImport(source="demo", clients=number, seed=1))
        return redirect("/import", 303)

    @web.get("/import/<uuid:job_id>")
    def import_job(job_id: UUID) -> str:
        job = backend.ask(imports.GetImport(id=job_id))
        lines = backend.ask(imports.ListImportLines(id=job_id, cursor=request.args.get("cursor") or None))
        return render_template("import_job.html", job=job, lines=lines)
