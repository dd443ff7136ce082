"""The sources of a job: its records, how many rows it has, and which rows of the source a record stands for.

Readers are imported by the process that reads, which is not the service's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Protocol

from services.imports.records import CustomField, Item, Record


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
        from services.imports import dolibarr

        yield from dolibarr.read(self._path)

    def rows(self) -> dict[str, int]:
        from services.imports import dolibarr

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

    def __init__(self, clients: int, seed: int, today: date) -> None:
        self._clients = clients
        self._seed = seed
        self._today = today

    def items(self) -> Iterator[Item]:
        from services.imports import company

        yield from company.generate(self._clients, self._seed, self._today)

    def rows(self) -> dict[str, int]:
        return dict(Counter(_kind(item) for item in self.items() if isinstance(item, Record)))

    def rows_of(self, record: Record) -> list[tuple[str, str]]:
        return [self.line_of(record)]

    def line_of(self, record: Record) -> tuple[str, str]:
        return _kind(record), record.ref


def _kind(record: Record) -> str:
    return type(record).__name__.lower()
