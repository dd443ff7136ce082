"""Published language of `imports`: jobs that bring a foreign system's rows in, and what became of each row."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from contracts.base import Command, Day, Event, Id, Model, Moment, Page, Query, Resource

OWNER = "imports"

Source = Literal["dolibarr", "demo"]
JobStatus = Literal["queued", "running", "done", "failed", "cancelled"]


class TableProgress(Model):
    """Rows of one table: all of them, and what became of those looked at. When done, rows is the sum of the rest."""

    rows: int
    created: int
    updated: int
    unchanged: int
    refused: int


class Import(Resource):
    """An import job. `tables` counts rows by table of the source, `totals` sums them.

    In a dry run `created` counts what would be. `error` is a sentence for a person when the job failed, or what it
    waits for.
    """

    source: Source
    file_name: str
    dry_run: bool
    clients: int | None
    seed: int | None
    status: JobStatus
    error: str
    tables: dict[str, TableProgress]
    totals: TableProgress
    notices: int
    started_at: Moment | None
    finished_at: Moment | None


class ImportLine(Model):
    """A row that was refused, or one that came in with something to know about it (`notice`)."""

    id: Id
    level: Literal["refused", "notice"]
    table: str
    row: str
    reason: str


class CreateImport(Command):
    """Asks for an import. `dolibarr` reads the zip of tables that was put under `staging_key` of the object store.

    `demo` makes up a company of `clients` clients, the same for one `seed` and `today` (today when absent).
    """

    rpc: ClassVar[str] = "imports.create"
    id: Id | None = None
    source: Source = "dolibarr"
    staging_key: str = Field(default="", pattern=r"^(staging/[0-9a-f-]{36})?$")
    file_name: str = Field(default="", max_length=300)
    dry_run: bool = False
    clients: int | None = Field(default=None, ge=1, le=1_000_000)
    seed: int | None = Field(default=None, ge=0, le=2_000_000_000)
    today: Day | None = None


class GetImport(Query):
    """One job with its progress."""

    rpc: ClassVar[str] = "imports.get"
    id: Id


class ListImports(Page):
    """Jobs, newest first."""

    rpc: ClassVar[str] = "imports.list"


class ListImportLines(Page):
    """What a job has to say of single rows, in the order met."""

    rpc: ClassVar[str] = "imports.lines"
    id: Id
    level: Literal["refused", "notice"] | None = None


class CancelImport(Command):
    """Stops a job that waits or runs; what came in stays. A job that has ended stays as it is."""

    rpc: ClassVar[str] = "imports.cancel"
    id: Id


class FindOutside(Query):
    """What outside references became: `{"items": [{"ref", "service", "kind", "id"}]}`, those known only."""

    rpc: ClassVar[str] = "imports.find_outside"
    refs: list[str] = Field(max_length=200)


class ImportFinished(Event):
    """A job has ended, well or not."""

    event_owner: ClassVar[str] = OWNER
    event_name: ClassVar[str] = "import.finished"
    id: Id
    source: str
    status: JobStatus
    totals: dict[str, Any]
