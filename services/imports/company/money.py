"""Lines and totals of the documents the generator makes, with French VAT: per rate, on the sum, to the cent."""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from services.imports.records import DocumentLine

CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    """The amount to the cent, halves away from zero (BOI-TVA-BASE-20: fiscal rounding)."""
    return amount.quantize(CENT, ROUND_HALF_UP)


class Bill(NamedTuple):
    """Lines with their totals."""

    lines: tuple[DocumentLine, ...]
    excl_tax: Decimal
    tax: Decimal
    incl_tax: Decimal


class Sale(NamedTuple):
    """What is sold, before any sum."""

    label: str
    quantity: Decimal
    unit_price: Decimal
    vat_rate: Decimal
    discount_percent: Decimal = Decimal(0)


def bill(sales: list[Sale]) -> Bill:
    """Totals of sales. The tax of a rate is that of its sum; its last line bears what rounding leaves."""
    nets = [cents(s.quantity * s.unit_price * (100 - s.discount_percent) / 100) for s in sales]
    bases: dict[Decimal, Decimal] = defaultdict(Decimal)
    last: dict[Decimal, int] = {}
    for index, (sale, net) in enumerate(zip(sales, nets, strict=True)):
        bases[sale.vat_rate] += net
        last[sale.vat_rate] = index
    taxes = {rate: cents(base * rate / 100) for rate, base in bases.items()}
    left = dict(taxes)
    lines: list[DocumentLine] = []
    for index, (sale, net) in enumerate(zip(sales, nets, strict=True)):
        own = left[sale.vat_rate] if index == last[sale.vat_rate] else cents(net * sale.vat_rate / 100)
        left[sale.vat_rate] -= own
        lines.append(
            DocumentLine(
                label=sale.label,
                quantity=sale.quantity,
                unit_price=sale.unit_price,
                discount_percent=sale.discount_percent,
                vat_rate=sale.vat_rate,
                total_excl_tax=net,
                total_tax=own,
                total_incl_tax=net + own,
            )
        )
    excl, tax = sum(nets, Decimal(0)), sum(taxes.values(), Decimal(0))
    return Bill(tuple(lines), excl, tax, excl + tax)


def share(whole: Bill, percent: int, label: str) -> list[Sale]:
    """A deposit: so many percent of each rate's base, one line a rate."""
    bases: dict[Decimal, Decimal] = defaultdict(Decimal)
    for line in whole.lines:
        bases[line.vat_rate] += line.total_excl_tax
    return [Sale(label, Decimal(1), cents(base * percent / 100), rate) for rate, base in bases.items()]
