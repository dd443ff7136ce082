"""The bench measures what it says."""

from __future__ import annotations

import time

import pytest

from bench import calls, events, floors, measure
from bench.ground import Ground
from bench.measure import Measure, Target


def test_percentiles_are_samples_and_ratios_are_to_the_median_of_the_floor() -> None:
    floor = Measure("floor", lambda: None, 1, "floor", samples=[float(n) for n in range(100, 0, -1)])
    twice = Measure("twice", lambda: None, 1, "floor", samples=[2.0 * n for n in range(1, 101)])
    rows = measure.rows([floor, twice])
    assert [(row["p50"], row["p99"]) for row in rows] == [(50, 99), (100, 198)]
    assert [(row["p50_ratio"], row["p99_ratio"], row["quiet_ratio"]) for row in rows] == [(1, 1.98, 1), (2, 3.96, 2)]


def test_targets_say_what_was_reached_and_whether_it_is_enough() -> None:
    floor = Measure("floor", lambda: None, 1, "floor", samples=[10.0, 10.0])
    other = Measure("other", lambda: None, 1, "floor", samples=[12.0, 30.0])
    other.targets = [
        Target(1.2),
        Target(2.9, percent=99),
        Target(1.3, at_least=True),
        Target(12, of_floor=False),
        Target(2, percent=99, of_percent=99),
    ]
    assert measure.rows([floor, other])[1]["targets"] == [
        {"target": "p50 ≤ 1.2 ×", "got": 1.2, "met": True},
        {"target": "p99 ≤ 2.9 ×", "got": 3.0, "met": False},
        {"target": "p50 ≥ 1.3 ×", "got": 1.2, "met": False},
        {"target": "p50 ≤ 12", "got": 12.0, "met": True},
        {"target": "p99 ≤ 2 × p99", "got": 3.0, "met": False},
    ]


def test_measures_take_turns_and_the_first_round_is_thrown_away() -> None:
    order: list[str] = []
    measures = [Measure(name, lambda name=name: order.append(name), 2, "a") for name in ("a", "b")]  # type: ignore[misc]
    measures.append(Measure("c", lambda: order.append("c"), 1, "a", rounds=1))
    measure.run(measures, 2)
    assert order == ["a", "a", "b", "b", "c"] * 2 + ["a", "a", "b", "b"]
    assert [len(each.samples) for each in measures] == [4, 4, 1]


def test_a_rate_is_what_was_done_by_the_time_that_it_took() -> None:
    def work() -> int:
        until = time.perf_counter() + 0.01
        while time.perf_counter() < until:
            pass
        return 5

    assert 0 < measure.rate(work)() <= 500


@pytest.mark.broker
def test_every_way_of_calling_is_measured_and_answers_right(amqp_url: str) -> None:
    with Ground(fan_out=2, amqp_url=amqp_url) as ground:
        measures = [*floors.measures(ground), *calls.measures(ground)]
        for each in measures:
            each.times = min(each.times, 2)
        measure.run(measures, 1)
        rows = measure.rows(measures)
    assert {row["floor"] for row in rows} <= {row["name"] for row in rows}
    assert {row["name"] for row in rows if row["targets"]} == {"RPC round trip", "RPC fan-out", "RPC calls, pipelined"}
    assert all(row["samples"] and row["p50"] for row in rows)


@pytest.mark.broker
def test_events_are_measured_and_each_has_its_effect_once(amqp_url: str) -> None:
    with Ground(amqp_url=amqp_url) as ground:
        raw = Measure(floors.RAW, lambda: 1.0, 1, floors.RAW)
        measures = [raw, *events.measures(ground, count=300, seconds=0.2)]
        for each in measures:
            each.times = 1
        measure.run(measures, 1)
        rows = measure.rows(measures)
    assert {row["floor"] for row in rows} <= {row["name"] for row in rows}
    assert [row["name"] for row in rows if row["targets"]] == [
        "commit → effect elsewhere",
        "log → effects, events",
        "log → effects, from behind",
        "commits told, 1 at once",
        "commits told, 16 at once",
    ]
    assert all(row["p50"] for row in rows)
