"""What was installed, planned, done, quoted, invoiced, paid and said at one client."""

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
from services.imports.records import (
    Activity,
    CreditNote,
    Equipment,
    Intervention,
    Invoice,
    JobSite,
    Payment,
    Plan,
    PlannedVisit,
    Quote,
    Record,
    WorkLine,
)

_PARIS = ZoneInfo("Europe/Paris")
_DEPOSIT_PERCENT = 30


@dataclass(frozen=True, slots=True)
class Books:
    """What all clients share: the day, the numbers, the technicians' refs."""

    seed: int
    today: date
    quotes: Numbers
    invoices: Numbers
    credit_notes: Numbers
    technicians: tuple[str, ...]


def type_ref(seed: int, name: str) -> str:
    """Outside reference of a type of intervention."""
    return f"demo:{seed}:type:{name}"


class History:
    """Writes the records of one client."""

    def __init__(self, outline: Outline, books: Books) -> None:
        self.outline = outline
        self.books = books
        self.rng = Random(f"{books.seed}/{outline.index}/history")
        self.ref = client_ref(books.seed, outline.index)
        self.address = f"{self.ref}:address:1"
        self.team = books.technicians[self.rng.randrange(len(books.technicians))]
        self.equipment: list[str] = []
        self.plan: str | None = None

    def day(self, offset: int) -> date:
        return self.books.today + timedelta(days=offset)

    def moment(self, offset: int, hour: int, minute: int = 0) -> datetime:
        """A moment of the company's day, as UTC."""
        return datetime.combine(self.day(offset), time(hour, minute), _PARIS).astimezone(UTC)

    def records(self) -> Iterator[Record]:
        """Everything, each after what it refers to."""
        yield from self._equipment()
        if self.outline.under_contract:
            yield self._plan()
        for number, work in enumerate(self.outline.works, start=1):
            yield from self._work(f"{self.ref}:work:{number}", work)
        yield from self._exchanges()

    def _equipment(self) -> Iterator[Record]:
        rng, kind = self.rng, self.outline.kind
        if kind == "property_manager":
            return
        catalogue = words.COLLECTIVE if kind == "building" or self.outline.big else words.DOMESTIC
        count = rng.randint(2, 5) if catalogue is words.COLLECTIVE else rng.choice((1, 1, 1, 2))
        for number in range(1, count + 1):
            type_, brand, model = catalogue[(number - 1) if catalogue is words.COLLECTIVE else rng.randrange(8)]
            installed = self.day(-rng.randint(200, 5000))
            ref = f"{self.ref}:equipment:{number}"
            self.equipment.append(ref)
            yield Equipment(
                ref=ref,
                client_ref=self.ref,
                name=f"{type_} {brand}",
                type=type_,
                address_ref=self.address,
                description=rng.choice(("Chaufferie, niveau -1", "Cuisine", "Cellier", "Garage", "Local technique")),
                brand=brand,
                model=model,
                serial_number=f"{brand[:2].upper()}{installed.year % 100:02d}{rng.randrange(10**6):06d}",
                # A burner belongs to the boiler before it.
                parent_ref=self.equipment[0] if type_ == "Brûleur" and number > 1 else None,
                purchased_on=installed - timedelta(days=rng.randint(3, 30)),
                installed_on=installed,
                warranty_until=installed + timedelta(days=730),
            )

    def _plan(self) -> Record:
        building = self.outline.kind == "building"
        first = next((work.day for work in self.outline.works if work.job < 0 and work.day is not None), -365)
        start = self.day(min(first, 0)).replace(day=1)
        self.plan = f"{self.ref}:plan:1"
        return Plan(
            ref=self.plan,
            client_ref=self.ref,
            title="Contrat d’entretien chaufferie" if building else "Contrat d’entretien annuel",
            starts_on=start,
            visits_per_period=1,
            period="year",
            address_ref=self.address,
            equipment_refs=tuple(self.equipment[:1]),
            assignee_ref=self.team,
            contract_reference=f"CE-{self.outline.index + 1:06d}",
        )

    def _sales(self, work: Work) -> list[Sale]:
        job = words.JOBS[work.job] if work.job >= 0 else words.MAINTENANCE
        # 10 % on work in dwellings, 5.5 % where it saves energy (CGI art. 279-0 bis and 278-0 bis A), else 20 %.
        dwelling = self.outline.kind in ("individual", "building")
        rate = Decimal("5.5") if dwelling and job.energy_saving else Decimal(10) if dwelling else Decimal(20)
        discount = Decimal(self.rng.choice((0, 0, 0, 0, 5, 7)))
        return [Sale(label, Decimal(q), Decimal(p), rate, discount) for label, q, p in job.lines]

    def _work(self, ref: str, work: Work) -> Iterator[Record]:
        job = words.JOBS[work.job] if work.job >= 0 else words.MAINTENANCE
        whole = bill(self._sales(work))
        site: str | None = None
        if job.large and work.day is not None:
            site = f"{ref}:site"
            status = "done" if work.day < 0 else "in_progress" if work.deposit is not None else "not_started"
            yield JobSite(
                ref=site,
                client_ref=self.ref,
                title=job.title,
                description=job.request,
                status=status,
                starts_on=self.day(work.day),
                ends_on=self.day(work.day + 1 + job.minutes // 480),
                address_ref=self.address,
                estimated_hours=cents(Decimal(job.minutes) / 60),
            )
        quote = f"{ref}:quote" if work.quoted is not None else None
        if quote is not None and work.quoted is not None:
            yield self._quote(quote, work, whole, site, job.title)
        if self.plan is not None and work.job < 0 and work.day is not None and work.day > 0:
            yield self._visit(f"{ref}:visit", self.plan, work.day, job)
        else:
            yield from self._intervention(ref, work, job, site, quoted=quote is not None)
        yield from self._invoices(ref, work, whole, site, quote)

    def _quote(self, ref: str, work: Work, whole: Bill, site: str | None, title: str) -> Record:
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

    def _intervention(self, ref: str, work: Work, job: words.Job, site: str | None, quoted: bool) -> Iterator[Record]:
        rng = self.rng
        hour, minute = rng.choice((8, 8, 9, 10, 11, 13, 14, 15, 16)), rng.choice((0, 0, 30))
        if work.day is None and quoted:
            return
        done = work.day is not None and (work.day < -2 or work.invoiced is not None)
        late = work.day is not None and -2 <= work.day < 0 and not done
        starts = None if work.day is None else self.moment(self._workday(work.day), hour, minute)
        ends = None if starts is None else starts + timedelta(minutes=min(job.minutes, 540))
        report = rng.choice(job.reports) if done and not work.appointment else ""
        yield Intervention(
            ref=f"{ref}:intervention",
            client_ref=self.ref,
            title="Visite technique" if work.appointment else job.title,
            kind="appointment" if work.appointment else "intervention",
            type_ref=type_ref(self.books.seed, words.VISIT if work.appointment else job.type),
            state="done" if done else "to_plan" if starts is None else "planned",
            address_ref=self.address,
            lead_technician_ref=None if starts is None and not late else self.team,
            technician_refs=() if starts is None else (self.team,),
            starts_at=starts,
            ends_at=ends,
            has_appointment=work.appointment or rng.random() < 0.5,
            needs_quote=done and not quoted and work.job >= 0 and rng.random() < 0.08,
            billable=not work.appointment,
            invoiced=work.invoiced is not None,
            priority="high" if job.type == "Dépannage" and rng.random() < 0.3 else None,
            client_reference=f"BC-{rng.randrange(10**5):05d}" if self.outline.big and rng.random() < 0.6 else None,
            equipment_refs=tuple(self.equipment[:1]),
            job_site_ref=site,
            plan_ref=self.plan if work.job < 0 else None,
            description=job.request,
            report_text=report,
            work_lines=(WorkLine(text=report, done_at=starts, minutes=job.minutes),) if report else (),
            minutes=job.minutes if report else 0,
        )

    def _visit(self, ref: str, plan: str, day: int, job: words.Job) -> Record:
        """A visit to come that has its date: planning it makes its intervention."""
        starts = self.moment(self._workday(day), self.rng.choice((8, 9, 10, 13, 14, 15)))
        return PlannedVisit(
            ref=ref,
            plan_ref=plan,
            starts_at=starts,
            ends_at=starts + timedelta(minutes=job.minutes),
            technician_refs=(self.team,),
        )

    def _workday(self, offset: int) -> int:
        """The day itself, or the Friday before a week-end."""
        return offset - max(0, self.day(offset).weekday() - 4)

    def _invoices(self, ref: str, work: Work, whole: Bill, site: str | None, quote: str | None) -> Iterator[Record]:
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
            back = bill([Sale(f"Avoir sur « {line.label} »", line.quantity, line.unit_price, line.vat_rate,
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

    def _exchanges(self) -> Iterator[Record]:
        rng = self.rng
        for number in range(1, 1 + min(20, int(rng.paretovariate(1.0)))):
            subject, body = rng.choice(words.CALLS if rng.random() < 0.6 else words.EMAILS)
            call = (subject, body) in words.CALLS
            yield Activity(
                ref=f"{self.ref}:activity:{number}",
                client_ref=self.ref,
                kind="call" if call else "email",
                direction=rng.choice(("in", "in", "out")) if call else ("out" if subject.startswith("Att") else "in"),
                occurred_at=self.moment(-rng.randint(1, 1000), rng.randint(8, 17), rng.randrange(60)),
                subject=subject,
                body=body,
                author_ref=f"demo:{self.books.seed}:user:2",
            )


def _sale(label: str, whole: Bill, index: int) -> Sale:
    line = whole.lines[index]
    return Sale(label, line.quantity, line.unit_price, line.vat_rate, line.discount_percent)
