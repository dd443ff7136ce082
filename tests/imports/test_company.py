"""The made-up company: the same for a seed, right to the cent, numbers in order, identities that pass their checks."""

from __future__ import annotations

import tracemalloc
from collections import Counter, defaultdict
from dataclasses import fields
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice

import phonenumbers
import pytest
from stdnum.fr import siret, tva

from services.imports import records
from services.imports.company import generate
from services.imports.company.money import Sale, bill
from services.imports.records import Record
from services.maintenance.calendar import visits_due

TODAY = date(2026, 11, 25)
SIZE = 400


@pytest.fixture(scope="module")
def company() -> list[Record]:
    return list(generate(SIZE, 7, TODAY))


def of(company: list[Record], kind: type[Record]) -> list[Record]:
    return [record for record in company if type(record) is kind]


def test_the_same_for_a_seed_and_another_for_another(company: list[Record]) -> None:
    assert list(generate(SIZE, 7, TODAY)) == company
    assert list(islice(generate(SIZE, 8, TODAY), 200)) != company[:200]


def test_as_many_clients_as_asked_and_of_each_kind(company: list[Record]) -> None:
    kinds = Counter(client.kind for client in of(company, records.Client))  # type: ignore[attr-defined]
    assert kinds.total() == SIZE
    assert kinds["individual"] > kinds["company"] > kinds["property_manager"] > 0
    for count in (1, 2, 37):
        assert len(of(list(generate(count, 3, TODAY)), records.Client)) == count


def test_refs_are_unique_and_point_backwards(company: list[Record]) -> None:
    known: set[str] = set()
    for record in company:
        for spec in fields(record):
            value = getattr(record, spec.name)
            if spec.name.endswith("_ref") and value is not None:
                assert value in known, (record.ref, spec.name)
            elif spec.name.endswith("_refs"):
                assert set(value) <= known, (record.ref, spec.name)
        assert record.ref not in known
        known.add(record.ref)


def test_identities_pass_their_checks(company: list[Record]) -> None:
    seen: set[str] = set()
    for client in of(company, records.Client):
        assert isinstance(client, records.Client)
        if client.siret is not None:
            assert siret.is_valid(client.siret)
            assert client.siret not in seen
            seen.add(client.siret)
            assert client.vat_number is not None
            assert tva.is_valid(client.vat_number)
        assert client.phone is not None
        assert client.phone.startswith(("06 39 98", "01 99 00"))
        assert phonenumbers.is_possible_number(phonenumbers.parse(client.phone, "FR"))
        assert client.email is not None
        assert client.email.endswith(".example")
        assert (client.kind == "individual") == (client.company_name is None)
    assert seen


def documents(company: list[Record]) -> list[records.CommercialDocument]:
    return [record for record in company if isinstance(record, records.CommercialDocument)]


def test_totals_are_the_tax_of_each_rate_on_its_sum(company: list[Record]) -> None:
    cent = Decimal("0.01")
    for document in documents(company):
        bases: dict[Decimal, Decimal] = defaultdict(Decimal)
        for line in document.lines:
            net = line.quantity * line.unit_price * (100 - line.discount_percent) / 100
            assert line.total_excl_tax == net.quantize(cent, ROUND_HALF_UP)
            assert line.unit_price >= 0
            bases[line.vat_rate] += line.total_excl_tax
        assert document.total_excl_tax == sum(bases.values())
        taxes = [(base * rate / 100).quantize(cent, ROUND_HALF_UP) for rate, base in bases.items()]
        assert document.total_tax == sum(taxes)
        assert document.total_incl_tax == document.total_excl_tax + document.total_tax
        assert sum(line.total_incl_tax for line in document.lines) == document.total_incl_tax


def test_the_field_report_of_one_cent() -> None:
    three = bill([Sale("x", Decimal(1), Decimal("33.33"), Decimal(20))] * 3)
    seven = bill([Sale("x", Decimal(1), Decimal("12.34"), Decimal("5.5"))] * 7)
    assert (three.tax, seven.tax) == (Decimal("20.00"), Decimal("4.75"))


def test_numbers_have_no_gap_and_follow_the_dates(company: list[Record]) -> None:
    series: dict[str, list[tuple[int, date]]] = defaultdict(list)
    for document in documents(company):
        if document.number is None:
            assert document.status == "draft"
            continue
        start, counter = document.number.rsplit("-", 1)
        assert document.issued_on is not None
        assert start.endswith(str(document.issued_on.year))
        series[start].append((int(counter), document.issued_on))
    assert {start[0] for start in series} == {"D", "F", "A"}
    for numbers in series.values():
        numbers.sort()
        assert [counter for counter, _ in numbers] == list(range(1, len(numbers) + 1))
        assert [day for _, day in numbers] == sorted(day for _, day in numbers)


