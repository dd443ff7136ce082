"""The whole of a Dolibarr as a stream of records, each after what it refers to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from services.imports.dolibarr import codes, commercial, companies, contacts, exchanges, staff, work
from services.imports.dolibarr.context import Context
from services.imports.dolibarr.tables import Tables
from services.imports.records import Item, Record

Mapper = Callable[[Context], Iterator[Record]]

#: In the order of what refers to what.
MAPPERS: tuple[Mapper, ...] = (
    staff.users,
    companies.custom_fields,
    companies.clients,
    contacts.contacts,
    work.job_sites,
    work.plans,
    work.interventions,
    commercial.quotes,
    commercial.invoices,
    commercial.payments,
    exchanges.activities,
    exchanges.documents,
    exchanges.links,
)
#: Tables whose every row comes in or is listed.
TAKEN = frozenset({
    "user", "societe", "societe_extrafields", "societe_commerciaux", "societe_rib", "categorie",
    "categorie_societe", "socpeople", "projet", "projet_task", "contrat", "contratdet", "fichinter",
    "fichinterdet", "propal", "propaldet", "facture", "facturedet", "paiement", "paiement_facture",
    "actioncomm", "ecm_files", "element_element",
})  # fmt: skip


def read(source: Path, timezone: str = "Europe/Paris") -> Iterator[Item]:
    """Records, refusals and notices of a folder or zip of tables as CSV.

    Dates of the tables are in the time zone of the server that wrote them. Raises `NotADolibarrError`.
    """
    context = Context(Tables(source, ZoneInfo(timezone)))
    for mapper in MAPPERS:
        for record in mapper(context):
            yield record
            yield from context.drain()
        yield from context.drain()
    for table in context.tables.names():
        if table in TAKEN or not is_business(table):
            continue
        reason = codes.NOT_TAKEN.get(table, "table hors du périmètre")
        for row in context.rows(table):
            context.refuse(row, reason)
            yield from context.drain()
        yield from context.drain()


def is_business(table: str) -> bool:
    """Whether a table holds rows to account for, not a dictionary (`c_…`) or settings of Dolibarr."""
    return not table.startswith("c_") and table not in codes.SETTINGS


def row_counts(source: Path) -> dict[str, int]:
    """Rows to account for, by table: what the progress of an import is measured against."""
    tables = Tables(source, ZoneInfo("UTC"))
    return {name: tables.count(name) for name in tables.names() if is_business(name)}
