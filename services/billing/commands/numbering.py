"""Numbers without a hole, and the chain of hashes over what was issued."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from chassis.errors import Invalid
from chassis.uow import UnitOfWork
from services.billing.model import Quote
from services.billing.model.chain import link

TABLES = {"D": "quote", "F": "invoice", "A": "credit_note"}


def give_number(uow: UnitOfWork, series: str, year: int) -> tuple[str, str]:
    """The next number of a series (`F-2026-0915`) and the hash of the one before, empty for the first.

    Call it as late as possible: the counter's row stays locked until the transaction ends, and whoever fails after it
    gives the number back. Numbers that came in with an import are passed over; they are taken.
    """
    session = uow.session
    key = {"series": series, "year": year}
    session.execute(
        text("INSERT INTO counter (series, year) VALUES (:series, :year) ON CONFLICT DO NOTHING"),
        key,
    )
    row = session.execute(
        text("SELECT last, hash FROM counter WHERE series = :series AND year = :year FOR UPDATE"), key
    ).one()
    last = row.last + 1
    if _taken(uow, series, _number(series, year, last)):
        last = _behind_imported(uow, series, year, last)
    session.execute(
        text("UPDATE counter SET last = :last WHERE series = :series AND year = :year"), {"last": last, **key}
    )
    return _number(series, year, last), row.hash


def _number(series: str, year: int, last: int) -> str:
    return f"{series}-{year}-{last:04d}"


def _taken(uow: UnitOfWork, series: str, number: str) -> bool:
    found = uow.session.execute(text(f"SELECT 1 FROM {TABLES[series]} WHERE number = :number"), {"number": number})
    return found.one_or_none() is not None


def _behind_imported(uow: UnitOfWork, series: str, year: int, last: int) -> int:
    """The first free number from `last` on, past the numbers of our own form that an import brought."""
    rows = uow.session.execute(
        text(f"SELECT number FROM {TABLES[series]} WHERE number LIKE :prefix"), {"prefix": f"{series}-{year}-%"}
    )
    taken = {str(row.number) for row in rows}
    while _number(series, year, last) in taken:
        last += 1
    return last


def chain(uow: UnitOfWork, row: Any, series: str, frozen: dict[str, Any], previous: str) -> None:
    """Freezes a document under a hash that covers the one before it, so that tampering shows."""
    row.frozen = frozen
    row.previous_hash = previous
    row.hash = link(previous, frozen)
    uow.session.execute(
        text("UPDATE counter SET hash = :hash WHERE series = :series AND year = :year"),
        {"hash": row.hash, "series": series, "year": row.issued_on.year},
    )


def refuse_unfit(row: Any, lines: Sequence[Any]) -> None:
    """Raises `Invalid` where a document cannot be numbered: no line, or a total below zero."""
    if not any(line.kind == "line" for line in lines):
        raise Invalid.field("lines", "Ajoutez au moins une ligne.")
    if row.total_incl_tax < 0:
        what = "devis" if isinstance(row, Quote) else "document"
        raise Invalid.field("lines", f"Le total d’un {what} ne peut pas être négatif\u202f: faites un avoir.")