def test_a_deposit_and_its_balance_lose_no_cent(company: list[Record]) -> None:
    by_ref = {record.ref: record for record in company}
    checked = 0
    for ref, deposit in by_ref.items():
        if not ref.endswith(":deposit"):
            continue
        work = ref.removesuffix(":deposit")
        balance, quote = by_ref.get(f"{work}:invoice"), by_ref[f"{work}:quote"]
        if balance is not None:
            assert isinstance(deposit, records.Invoice)
            assert isinstance(balance, records.Invoice)
            assert isinstance(quote, records.Quote)
            assert deposit.total_excl_tax + balance.total_excl_tax == quote.total_excl_tax
            assert abs(deposit.total_incl_tax + balance.total_incl_tax - quote.total_incl_tax) <= Decimal("0.01")
            checked += 1
    assert checked


def test_payments_never_pass_what_is_due_nor_come_from_the_future(company: list[Record]) -> None:
    paid: Counter[str] = Counter()
    invoices = {i.ref: i for i in of(company, records.Invoice)}
    for payment in of(company, records.Payment):
        assert isinstance(payment, records.Payment)
        assert payment.paid_on <= TODAY
        paid[payment.document_ref] += payment.amount  # type: ignore[assignment]
    for ref, invoice in invoices.items():
        assert isinstance(invoice, records.Invoice)
        assert invoice.issued_on is not None
        assert invoice.issued_on <= TODAY
        assert (paid[ref] == invoice.total_incl_tax) == (invoice.status == "paid")
        assert paid[ref] <= max(invoice.total_incl_tax, Decimal(0))


def test_past_and_future_work_and_each_state(company: list[Record]) -> None:
    works = of(company, records.Intervention)
    states = Counter(work.state for work in works)  # type: ignore[attr-defined]
    assert set(states) == {"done", "planned", "to_plan"}
    for work in works:
        assert isinstance(work, records.Intervention)
        if work.state == "done":
            assert work.starts_at is not None
            assert work.starts_at.date() <= TODAY
        if work.starts_at is not None and work.ends_at is not None:
            assert work.starts_at < work.ends_at


@pytest.mark.parametrize("month", range(1, 37, 2))
def test_each_visit_has_a_period_of_its_plan_to_itself_whatever_the_day(month: int) -> None:
    """Else the plan has no visit left for it, and it is refused."""
    today = date(2026 + month // 12, month % 12 + 1, 1 + month * 7 % 28)
    plans: dict[str, records.Plan] = {}
    taken: dict[str, list[date]] = defaultdict(list)
    for record in generate(60, 4, today):
        if isinstance(record, records.Plan):
            plans[record.ref] = record
        elif isinstance(record, records.PlannedVisit) or (
            isinstance(record, records.Intervention) and record.plan_ref and record.state == "done"
        ):
            assert record.plan_ref is not None
            assert record.starts_at is not None
            plan, day, coming = (
                plans[record.plan_ref],
                record.starts_at.date(),
                isinstance(record, records.PlannedVisit),
            )
            [period] = [
                due.period_start
                for due in visits_due(
                    starts_on=plan.starts_on, ends_on=None, period="year", rrule=None, per_period=1,
                    until=today + timedelta(days=500), months=None,
                )
                if due.period_start <= day <= due.period_end and (not coming or due.due_on >= today)
            ]  # fmt: skip
            assert period not in taken[plan.ref], (today, day)
            taken[plan.ref].append(period)
    assert taken


def test_few_big_clients_and_a_long_tail(company: list[Record]) -> None:
    works = Counter(work.client_ref for work in of(company, records.Intervention))  # type: ignore[attr-defined]
    counts = sorted(works.values(), reverse=True)
    assert sum(counts[: len(counts) // 10]) > sum(counts) / 3
    assert counts[len(counts) // 2] <= 6


def test_memory_does_not_grow_with_the_number_of_clients() -> None:
    def peak(clients: int) -> int:
        tracemalloc.start()
        for _ in generate(clients, 5, TODAY):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    # The records of so many clients take some forty megabytes.
    assert peak(2000) < 2_000_000
