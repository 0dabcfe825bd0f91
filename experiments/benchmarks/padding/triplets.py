"""Time ratios on a machine of varying speed: every step is timed between two of a reference.

A round is reference, a, reference, b, reference, …, in random order; the ratio of `a` is its time
divided by the mean of its two neighbours.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Run = Callable[[], float]  # makes its steps and returns the seconds per step


@dataclass
class Measured:
    """The measurements of one step: for each round its seconds and those of its neighbours."""

    seconds: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Seconds divided by the mean of the neighbours, for each round."""
        return [a / b for a, b in zip(self.seconds, self.beside, strict=True)]

    def quartiles(self) -> tuple[float, float, float]:
        """Return the ratios' lower quartile, median and upper quartile."""
        low, middle, high = statistics.quantiles(self.ratios, n=4, method="inclusive")
        return low, middle, high


def measure(reference: Run, runs: Mapping[str, Run], rounds: int) -> dict[str, Measured]:
    """Run everything once per round between two runs of the reference, in shuffled order.

    A warm-up round is not counted, because anything that is built or seeded late may make
    TensorFlow drop its compiled functions and compile them again in the next call.
    """
    for run in (*runs.values(), reference):
        run()
    order, shuffle = list(runs), random.Random(0).shuffle
    measured = {name: Measured() for name in runs}
    for _ in range(rounds):
        shuffle(order)
        before = reference()
        for name in order:
            seconds, after = runs[name](), reference()
            measured[name].seconds.append(seconds)
            measured[name].beside.append((before + after) / 2)
            before = after
    return measured


def steps_in(seconds: float, run: Run, most: int) -> int:
    """Return how many steps take about `seconds`: at least 1, at most `most`."""
    return max(1, min(most, round(seconds / run())))
