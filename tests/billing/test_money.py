"""Totals to the cent (field-reports 12), and due dates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.billing import VAT_RATES, LineBody
from services.billing.model.money import tidy, totals
from services.billing.model.terms import due_date


def line(quantity: str, price: str, rate: str, discount: str = "0", kind: str = "line") -> LineBody:
    return LineBody.model_validate(
        {
            "label": "x",
            "quantity": quantity,
            "unit_price": price,
            "vat_rate": rate,
            "discount_percent": discount,
            "kind": kind,
        }
    )


@pytest.mark.parametrize(
    ("lines", "excl_tax", "tax", "incl_tax"),
    [
        ([line("1", "33.33", "20")] * 3, "99.99", "20.00", "119.99"),
        ([line("1", "12.34", "5.5")] * 7, "86.38", "4.75", "91.13"),
        ([line("1.25", "47.90", "20", "7")], "55.68", "11.14", "66.82"),
        ([line("1", "200", "20"), line("-1", "100", "20")], "100.00", "20.00", "120.00"),
        ([line("1", "0.125", "20")], "0.13", "0.03", "0.16"),
        ([line("-1", "0.125", "20")], "-0.13", "-0.03", "-0.16"),
        ([line("1", "100", "20"), line("1", "100", "10"), line("1", "100", "0")], "300.00", "30.00", "330.00"),
        ([line("1", "100", "20", kind="section")], "0.00", "0.00", "0.00"),
        ([], "0.00", "0.00", "0.00"),
    ],
)
def test_vat_is_per_rate_on_the_sum_half_up_to_the_cent(
    lines: list[LineBody], excl_tax: str, tax: str, incl_tax: str
) -> None:
    document = totals(lines).document
    assert [str(document.excl_tax), str(document.tax), str(document.incl_tax)] == [excl_tax, tax, incl_tax]


@given(
    st.lists(
        st.tuples(
            st.decimals(-1000, 1000, places=3),
            st.decimals(0, 10_000, places=4),
            st.sampled_from(VAT_RATES),
            st.decimals(0, 100, places=2),
        ),
        max_size=12,
    )
)
def test_line_totals_always_add_up_to_the_document(rows: list[tuple[Decimal, Decimal, Decimal, Decimal]]) -> None:
    result = totals([line(f"{q:f}", f"{p:f}", f"{rate:f}", f"{off:f}") for q, p, rate, off in rows])
    assert sum((amounts.excl_tax for amounts in result.lines), Decimal(0)) == result.document.excl_tax
    assert sum((amounts.tax for amounts in result.lines), Decimal(0)) == result.document.tax
    assert sum((Decimal(tax["tax"]) for tax in result.taxes), Decimal(0)) == result.document.tax
    for amount in (result.document.excl_tax, result.document.tax, result.document.incl_tax):
        assert -amount.as_tuple().exponent == 2  # type: ignore[operator]


def test_amounts_of_another_system_keep_every_digit_that_counts() -> None:
    assert str(tidy(Decimal("10.00000000"))) == "10.00"
    assert str(tidy(Decimal("10.12345000"))) == "10.12345"
    assert str(tidy(Decimal(0))) == "0.00"


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (None, date(2026, 2, 14)),
        ("À réception", date(2026, 1, 15)),
        ("30 jours", date(2026, 2, 14)),
        ("45 jours fin de mois", date(2026, 3, 31)),
        ("30_days", date(2026, 2, 14)),
        ("fin de mois", date(2026, 1, 31)),
        ("comme convenu", date(2026, 2, 14)),
    ],
)
def test_due_dates_follow_from_the_terms(terms: str | None, expected: date) -> None:
    assert due_date(date(2026, 1, 15), terms) == expected
