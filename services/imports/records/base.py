"""What all records share, and what is said of rows that are none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Base of all records: `ref` is unique in the source and stable between two readings of it."""

    ref: str
    parts: tuple[str, ...] = ()


class NotADolibarrError(Exception):
    """The folder or file given holds no table of Dolibarr; the message (French) says what was looked for."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that does not come in, with the reason, in French, for the person who reads the list."""

    table: str
    rowid: str
    reason: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What a person should know about a row that comes in (a total that differs, a value left out)."""

    table: str
    rowid: str
    text: str
