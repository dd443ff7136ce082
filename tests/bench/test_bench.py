"""The bench measures what it says."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from bench import measure
from bench.__main__ import RAW, RAW_FAN, call_measures
from bench.measure import Measure


def test_percentiles_are_samples_and_ratios_are_to_the_floor() -> None:
    floor = Measure("floor", lambda: None, 1, "floor", [n / 1000 for n in range(100, 0, -1)])
    twice = Measure("twice", lambda: None, 1, "floor", [2 * n / 1000 for n in range(1, 101)])
    rows = measure.rows([floor, twice])
    assert [(row["p50_ms"], row["p99_ms"]) for row in rows] == [(50, 99), (100, 198)]
    assert [(row["p50_ratio"], row["p99_ratio"]) for row in rows] == [(1, 1), (2, 2)]


def test_measures_take_turns_and_the_first_round_is_thrown_away() -> None:
    order: list[str] = []
    measures = [Measure(name, lambda name=name: order.append(name), 2, "a") for name in ("a", "b")]  # type: ignore[misc]
    measure.run(measures, 2)
    assert order == ["a", "a", "b", "b"] * 3
    assert [len(each.samples) for each in measures] == [4, 4]


@pytest.mark.broker
def test_every_way_of_calling_is_measured_and_answers_right(amqp_url: str) -> None:
    with ExitStack() as stack:
        measures = call_measures(stack, amqp_url, fan_out=2)
        measure.run(measures, 1)
        rows = measure.rows(measures)
    assert {row["floor"] for row in rows} == {RAW, RAW_FAN}
    assert len(rows) == 6
    assert all(row["samples"] and row["p50_ms"] for row in rows)
