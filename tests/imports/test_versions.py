"""Dolibarr from 3 to 20: columns come and go and change their names, tables may be missing."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from services.imports import records
from services.imports.dolibarr import read, row_counts
from services.imports.records import Item, Record, Refused
from tests.imports.conftest import SMALL
from tests.imports.figures import Row, load

TABLES = sorted(path.name.split("_", 1)[1].removesuffix(".csv") for path in SMALL.glob("*.csv"))

#: Names that columns bore before: {table: {newer: older}}.
OLD_NAMES = {
    "societe": {"zip": "cp", "town": "ville", "phone": "tel"},
    "socpeople": {"lastname": "name", "zip": "cp", "town": "ville"},
    "user": {"lastname": "name"},
    "facture": {"ref": "facnumber", "total_ht": "total", "total_tva": "tva"},
    "propal": {"total_tva": "tva", "total_ttc": "total", "date_signature": "date_cloture"},
    "actioncomm": {"id": "id"},
}


def write(folder: Path, change: Callable[[str, list[Row]], list[Row] | None]) -> Path:
    """The small folder with each table's rows changed; a table for which `change` gives None is left out."""
    for table in TABLES:
        rows = change(table, load(SMALL, table))
        if rows is None:
            continue
        with (folder / f"llx_{table}.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]) if rows else ["rowid"])
            writer.writeheader()
            writer.writerows(rows)
    return folder


def accounted(folder: Path) -> dict[str, int]:
    """Rows by table that came in or were listed, each once."""
    seen: Counter[tuple[str, str]] = Counter()
    for item in read(folder):
        if isinstance(item, Refused):
            seen[item.table, item.rowid] += 1
        elif isinstance(item, Record) and not isinstance(item, records.CustomField):
            for ref in (item.ref, *item.parts):
                parts = ref.split(":")
                if len(parts) == 3:
                    seen[parts[1], parts[2]] += 1
    assert max(seen.values()) == 1
    return dict(Counter(table for table, _ in seen))


def comparable(items: list[Item]) -> list[Item]:
    """An old phone column is told apart in the memo only by its name."""
    return [replace(item, memo="") if isinstance(item, records.Client) else item for item in items]


def test_the_names_of_old_versions_read_the_same(tmp_path: Path) -> None:
    def rename(table: str, rows: list[Row]) -> list[Row]:
        names = OLD_NAMES.get(table, {})
        return [{names.get(column, column): cell for column, cell in row.items()} for row in rows]

    old = [item for item in read(write(tmp_path, rename)) if isinstance(item, Record)]
    assert comparable(old) == comparable([item for item in read(SMALL) if isinstance(item, Record)])


@pytest.mark.parametrize("missing", [table for table in TABLES if table != "societe"])
def test_any_table_may_be_missing(tmp_path: Path, missing: str) -> None:
    folder = write(tmp_path, lambda table, rows: None if table == missing else rows)
    assert accounted(folder) == row_counts(folder)


@pytest.mark.parametrize("table", TABLES)
def test_any_column_may_be_missing(tmp_path: Path, table: str) -> None:
    for column in list(load(SMALL, table)[0]):
        if column in ("rowid", "id") or table == "categorie_societe":  # the key of a row
            continue
        folder = tmp_path / column
        folder.mkdir()
        write(
            folder,
            lambda name, rows, column=column: (
                [{key: cell for key, cell in row.items() if key != column} for row in rows] if name == table else rows
            ),
        )
        assert accounted(folder) == row_counts(folder), column


def test_unknown_columns_and_tables_do_not_disturb(tmp_path: Path) -> None:
    def extend(table: str, rows: list[Row]) -> list[Row]:
        return [{"nouvelle": "x", **row, "autre_colonne": "1;2,3"} for row in rows]

    folder = write(tmp_path, extend)
    (folder / "llx_zzz_module.csv").write_text("rowid,valeur\n1,a\n2,b\n")
    listed = [item for item in read(folder) if isinstance(item, Refused) and item.table == "zzz_module"]
    assert [item.rowid for item in listed] == ["1", "2"]
    assert [item for item in read(folder) if isinstance(item, records.Invoice)] == [
        item for item in read(SMALL) if isinstance(item, records.Invoice)
    ]


def test_twice_the_same_row_and_broken_rows_are_listed(tmp_path: Path) -> None:
    (tmp_path / "llx_societe.csv").write_text(
        "rowid,nom,client,fournisseur\n1,Un,1,0\n1,Encore,1,0\n2,Deux,1,0,trop,plein\n3,Trois,1\n\n"
    )
    items = list(read(tmp_path))
    reasons = {item.reason for item in items if isinstance(item, Refused)}
    assert reasons == {
        "identifiant déjà lu dans cette table",
        "ligne illisible\u202f: 6 colonnes au lieu de 4",
    }
    assert [item.display_name for item in items if isinstance(item, records.Client)] == ["Un", "Trois"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters(tmp_path: Path, encoding: str, delimiter: str) -> None:
    content = delimiter.join(("rowid", "nom", "client", "note_private")) + "\r\n"
    content += delimiter.join(("1", "Élec’Étanchéité – BŒUF", "1", '"Prix, 3 €; fin\r\nligne 2"')) + "\r\n"
    (tmp_path / "llx_societe.csv").write_bytes(content.encode(encoding))
    [client] = [item for item in read(tmp_path) if isinstance(item, records.Client)]
    assert client.display_name == "Élec’Étanchéité – BŒUF"
    assert client.memo == "Prix, 3 €; fin\nligne 2"
