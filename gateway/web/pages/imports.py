"""Imports and the demonstration company."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request

from contracts import imports
from gateway.web.backend import Backend


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
        file = request.files.get("file")
        if file is None or not file.filename:
            page = render_template("import.html", jobs=_jobs(), problem="Choisissez un fichier zip.")
            return page, 422
        key = backend.stage(file.stream)
        backend.ask(
            imports.CreateImport(
                source="dolibarr",
                staging_key=key,
                file_name=file.filename[:300],
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
