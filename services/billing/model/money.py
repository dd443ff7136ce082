"""Totals as French VAT wants them: per rate, on the sum of the lines, to the cent, halves away from zero."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any, Protocol

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


class Priced(Protocol):
    """What of a line decides its amounts."""

    @property
    def kind(self) -> str: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def unit_price(self) -> Decimal: ...
    @property
    def discount_percent(self) -> Decimal: ...
    @property
    def vat_rate(self) -> Decimal: ...


@dataclass(frozen=True)
class Amounts:
    """Without tax, tax, with tax, each to the cent."""

    excl_tax: Decimal
    tax: Decimal

    @property
    def incl_tax(self) -> Decimal:
        """What is to be paid."""
        return self.excl_tax + self.tax


@dataclass(frozen=True)
class Totals:
    """Amounts of a document and of each of its lines, and the VAT of each rate."""

    document: Amounts
    lines: tuple[Amounts, ...]
    taxes: list[dict[str, str]]


def cents(amount: Decimal) -> Decimal:
    """To the cent, halves away from zero; never a negative zero."""
    with localcontext() as context:
        context.prec = 40
        return amount.quantize(CENT, ROUND_HALF_UP) + ZERO


def net(line: Priced) -> Decimal:
    """A line without tax: quantity × price, less the discount, to the cent."""
    if line.kind == "section":
        return ZERO
    with localcontext() as context:
        context.prec = 40
        return cents(line.quantity * line.unit_price * (100 - line.discount_percent) / 100)


def totals(lines: Sequence[Priced], known: Mapping[Decimal, Decimal] | None = None) -> Totals:
    """Totals of a document. Line totals add up to it: the last line of a rate bears what its rounding leaves.

    `known` gives the VAT of rates that it is known of: the last invoice of a quote bears what the ones before left,
    so that all of them together come to the quote's own VAT.
    """
    nets = [net(line) for line in lines]
    bases: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    last: dict[Decimal, int] = {}
    for index, (line, amount) in enumerate(zip(lines, nets, strict=True)):
        if line.kind != "section":
            rate = line.vat_rate.normalize()
            bases[rate] += amount
            last[rate] = index
    taxes = {rate: cents(base * rate / 100) for rate, base in bases.items()}
    taxes |= {rate: tax for rate, tax in (known or {}).items() if rate in taxes}
    left = dict(taxes)
    amounts = []
    for index, (line, amount) in enumerate(zip(lines, nets, strict=True)):
        tax = ZERO
        if line.kind != "section":
            rate = line.vat_rate.normalize()
            tax = left[rate] if index == last[rate] else cents(amount * rate / 100)
            left[rate] -= tax
        amounts.append(Amounts(amount, tax))
    return Totals(
        Amounts(sum(nets, ZERO), sum(taxes.values(), ZERO)),
        tuple(amounts),
        [
            {"rate": f"{rate:f}", "base": f"{bases[rate]:f}", "tax": f"{tax:f}"}
            for rate, tax in sorted(taxes.items(), reverse=True)
        ],
    )


def tidy(amount: Decimal) -> Decimal:
    """An amount of another system: two decimals where nothing is lost by it, every digit otherwise."""
    with localcontext() as context:
        context.prec = 60
        rounded = amount.quantize(CENT, ROUND_HALF_UP)
        return rounded + ZERO if rounded == amount else amount.normalize()


def set_totals(row: Any, lines: Sequence[Any], result: Totals) -> None:
    """Writes totals into a document's row and its lines' rows."""
    row.total_excl_tax = result.document.excl_tax
    row.total_tax = result.document.tax
    row.total_incl_tax = result.document.incl_tax + row.total_other_taxes
    row.taxes = result.taxes
    for line, amounts in zip(lines, result.lines, strict=True):
        line.total_excl_tax = amounts.excl_tax
        line.total_tax = amounts.tax
        line.total_incl_tax = amounts.incl_tax
