"""A believable French heating company of any size, the same for the same seed and day, in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from services.imports.company import people, words
from services.imports.company.history import History, type_ref
from services.imports.company.names import FrenchNames, Names
from services.imports.company.outline import Numbers, Outline, outlines
from services.imports.company.sales import Books
from services.imports.records import CustomField, InterventionType, Record, Relation


def generate(
    clients: int, seed: int, today: date, *, names: Names | None = None, first: int = 0, staff_for: int | None = None
) -> Iterator[Record]:
    """Records of a company with so many clients, each after what it refers to.

    The same arguments give the same records. Outside references start with `demo:<seed>:`. Clients draw from `names`
    and are counted from `first`; the staff is that of a company of `staff_for` clients.
    """
    french = FrenchNames()
    names = names or french
    staff = people.staff(staff_for or clients, seed, french)
    yield from staff
    yield CustomField(
        ref=f"demo:{seed}:field:date_inscription", key="date_inscription", label="Date d’inscription", kind="date"
    )
    for name in sorted({job.type for job in (words.MAINTENANCE, *words.JOBS)} | {words.VISIT}):
        yield InterventionType(ref=type_ref(seed, name), name=name, free_of_charge=name == words.VISIT)
    books = Books(
        seed=seed,
        today=today,
        quotes=Numbers("D", today),
        invoices=Numbers("F", today),
        credit_notes=Numbers("A", today),
        office=next(user for user in staff if user.role == "office"),
        technicians=tuple(user.ref for user in staff if user.technician),
    )
    known = [_moved(outline, first) for outline in outlines(clients, seed)] if first else None
    _count(known or outlines(clients, seed), books)
    sellers = [user.ref for user in staff if user.role == "salesperson"]
    for outline in known or outlines(clients, seed):
        yield from people.identity(outline, seed, today, names, sellers[outline.index % len(sellers)])
        if outline.manager is not None:
            manager = people.client_ref(seed, outline.manager)
            own = people.client_ref(seed, outline.index)
            yield Relation(ref=f"{own}:managed", client_ref=manager, other_client_ref=own, type="building")
        yield from History(outline, books).records()


def _moved(outline: Outline, first: int) -> Outline:
    manager = None if outline.manager is None else outline.manager + first
    return replace(outline, index=outline.index + first, manager=manager)


def _count(known: Iterable[Outline], books: Books) -> None:
    """Count the numbered documents of each day, so that numbers follow the dates."""
    for outline in known:
        for work in outline.works:
            if work.quoted is not None and work.quote_status != "draft":
                books.quotes.count(work.quoted)
            books.invoices.count(work.deposit)
            books.invoices.count(work.invoiced)
            books.credit_notes.count(work.credited)
    for numbers in (books.quotes, books.invoices, books.credit_notes):
        numbers.close()
