"""What was installed, planned, done, quoted, invoiced, paid and said at one client."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from random import Random

from services.imports.company import words
from services.imports.company.money import bill, cents
from services.imports.company.outline import Outline, Work
from services.imports.company.people import client_ref
from services.imports.company.sales import Account, Books
from services.imports.records import (
    Activity,
    Equipment,
    Intervention,
    JobSite,
    Plan,
    PlannedVisit,
    Record,
    WorkLine,
)


def type_ref(seed: int, name: str) -> str:
    """Outside reference of a type of intervention."""
    return f"demo:{seed}:type:{name}"


class History:
    """Writes the records of one client."""

    def __init__(self, outline: Outline, books: Books) -> None:
        self.outline = outline
        self.books = books
        self.account = Account(outline, books)
        self.day, self.moment = self.account.day, self.account.moment
        self.rng = Random(f"{books.seed}/{outline.index}/history")
        self.ref = client_ref(books.seed, outline.index)
        self.address = f"{self.ref}:address:1"
        self.team = books.technicians[self.rng.randrange(len(books.technicians))]
        self.equipment: list[str] = []
        self.plan: str | None = None

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
        # Visits come a day or three earlier from year to year (a leap day, a week-end): each stays in its own period.
        start = (self.day(min(first, 0)) - timedelta(days=7)).replace(day=1)
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

    def _work(self, ref: str, work: Work) -> Iterator[Record]:
        job = words.JOBS[work.job] if work.job >= 0 else words.MAINTENANCE
        whole = bill(self.account.sales(work))
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
            yield self.account.quote(quote, work, whole, site, job.title)
        if self.plan is not None and work.job < 0 and work.day is not None and work.day > 0:
            yield self._visit(f"{ref}:visit", self.plan, work.day, job)
        else:
            yield from self._intervention(ref, work, job, site, quoted=quote is not None)
        yield from self.account.invoices(ref, work, whole, site, quote)

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
                author_ref=self.books.office.ref,
                author_name=f"{self.books.office.first_name} {self.books.office.last_name}",
            )
