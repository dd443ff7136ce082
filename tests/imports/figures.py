"""The figures a folder of Dolibarr tables must give, worked out from the files by code of its own.

Nothing here uses the importer: the csv module, the headers, and the rules as the issue states them.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

Row = dict[str, str]


def load(folder: Path, table: str) -> list[Row]:
    """Rows of a table whose file name ends in `_<table>.csv`."""
    found = [path for path in folder.iterdir() if path.name.split("_", 1)[-1] == f"{table}.csv"]
    if not found:
        return []
    raw = found[0].read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252")
    head = text.split("\n", 1)[0]
    rows = csv.DictReader(text.splitlines(keepends=True), delimiter=";" if ";" in head else ",")
    return [{key: "" if value in (None, "NULL") else value for key, value in row.items()} for row in rows]


def money(row: Row, *names: str) -> Decimal | None:
    """First column that holds an amount; None when it holds something else."""
    for name in names:
        if row.get(name):
            try:
                return Decimal(row[name])
            except ArithmeticError:
                return None
    return Decimal(0)


@dataclass
class Figures:
    """What must come in, in all and by client (the rowid of its company)."""

    names: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    by_client: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    paid_on_invoices: Decimal = Decimal(0)
    money: Counter[str] = field(default_factory=Counter)
    money_by_client: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, what: str, client: str, amount: Decimal | None = None) -> None:
        self.counts[what] += 1
        self.by_client[client][what] += 1
        if amount is not None:
            self.money[what] += amount  # type: ignore[assignment]
            self.money_by_client[client][what] += amount  # type: ignore[assignment]


_LINE_AMOUNTS = ("qty", "subprice", "remise_percent", "tva_tx", "total_ht", "total_tva", "total_ttc")


def _documents(folder: Path, table: str, lines: str, key: str) -> list[Row]:
    """Documents without an unreadable amount in header or lines."""
    broken = {row[key] for row in load(folder, lines) if any(money(row, name) is None for name in _LINE_AMOUNTS)}
    names = ("total_ht", "total", "total_tva", "tva", "total_ttc")
    return [
        row
        for row in load(folder, table)
        if row["rowid"] not in broken and all(money(row, name) is not None for name in names)
    ]


def expected(folder: Path) -> Figures:
    """Figures of a folder."""
    figures = Figures()
    for row in load(folder, "societe"):
        supplier_only = row["client"] in ("", "0") and row["fournisseur"] not in ("", "0")
        if not supplier_only and row["nom"].strip():
            figures.names[row["rowid"]] = row["nom"].strip()
            figures.counts["clients"] += 1
    clients = figures.names
    for row in load(folder, "socpeople"):
        if row["fk_soc"] in clients and row.get("priv") != "1":
            figures.add("contacts", row["fk_soc"])
    for row in load(folder, "fichinter"):
        if row["fk_soc"] in clients:
            figures.add("interventions", row["fk_soc"])
    for row in load(folder, "projet"):
        if row["fk_soc"] in clients:
            figures.add("job_sites", row["fk_soc"])
    for row in _documents(folder, "propal", "propaldet", "fk_propal"):
        if row["fk_soc"] in clients:
            figures.add("quotes", row["fk_soc"], money(row, "total_ttc", "total"))
    client_of: dict[str, tuple[str, str]] = {}
    for row in _documents(folder, "facture", "facturedet", "fk_facture"):
        what = {"0": "invoices", "1": "invoices", "2": "credit_notes", "3": "invoices", "5": "invoices"}.get(
            row["type"]
        )
        if what and row["fk_soc"] in clients:
            sign = -1 if what == "credit_notes" else 1
            total = money(row, "total_ttc")
            figures.add(what, row["fk_soc"], None if total is None else sign * total)
            client_of[row["rowid"]] = (row["fk_soc"], what)
    payments = {row["rowid"] for row in load(folder, "paiement")}
    for row in load(folder, "paiement_facture"):
        if row["fk_facture"] in client_of and row["fk_paiement"] in payments:
            client, what = client_of[row["fk_facture"]]
            sign = -1 if what == "credit_notes" else 1
            amount = money(row, "amount") or Decimal(0)
            figures.add("payments", client, sign * amount)
            if what == "invoices":
                figures.paid_on_invoices += amount
    return figures


#: Tables whose rows are settings or dictionaries; all others must be accounted for, row by row.
_NO_BUSINESS = ("c_", "const", "extrafields", "element_contact")


def row_numbers(folder: Path) -> Counter[str]:
    """How many rows each business table of the folder has."""
    found: Counter[str] = Counter()
    for path in folder.iterdir():
        table = path.name.split("_", 1)[-1].removesuffix(".csv")
        if path.suffix == ".csv" and not table.startswith(_NO_BUSINESS):
            found[table] = len(load(folder, table))
    return found
