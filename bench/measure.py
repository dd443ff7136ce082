"""A row of the table: samples taken in turns, and what is told of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Unit = Literal["ms", "/s", "MB"]


@dataclass(frozen=True, slots=True)
class Target:
    """What a row should reach: its percentile as a multiple of its floor's (`of_percent`), or as it is (`of_floor`)."""

    bound: float
    percent: int = 50
    #: For what should be large, such as rates.
    at_least: bool = False
    of_floor: bool = True
    #: Percentile of the floor: its median.
    of_percent: int = 50

    def __str__(self) -> str:
        return f"p{self.percent} {'≥' if self.at_least else '≤'} {self.bound:g}{self._of}"

    @property
    def _of(self) -> str:
        if not self.of_floor:
            return ""
        return " ×" if self.of_percent == 50 else f" × p{self.of_percent}"

    def met(self, figure: float) -> bool:
        """Whether a figure is on the right side of the bound."""
        return figure >= self.bound if self.at_least else figure <= self.bound


@dataclass
class Measure:
    """`once` does what is measured, raises when its result is wrong, and returns the sample in `unit`.

    Where it returns None, the sample is the time that it took, in milliseconds.
    """

    name: str
    once: Callable[[], float | None]
    #: Times per round; rounds of all measures take turns, so that a slow minute is slow for all.
    times: int
    #: Name of the measure that this one is compared to; its own name for a floor.
    floor: str
    unit: Unit = "ms"
    targets: Sequence[Target] = ()
    #: At most so many rounds, for what takes seconds.
    rounds: int | None = None
    samples: list[float] = field(default_factory=list)

    def percentile(self, percent: float) -> float:
        """The sample below which so many percent of the samples are (nearest rank)."""
        ordered = sorted(self.samples)
        return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def run(measures: Sequence[Measure], rounds: int) -> None:
    """Takes the samples; a first round warms up and is thrown away."""
    for number in range(rounds + 1):
        for measure in measures:
            if measure.rounds is not None and number > measure.rounds:
                continue
            taken = []
            for _ in range(measure.times):
                started = time.perf_counter()
                sample = measure.once()
                taken.append((time.perf_counter() - started) * 1000 if sample is None else sample)
            if number:
                measure.samples += taken


def rate(work: Callable[[], int]) -> Callable[[], float]:
    """An `once` that gives how many things a second `work` does; it returns how many it did."""

    def once() -> float:
        started = time.perf_counter()
        done = work()
        return done / (time.perf_counter() - started)

    return once


def rows(measures: Sequence[Measure]) -> list[dict[str, object]]:
    """A row a measure: percentiles, their multiples of the floor's median, and each target with what was reached."""
    by_name = {measure.name: measure for measure in measures}
    found: list[dict[str, object]] = []
    for measure in measures:
        floor = by_name[measure.floor]
        median = floor.percentile(50)
        row: dict[str, object] = {"name": measure.name, "unit": measure.unit, "floor": floor.name}
        for percent in (10, 50, 99):
            row[f"p{percent}"] = round(measure.percentile(percent), 3)
            row[f"p{percent}_ratio"] = round(measure.percentile(percent) / median, 2)
        # On a machine that others use too, the tenth percentiles are the nearest to what it would be alone.
        row["quiet_ratio"] = round(measure.percentile(10) / floor.percentile(10), 2)
        # What a busy machine does to any process, the floor's own included.
        row["worst_ratio"] = round(measure.percentile(99) / floor.percentile(99), 2)
        row["samples"] = len(measure.samples)
        row["targets"] = [_reached(measure, target, floor) for target in measure.targets]
        found.append(row)
    return found


def _reached(measure: Measure, target: Target, floor: Measure) -> dict[str, object]:
    got = measure.percentile(target.percent)
    got = round(got / floor.percentile(target.of_percent) if target.of_floor else got, 2)
    return {"target": str(target), "got": got, "met": target.met(got)}
