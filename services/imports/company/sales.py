"""What one client is quoted, invoiced, credited, and what it pays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from services.imports.company import words
from services.imports.company.money import Bill, Sale, bill, cents, share
from services.imports.company.outline import Numbers, Outline, Work
from services.imports.company.people import client_ref
from services.imports.records import CreditNote, Invoice, Payment, Quote, Record, User

_PARIS = ZoneInfo("Europe/Paris")
_DEPOSIT_PERCENT = 30


@dataclass(frozen=True, slots=True)
class Books:
    """What all clients share: the day, the numbers, who works."""

    seed: int
    today: date
    quotes: Numbers
    invoices: Numbers
    credit_notes: Numbers
    technicians: tuple[str, ...]
    office: User


class Account:
    """A client's commercial documents. Its draws are its own."""

    def __init__(self, outline: Outline, books: Books) -> None:
        self.outline = outline
        self.books = books
        self.rng = Random(f"{books.seed}/{outline.index}/account")
        self.ref = client_ref(books.seed, outline.index)
        self.address = f"{self.ref}:address:1"

    def day(self, offset: int) -> date:
        """A day counted from today."""
        return self.books.today + timedelta(days=offset)

    def moment(self, offset: int, hour: int, minute: int = 0) -> datetime:
        """A moment of the company's day, as UTC."""
        return datetime.combine(self.day(offset), time(hour, minute), _PARIS).astimezone(UTC)

    def sales(self, work: Work) -> list[Sale]:
        job = words.JOBS[work.job] if work.job >= 0 else words.MAINTENANCE
        # 10 % on work in dwellings, 5.5 % where it saves energy (CGI art. 279-0 bis and 278-0 bis A), else 20 %.
        dwelling = self.outline.kind in ("individual", "building")
        rate = Decimal("5.5") if dwelling and job.energy_saving else Decimal(10) if dwelling else Decimal(20)
        discount = Decimal(self.rng.choice((0, 0, 0, 0, 5, 7)))
        return [Sale(label, Decimal(q), Decimal(p), rate, discount) for label, q, p in job.lines]

    def quote(self, ref: str, work: Work, whole: Bill, site: str | None, title: str) -> Record:
        assert work.quoted is not None
        status = work.quote_status
        if status == "accepted" and work.invoiced is not None:
            status = "invoiced"
        decided = work.quoted + self.rng.randint(1, 7)
        return Quote(
            ref=ref,
            client_ref=self.ref,
            number=None if status == "draft" else self.books.quotes.give(work.quoted),
            status=status,
            issued_on=self.day(work.quoted),
            valid_until=self.day(work.quoted + 60),
            decided_on=self.day(min(0, decided)) if status in ("accepted", "invoiced", "refused") else None,
            lines=whole.lines,
            total_excl_tax=whole.excl_tax,
            total_tax=whole.tax,
            total_incl_tax=whole.incl_tax,
            job_site_ref=site,
            address_ref=self.address,
            title=title,
            created_at=self.moment(work.quoted, 10),
        )

    def invoices(self, ref: str, work: Work, whole: Bill, site: str | None, quote: str | None) -> Iterator[Record]:
        deposit: Bill | None = None
        if work.deposit is not None:
            label = f"Acompte de {_DEPOSIT_PERCENT}\u202f% à la commande"
            deposit = bill(share(whole, _DEPOSIT_PERCENT, label))
            yield from self._invoice(f"{ref}:deposit", work.deposit, deposit, "deposit", site, quote, None)
        if work.invoiced is None:
            return
        due = whole
        if deposit is not None:
            less = [
                Sale("Acompte déjà facturé", Decimal(-1), line.total_excl_tax, line.vat_rate) for line in deposit.lines
            ]
            due = bill([_sale(line.label, whole, index) for index, line in enumerate(whole.lines)] + less)
        intervention = None if work.day is None else f"{ref}:intervention"
        invoice = f"{ref}:invoice"
        yield from self._invoice(
            invoice, work.invoiced, due, "standard", site, quote, intervention, credited=work.credited is not None
        )
        if work.credited is not None:
            line = whole.lines[-1]
            back = bill([Sale(f"Avoir sur «\u202f{line.label}\u202f»", line.quantity, line.unit_price, line.vat_rate,
                              line.discount_percent)])  # fmt: skip
            yield CreditNote(
                ref=f"{ref}:credit",
                client_ref=self.ref,
                number=self.books.credit_notes.give(work.credited),
                status="issued",
                issued_on=self.day(work.credited),
                lines=back.lines,
                total_excl_tax=back.excl_tax,
                total_tax=back.tax,
                total_incl_tax=back.incl_tax,
                invoice_ref=invoice,
                address_ref=self.address,
                created_at=self.moment(work.credited, 17),
            )

    def _invoice(
        self, ref: str, offset: int, due: Bill, kind: str, site: str | None, quote: str | None,
        intervention: str | None, credited: bool = False,
    ) -> Iterator[Record]:  # fmt: skip
        rng = self.rng
        terms = 0 if self.outline.kind == "individual" else 30
        age = -offset
        fate = rng.random()
        # Old invoices are paid but for a few; recent ones wait for their term.
        paid = due.incl_tax > 0 and not credited and (fate < 0.97 if age > terms + 45 else fate < 0.5 and age > terms)
        partly = due.incl_tax > 0 and not paid and not credited and age > 15 and rng.random() < 0.25
        yield Invoice(
            ref=ref,
            client_ref=self.ref,
            number=self.books.invoices.give(offset),
            kind=kind,
            status="paid" if paid else "issued",
            issued_on=self.day(offset),
            due_on=self.day(offset + terms),
            lines=due.lines,
            total_excl_tax=due.excl_tax,
            total_tax=due.tax,
            total_incl_tax=due.incl_tax,
            quote_ref=quote,
            job_site_ref=site,
            intervention_refs=() if intervention is None else (intervention,),
            address_ref=self.address,
            created_at=self.moment(offset, 17),
        )
        if not paid and not partly:
            return
        when = self.day(offset + rng.randint(0, min(age, terms + 20)))
        means = rng.choice(
            ("Chèque", "Carte bancaire") if self.outline.kind == "individual" else ("Virement", "Prélèvement")
        )
        amount = due.incl_tax if paid else cents(due.incl_tax * rng.choice((30, 40, 50)) / 100)
        parts = [amount]
        if paid and due.incl_tax > 1500 and rng.random() < 0.3:
            parts = [cents(amount / 2), amount - cents(amount / 2)]
        for number, part in enumerate(parts, start=1):
            yield Payment(
                ref=f"{ref}:payment:{number}",
                document_ref=ref,
                amount=part,
                paid_on=when,
                means=means,
                reference=f"{means[:1]}-{rng.randrange(10**6):06d}",
            )


def _sale(label: str, whole: Bill, index: int) -> Sale:
    line = whole.lines[index]
    return Sale(label, line.quantity, line.unit_price, line.vat_rate, line.discount_percent)
