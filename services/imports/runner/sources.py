"""The sources of a job: its records, how many rows it has, and which rows of the source a record stands for."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from chassis.objects import object_store
from chassis.settings import Settings
from services.imports import company, dolibarr
from services.imports.model import ImportJob
from services.imports.records import CustomField, Item, Record

_YIELD_EVERY = 200


class Source(Protocol):
    """Something that yields items, twice the same."""

    def items(self) -> Iterator[Item]:
        """Records, refusals, notices."""
        ...

    def rows(self) -> dict[str, int]:
        """Rows to account for, by table."""
        ...

    def rows_of(self, record: Record) -> list[tuple[str, str]]:
        """(table, row) of each row of the source that the record accounts for."""
        ...

    def line_of(self, record: Record) -> tuple[str, str]:
        """(table, row) under which a person finds the record in the source."""
        ...


class DolibarrSource(Source):
    """A zip of tables."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def items(self) -> Iterator[Item]:
        yield from dolibarr.read(self._path)

    def rows(self) -> dict[str, int]:
        return dolibarr.row_counts(self._path)

    def rows_of(self, record: Record) -> list[tuple[str, str]]:
        refs = [ref.split(":") for ref in (record.ref, *record.parts)]
        if isinstance(record, CustomField):
            return []
        # A fourth part marks what was made of a row besides its main record: an address, billing details.
        return [(parts[1], parts[2]) for parts in refs if len(parts) == 3]

    def line_of(self, record: Record) -> tuple[str, str]:
        parts = record.ref.split(":")
        return parts[1], parts[2]


class DemoSource(Source):
    """A made-up company. Its "tables" are the kinds of records, its rows the records."""

    def __init__(self, job: ImportJob) -> None:
        self._job = job

    def items(self) -> Iterator[Item]:
        assert self._job.clients is not None
        assert self._job.seed is not None
        yield from company.generate(self._job.clients, self._job.seed, self._job.today)

    def rows(self) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for number, item in enumerate(self.items()):
            assert isinstance(item, Record)
            counts[_kind(item)] += 1
            if number % _YIELD_EVERY == 0:
                # Counting a large company takes a while: other green threads must go on meanwhile.
                time.sleep(0)
        return dict(counts)

    def rows_of(self, record: Record) -> list[tuple[str, str]]:
        return [self.line_of(record)]

    def line_of(self, record: Record) -> tuple[str, str]:
        return _kind(record), record.ref


def _kind(record: Record) -> str:
    return type(record).__name__.lower()


@contextmanager
def open_source(job: ImportJob, settings: Settings) -> Iterator[Source]:
    """The source of a job; a file is brought from the object store to a temporary place for the time of the job."""
    if job.source == "demo":
        yield DemoSource(job)
        return
    store = object_store(settings)
    with tempfile.TemporaryDirectory(prefix="fiche-import-") as folder:
        path = Path(folder) / "tables.zip"
        with path.open("wb") as copy:
            for chunk in store.open(job.staging_key):
                copy.write(chunk)
        yield DolibarrSource(path)


def discard(job: ImportJob, settings: Settings) -> None:
    """Takes the file of an ended job away: it is full of names. A dry run leaves it for the run that follows."""
    if job.staging_key and not job.dry_run:
        object_store(settings).delete(job.staging_key)
