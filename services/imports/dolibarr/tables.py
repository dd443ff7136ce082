"""The tables of a Dolibarr as CSV files, in a folder or a zip: found by name, read by header."""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

from services.imports.dolibarr import text
from services.imports.records import NotADolibarrError

csv.field_size_limit(64 * 1024 * 1024)


class Row:
    """A row of a table. Each getter takes the names a column bore over the versions, newest first."""

    __slots__ = ("_cells", "_zone", "broken", "line", "rowid", "table")

    def __init__(self, table: str, line: int, cells: dict[str, str], zone: ZoneInfo, broken: str | None = None) -> None:
        self.table = table
        self.line = line
        self._cells = cells
        self._zone = zone
        self.broken = broken
        self.rowid = self.id("rowid", "id") or self._pair() or f"ligne {line}"

    def _pair(self) -> str | None:
        """Key of a pure link table: its foreign keys."""
        keys = [text.value(v) for k, v in self._cells.items() if k.startswith("fk_")]
        return "-".join(key for key in keys if key) or None

    @property
    def ref(self) -> str:
        """Outside reference of the row."""
        return f"dolibarr:{self.table}:{self.rowid}"

    def raw(self, *names: str) -> str | None:
        """First cell that holds something."""
        for name in names:
            found = text.value(self._cells.get(name))
            if found is not None:
                return found
        return None

    def has(self, *names: str) -> bool:
        """Whether the table has one of these columns."""
        return any(name in self._cells for name in names)

    def line_of(self, *names: str, limit: int = 300) -> str | None:
        """Text on one line, HTML taken out."""
        return text.one_line(self.raw(*names), limit)

    def plain(self, *names: str) -> str:
        """Text on several lines, HTML taken out."""
        return text.plain(self.raw(*names))

    def id(self, *names: str) -> str | None:
        """An id of a row, None for NULL, 0 and negative ones (Dolibarr's "none")."""
        found = self.raw(*names)
        if found is None or found.startswith("-"):
            return None
        # A spreadsheet may have written 12 as 12.0.
        digits = found.removesuffix(".0")
        return None if digits.strip("0") == "" else digits

    def integer(self, *names: str, default: int = 0) -> int:
        """A whole number, `default` where there is none."""
        found = text.number(self.raw(*names))
        return default if found is None else int(found)

    def decimal(self, *names: str) -> Decimal:
        """A decimal exactly as written, 0 where there is none."""
        return text.number(self.raw(*names)) or Decimal(0)

    def unreadable(self, *names: str) -> str | None:
        """The first of these cells that should hold a number and holds something else."""
        for name in names:
            cell = text.value(self._cells.get(name))
            if cell is not None and text.number(cell) is None:
                return f"{name} = {cell}"
        return None

    def moment(self, *names: str) -> datetime | None:
        """First date and time that is one, aware."""
        return next((found for name in names if (found := text.moment(self._cells.get(name), self._zone))), None)

    def day(self, *names: str) -> date | None:
        """First date that is one."""
        return next((found for name in names if (found := text.day(self._cells.get(name)))), None)

    def others(self, known: set[str]) -> dict[str, str]:
        """The cells that hold something in columns not in `known`, raw."""
        return {
            name: found
            for name, cell in self._cells.items()
            if name not in known and (found := text.value(cell)) is not None
        }


Opener = Callable[[], IO[bytes]]


class Tables:
    """The tables found in a folder or zip, by their name without prefix (`societe`, `facturedet`…)."""

    def __init__(self, source: Path, zone: ZoneInfo) -> None:
        self.source = source
        self.zone = zone
        files = _files(source)
        # The prefix is what stands before `societe.csv`; the shortest such name is the table itself, the
        # others (categorie_societe) are links.
        anchors = sorted((name for name in files if name.endswith("societe.csv")), key=len)
        if not anchors:
            raise NotADolibarrError(
                "Aucune table «\u202fsociete\u202f» n’a été trouvée\u202f: donnez le dossier (ou le zip) des tables "
                "de Dolibarr exportées en CSV, par exemple llx_societe.csv."
            )
        prefix = anchors[0].removesuffix("societe.csv")
        self._files = {
            name.removeprefix(prefix).removesuffix(".csv"): opener
            for name, opener in files.items()
            if name.startswith(prefix)
        }

    def names(self) -> list[str]:
        """All tables found."""
        return sorted(self._files)

    def __contains__(self, table: str) -> bool:
        return table in self._files

    def rows(self, table: str) -> Iterator[Row]:
        """The rows of a table, none when it is not there. A row that cannot be read bears `broken`."""
        opener = self._files.get(table)
        if opener is None:
            return
        encoding = _encoding(opener)
        with opener() as binary, io.TextIOWrapper(binary, encoding=encoding, newline="") as lines:
            first = lines.readline()
            while first and not first.strip():
                first = lines.readline()
            delimiter = max(",;\t", key=first.count)
            header = [cell.strip().lower() for cell in next(csv.reader([first], delimiter=delimiter), [])]
            reader = csv.reader(lines, delimiter=delimiter)
            for count, cells in enumerate(reader, start=1):
                if not any(cells):
                    continue
                broken = None
                if len(cells) > len(header) and any(cells[len(header) :]):
                    broken = f"ligne illisible\u202f: {len(cells)} colonnes au lieu de {len(header)}"
                yield Row(table, count, dict(zip(header, cells, strict=False)), self.zone, broken)

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return sum(1 for _ in self.rows(table))


def _files(source: Path) -> dict[str, Opener]:
    """CSV files by lower-case name."""
    if source.is_dir():
        found: dict[str, Opener] = {}
        for path in sorted(source.iterdir()):
            if path.is_file() and path.suffix.lower() == ".csv":
                found[path.name.lower()] = lambda path=path: path.open("rb")  # type: ignore[misc]
        return found
    if source.is_file() and zipfile.is_zipfile(source):
        archive = zipfile.ZipFile(source)
        return {
            Path(info.filename).name.lower(): lambda info=info: archive.open(info)  # type: ignore[misc]
            for info in archive.infolist()
            if info.filename.lower().endswith(".csv") and "__MACOSX" not in info.filename
        }
    raise NotADolibarrError(f"«\u202f{source.name}\u202f» n’est ni un dossier ni un fichier zip.")


def _encoding(opener: Opener) -> str:
    """UTF-8 (with or without mark) where every byte fits, UTF-16 by its mark, else Windows-1252."""
    with opener() as binary:
        head = binary.read(4)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        decoder = codecs.getincrementaldecoder("utf-8")()
        chunk = head
        try:
            while chunk:
                decoder.decode(chunk)
                chunk = binary.read(1 << 16)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            # A few bytes are undefined in Windows-1252; in Latin-1 they are controls, dropped with the others.
            return "cp1252" if _fits(opener, "cp1252") else "latin-1"
    return "utf-8-sig"


def _fits(opener: Opener, encoding: str) -> bool:
    with opener() as binary:
        try:
            while chunk := binary.read(1 << 16):
                chunk.decode(encoding)
        except UnicodeDecodeError:
            return False
    return True
