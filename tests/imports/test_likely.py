"""A Dolibarr whose clients stand twice: the import tells it, the whole base lists them, merging takes them out."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts import clients, imports
from contracts.clients import merges
from tests.imports.conftest import SMALL
from tests.imports.test_import import Product

#: Name of the column → what the second entry of each has of it.
_AGAIN = {
    "nom": lambda name: f"{name.upper()} SARL" if len(name.split()) > 1 else f"Ets {name}",
    "address": lambda street: street.replace("rue", "r.").replace("avenue", "av."),
    "phone": lambda phone: phone.replace(" ", "").replace("0", "+33", 1) if phone.startswith("0") else phone,
    "siret": lambda _: "",
    "siren": lambda _: "",
    "tva_intra": lambda _: "",
}


@pytest.fixture(scope="module")
def doubled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small Dolibarr, each client of it entered a second time, differently."""
    folder = tmp_path_factory.mktemp("doubled") / "tables"
    shutil.copytree(SMALL, folder)
    path = folder / "dol_societe.csv"
    raw = path.read_bytes().decode()
    rows = list(csv.reader(io.StringIO(raw)))
    head = rows[0]
    more = []
    for number, row in enumerate(rows[1:]):
        values = dict(zip(head, row, strict=True))
        if values["client"] not in ("1", "2", "3") or not values["nom"].strip():
            continue
        values |= {"rowid": str(900 + number), "code_client": f"CU9999-{number:04}", "parent": ""}
        values |= {name: again(values[name]) for name, again in _AGAIN.items()}
        more.append([values[name] for name in head])
    assert more
    text = io.StringIO()
    csv.writer(text).writerows([*rows, *more])
    path.write_text(text.getvalue(), encoding="utf-8")
    return folder


@pytest.fixture
def product(postgres_url: str, tmp_path: Path) -> Iterator[Product]:
    made = Product(postgres_url, tmp_path)
    yield made
    made.close()


def settle(product: Product) -> None:
    service = product.services["clients"]
    while service.sql("SELECT 1 FROM likeness_due LIMIT 1"):
        service.worker().follow_likeness()


def references(product: Product) -> dict[str, str]:
    """Row of the source → id of the client it became."""
    rows = product.services["imports"].sql(
        "SELECT split_part(ref, ':', 3), id FROM outside_ref WHERE kind = 'client' AND done_at IS NOT NULL"
    )
    return {str(row[0]): str(row[1]) for row in rows}


@pytest.mark.timeout(400)
def test_clients_that_stand_twice_are_told_listed_and_merged(product: Product, doubled: Path) -> None:
    job = product.start(doubled)
    product.work()
    assert product.job(job).status == "done"
    made = references(product)
    settle(product)
    page: dict[str, Any] = product.ask(clients.ListLikelyPairs(limit=200))
    listed = {frozenset(side["id"] for side in pair["clients"]): pair for pair in page["items"]}
    with (doubled / "dol_societe.csv").open(encoding="utf-8", newline="") as table:
        rowids = [row["rowid"] for row in csv.DictReader(table)]
    known = {
        frozenset((made[rowid], made[twice]))
        for number, rowid in enumerate(rowids)
        if (twice := str(900 + number)) in made and rowid in made
    }
    assert len(known) >= 4
    assert known <= listed.keys(), "each that stands twice is proposed"
    assert len(known) / len(listed) >= 0.8, [
        [side["display_name"] for side in pair["clients"]] for ids, pair in listed.items() if ids not in known
    ]
    # The report of the import says so, by row, and refused none for it.
    lines: list[dict[str, Any]] = product.ask(imports.ListImportLines(id=job, level="notice", limit=200))["items"]
    told = [line for line in lines if "doublon probable" in line["reason"]]
    probable = {ids for ids in known if listed[ids]["score"] >= 0.65}
    assert len(probable) >= len(known) - 1
    assert len(told) >= len(probable)
    assert all(line["row"] for line in told)
    for ids in known:
        older, newer = (side["id"] for side in listed[ids]["clients"])
        body = merges.MergeBody(survivor_id=older, duplicate_id=newer, reason="Saisi deux fois dans Dolibarr")
        product.ask(merges.MergeClients(body=body))
    settle(product)
    left: list[dict[str, Any]] = product.ask(clients.ListLikelyPairs(limit=200))["items"]
    assert not [pair for pair in left if frozenset(side["id"] for side in pair["clients"]) in known]
    # Run again, the import doubles nothing and tells nothing again.
    again = product.start(doubled)
    product.work()
    assert product.job(again).totals.created == 0
    assert not [
        line
        for line in product.ask(imports.ListImportLines(id=again, level="notice", limit=200))["items"]
        if "doublon probable" in line["reason"]
    ]
