"""Samples taken in turns, and what is told of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Measure:
    """Something to time: `once` does it and raises when its result is wrong; `floor` names what it is compared to."""

    name: str
    once: Callable[[], None]
    #: Times per round; rounds of all measures take turns, so that a slow minute is slow for all.
    times: int
    floor: str
    samples: list[float] = field(default_factory=list)

    def percentile(self, percent: float) -> float:
        """Milliseconds below which so many percent of the samples are (nearest rank)."""
        ordered = sorted(self.samples)
        return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] * 1000


def run(measures: Sequence[Measure], rounds: int) -> None:
    """Takes the samples; a first round warms up and is thrown away."""
    for number in range(rounds + 1):
        for measure in measures:
            taken = []
            for _ in range(measure.times):
                started = time.perf_counter()
                measure.once()
                taken.append(time.perf_counter() - started)
            if number:
                measure.samples += taken


def rows(measures: Sequence[Measure]) -> list[dict[str, str | float | int]]:
    """A row a measure: percentiles in milliseconds, and each as a multiple of its floor's."""
    by_name = {measure.name: measure for measure in measures}
    found: list[dict[str, str | float | int]] = []
    for measure in measures:
        floor = by_name[measure.floor]
        # On a machine that others use too, the tenth percentile is the nearest to what it would be alone.
        p10, p50, p99 = (measure.percentile(percent) for percent in (10, 50, 99))
        found.append(
            {
                "name": measure.name,
                "p10_ms": round(p10, 3),
                "p50_ms": round(p50, 3),
                "p99_ms": round(p99, 3),
                "floor": floor.name,
                "p10_ratio": round(p10 / floor.percentile(10), 2),
                "p50_ratio": round(p50 / floor.percentile(50), 2),
                "p99_ratio": round(p99 / floor.percentile(99), 2),
                "samples": len(measure.samples),
            }
        )
    return found
